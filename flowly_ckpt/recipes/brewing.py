"""Brewing: go through what a recipe needs, find results by their keys, run what is missing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import nullcontext, suppress
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from ..checkpoint.hashed import watching_steps
from ..errors import StoreWarning, warn
from ..labels import label
from ..targets.damage import DamagedError
from ..targets.materialise import Materialised, handed_out
from ..targets.mutation import IMMUTABLE
from ..targets.protocol import described
from ..targets.recall import recall
from ..typing import Key, Rewrite, Transform
from .outputs import Output, assembled, computed, given
from .outside import digest_of
from .terms import Filed, brewed, in_order, inputs_of

__all__ = ["Brew", "rewritten", "run_all", "run_graph"]

T = TypeVar("T")
_TRIES = 2  # how often a result may turn out to be unreadable before it is kept in memory only


class _OutdatedError(Exception):
    """Raised when an ingredient was computed again, so that keys made from its digest may have changed."""


def rewritten(root: brewed, rewrites: Sequence[Rewrite]) -> brewed:
    """Apply passes to the step of a recipe and of all that it needs, to each once.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> rewritten(arg(5, "five", cache=CacheType.NoCache).transform, [])
    brewed('five', Arg._give)
    """
    if not rewrites:
        return root
    done: dict[int, Transform] = {}
    for term in in_order(root):
        if isinstance(term, brewed):
            step = term.step
            for rewrite in rewrites:
                step = rewrite(step)
            done[id(term)] = brewed(term.recipe, step, [done[id(part)] for part in inputs_of(term)])
    made = done[id(root)]
    assert isinstance(made, brewed)
    return made


class Brew:
    """One run of a recipe, which holds the outputs of all that it needs.

    :param root: the transform of the recipe.
    :param jobs: how many functions may run at once.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> Brew(arg(5, "five", cache=CacheType.NoCache).transform).run()
    5
    """

    def __init__(self, root: brewed, jobs: int = 1) -> None:
        self.root = root
        self.jobs = jobs if jobs > 0 else min(32, (os.cpu_count() or 1) + 4)
        self.outputs: dict[int, Output] = {}
        self.handed: dict[int, Output] = {}
        self.unreadable: dict[int, dict[int, Output]] = {}
        self.turn: Any = nullcontext()

    def run(self) -> Any:
        """Return the result of the recipe."""
        order = list(in_order(self.root))
        if self.jobs == 1:
            for term in order:
                self.brew(term)
        else:
            from threading import BoundedSemaphore

            self.turn = BoundedSemaphore(self.jobs)
            run_graph(order, inputs_of, self.brew, self.jobs)
        while True:
            with suppress(_OutdatedError):
                return self.value(self.root)

    def brew(self, term: Transform) -> None:
        """Find the output of a term, or compute it; its ingredients have theirs."""
        while True:
            with suppress(_OutdatedError):
                self.outputs[id(term)] = self._found(term) if isinstance(term, brewed) else self._foreign(term)
                return

    def _foreign(self, term: Transform) -> Output:
        """Run what a pass put in the place of an ingredient."""
        return computed(term(None), self.root.recipe.base)

    def _found(self, term: brewed) -> Output:
        recipe, inputs = term.recipe, inputs_of(term)
        digests = [self.outputs[id(part)].digest for part in inputs]
        key = recipe.key(digests)
        made_from = partial(recipe.made_from, key, {_name(part): digest for part, digest in zip(inputs, digests)})
        try:
            if recipe.mapped:
                return _Mapping(self, term, key).found(made_from)
            output = self.recalled(term, key, lambda: self._computed(term), made_from)
            self.keep_only(recipe, [key])
            return output
        except _OutdatedError:
            raise
        except Exception as error:
            _note(error, f"in recipe {recipe.name!r}")
            raise

    def _computed(self, term: brewed) -> Output:
        return self.call(term, [self.value(part) for part in inputs_of(term)])

    def call(self, term: brewed, values: Sequence[Any]) -> Output:
        """Run the step of a recipe on the results of its ingredients."""
        code = nullcontext() if term.recipe.mapped else watching_steps(term.recipe.func)  # of items, once for all
        with self.turn, code:
            return computed(term.step(values[0] if term.recipe.is_alone else values), term.recipe.base)

    def recalled(
        self, term: brewed, key: Key, compute: Callable[[], Output], made_from: Callable[[], dict[str, Any]]
    ) -> Output:
        """Restore an output, or compute and store it; once reading it has failed too often, only compute it."""
        if len(self.unreadable.get(id(term), ())) >= _TRIES:
            return compute()
        output: Output = recall(term.recipe.kept, key, compute, made_from)
        return output

    def keep_only(self, recipe: Filed, keys: Collection[Key]) -> None:
        """Drop the earlier results of a recipe that keeps its last one in memory."""
        for key in list(recipe.target) if recipe.keeps_last else ():
            if key not in keys:
                recipe.target.pop(key, None)

    def value(self, term: Transform) -> Any:
        """Return the unchanged value of an output, as the function returned it."""
        return given(self.stored(term), isinstance(term, brewed) and term.recipe.mapped)

    def stored(self, term: Transform) -> Any:
        """Return the unchanged value of an output, as it is stored.

        :raises _OutdatedError: when it was computed again, and may have another digest.
        """
        output = self.outputs[id(term)]
        try:
            if self.handed.get(id(term)) is not output or not output.is_changed(self.root.recipe.base):
                self.handed[id(term)] = output
                return output.value()
            self.brew(term)
        except DamagedError:
            self.replace(term, output)
        raise _OutdatedError

    def replace(self, term: Transform, output: Output) -> None:
        """Compute again what could not be read; after several failures it is kept in memory."""
        assert isinstance(term, brewed)
        failed = self.unreadable.setdefault(id(term), {})
        before, failed[id(output)] = len(failed), output  # once, in however many threads it could not be read
        if before < _TRIES <= len(failed):
            place, name = described(term.recipe.target), term.recipe.name
            message = f"{place}: the result of recipe {name!r} cannot be read back; it is kept in memory for this run"
            warn(message, StoreWarning)
        self.brew(term)


class _Mapping:
    """The brewing of one ``foreach``: every item has a key and a result of its own.

    :param brew: the run it is part of, which has the outputs of the ingredients.
    :param term: the transform of the recipe.
    :param whole: the key of the whole result.
    """

    def __init__(self, brew: Brew, term: brewed, whole: Key) -> None:
        self.brew = brew
        self.term = term
        self.recipe = term.recipe
        self.whole = whole
        self.mapped, *self.others = inputs_of(term)
        self.source = brew.outputs[id(self.mapped)]
        self.digests = [brew.outputs[id(part)].digest for part in self.others]
        self.names = [_name(part) for part in self.others]
        self.shared: list[Any] | None = None
        self.used: set[Key] = {whole}

    def found(self, made_from: Callable[[], dict[str, Any]]) -> Output:
        """Return the output of all items, those that are missing computed; each is stored as soon as it is there."""
        output = self.brew.recalled(self.term, self.whole, self._watched, made_from)
        if len(self.used) > 1:
            self.brew.keep_only(self.recipe, self.used)
        return output

    def _watched(self) -> Output:
        with watching_steps(self.term.recipe.func):
            return self._all()

    def _all(self) -> Output:
        keys, items = self._items()
        places = [repr(key) for key in keys] if keys is not None else [str(place) for place in range(len(items))]
        work = [partial(self._one, item, place) for item, place in zip(items, places)]
        done = [one() for one in work] if self.brew.jobs == 1 else run_all(work, self.brew.jobs)
        return assembled(keys, done, self.recipe.base)

    def _items(self) -> tuple[Sequence[Any] | None, Sequence[Output]]:
        """Return the keys (of a dict) and the items of the first ingredient, unloaded if they are stored singly."""
        if self.source.items is not None:
            self.brew.handed[id(self.mapped)] = self.source
            return (None if self.source.keys is None else list(self._read(self.source.keys))), self.source.items
        value = self.brew.stored(self.mapped)
        if isinstance(value, dict):
            return list(value), [self._piece(item) for item in value.values()]
        items = value.items if type(value) is Materialised else value
        if isinstance(items, (list, tuple)):
            return None, [self._piece(item) for item in items]
        name, given = _name(self.mapped), type(value).__name__
        raise TypeError(f"foreach {self.recipe.name!r}: {name!r} must give a list or a dict, got {given}")

    def _piece(self, item: Any) -> Output:
        digest = digest_of(item, self.recipe.base)
        return Output(digest.text, digest.files, lambda: item)

    def _one(self, item: Output, place: str) -> Output:
        key = self.recipe.item_key(self.whole, item.digest, self.digests)
        self.used.add(key)
        made_from = partial(self.recipe.made_from, key, dict(zip(self.names, self.digests)))
        try:
            output = self.brew.recalled(self.term, key, lambda: self._computed(item), made_from)
            if self.brew.unreadable.get(id(self.term)):  # it may be this item that could not be read
                try:
                    output.value()
                except DamagedError:
                    output = self.brew.recalled(self.term, key, lambda: self._computed(item), made_from)
        except _OutdatedError:
            raise
        except Exception as error:
            with suppress(Exception):  # where the item cannot be read, its place has to do
                place += f" ({label(item.value())})"
            error.add_note(f"at item {place}")
            raise
        output.release()  # so that thousands of images need not be in memory at once
        return output

    def _computed(self, item: Output) -> Output:
        others = self._others()
        output = self.brew.call(self.term, [handed_out(self._read(item.value)), *others])
        self._check(others)
        return output

    def _read(self, load: Callable[[], Any]) -> Any:
        """Read a piece of the first ingredient."""
        try:
            return load()
        except DamagedError:
            self.brew.replace(self.mapped, self.source)
        raise _OutdatedError

    def _others(self) -> list[Any]:
        """Return the values of the other ingredients, which all items share."""
        if self.shared is None:
            self.shared = [self.brew.value(part) for part in self.others]
        return self.shared

    def _check(self, values: Sequence[Any]) -> None:
        """Let the next item have its own, if this one changed what it was handed in place."""
        for value, digest in zip(values, self.digests):
            if type(value) not in IMMUTABLE and digest_of(value, self.recipe.base).text != digest:
                self.shared = None


def run_all(work: Sequence[Callable[[], T]], jobs: int) -> list[T]:
    """Call functions in threads, and list what they return; after the first error no further one starts.

    >>> run_all([lambda: 1, lambda: 2], jobs=2)
    [1, 2]

    See also: :func:`run_graph`.
    """
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(copy_context().run, one) for one in work]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        failed = [future for future in futures if future.done() and not future.cancelled() and future.exception()]
        return [future.result() for future in failed or futures]


def run_graph(order: Sequence[T], needs: Callable[[T], Iterable[T]], work: Callable[[T], Any], jobs: int) -> None:
    """Call ``work`` in threads on each item after those that it needs; after the first error no further one starts.

    :param order: the items, each after those that it needs; they are compared by identity.

    >>> done = []
    >>> run_graph(["a", "b"], {"a": [], "b": ["a"]}.get, done.append, jobs=2)
    >>> done
    ['a', 'b']

    See also: :func:`run_all`.
    """
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
    from graphlib import TopologicalSorter

    items = {id(item): item for item in order}
    waiting = TopologicalSorter({place: map(id, needs(item)) for place, item in items.items()})
    waiting.prepare()
    running: dict[Future[Any], int] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting.is_active():
                ready = waiting.get_ready()
                running.update({pool.submit(copy_context().run, work, items[place]): place for place in ready})
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    future.result()
                    waiting.done(running.pop(future))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _name(term: Transform) -> str:
    return term.recipe.name if isinstance(term, brewed) else "given"


def _note(error: Exception, note: str) -> None:
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
