"""The tests of other libraries, run on the parts of this one that do the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# What dask means otherwise than this library, by test.
DIFFERENT = {
    "test_check_tokenize": "tests __dask_tokenize__",
    "test_tokenize_object": "tests dask's settings and the text of its errors",
    "test_normalize_object_unserializable": "tests dask's settings and the text of its errors",
    "test_normalize_numpy_ufunc_unserializable": "tests dask's settings and the text of its errors",
    "test_tokenize_recursive_respects_ensure_deterministic": "tests dask's settings and the text of its errors",
    "test_nested_tokenize_seen": "tests dask's bookkeeping",
    "test_tokenize_method": "tests __dask_tokenize__",
    "test_tokenize_callable_class_with_tokenize_method": "tests __dask_tokenize__",
    "test_tokenize_dict": "the order of a dict counts: code can see it",
    "test_tokenize_sorts_dict_before_seen_map": "the order of a dict counts: code can see it",
    "test_tokenize_functions_unique_token": "lambda x: x and lambda y: y are the same function",
    "test_tokenize_numpy_ufunc": "two ufuncs of the same function are the same",
    "test_tokenize_random_functions": "random.random counts by name, not by the state of the module's generator",
}


def test_dasks_own_tests_of_its_tokens_hold_but_for_what_is_meant_otherwise(tmp_path):
    tests = pytest.importorskip("dask.tests.test_tokenize")
    pytest.importorskip("dask.array")
    here = Path(__file__).parent
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    options = ["-q", "-p", "dask_shim", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tests.__file__],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    failed = set(re.findall(r"^(?:FAILED|ERROR) \S*?::(\w+)", done.stdout, re.M))
    assert failed <= DIFFERENT.keys(), done.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 80
