"""What a picture shows: steps, marks, branches side by side and stacks, the same before and after every pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from ..checkpoint import checkpoint, with_checkpoint
from ..pipelines import Combinator, name_of, role
from ..pipelines.bases import Fields, Named
from ..pipelines.mapping import is_mapping, mapped_by
from ..pipelines.strategies import fold
from ..typing import Transform

__all__ = ["Chain", "Fork", "Mark", "Part", "Step", "parts_of", "walk_parts"]


class Step(NamedTuple):
    """A box.

    :param at: its number in the picture.
    :param name: what plans and events call it.
    :param label: what stands in it.

    >>> Step(0, "fit", "fit").label
    'fit'
    """

    at: int
    name: str
    label: str


class Mark(NamedTuple):
    """A place where a result is kept; with the type of its target, not its path, since pictures are shown to others.

    >>> Mark(1, "rows", "dict").tag
    'rows'
    """

    at: int
    tag: str
    target: str


class Chain(NamedTuple):
    """Parts one after another.

    >>> Chain((Step(0, "fit", "fit"),)).parts[0].name
    'fit'
    """

    parts: tuple[Part, ...]


class Fork(NamedTuple):
    """A combinator: branches side by side in a frame; a stack when its one branch is applied to each item.

    >>> Fork(0, "seq", "seq", ("",), (Chain(()),)).is_stack
    False
    """

    at: int
    name: str
    label: str
    titles: tuple[str, ...]
    branches: tuple[Chain, ...]
    is_stack: bool = False


Part = Step | Mark | Fork


def parts_of(transform: Transform) -> Chain:
    """Return what a picture of a pipeline shows.

    ``parts_of(p(s)) == parts_of(s)`` for every pass ``p`` that changes no key, apart from numbers

    >>> from flowly_ckpt import chained
    >>> [part.name for part in parts_of(chained(abs, chained(float))).parts]
    ['abs', 'float']
    """
    numbers = count()

    def leaf(term: Any) -> Chain:
        if role(term) == "mark":
            return Chain((_mark(next(numbers), term),))
        if role(term) in ("sequential", "transparent"):
            return Chain(())
        if callable(mapped := mapped_by(term)):  # a plain function
            inner = Step(next(numbers), name_of(mapped), name_of(mapped))
            return Chain((Fork(next(numbers), name_of(term), "map", ("",), (Chain((inner,)),), True),))
        return Chain((Step(next(numbers), name_of(term), name_of(term)),))

    def make(term: Transform, children: Sequence[Transform], made: Sequence[Chain]) -> Chain:
        if role(term) == "sequential":
            return Chain(tuple(part for chain in made for part in chain.parts))
        if isinstance(term, with_checkpoint):
            return Chain((*made[0].parts, _mark(next(numbers), term.checkpoint)))
        if role(term) == "transparent":
            return made[0]
        titles = _titles(term, len(children))
        label = type(term).__name__ if isinstance(term, Combinator) else name_of(term)
        return Chain((Fork(next(numbers), name_of(term), label, titles, tuple(made), is_mapping(term)),))

    drawn: Chain = fold(leaf, make, transform)
    return drawn


def walk_parts(chain: Chain) -> Iterator[Part]:
    """Yield every part of a picture, what is within a frame after the frame.

    >>> [part.at for part in walk_parts(Chain((Step(0, "abs", "abs"), Mark(1, "rows", "dict"))))]
    [0, 1]
    """
    waiting = [*reversed(chain.parts)]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, Fork):
            waiting += [inner for branch in reversed(part.branches) for inner in reversed(branch.parts)]


def _mark(at: int, mark: Any) -> Mark:
    if not isinstance(mark, checkpoint):
        return Mark(at, name_of(mark), "")
    return Mark(at, "" if mark.tag == "<untagged>" else mark.tag, type(mark.target).__name__)


def _titles(term: Transform, branches: int) -> tuple[str, ...]:
    titles: list[str] = []
    if isinstance(term, Named):
        titles = [str(name) for name in term.funcs]
    elif isinstance(term, Fields) and branches > 1:
        titles = [name for name in term._transforms if getattr(term, name) is not None]
    return tuple(titles) if len(titles) == branches else ("",) * branches
