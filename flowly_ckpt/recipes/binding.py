"""The recipe: a function bound to its ingredients, and to the place where its results are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from ..hashing import functional_hash
from ..pipelines import name_of
from ..typing import Key, Rewrite
from .config import AlkymiConfig, CacheType
from .external import code_digest, digest_of
from .folder import CacheTarget, target_at
from .memory import MemoryTarget
from .naming import doc_of, module_of
from .status import Status
from .terms import brewed, spread

__all__ = ["ForeachRecipe", "Recipe"]

R = TypeVar("R")


class Recipe(Generic[R]):
    """Bind a function to the recipes whose results it takes; :meth:`brew` runs what has changed.

    :param func: any callable, a pipeline for instance; it is called with the ingredients' results.
    :param ingredients: recipes, in the order of the arguments.
    :param name: names the recipe in the cache; by default the function's name.
    :param transient: whether it runs each time.
    :param doc: describes it; by default the first paragraph of the function's docstring.
    :param cache: whether results are kept on disk; else the last one is kept in memory.
    :param keywords: the names of the last arguments, where they are given by keyword.
    :param state: gives what the result depends on beside ingredients and code, looked at before each run.
    :param code: what is hashed in place of a function that only looks outside, and so can be asked at any time.
    :param module: the module it belongs to; by default the function's.

    A result is kept under (digest of the inputs, ``module:name``, digest of the function), each kept result by itself:
    to go back to an earlier input or function is to find its result.

    >>> five = Recipe(lambda: 5, name="five", cache=CacheType.NoCache)
    >>> print(five.status(), five.brew(), five.status())
    NotEvaluatedYet 5 Ok

    See also: :func:`flowly_ckpt.recipes.recipe`, :func:`flowly_ckpt.recipes.foreach`.
    """

    mapped = False

    def __init__(
        self,
        func: Callable[..., R],
        ingredients: Sequence[Recipe[Any]] = (),
        name: str | None = None,
        transient: bool = False,
        doc: str | None = None,
        cache: CacheType = CacheType.Auto,
        *,
        keywords: Sequence[str] = (),
        state: Callable[[], Any] | None = None,
        code: Any = None,
        module: str | None = None,
    ) -> None:
        config = AlkymiConfig.get()
        self.func = func
        self.ingredients = list(ingredients)
        self.name = name if name is not None else name_of(func).rpartition(".")[2]
        self.transient = transient
        self.doc = doc_of(func) if doc is None else doc
        on_disk = cache is CacheType.Cache or (cache is CacheType.Auto and config.cache)
        self.cache = CacheType.Cache if on_disk else CacheType.NoCache
        self.state = state
        self.code = code
        self.tag = f"{module or module_of(func)}:{self.name}"
        target = target_at(config.cache_path or os.curdir)
        self.target: CacheTarget | MemoryTarget = target if on_disk else MemoryTarget(target.base)
        self.alone = len(self.ingredients) == 1 and not keywords
        self.transform: brewed = brewed(self, func if self.alone else spread(func, keywords),
                                [ingredient.transform for ingredient in self.ingredients])  # fmt: skip

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Call the function itself; nothing is looked up or kept."""
        return self.func(*args, **kwargs)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def __flowly_hash__(self) -> Any:
        """Count, where a function refers to a recipe, by its function and those of its ingredients."""
        return [self.func if self.code is None else self.code, self.ingredients]

    def brew(self, *, jobs: int = 1, rewrites: Sequence[Rewrite] = ()) -> R:
        """Return the result; restore it, or run the recipe and those of its ingredients that are not up to date.

        :param jobs: how many functions may run at once, in threads; 0 or less leaves it to the number of processors.
        :param rewrites: passes for the steps, as in :func:`flowly_ckpt.apply`; they have no part in what is kept.
        :raises Exception: what a function raises, with a note that names the recipe; what came before it is kept.
        """
        from .brewing import Brew, rewritten

        result: R = Brew(rewritten(self, rewrites), jobs).run()
        return result

    def status(self) -> Status:
        """Tell whether the result would be restored; no value is loaded."""
        from .forecast import statuses

        return statuses(self)[self]

    def plan(self) -> Any:
        """Forecast what :meth:`brew` would restore and what it would run, and why, as :func:`flowly_ckpt.plan` does."""
        from .forecast import forecast

        return forecast(self)

    @property
    def outputs(self) -> R | None:
        """The result, if it is up to date, else None; its files are read now."""
        from .forecast import current

        output = current(self)
        return None if output is None else output.value()

    @property
    def output_checksum(self) -> str | None:
        """The digest of the result, if it is up to date; no value is loaded."""
        from .forecast import current

        output = current(self)
        return None if output is None else output.digest

    @property
    def input_checksums(self) -> tuple[str, ...] | None:
        """The digests of the ingredients' results, if they are all up to date; no value is loaded."""
        found = [ingredient.output_checksum for ingredient in self.ingredients]
        known = tuple(digest for digest in found if digest is not None)
        return known if len(known) == len(found) else None

    @property
    def function_hash(self) -> str:
        """The digest of what the function does."""
        return code_digest(self.func if self.code is None else self.code, self.target.base)

    @property
    def cache_path(self) -> str | None:
        """The folder of the results; None for a recipe that keeps them in memory."""
        return self.target.folder(self.tag) if isinstance(self.target, CacheTarget) else None

    def outside(self) -> list[Any]:
        """Tell what the result depends on beside ingredients and function, as it is now: files with their content."""
        told = self.func if self.code is not None else self.state
        return [self.code, None if told is None else digest_of(told(), self.target.base).text]

    def key(self, digests: Sequence[str]) -> Key:
        """Return the key of the result that the recipe gives for ingredients' results of these digests."""
        return (self._inputs("foreach" if self.mapped else "recipe", digests), self.tag, self.function_hash)

    def item_key(self, whole: Key, item: str, digests: Sequence[str]) -> Key:
        """Return the key of one item's result.

        :param whole: the key of the whole result.
        :param item: the digest of the item.
        :param digests: those of the other ingredients' results.
        """
        return (self._inputs("item", [item, *digests]), whole[1], whole[2])

    def _inputs(self, kind: str, digests: Sequence[str]) -> str:
        state = None if self.state is None else digest_of(self.state(), self.target.base).text
        return functional_hash([kind, state, *digests])


class ForeachRecipe(Recipe[R]):
    """Bind a function to each item of the list or dict that the first ingredient gives; results are kept item by item.

    >>> from flowly_ckpt.recipes import arg
    >>> numbers = arg([1, 2], "numbers", cache=CacheType.NoCache)
    >>> doubled = ForeachRecipe(lambda x: 2 * x, [numbers], "doubled", cache=CacheType.NoCache)
    >>> doubled.brew()
    [2, 4]

    See also: :func:`flowly_ckpt.recipes.foreach`.
    """

    mapped = True
