"""The tests of other libraries, run on the parts of this one that do the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# What dask means otherwise than this library, by test.
OF_DASK = {
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


# And joblib.
OF_JOBLIB = {
    "test_hashes_stay_the_same": "tests the digests of joblib itself",
    "test_hashes_are_different_between_c_and_fortran_contiguous_arrays": "the layout in memory does not count",
    "test_hash_numpy_noncontiguous": "the layout in memory does not count",
    "test_hash_memmap": "a memory map is the array in it",
    "test_hash_numpy_performance": "measures time against MD5",
    "test_hashing_pickling_error": "tests the text of an error; what it hashes has a hash here",
}
PEERS = [
    ("dask.tests.test_tokenize", "dask_shim", OF_DASK, 80),
    ("joblib.test.test_hashing", "joblib_shim", OF_JOBLIB, 450),
]


@pytest.mark.parametrize(("name", "shim", "different", "least"), PEERS, ids=[peer[1] for peer in PEERS])
def test_the_tests_of_a_peer_hold_but_for_what_is_meant_otherwise(tmp_path, name, shim, different, least):
    tests = pytest.importorskip(name)
    pytest.importorskip("dask.array" if shim == "dask_shim" else "numpy")
    here = Path(__file__).parent
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    options = ["-q", "-p", shim, "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tests.__file__],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    failed = set(re.findall(r"^(?:FAILED|ERROR) \S*?::(\w+)", done.stdout, re.M))
    assert failed <= different.keys(), done.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > least
