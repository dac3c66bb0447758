"""Hits and misses of one step, by the size of its result, in memory and on disk."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from peers import IN_MEMORY, ON_DISK, PLAIN, OpenFile, Remember, Step, kept_in, redun_scheduler
from row import Prepare, Row, Work

LIMIT = "an open file"
MAPPED, NEW = "xxh3 of the mapped file", "write to a new file"


def small(number: int) -> dict[str, int]:
    return {"number": 2 * number}


def medium(number: int) -> Any:
    return np.full(131_072, float(number))


def large(number: int) -> Any:
    return np.full(5_000_000, float(number))


def hits(remember: Remember, step: Step) -> Prepare:
    def prepare(folder: Path) -> Work:
        call = remember(folder)(step)
        call(1), call(1), call(1)
        return lambda number: call(1)

    return prepare


def misses(remember: Remember, step: Step) -> Prepare:
    def prepare(folder: Path) -> Work:
        call = remember(folder)(step)
        call(-2), call(-1)
        return call

    return prepare


def digest_of_mapped(step: Step) -> Prepare:
    """Map a file and hash it: the least for who hands out nothing unchecked."""

    def prepare(folder: Path) -> Work:
        np.save(folder / "1.npy", step(1))

        def work(number: int) -> bytes:
            with open(folder / "1.npy", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                return xxhash.xxh3_128_digest(mapped)

        return work

    return prepare


def written(step: Step) -> Prepare:
    """Compute, and write to a new file."""

    def prepare(folder: Path) -> Work:
        def work(number: int) -> None:
            with open(folder / str(number), "wb", buffering=0) as file:
                file.write(memoryview(step(number)).cast("B"))

        return work

    return prepare


class Npy:
    """A file of ``np.save`` for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, key: str) -> Any:
        try:
            return np.load(self.folder / f"{key}.npy")
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: Any) -> None:
        np.save(self.folder / f"{key}.npy", value)


def rows(quick: bool) -> list[Row]:
    every = {**ON_DISK, "redun": redun_scheduler, **PLAIN, LIMIT: kept_in(OpenFile)}
    of_arrays = {**ON_DISK, "np.save": kept_in(Npy)}
    found = [
        Row("hit in memory, small", "a dict", {who: hits(remember, small) for who, remember in IN_MEMORY.items()}),
        Row("miss in memory, small", "a dict", {who: misses(remember, small) for who, remember in IN_MEMORY.items()}),
        Row("hit on disk, small", LIMIT, {who: hits(remember, small) for who, remember in every.items()}),
        Row("miss on disk, small", LIMIT, {who: misses(remember, small) for who, remember in every.items()}),
    ]
    for name, step in (("array of 1 MB", medium), ("array of 40 MB", large)):
        hit, miss = ({who: way(remember, step) for who, remember in of_arrays.items()} for way in (hits, misses))
        found += [
            Row(f"hit on disk, {name}", MAPPED, hit | {MAPPED: digest_of_mapped(step)}),
            Row(f"miss on disk, {name}", NEW, miss | {NEW: written(step)}),
        ]
    return found
