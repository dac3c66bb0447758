"""The table of lowerings, and what every engine does with it.

The table maps a type of transform to a row, ``row(engine, transform, obj)``. An engine needs one method,
:meth:`Parallel.over`, which applies a function to each of several parts; what it does otherwise than here and now (a
cluster that is handed a graph, say) it overrides. A value that an engine has not computed yet is whatever stands for
it in that engine; only the engine looks into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..checkpoint.bulk import Opening, opening_of, stored
from ..checkpoint.stages import Asked, Stage, look_back
from ..checkpoint.wrapper import with_checkpoint
from ..dispatch import Dispatch
from ..pipelines import children, role, walk
from ..pipelines.combinators import assembled, follow
from ..pipelines.names import locate, steps_of
from ..pipelines.term import shapes
from ..targets.recall import MISSING, compute_once
from ..typing import Transform
from .itemwise import Read, Through, form_of, listed, of_items
from .reach import check_sent

__all__ = ["Items", "Parallel", "Row", "Run", "divided", "is_divisible", "lowerings", "steps"]


class Items(NamedTuple):
    """Hold a sequence in parts, each a list, and what makes the sequence of a list of all of them.

    >>> Items([[1, 2], [3]], list).parts
    [[1, 2], [3]]
    """

    parts: Sequence[Any]
    make: Callable[[list[Any]], Any]


Row = Callable[["Parallel", Any, Any], Any]


class Parallel:
    """Base class of engines that run parts of a pipeline side by side; this is all of one but :meth:`over`.

    ``engine(s, x) == s(x)``, and each finds the other's entries

    >>> class InTurn(Parallel):
    ...     def over(self, function, parts): return [function(part) for part in parts]
    >>> from flowly_ckpt.pipelines import chained, kv_valmap
    >>> InTurn()(chained(kv_valmap(abs), dict), [("a", -1)])
    {'a': 1}

    See also: :func:`flowly_ckpt.engines.threads`, :func:`flowly_ckpt.engines.processes`, :mod:`flowly_ckpt.dsk`.
    """

    #: How many parts a sequence is divided into.
    width = 16
    #: Whether the workers reach what is in the memory of this process; else a target that is only there is refused.
    shares_memory = True

    def __call__(self, transform: Transform, obj: Any) -> Any:
        if not self.shares_memory:
            check_sent(transform)
        return self.value(self.lower(transform, obj))

    def __flowly_hash__(self) -> str:
        return "engine"  # how something runs is no part of a key

    def over(self, function: Callable[[Any], Any], parts: Sequence[Any]) -> Sequence[Any]:
        """Apply a function to each of several parts, side by side."""
        raise NotImplementedError(f"{type(self).__name__}: define over(function, parts)")

    def lower(self, transform: Transform, obj: Any) -> Any:
        """Apply a transform by its row of the table."""
        if form_of(transform) is not None:
            return by_item(self, [transform], obj)
        return lowerings[type(transform)](self, transform, obj)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function, with nothing beside it."""
        return function(*args)

    def leaf(self, function: Callable[[Any], Any], obj: Any) -> Any:
        """Call what the table does not know with the whole object."""
        return self.call(function, self.whole(obj))

    def branches(self, transforms: Sequence[Transform], obj: Any) -> list[Any]:
        """Apply several transforms to one object: side by side, except those that run parts of their own."""
        plain = [place for place, term in enumerate(transforms) if not is_divisible(term)]
        whole = self.whole(obj) if plain else obj
        results = dict(zip(plain, self.over(_applied, [(transforms[place], whole) for place in plain])))
        return [
            results[place] if place in results else self.whole(self.lower(term, obj))
            for place, term in enumerate(transforms)
        ]

    def assembled(self, term: Transform, obj: Any, given: Any, results: Sequence[Any]) -> Any:
        """Return what a combinator makes of an object whose children gave these results.

        :param given: the object, where the combinator asks for it.
        """
        return self.call(assembled, term, given, *results)

    def notes(self, chain: Transform, places: Sequence[int]) -> Sequence[str]:
        """Return what to add to exceptions of steps of a chain that run once the chain is left."""
        return ()

    def is_known(self, obj: Any) -> bool:
        """Return whether an object is a value here and now."""
        return not isinstance(obj, Items)

    def value(self, obj: Any) -> Any:
        """Return the value of an object."""
        return self.whole(obj)

    def whole(self, obj: Any) -> Any:
        """Return a sequence in one piece, anything else as it is."""
        return self.call(_joined, obj.make, *obj.parts) if isinstance(obj, Items) else obj

    def items(self, obj: Any, read: Read = iter) -> Items:
        """Return a sequence in parts.

        :param read: gives the items of what is not a sequence in parts yet.
        """
        return obj if isinstance(obj, Items) else Items(divided(listed(obj, read), self.width), list)

    def restored(self, stages: Sequence[Stage], obj: Any) -> tuple[Asked, int, Any]:
        """Return what an object asks of nested checkpoints, and the last stored result with its depth.

        Where nothing is stored that is the object itself, and -1.
        """
        asked = Asked(stages, self.value(obj))
        value, depth = asked.restored()
        return asked, depth, value

    def keep(self, asked: Asked, position: int, obj: Any, seen: int) -> Any:
        """Compute in parts what was not stored, and store it."""
        target, key, _, made_from = asked.missing(position, obj)
        stage = asked.stages[position]
        return compute_once(target, key, lambda: self.value(self.segment(stage, obj)), made_from, seen)

    def look_back(self, asked: Asked, depth: int) -> None:
        """Look whether what was asked about is as it was, once all is computed."""
        look_back(asked.stages, asked.keyed, asked.before, asked.obj, depth + 1)

    def segment(self, stage: Stage, obj: Any) -> Any:
        """Apply what a stage adds to the stage before."""
        if role(stage.chain) == "sequential":
            return steps(self, stage.chain, obj, stage.start)
        return obj if stage.start else self.lower(stage.chain, obj)


def leaf(engine: Parallel, term: Transform, obj: Any) -> Any:
    """Call what the table does not know with the whole object."""
    return engine.leaf(term, obj)


def steps(engine: Parallel, term: Transform, obj: Any, start: int = 0) -> Any:
    """Apply the steps of a chain from ``start`` on; neighbours of one kind are applied together.

    >>> from flowly_ckpt.pipelines import chained
    >>> steps(Parallel(), chained(abs, float), -1)
    1.0
    """
    parts = children(term)
    while start < len(parts):
        is_known = engine.is_known(obj)
        kind = _kind(parts[start], is_known)
        end = start + 1
        while end < len(parts) and kind in ("leaf", "item") and _kind(parts[end], is_known) == kind:
            end += 1
        try:
            if kind == "leaf":
                obj = engine.leaf(Run(term, parts[:end], start), obj)
            elif kind == "item":
                obj = by_item(engine, parts[start:end], obj, engine.notes(term, range(start, end)))
            elif kind == "call":
                obj = engine.call(Run(term, parts[:end], start), engine.whole(obj))
            else:
                obj = engine.lower(parts[start], obj)
        except Exception as error:
            if kind in ("item", "row"):  # a run says so itself
                locate(error, term, start)
            raise
        start = end
    return obj


def _default(kind: type) -> Row:
    return steps if shapes[kind].role == "sequential" else leaf


lowerings: Dispatch[Row] = Dispatch(_default)


def _kind(term: Transform, is_known: bool) -> str:
    """Return whether a step is called with the whole object, with items, or has a row of its own.

    A checkpoint is asked while a pipeline is lowered where the object is known; else to ask is part of a call.
    """
    if form_of(term) is not None:
        return "row" if _opening_of_items(term) is not None else "item"
    if lowerings[type(term)] is leaf or (role(term) == "transparent" and not is_divisible(term)):
        return "leaf" if not isinstance(term, with_checkpoint) else "row" if is_known or is_divisible(term) else "call"
    return "row"


def is_divisible(transform: Transform) -> bool:
    """Return whether a pipeline has anything in it that runs in parts.

    >>> from flowly_ckpt.pipelines import chained, kv_valmap
    >>> is_divisible(chained(abs, float)), is_divisible(chained(dict.items, kv_valmap(abs)))
    (False, True)
    """
    return any(
        form_of(term) is not None or (role(term) == "combinator" and lowerings[type(term)] is not leaf)
        for term in walk(transform)
    )


def by_item(engine: Parallel, terms: Sequence[Transform], obj: Any, notes: Sequence[str] = ()) -> Items:
    """Apply what works item by item to the parts of a sequence.

    Where the results of known items are all there is to compute, those that are stored are restored here, and a part
    in which none is missing is no work for the engine.
    """
    read, make = form_of(terms[0]).read, form_of(terms[-1]).make  # type: ignore[union-attr]
    function = Through(terms, notes)
    opening = _opening_of_items(terms[0]) if engine.is_known(obj) and len(terms) == 1 else None
    if opening is None:
        return Items(engine.over(function, engine.items(obj, read).parts), make)
    items = listed(obj, read)
    values, told = stored(opening, items)
    absent = [value is MISSING for value in values]
    ranges = divided(list(range(len(items))), engine.width, absent)
    parts: list[Any] = [values[part[0] : part[-1] + 1] if part else [] for part in ranges]
    rest = [place for place, part in enumerate(ranges) if any(absent[part[0] : part[-1] + 1] if part else ())]
    told(n for place in sorted({*range(len(ranges))}.difference(rest)) for n in ranges[place])
    for place, done in zip(rest, engine.over(function, [[items[n] for n in ranges[place]] for place in rest])):
        parts[place] = done
    return Items(parts, make)


def _opening_of_items(term: Any) -> Opening | None:
    """Return the checkpoints that are all there is to each item, or None."""
    child = of_items(term)
    opening = None if child is None else opening_of(child)
    return opening if opening is not None and opening.chain is None else None


def divided(items: list[Any], count: int, weights: Sequence[int] | None = None) -> list[list[Any]]:
    """Divide a list into at most so many lists of like weight, none of them empty but where there is nothing.

    >>> divided([1, 2, 3, 4, 5], 3), divided([], 3), divided([1, 2, 3, 4], 2, [0, 0, 1, 1])
    ([[1, 2], [3, 4], [5]], [[]], [[1, 2, 3], [4]])
    """
    weights = weights or [1] * len(items)
    size = max(1, -(-sum(weights) // count))
    parts: list[list[Any]] = [[]]
    held = 0
    for item, weight in zip(items, weights):
        if held + weight > size:
            parts.append([])
            held = 0
        parts[-1].append(item)
        held += weight
    return parts


class Run:
    """Apply some neighbouring steps of a chain.

    >>> from flowly_ckpt.pipelines import chained
    >>> Run(chained(abs, float), [abs, float], 1)("1")
    1.0
    """

    def __init__(self, owner: Transform, parts: Sequence[Transform], start: int) -> None:
        self.owner, self.parts, self.start = owner, parts, start

    @property
    def __name__(self) -> str:
        """The names of the steps."""
        return "-".join(map(steps_of, self.parts[self.start :]))

    def __call__(self, obj: Any) -> Any:
        return follow(self.owner, self.parts, obj, self.start)


def _applied(pair: tuple[Transform, Any]) -> Any:
    transform, obj = pair
    return transform(obj)


def _joined(make: Callable[[list[Any]], Any], *parts: list[Any]) -> Any:
    return make([item for part in parts for item in part])
