"""Apply a transform to every item of a sequence; an item that fails is named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from ..errors import FlowlyError
from ..labels import label, shortened
from ..typing import Transform
from .bases import OfOne
from .names import steps_of
from .term import children, role

__all__ = ["Failed", "FailedItemsError", "attempt", "each", "is_mapping", "mapped_by"]

_SHOWN, _LONGEST = 5, 200  # items, and letters of each


def is_mapping(transform: Transform) -> bool:
    """Return whether a transform applies the one that it is made of to each item of a sequence.

    >>> from functools import partial
    >>> is_mapping(each(abs)), is_mapping(partial(map, abs)), is_mapping(abs)
    (True, True, False)
    """
    return mapped_by(transform) is not None or hasattr(type(transform), "__flowly_maps__")


class Failed(NamedTuple):
    """Hold an item for which a transform failed: its place in the sequence, the item, and what was raised.

    >>> Failed(17, "c.json", ValueError("no")).place
    17
    """

    place: int
    item: Any
    error: Exception

    def __str__(self) -> str:
        return f"item {self.place} ({label(self.item)}): {type(self.error).__name__}: {self.error}"


class FailedItemsError(FlowlyError, RuntimeError):
    """Raised by :class:`attempt` after all items were tried; shows the first few that failed.

    :param step: the name of the transform.
    :param failures: what failed, each a :class:`Failed`.
    :param results: the results by place, of the items that did not fail.

    >>> print(FailedItemsError("parse", [Failed(17, "c.json", ValueError("no"))], {0: 1}))
    parse failed for 1 of 2 items:
      item 17 ('c.json'): ValueError: no
    """

    def __init__(self, step: str, failures: list[Failed], results: dict[int, Any]) -> None:
        lines = [f"{step} failed for {len(failures)} of {len(failures) + len(results)} items:"]
        lines += [f"  {shortened(' '.join(str(failed).split()), _LONGEST)}" for failed in failures[:_SHOWN]]
        if len(failures) > _SHOWN:
            lines.append(f"  … {len(failures) - _SHOWN} more, in .failures")
        super().__init__("\n".join(lines))
        self.step = step
        self.failures = failures
        self.results = results


class each(OfOne):
    """Apply a transform to every item of a sequence, and list the results; an exception names the item.

    ``each(f)(xs) == [f(x) for x in xs]``

    Where the transform ends with a checkpoint and the items are there (a list, not an iterator), stored results are
    looked up together, and new ones stored together, within half a second of work.

    >>> each(abs)([-1, 2])
    [1, 2]
    >>> try:
    ...     each(abs)([-1, "c.json"])
    ... except TypeError as error:
    ...     print(*error.__notes__)
    at item 1 ('c.json') of each(abs)

    See also: :class:`attempt`, which goes on after a failure; ``toolz.curried.map``, which is lazy.
    """

    __slots__ = ()
    __flowly_maps__ = True

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        func, done, item = self.func, [], None

        def note(error: Exception, place: int, item: Any) -> None:
            error.add_note(f"at item {place} ({label(item)}) of each({steps_of(func)})")

        if isinstance(items, Collection) and (many := _in_bulk(func)) is not None:
            there = list(items)

            def told(error: Exception, item: Any) -> None:
                note(error, next(place for place, one in enumerate(there) if one is item), item)

            results = many(func, there, told)
            if results is not None:
                return results
        for item in items:
            try:
                done.append(func(item))
            except Exception as error:
                note(error, len(done), item)
                raise
        return done


def _in_bulk(transform: Transform) -> Callable[..., list[Any] | None] | None:
    """Return what applies a transform to many items together, where it begins with something that can."""
    while not hasattr(type(transform), "__flowly_each__"):
        parts = children(transform) if role(transform) in ("sequential", "transparent") else ()
        if not parts:
            return None
        transform = parts[0]
    return getattr(type(transform), "__flowly_each__", None)


class attempt(OfOne):
    """Apply a transform to every item of a sequence, all of them even if some fail; then raise what was collected.

    ``attempt(f)(xs) == each(f)(xs)``, if that raises nothing

    With a checkpoint inside the transform, what did not fail is restored in the next run; of the whole nothing is
    stored.

    :raises FailedItemsError: where items failed, with the results of the others.

    >>> try:
    ...     attempt(int)(["1", "x", "3", "y"])
    ... except FailedItemsError as error:
    ...     print(error)
    ...     print(error.results)
    int failed for 2 of 4 items:
      item 1 ('x'): ValueError: invalid literal for int() with base 10: 'x'
      item 3 ('y'): ValueError: invalid literal for int() with base 10: 'y'
    {0: 1, 2: 3}

    See also: :class:`each`, :func:`flowly_ckpt.tz.try_call` for a single call.
    """

    __slots__ = ()
    __flowly_maps__ = True

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        results: dict[int, Any] = {}
        failures: list[Failed] = []
        for place, item in enumerate(items):
            try:
                results[place] = self.func(item)
            except Exception as error:  # noqa: BLE001  each is raised at the end, with the others
                if len(failures) >= _SHOWN:
                    error.__traceback__ = None  # its frames would keep all that the failed calls held
                failures.append(Failed(place, item, error))
        if failures:
            raise FailedItemsError(steps_of(self.func), failures, results) from failures[0].error
        return list(results.values())


def mapped_by(term: Any) -> Any:
    """Return what ``partial(map, f)`` and its like apply to each item, or None for any other transform.

    >>> from functools import partial
    >>> mapped_by(partial(map, abs)), mapped_by(each(abs))
    (<built-in function abs>, None)
    """
    return term.args[0] if getattr(term, "func", None) is map and len(term.args) == 1 else None
