"""Hypothesis: new examples at each run on a developer's machine, the same ones in CI (and under tox, which sets CI).

And the folder in which the tests of recipes work, and that nothing is known of earlier tests' dicts.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from flowly_ckpt.targets import noted

# No deadlines: a slow machine is no fault of the code.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project folder of its own, and the configuration of recipes as it was."""
    from flowly_ckpt.recipes import AlkymiConfig

    config = AlkymiConfig.get()
    before = dict(vars(config))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    vars(config).update(before)


@pytest.fixture(autouse=True)
def _dicts_of_its_own():
    """Forget what is known of earlier tests' dicts, in whose places in memory new ones come to lie."""
    noted._notes.clear()
