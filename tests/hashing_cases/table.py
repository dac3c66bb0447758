"""What a row of the tables is, and how its texts are evaluated: each text a module of its own, in a folder of its own.

Run as a script, it evaluates all texts and prints their hashes as JSON; the test does so in two processes with
different hash seeds.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import sys
import tempfile
import warnings
from dataclasses import dataclass, replace
from importlib.util import find_spec
from textwrap import dedent
from typing import Any

PRELUDE = """\
import collections, copy, datetime, decimal, enum, fractions, functools, io, ipaddress, itertools, math, operator
import pathlib, pickle, random, re, string, sys, threading, types, typing, uuid, weakref, zoneinfo
import toolz, toolz.curried as curried
"""
LIBRARIES = {"np": "numpy", "pd": "pandas", "pa": "pyarrow", "pl": "polars"}
ABSENT = {name: library for name, library in LIBRARIES.items() if importlib.util.find_spec(library) is None}
PRELUDE += "".join(f"import {library} as {name}\n" for name, library in LIBRARIES.items() if name not in ABSENT)


@dataclass(frozen=True)
class Group:
    """Texts, and what their values must be: ``same``, ``distinct`` or ``error`` (with ``where`` in its message)."""

    expect: str
    name: str
    texts: tuple[str, ...]
    where: tuple[str, ...] = ()
    needs: str = ""


def same(name: str, *texts: str) -> Group:
    return Group("same", name, texts)


def distinct(name: str, *texts: str) -> Group:
    return Group("distinct", name, texts)


def error(name: str, text: str, *where: str) -> Group:
    return Group("error", name, (text,), where)


def after(setup: str, *expressions: str) -> tuple[str, ...]:
    """Return texts that evaluate an expression each, after the same statements."""
    return tuple(f"{PRELUDE}\n{dedent(setup)}\n\ndef make():\n    return (\n{text}\n)\n" for text in expressions)


def needing(library: str, *groups: Group) -> list[Group]:
    """Return groups that are left out where a library is not installed."""
    return [replace(group, needs=library) for group in groups]


def edits(name: str, text: str, *replacements: tuple[str, str]) -> tuple[str, ...]:
    """Return a text and its edited forms; each replacement must change it."""
    base = dedent(text)
    forms = [base]
    for old, new in replacements:
        assert old in base, (name, old)
        forms.append(base.replace(old, new))
    return tuple(forms)


def absent(group: Group) -> set[str]:
    """Return the libraries that the texts of a group use and that are not there."""
    needed = {group.needs} if group.needs and find_spec(group.needs) is None else set()
    used = {lib for name, lib in ABSENT.items() if re.search(rf"\b({name}\.|{lib}\b)", " ".join(group.texts))}
    return needed | used


def modules() -> list[Any]:
    from hashing_cases import (
        adversarial,
        arrays,
        beside,
        callables,
        classes,
        containers,
        everyday,
        far,
        functions,
        libraries,
        met,
        needless,
        newest,
        ordinary,
        scalars,
        seen,
        tables,
        unhashable,
        used,
        users,
    )
    from hashing_cases import (
        modules as imports,
    )

    found = [scalars, containers, classes, functions, callables, imports, newest, seen, ordinary, needless]
    found += [unhashable, arrays, tables, adversarial, met, libraries, used, beside, users, far, everyday]
    return found


def all_groups() -> list[Group]:
    groups = [group for module in modules() for group in module.CASES]
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
        for place in [place for place in sys.path_importer_cache if place.startswith(folder)]:
            del sys.path_importer_cache[place]  # of thousands, to invalidate all would take most of the time
        for name in sorted(set(sys.modules) - before, reverse=True):  # modules before their packages
            table = vars(sys.modules[name])
            places = [str(table.get("__file__")), *map(str, table.get("__path__", ()))]
            if any(place.startswith(folder) for place in places):
                del sys.modules[name]


def fault(group: Group, one: list[str], other: list[str]) -> str:
    """Return what is wrong with the hashes that two processes made for a group; empty if nothing is."""
    if group.expect == "error":
        is_told = one[0].startswith("error: ") and all(part in one[0] for part in group.where)
        return "" if is_told else f"the message lacks a part: {one[0]}"
    if one != other:
        return f"the hash depends on the process: {one}, {other}"
    if any(len(value) != 32 for value in one):
        return f"no hash: {one}"
    if group.expect == "same":
        return "" if len(set(one)) == 1 else f"not the same: {one}"
    clashes = [(i, j) for i in range(len(one)) for j in range(i) if one[i] == one[j]]
    return f"the same: {[(group.texts[i], group.texts[j]) for i, j in clashes]}" if clashes else ""


def is_heavy(group: Group) -> bool:
    """Return whether a group loads libraries with many classes, as each does whose texts are expressions."""
    texts = " ".join(map(source, group.texts))
    return bool(
        group.needs or re.search(r"\b(numpy|pandas|pyarrow|polars|torch|sklearn|scipy|dask|sympy|xarray)\b", texts)
    )


def kinds() -> dict[str, list[str]]:
    """Return the names of all groups by the module they stand in."""
    return {module.__name__.rpartition(".")[2]: [group.name for group in module.CASES] for module in modules()}


def main() -> None:
    warnings.simplefilter("ignore")
    sys.dont_write_bytecode = True
    results = {}
    with tempfile.TemporaryDirectory() as root:
        for group in sorted(all_groups(), key=is_heavy):  # while few classes are loaded, few are looked at each time
            if absent(group):
                continue
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
