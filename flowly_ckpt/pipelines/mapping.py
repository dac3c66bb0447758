"""Apply a transform to every item of a sequence; an item that fails is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import FlowlyError
from ..labels import label
from ..typing import Transform
from .bases import Fields
from .names import steps_of

__all__ = ["Failed", "FailedItemsError", "attempt", "each", "is_mapping"]

_SHOWN = 5


def is_mapping(transform: Transform) -> bool:
    """Return whether a transform applies the one that it is made of to each item of a sequence.

    >>> from functools import partial
    >>> is_mapping(each(abs)), is_mapping(partial(map, abs)), is_mapping(abs)
    (True, True, False)
    """
    return getattr(transform, "func", None) is map or hasattr(type(transform), "__flowly_maps__")


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
        lines += [f"  {_in_a_line(str(failed))}" for failed in failures[:_SHOWN]]
        if len(failures) > _SHOWN:
            lines.append(f"  … {len(failures) - _SHOWN} more, in .failures")
        super().__init__("\n".join(lines))
        self.step = step
        self.failures = failures
        self.results = results

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.step, self.failures, self.results))


def _in_a_line(text: str, longest: int = 200) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


class each(Fields):
    """Apply a transform to every item of a sequence, and list the results; an exception names the item.

    ``each(f)(xs) == [f(x) for x in xs]``

    >>> each(abs)([-1, 2])
    [1, 2]
    >>> try:
    ...     each(abs)([-1, "c.json"])
    ... except TypeError as error:
    ...     print(*error.__notes__)
    at item 1 ('c.json') of each(abs)

    See also: :class:`attempt`, which goes on after a failure; ``toolz.curried.map``, which is lazy.
    """

    __slots__ = _transforms = ("func",)
    __flowly_maps__ = True

    def __init__(self, func: Transform) -> None:
        self.func = func
        self._check()

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        func, done, item = self.func, [], None
        for item in items:
            try:
                done.append(func(item))
            except Exception as error:
                error.add_note(f"at item {len(done)} ({label(item)}) of each({steps_of(func)})")
                raise
        return done


class attempt(Fields):
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

    __slots__ = _transforms = ("func",)
    __flowly_maps__ = True

    def __init__(self, func: Transform) -> None:
        self.func = func
        self._check()

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
