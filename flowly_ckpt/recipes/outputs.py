"""What a recipe gave: its digest at once, its value when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..targets.materialise import Materialised, materialise
from .external import Outside, digest_of

__all__ = ["Output", "assembled", "computed", "handed_out"]

Load = Callable[[], Any]


class Output:
    """Hold the digest of a result, and the way to its value.

    :param digest: stands for the value.
    :param files: the outside files the value names, as they were.
    :param load: gives the value.
    :param keys: gives the keys of a result that is a dict and can be had item by item.
    :param items: the items of a result that is a list or a dict, as outputs; None where it is one piece.

    Attributes: ``written``, the JSON of the value and the files it names, once it is in a cache.

    >>> computed([1, 2], "/work").value()
    [1, 2]

    See also: :class:`flowly_ckpt.recipes.CacheTarget`, which keeps them.
    """

    __slots__ = ("_once", "digest", "files", "items", "keys", "load", "written")

    def __init__(
        self,
        digest: str,
        files: tuple[Outside, ...],
        load: Load,
        keys: Load | None = None,
        items: Sequence[Output] | None = None,
        written: tuple[Any, list[Any]] | None = None,
    ) -> None:
        self.digest = digest
        self.files = files
        self.load = load
        self.keys = keys
        self.items = items
        self.written = written
        self._once: list[Load] = []

    def value(self) -> Any:
        """Return the value; where it is in a cache, one of its own for each who asks."""
        try:
            load = self._once.pop()
        except IndexError:
            load = self.load
        return load()

    def keep(self, written: tuple[Any, list[Any]], load: Load) -> None:
        """Note that the value is in a cache now: the one in memory is handed out once, and then let go."""
        self._once.append(self.load)
        self.load, self.written = load, written

    def let_go(self) -> None:
        """Let go of the value in memory, if it is in a cache."""
        self._once.clear()

    def __flowly_hash__(self) -> Any:
        """Count by the value, so that a change of it in place is noticed where outputs are kept in memory."""
        return self.load()

    def __repr__(self) -> str:
        return f"<output {self.digest}>"


def computed(value: Any, base: str) -> Output:
    """Wrap a value that was computed just now; an iterator's items are read first.

    :raises UnstorableError: for an open file, an endless iterator, an awaitable.

    >>> list(handed_out(computed(iter([1, 2]), "/work").value()))
    [1, 2]
    """
    value = materialise(value)
    digest = digest_of(value, base)
    return Output(digest.text, digest.files, lambda: value)


def handed_out(value: Any) -> Any:
    """Return what the recipe's function would: an iterator where it gave one.

    >>> handed_out(5)
    5
    """
    return iter(value) if type(value) is Materialised else value


def assembled(keys: Sequence[Any] | None, items: Sequence[Output], base: str) -> Output:
    """Make one output of those of the items: a list, or a dict where there are keys.

    >>> assembled(["a"], [computed(1, "/work")], "/work").value()
    {'a': 1}
    """
    shape = digest_of(None if keys is None else list(keys), base)
    digest = digest_of(["items", shape.text, *(item.digest for item in items)], base)
    files = dict([*shape.files, *(outside for item in items for outside in item.files)])

    def load() -> Any:
        values = [item.value() for item in items]
        return values if keys is None else dict(zip(keys, values))

    outside = tuple(Outside(path, state) for path, state in sorted(files.items()))
    return Output(digest.text, outside, load, None if keys is None else lambda: keys, items)
