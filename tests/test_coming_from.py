"""What the page for users of joblib says of functions kept by their arguments."""

from __future__ import annotations

from datetime import timedelta

import pytest

import flowly_ckpt
from flowly_ckpt import clear_checkpoints, ignore_globals
from flowly_ckpt.targets import DiskTarget

CALLS = []


@ignore_globals("CALLS")
def area(width, height=2, verbose=False):
    CALLS.append((width, height, verbose))
    return width * height


@pytest.fixture
def target(tmp_path):
    CALLS.clear()
    with DiskTarget(tmp_path / "cache") as made:
        yield made


@pytest.mark.skipif(not hasattr(flowly_ckpt, "memo"), reason="this checkout has no memo")
def test_the_rows_of_joblib(target):
    from flowly_ckpt import Memory, memo

    for kept in (Memory(target).cache(area, ignore=["verbose"]), memo(target, ignore=("verbose",))(area)):
        CALLS.clear()
        assert kept(3) == kept(3, 2) == kept(height=2, width=3) == kept(3, verbose=True) == 6
        assert len(CALLS) == 1
        assert "restore" in str(kept.plan(3))
        assert "run" in str(kept.plan(4))
        kept.clear()
        assert len(target) == 0
    refused = memo(target, valid=lambda entry: False)(area)
    CALLS.clear()
    assert refused(3) == refused(3) == 6
    assert len(CALLS) == 2


def test_a_cache_is_reduced_by_size_and_by_age(target):
    for number in range(3):
        target[str(number), "area", "f"] = bytes(1000)
    assert clear_checkpoints(target, unused_for=timedelta(days=30)) == clear_checkpoints(target, unused_for="30d") == 0
    assert target.gc(max_bytes="2 kB").evicted >= 1
    assert target.size() <= 2000
    clear_checkpoints(target)
    assert len(target) == 0
