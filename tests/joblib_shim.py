"""Run joblib's own tests of its hashes on the content hash: ``pytest -p joblib_shim joblib/test/test_hashing.py``."""

from __future__ import annotations

import joblib.hashing

from flowly_ckpt import functional_hash


def hash(obj, hash_name="md5", coerce_mmap=False):
    if hash_name not in ("md5", "sha1"):
        raise ValueError(f"Valid options for 'hash_name' are 'md5' and 'sha1'. Got hash_name={hash_name!r} instead.")
    return functional_hash(obj)


joblib.hashing.hash = hash
