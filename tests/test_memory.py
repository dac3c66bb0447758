"""Memory: what joblib's is to other libraries."""

from __future__ import annotations

import copy
import pickle

import pytest

from flowly_ckpt import DiskTarget, Memory


def test_the_ways_to_cache():
    memory, ran = Memory({}), []

    def step(x, verbose=False):
        ran.append(x)
        return x

    plain = memory.cache(step, ignore=["verbose"], tag="step")
    with pytest.warns(UserWarning, match="changed closure 'ran'"):
        plain(1)
    assert len(memory.target) == 1

    @memory.cache
    def one(x):
        return x

    @memory.cache(ignore=["verbose"], verbose=0, mmap_mode="r")
    def two(x, verbose=False):
        return x

    assert [one(1), two(1), two(1, verbose=True), memory.eval(abs, -1)] == [1, 1, 1, 1]
    assert len(memory.target) == 4
    memory.clear(warn=False)
    assert len(memory.target) == 0


def test_the_first_line_of_a_joblib_user_says_what_to_write():
    for given, words in (
        (
            {"location": "cache", "verbose": 0},
            "Memory(location='cache') is joblib's; here write Memory(DiskTarget('cache'))",
        ),
        ({"location": None}, "Memory(location=None) is joblib's; here write Memory({})"),
        ({"target": {}, "mmap_mode": "r"}, "Memory has no option 'mmap_mode'; how results are kept is up to"),
    ):
        with pytest.raises(TypeError) as caught:
            Memory(**given)
        assert words in str(caught.value)


def test_a_copy_keeps_to_the_same_results(tmp_path):
    memory = Memory({})
    assert copy.deepcopy(memory) is memory
    assert repr(memory) == "Memory(dict)"
    with DiskTarget(tmp_path) as target:
        assert pickle.loads(pickle.dumps(Memory(target))).target.path == target.path


def test_a_target_is_asked_for():
    with pytest.raises(TypeError, match=r"write DiskTarget\('cache'\)"):
        Memory("cache")


def test_a_callback_of_joblib_is_asked(tmp_path):
    joblib = pytest.importorskip("joblib")
    with DiskTarget(tmp_path) as target:
        for days, again in ((1, 0), (-1, 1)):
            ran = []

            def step(x, ran=None):
                ran.append(x)
                return x

            stale = joblib.memory.expires_after(days=days)
            remembered = Memory(target).cache(step, ignore=["ran"], cache_validation_callback=stale)
            remembered(days, ran), remembered(days, ran)
            assert len(ran) == 1 + again


@pytest.mark.parametrize("make", [dict, DiskTarget], ids=["dict", "disk"])
def test_a_callback_sees_the_arguments(tmp_path, make):
    seen = []

    def step(x, names, deep=None):
        return x

    def is_valid(known):
        seen.append(known["input_args"])
        return known["input_args"]["x"] != "1"

    target = {} if make is dict else DiskTarget(tmp_path)
    remembered = Memory(target).cache(step, ignore=["deep"], cache_validation_callback=is_valid)
    for x in (1, 1, 2, 2):
        remembered(x, ["a", "b"], deep=object())
    assert {known["x"] for known in seen} == {"1", "2"}
    assert {known["names"] for known in seen} == {"['a', 'b']"}
    assert not any("deep" in known for known in seen)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_search_over_a_pipeline_fits_each_step_once(tmp_path, jobs):
    sklearn = pytest.importorskip("sklearn")
    np = pytest.importorskip("numpy")
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.random.default_rng(0).normal(size=(60, 4))
    labels = rows[:, 0] > 0
    grid = {"reduce__n_components": [2, 3], "fit__C": [0.1, 1.0, 10.0]}

    def search(memory, jobs=1):
        steps = [("scale", StandardScaler()), ("reduce", PCA(svd_solver="full")), ("fit", LogisticRegression())]
        return GridSearchCV(Pipeline(steps, memory=memory), grid, cv=3, n_jobs=jobs).fit(rows, labels)

    with DiskTarget(tmp_path) as target:
        found, plain = search(Memory(target), jobs), search(None)
        assert sklearn.base.clone(found.best_estimator_).memory.target is target or jobs > 1
        assert np.array_equal(found.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
        # For each of 3 folds and once for all rows: 1 to scale; 2 to reduce in a fold, 1 for all rows.
        assert len(target) == 4 + 3 * 2 + 1
        before = sum(entry.hits for entry in target.entries())
        search(Memory(target))
        assert len(target) == 4 + 3 * 2 + 1
        assert sum(entry.hits for entry in target.entries()) > before
