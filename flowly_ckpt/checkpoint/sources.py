"""What the results of a run are made from: the parts of its input and its steps, described when one is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

from ..hashing.parts import MOST, Parts, of_atom, parts_of
from ..hashing.plain import ATOMS
from ..hashing.walk import Walk
from ..labels import label
from ..logs import DEBUG, heard
from ..pipelines import name_of
from ..targets.made_from import MadeFrom
from ..targets.protocol import as_target
from .hashed import Hashed

__all__ = ["PYTHON", "Sources", "of_function"]

#: The version that code was compiled by, without which hashes of it are not compared.
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
KEPT = 4096  # tables of steps
FIRST = 8  # entries that keep the tables of their code
OF_INPUT = 24  # rows

_tables: dict[str, Parts] = {}
_stored: dict[tuple[Any, str, str], int] = {}


class Sources:
    """Describe what the results of nested wrappers are made from, by the walks that made their keys.

    Nothing is done before the first question; then all is answered at once, and the walks are let go.

    :param stages, keyed: the wrappers, and the keys of their results for the object.
    :param found: what was hashed for the keys, by the hasher of the target.
    :param fresh: tell the lines of the code as it stands now, and store nothing.

    >>> from flowly_ckpt.checkpoint import checkpoint, with_checkpoint
    >>> from flowly_ckpt.checkpoint.stages import hashed_for, keys_of, stages_of
    >>> stages = stages_of(with_checkpoint(checkpoint({}), abs))
    >>> found = hashed_for(stages, -5)
    >>> made_from = Sources(stages, keys_of(stages, found), found, -5)[0]
    >>> made_from["steps"][0][0], made_from["parts"]
    ('abs', {':': '684e1009 value -5'})
    """

    def __init__(
        self,
        stages: Sequence[Any],
        keyed: Sequence[Any],
        found: Mapping[Any, Hashed],
        obj: Any,
        fresh: bool = False,
    ) -> None:
        self.stages, self.keyed, self.obj, self.fresh = stages, keyed, obj, fresh
        self.walks = {hasher: one.let_go() for hasher, one in found.items()}
        self.tables: list[list[Parts]] | None = None
        self.input: dict[Any, dict[str, str]] = {}
        self.label = ""

    def __getitem__(self, position: int) -> MadeFrom:
        tables = self.tables or self.read()
        stage, one = self.stages[position], self.keyed[position]
        target = as_target(stage.wrapper.checkpoint.target)
        with_tables = self.fresh or is_turn((target.place, one.key[1], one.key[2]))
        made_from: dict[str, Any] = {
            "input": self.label,
            "after": self.keyed[position - 1].key[2] if position else None,
        }
        own = tables[position]
        if own:
            made_from["python"] = PYTHON
        if not position:
            made_from["parts"] = self.input[target.hasher]
        made_from["steps"] = [
            of_step(name_of(step), hashed, table, with_tables)
            for step, hashed, table in zip(stage.steps, one.hashes, own)
        ]
        return MadeFrom(made_from, self.keyed, own, position + 1)

    def read(self) -> list[list[Parts]]:
        self.tables = tables = []
        for position, (stage, one) in enumerate(zip(self.stages, self.keyed)):
            hasher = as_target(stage.wrapper.checkpoint.target).hasher
            table = self.fresh_table if self.fresh else table_of
            tables.append([table(step, hashed, hasher) for step, hashed in zip(stage.steps, one.hashes)])
            if not position:
                self.input[hasher] = of_input(self.walks[hasher], self.obj, one.key[0], hasher is not None)
        self.label = label(self.obj)
        self.walks, self.obj = {}, None
        return tables

    def fresh_table(self, step: Callable[[Any], Any], hashed: str, hasher: Any) -> Parts:
        return guarded(self.walks[hasher], step, hasher is not None)


def is_turn(place: tuple[Any, str, str]) -> bool:
    """Return whether the next entry of a code keeps the tables of its steps.

    They are the same for every input, so not each of many entries needs them: the first few do, then ever fewer, so
    that after a store was cleared it soon has them again.

    >>> [number for number in range(40) if is_turn(("here", "fit", "0a"))]
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32]
    """
    if len(_stored) >= KEPT:
        _stored.clear()
    count = _stored[place] = _stored.get(place, -1) + 1
    return count < FIRST or count & (count - 1) == 0


def of_function(
    function: Callable[..., Any], name: str, hashed: str, target: Any = None, tag: str = "", fresh: bool = False
) -> MadeFrom:
    """Return what the result of a single function is made from, in the form that it has for the steps of a pipeline.

    :param hashed: the hash of the function; empty where it has none, and nothing is known of it.
    :param target: what keeps the result; where it has a hasher of its own, no values are shown.
    :param tag: where many entries of this code are kept under it, of which not each keeps its parts.
    :param fresh: tell the lines of the code as it stands now.

    >>> of_function(abs, "abs", "0a")["steps"][0][:2]
    ['abs', '0a']
    """
    if not hashed:
        return MadeFrom({})
    keeping = as_target({} if target is None else target)
    hasher = keeping.hasher
    table = guarded(Walk(hasher), function, hasher is not None) if fresh else table_of(function, hashed, hasher)
    with_table = fresh or not tag or is_turn((keeping.place, tag, hashed))
    return MadeFrom({"python": PYTHON, "steps": [of_step(name, hashed, table, with_table)]}, tables=[table])


def of_step(name: str, hashed: str, table: Parts, with_table: bool) -> list[Any]:
    """Return what is stored of a step.

    >>> of_step("abs", "0a", table_of(abs, "0a", None), False)
    ['abs', '0a']
    """
    return [name, hashed, table.rows] if with_table else [name, hashed]


def of_input(walk: Walk, obj: Any, hashed: str, private: bool) -> dict[str, str]:
    """Return the rows of an input by the walk that has hashed it."""
    return {":": of_atom(hashed, obj, private)} if type(obj) in ATOMS else guarded(walk, obj, private, OF_INPUT).rows


def table_of(step: Callable[[Any], Any], hashed: str, hasher: Any) -> Parts:
    """Return the table of a step, the same one for the same code at the same line.

    :param hashed: the hash of the pipeline up to the step.
    """
    known = _tables.get(hashed)
    if known is None or (type(step) is FunctionType and first_line(step.__code__) != first_line(known.places.get(":"))):
        if len(_tables) >= KEPT:
            _tables.clear()
        known = _tables[hashed] = guarded(Walk(hasher), step, hasher is not None)
    return known


def first_line(code: CodeType | None) -> int | None:
    return code and code.co_firstlineno


def guarded(walk: Walk, obj: Any, private: bool, most: int = MOST) -> Parts:
    """Return the table of an object, or an empty one: what explains a later run must not disturb this one."""
    try:
        return parts_of(walk, obj, most, private=private)
    except Exception:
        if log := heard(DEBUG):
            log.debug("the parts of %s cannot be told", type(obj).__name__, exc_info=True)
        return Parts({}, {})
