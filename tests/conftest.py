"""Hypothesis: new examples at each run on a developer's machine, the same ones in CI (and under tox, which sets CI)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadlines: a slow machine is no fault of the code.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
