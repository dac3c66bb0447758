"""Brewing a ``foreach``: every item has a key and a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..targets.damage import DamagedError
from ..targets.recall import recall
from ..typing import Key
from .external import digest_of
from .memory import MemoryTarget
from .outputs import Output, assembled
from .terms import brewed, inputs_of

if TYPE_CHECKING:
    from .brewing import Brew

__all__ = ["Mapping"]

_IMMUTABLE = frozenset({type(None), bool, int, float, complex, str, bytes})


class Mapping:
    """Brew the items of one ``foreach``.

    :param brew: the run it is part of, which has the outputs of the ingredients.
    :param term: the transform of the recipe.
    :param whole: the key of the whole result.

    >>> from flowly_ckpt.recipes import CacheType, arg, foreach
    >>> @foreach(arg({"a": 1}, "numbers", cache=CacheType.NoCache), cache=CacheType.NoCache)
    ... def doubled(number): return 2 * number
    >>> doubled.brew()
    {'a': 2}
    """

    def __init__(self, brew: Brew, term: brewed, whole: Key) -> None:
        self.brew = brew
        self.term = term
        self.recipe = term.recipe
        self.whole = whole
        self.mapped, *self.others = inputs_of(term)
        self.digests = [brew.outputs[id(part)].digest for part in self.others]
        self.shared: list[Any] | None = None
        self.used: set[Key] = {whole}

    def recalled(self, made_from: dict[str, Any]) -> Output:
        """Return the output of all items, those that are missing computed; each is kept as soon as it is there."""
        target = self.recipe.target
        output: Output = recall(target, self.whole, self._all, made_from)
        if isinstance(target, MemoryTarget) and len(self.used) > 1:
            target.keep_only(self.used)
        return output

    def _all(self) -> Output:
        keys, items = self._items()
        places = [repr(key) for key in keys] if keys is not None else [str(place) for place in range(len(items))]
        work = [partial(self._one, item, place) for item, place in zip(items, places)]
        return assembled(keys, self._run(work), self.recipe.target.base)

    def _run(self, work: Sequence[Callable[[], Output]]) -> Sequence[Output]:
        if self.brew.jobs == 1:
            return [one() for one in work]
        from .scheduling import run_all

        return run_all(work, self.brew.jobs)

    def _items(self) -> tuple[Sequence[Any] | None, Sequence[Output]]:
        """Return the keys (of a dict) and the items of the first ingredient, unloaded if the cache has them singly."""
        source = self.brew.outputs[id(self.mapped)]
        if source.items is not None:
            return (None if source.keys is None else list(source.keys())), source.items
        value = self.brew.value(self.mapped)
        if isinstance(value, dict):
            return list(value), [self._piece(item) for item in value.values()]
        if isinstance(value, (list, tuple, Iterator)):
            return None, [self._piece(item) for item in value]
        raise TypeError(
            f"foreach {self.recipe.name!r}: {self.recipe.ingredients[0].name!r} gives {type(value).__name__}, "
            "which is neither a list nor a dict"
        )

    def _piece(self, item: Any) -> Output:
        digest = digest_of(item, self.recipe.target.base)
        return Output(digest.text, digest.files, lambda: item)

    def _one(self, item: Output, place: str) -> Output:
        key = self.recipe.item_key(self.whole, item.digest, self.digests)
        self.used.add(key)
        if self.recipe.transient:
            self.recipe.target.pop(key, None)
        try:
            output: Output = recall(self.recipe.target, key, lambda: self._computed(item))
        except Exception as error:
            if not _is_inner(error):
                error.add_note(f"at item {place}")
            raise
        output.let_go()  # so that thousands of images need not be in memory at once
        return output

    def _computed(self, item: Output) -> Output:
        others = self._others()
        try:
            value = item.value()
        except DamagedError as error:
            self.brew.repair(self.mapped, error)
            raise _changed() from None
        output = self.brew.call(self.term, [value, *others])
        self._check(others)
        return output

    def _others(self) -> list[Any]:
        """Return the values of the other ingredients, which all items share."""
        if self.shared is None:
            self.shared = [self.brew.value(part) for part in self.others]
        return self.shared

    def _check(self, values: Sequence[Any]) -> None:
        """Let the next item have its own, if this one changed what it was handed in place."""
        for value, digest in zip(values, self.digests):
            if type(value) not in _IMMUTABLE and digest_of(value, self.recipe.target.base).text != digest:
                self.shared = None


def _changed() -> Exception:
    from .brewing import ChangedError

    return ChangedError()


def _is_inner(error: Exception) -> bool:
    from .brewing import ChangedError

    return isinstance(error, ChangedError)
