"""Brewing: go through what a recipe needs, find results by their keys, run what is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ..targets.damage import DamagedError
from ..targets.recall import recall
from ..typing import Key, Rewrite, Transform
from .external import digest_of
from .mapping import Mapping
from .memory import MemoryTarget
from .outputs import Output, computed, handed_out
from .terms import brewed, in_order, inputs_of

if TYPE_CHECKING:
    from .binding import Recipe

__all__ = ["Brew", "ChangedError", "rewritten"]


class ChangedError(Exception):
    """Tell that an ingredient had to be computed again, so that keys made of its digest may be others now.

    >>> issubclass(ChangedError, Exception)
    True
    """


def rewritten(recipe: Recipe[Any], rewrites: Sequence[Rewrite]) -> brewed:
    """Apply passes to the step of a recipe and of all that it needs, to each once.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> rewritten(arg(5, "five", cache=CacheType.NoCache), [])
    brewed('five', Arg._give)
    """
    root = recipe.transform
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
    """Brew one recipe: hold the outputs of this run.

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
        self.keys: dict[int, Key] = {}
        self.handed: set[int] = set()
        self.turn: Any = nullcontext()

    def run(self) -> Any:
        """Return the result of the recipe."""
        order = list(in_order(self.root))
        if self.jobs == 1:
            for term in order:
                self.brew(term)
        else:
            from threading import BoundedSemaphore

            from .scheduling import run_graph

            self.turn = BoundedSemaphore(self.jobs)
            run_graph(order, inputs_of, self.brew, self.jobs)
        while True:
            try:
                return self.value(self.root)
            except ChangedError:
                continue

    def brew(self, term: Transform) -> None:
        """Find the output of a term, or compute it; its ingredients have theirs."""
        while True:
            try:
                self.outputs[id(term)] = self._recalled(term) if isinstance(term, brewed) else self._foreign(term)
                return
            except ChangedError:
                continue

    def _foreign(self, term: Transform) -> Output:
        """Run what a pass put in the place of an ingredient."""
        return computed(term(None), self.root.recipe.target.base)

    def _recalled(self, term: brewed) -> Output:
        recipe, inputs = term.recipe, inputs_of(term)
        digests = [self.outputs[id(part)].digest for part in inputs]
        self.keys[id(term)] = key = recipe.key(digests)
        if recipe.transient:
            recipe.target.pop(key, None)
        made_from = {_name(part): digest for part, digest in zip(inputs, digests)}
        try:
            if recipe.mapped:
                return Mapping(self, term, key).recalled(made_from)
            output: Output = recall(recipe.target, key, lambda: self._computed(term), made_from)
            if isinstance(recipe.target, MemoryTarget):
                recipe.target.keep_only([key])
            return output
        except ChangedError:
            raise
        except Exception as error:
            _note(error, f"in recipe {recipe.name!r}")
            raise

    def _computed(self, term: brewed) -> Output:
        values = [self.value(part) for part in inputs_of(term)]
        return self.call(term, values)

    def call(self, term: brewed, values: Sequence[Any]) -> Output:
        """Run the step of a recipe on the results of its ingredients."""
        with self.turn:
            return computed(term.step(values[0] if term.recipe.alone else values), term.recipe.target.base)

    def value(self, term: Transform) -> Any:
        """Return the value of an output, one of its own for each who asks.

        :raises ChangedError: when it could not be had, and the output is now another.
        """
        output = self.outputs[id(term)]
        if output.written is None and id(term) in self.handed and self._is_changed(output):
            self.brew(term)
            raise ChangedError
        self.handed.add(id(term))
        try:
            return handed_out(output.value())
        except DamagedError as error:
            self.repair(term, error)
            raise ChangedError from None

    def repair(self, term: Transform, error: Exception) -> None:
        """Compute again what could not be read."""
        assert isinstance(term, brewed)
        term.recipe.target.condemn(self.keys[id(term)], error)
        self.brew(term)

    def _is_changed(self, output: Output) -> bool:
        """Tell whether a value that is nowhere but in memory was changed by whom it was handed to."""
        digest = digest_of(output.value(), self.root.recipe.target.base)
        return not output.digest.startswith("unlike-") and digest.text != output.digest


def _name(term: Transform) -> str:
    return term.recipe.name if isinstance(term, brewed) else "given"


def _note(error: Exception, note: str) -> None:
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
