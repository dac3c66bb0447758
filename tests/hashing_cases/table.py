"""What a row of the tables is, and how its texts are evaluated: each text a module of its own, in a folder of its own.

Run as a script, it evaluates all texts and prints their hashes as JSON; the test does so in two processes with
different hash seeds.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import tempfile
import warnings
from dataclasses import dataclass
from textwrap import dedent

PRELUDE = """\
import collections, copy, datetime, decimal, enum, fractions, functools, io, ipaddress, itertools, math, operator
import pathlib, pickle, random, re, string, sys, threading, types, typing, uuid, weakref, zoneinfo
import numpy as np, pandas as pd, pyarrow as pa, polars as pl
import toolz, toolz.curried as curried
"""


@dataclass(frozen=True)
class Group:
    """Texts, and what their values must be: ``same``, ``distinct`` or ``error`` (with ``where`` in its message)."""

    expect: str
    name: str
    texts: tuple[str, ...]
    where: tuple[str, ...] = ()


def same(name: str, *texts: str) -> Group:
    return Group("same", name, texts)


def distinct(name: str, *texts: str) -> Group:
    return Group("distinct", name, texts)


def error(name: str, text: str, *where: str) -> Group:
    return Group("error", name, (text,), where)


def edits(name: str, text: str, *replacements: tuple[str, str]) -> tuple[str, ...]:
    """Return a text and its edited forms; each replacement must change it."""
    base = dedent(text)
    forms = [base]
    for old, new in replacements:
        assert old in base, (name, old)
        forms.append(base.replace(old, new))
    return tuple(forms)


def all_groups() -> list[Group]:
    from hashing_cases import (
        adversarial,
        arrays,
        callables,
        classes,
        containers,
        functions,
        met,
        modules,
        needless,
        ordinary,
        scalars,
        seen,
        tables,
        unhashable,
    )

    found = [scalars, containers, classes, functions, callables, modules, unhashable, arrays, tables, adversarial, met, seen, ordinary, needless]
    groups = [group for module in found for group in module.CASES]
    names = [group.name for group in groups]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    return groups


def source(text: str) -> str:
    """An expression is wrapped in a function; statements give what they call ``f``, unless they define ``make``."""
    text = dedent(text).strip("\n")
    try:
        compile(text.strip(), "case", "eval")
    except SyntaxError:
        return text if re.search(r"^(def )?make\b", text, re.M) else f"{text}\n\ndef make():\n    return f\n"
    return f"{PRELUDE}\ndef make():\n    return (\n{text}\n)\n"


def evaluate(text: str, folder: str) -> str:
    """Write a text as a module (parts after ``#-- name.py`` as further files), import it, hash what it makes."""
    from flowly_ckpt.hashing import UnhashableError, functional_hash

    first, *others = re.split(r"^#-- (\S+)\n", dedent(text).strip("\n") + "\n", flags=re.M)
    files = {"case.py": source(first), **dict(zip(others[::2], others[1::2]))}
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogatepass") as out:
            out.write(content)
    importlib.invalidate_caches()
    sys.path.insert(0, folder)
    before = set(sys.modules)
    try:
        return functional_hash(importlib.import_module("case").make())
    except UnhashableError as refusal:
        return f"error: {refusal}"
    finally:
        sys.path.remove(folder)
        for name in sorted(set(sys.modules) - before, reverse=True):  # modules before their packages
            module = sys.modules[name]
            places = [getattr(module, "__file__", None) or "", *map(str, getattr(module, "__path__", ()))]
            if any(place.startswith(folder) for place in places):
                del sys.modules[name]


def main() -> None:
    warnings.simplefilter("ignore")
    sys.dont_write_bytecode = True
    results = {}
    with tempfile.TemporaryDirectory() as root:
        for group in all_groups():
            results[group.name] = []
            for i, text in enumerate(group.texts):
                folder = os.path.join(root, f"{len(results)}_{i}")
                try:
                    results[group.name].append(evaluate(text, folder))
                except Exception as failure:  # noqa: BLE001  shown by the test as the value of this text
                    results[group.name].append(f"failed: {type(failure).__name__}: {failure}")
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
