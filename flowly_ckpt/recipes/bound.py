"""The recipe: a function bound to its ingredients and to the target that keeps its results; and its status."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Generic, NamedTuple, TypeVar

from ..given import function, optional, switch, text, whole, wrong
from ..hashing.redefined import warn_of_redefined
from ..passes import Observation
from ..pipelines import name_of
from ..pipelines.names import module_name
from ..plan import Forecast, Plan, restoring
from ..rewriting import check_rewrites
from ..targets.damage import DamagedError
from ..targets.protocol import as_target, checked, described
from ..targets.reasons import explained
from ..targets.recall import MISSING, lookup
from ..targets.wrappers import Refreshed
from ..typing import Key, Rewrite, Target
from .brewing import Brew, rewritten
from .config import AlkymiConfig, CacheType
from .folder import CacheTarget, folder_at
from .outputs import Current, Output, given
from .terms import Filed, brewed, in_order, inputs_of, spread

__all__ = ["ForeachRecipe", "Recipe", "Status", "statuses"]

R = TypeVar("R")


class Status(enum.Enum):
    """Whether brewing a recipe would restore its result, and if not, why.

    >>> print(Status.BoundFunctionChanged, Status.BoundFunctionChanged.why, sep=": ")
    BoundFunctionChanged: its function has changed

    See also: :meth:`flowly_ckpt.recipes.Recipe.status`.
    """

    Ok = 0
    IngredientDirty = 1
    NotEvaluatedYet = 2
    InputsChanged = 3
    OutputsInvalid = 4
    BoundFunctionChanged = 5
    CustomDirty = 6

    def __str__(self) -> str:
        return self.name

    @property
    def why(self) -> str:
        """The reason in words."""
        return _WHY[self]


_WHY = {
    Status.Ok: "stored for these inputs and this code",
    Status.IngredientDirty: "an ingredient has to run first",
    Status.NotEvaluatedYet: "nothing is stored of it yet",
    Status.InputsChanged: "its inputs are new",
    Status.OutputsInvalid: "its result, or a file that it names, was changed or is gone",
    Status.BoundFunctionChanged: "its function has changed",
    Status.CustomDirty: "its value or state has changed",
}

_COMPARED = (Status.InputsChanged, Status.BoundFunctionChanged)  # with what the last result was made from


class Recipe(Filed, Generic[R]):
    """Bind a function to the recipes whose results it takes; :meth:`brew` runs what has changed.

    :param func: any callable, a pipeline for instance; it is called with the ingredients' results.
    :param ingredients: recipes, in the order of the arguments.
    :param name: names the recipe in the cache; by default the function's name.
    :param transient: whether it runs each time.
    :param doc: describes it; by default the first paragraph of the function's docstring.
    :param cache: whether results are kept in the cache; otherwise the last one is kept in memory.
    :param keywords: the names of the last arguments, where they are given by keyword.
    :param state: returns what the result depends on beside ingredients and code; called before each run.
    :param code: what is hashed in place of a function that only looks outside, and so can be called at any time.
    :param module: the module it belongs to; by default the function's.
    :param target: any mutable mapping that keeps the results, in place of the folder ``.alkymi_cache``.
    :raises TypeError: for a target that is not a mutable mapping.
    :raises ValueError: for a target with ``CacheType.NoCache``.

    A result is kept under (digest of the inputs, ``module:name``, digest of the function), and earlier results stay:
    to go back to an earlier input or function is to find its result.

    >>> five = Recipe(lambda: 5, name="five", cache=CacheType.NoCache)
    >>> print(five.status(), five.brew(), five.status())
    NotEvaluatedYet 5 Ok

    See also: :func:`flowly_ckpt.recipes.recipe`, :func:`flowly_ckpt.recipes.foreach`.
    """

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
        target: Target | None = None,
    ) -> None:
        self.func = function("func", func)
        self.ingredients = list(recipes_given(ingredients))
        name = optional(text, "name", name)
        self.name = name if name is not None else name_of(func).rpartition(".")[2]
        self.transient = switch("transient", transient)
        self.doc = _doc_of(func) if doc is None else doc
        self.keywords = tuple(keywords)
        self.state = state
        self.code = code
        self.tag = f"{module or module_name(getattr(func, '__module__', None) or 'recipes', 'notebook')}:{self.name}"
        self.base = os.path.abspath(AlkymiConfig.get().cache_path or os.curdir)
        chosen = _target(cache, target, self.base)
        self.cache = CacheType.NoCache if chosen is None else CacheType.Cache
        self.target = {} if chosen is None else chosen
        self.keeps_last = chosen is None
        kept = Current(self.target, self.base)
        self.kept = Refreshed(kept) if transient else kept
        self.is_alone = len(self.ingredients) == 1 and not self.keywords
        self.transform: brewed = brewed(self, func if self.is_alone else spread(func, self.keywords),
                                [ingredient.transform for ingredient in self.ingredients])  # fmt: skip

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Call the function itself; nothing is looked up or kept."""
        result: R = self.func(*args, **kwargs)
        return result

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def __flowly_hash__(self) -> Any:
        """Count, where a function refers to a recipe, by all that its result depends on now."""
        return [self.func if self.code is None else None, self.outside(), self.ingredients, self.keywords]

    def brew(self, *, jobs: int = 1, rewrites: Sequence[Rewrite] = ()) -> R:
        """Return the result; restore it, or run the recipe and those of its ingredients that are not up to date.

        :param jobs: how many functions may run at once, in threads; 0 or less uses the number of processors.
        :param rewrites: passes for the steps, as in :func:`flowly_ckpt.apply`; they do not affect what is kept.
        :raises Exception: what a function raises, with a note that names the recipe; what came before it is kept.
        """
        jobs = whole("jobs", jobs)
        try:
            root = rewritten(self.transform, rewrites)
        except TypeError:
            check_rewrites(rewrites)
            raise
        with ExitStack() as watched:
            for rewrite in rewrites:
                if isinstance(rewrite, Observation):
                    watched.enter_context(rewrite)
            result: R = self.brew_as(root, jobs)
        return result

    def brew_as(self, root: brewed, jobs: int = 1) -> Any:
        """Brew a transform of this recipe, which passes may have rewritten."""
        _warn_of_redefined(root)
        return Brew(root, jobs).run()

    def status(self) -> Status:
        """Return whether the result would be restored. The cache folder loads no value for it; other targets may."""
        return statuses(self)[self]

    def plan(self) -> Plan:
        """Forecast what :meth:`brew` would restore and what it would run, and why, as :func:`flowly_ckpt.plan` does."""
        found = _known(self)
        clean = found[self].status is Status.Ok
        return Plan([_forecast(known, one, found, clean and known is not self) for known, one in found.items()])

    @property
    def outputs(self) -> R | None:
        """The result, if it is up to date and can be read, else None; its files are read now."""
        found = _known(self)[self]
        output = MISSING if found.key is None else lookup(self.kept, found.key)
        if isinstance(output, Output):
            with suppress(DamagedError):
                value: R = given(output.value(), self.mapped)
                return value
        return None

    @property
    def output_checksum(self) -> str | None:
        """The digest of the result, if it is up to date."""
        return _known(self)[self].digest

    @property
    def input_checksums(self) -> tuple[str, ...] | None:
        """The digests of the ingredients' results, if they are all up to date."""
        found = _known(self)
        digests = [found[ingredient].digest for ingredient in self.ingredients]
        known = tuple(digest for digest in digests if digest is not None)
        return known if len(known) == len(digests) else None

    @property
    def cache_path(self) -> str | None:
        """The folder of the results; None for a recipe that keeps them elsewhere."""
        return self.target.folder(self.tag) if isinstance(self.target, CacheTarget) else None


def recipes_given(given: Any) -> Sequence[Recipe[Any]]:
    """Return what a user gave as ingredients.

    :raises TypeError: for what is not a sequence of recipes.

    >>> recipes_given([5])
    Traceback (most recent call last):
    TypeError: an ingredient must be a recipe, got 5; make one with @recipe, or of a value with arg
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise wrong("ingredients", "a list of recipes", given)
    found = tuple(given)
    for one in found:
        if not isinstance(one, Recipe):
            advice = "make one with @recipe, or of a value with arg"
            raise TypeError(f"an ingredient must be a recipe, got {one!r:.80}; {advice}")
    return found


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


def statuses(recipe: Recipe[Any]) -> dict[Recipe[Any], Status]:
    """Return the status of a recipe and of all that it needs, the ingredients first.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> five = arg(5, "five", cache=CacheType.NoCache)
    >>> statuses(five)[five].name
    'NotEvaluatedYet'

    See also: :meth:`flowly_ckpt.recipes.Recipe.status`.
    """
    if not isinstance(recipe, Recipe):
        raise wrong("recipe", "a recipe", recipe)
    return {known: found.status for known, found in _known(recipe).items()}


class _Found(NamedTuple):
    """The status of a recipe, the digest of its result where that is up to date, and its key where it has one."""

    status: Status
    digest: str | None = None
    key: Key | None = None


def _forecast(recipe: Recipe[Any], own: _Found, found: dict[Any, _Found], is_skipped: bool) -> Forecast:
    name, status, target = (recipe.name,), own.status, as_target(recipe.target)
    if status is Status.Ok and is_skipped:
        return Forecast(name, "skip", recipe.name, "a later result is stored")
    if status is Status.Ok:
        return restoring(name, recipe.name, status.why, own.key and target.entry(own.key))
    why, before = status.why, target.latest(tag=recipe.tag)
    if own.key and status in _COMPARED:
        inputs = {one.name: found[one].digest or "" for one in recipe.ingredients}
        why, before = explained(target, own.key, recipe.made_from(own.key, inputs, fresh=True))
    return Forecast(name, "run", recipe.name, why, saves=before.seconds or None if before else None)


def _known(recipe: Recipe[Any]) -> dict[Any, _Found]:
    """Return the state of a recipe and of all its ingredients; nothing runs."""
    _warn_of_redefined(recipe.transform)
    found: dict[Any, _Found] = {}
    for term in in_order(recipe.transform):
        assert isinstance(term, brewed)
        digests = [found[part.recipe].digest for part in inputs_of(term) if isinstance(part, brewed)]
        found[term.recipe] = _found(term.recipe, digests)
    return found


def _warn_of_redefined(root: brewed) -> None:
    functions = [term.recipe.func for term in in_order(root) if isinstance(term, brewed)]
    warn_of_redefined(*functions, holder=f"recipe {root.recipe.name!r}")


def _found(recipe: Filed, digests: Sequence[str | None]) -> _Found:
    if recipe.transient:
        return _Found(Status.NotEvaluatedYet)
    known = [digest for digest in digests if digest is not None]
    if len(known) < len(digests):
        return _Found(Status.IngredientDirty if _has(recipe) else Status.NotEvaluatedYet)
    key = recipe.key(known)
    output = lookup(recipe.kept, key)
    return _Found(_missing(recipe, key), key=key) if output is MISSING else _Found(Status.Ok, output.digest, key)


def _missing(recipe: Filed, key: Key) -> Status:
    """Return why there is no result of a key, judging by those that are there."""
    if key in recipe.kept:
        return Status.OutputsInvalid
    if _has(recipe, object=key[0]):
        return Status.BoundFunctionChanged
    if not _has(recipe):
        return Status.NotEvaluatedYet
    return Status.InputsChanged if recipe.state is None else Status.CustomDirty


def _has(recipe: Filed, **selection: Any) -> bool:
    return any(True for _ in as_target(recipe.target).entries(tag=recipe.tag, **selection))


def _target(cache: CacheType, target: Target | None, base: str) -> Target | None:
    """Return what keeps the results of a recipe; None for memory."""
    if not isinstance(cache, CacheType):
        raise TypeError(f"cache must be CacheType.Cache, CacheType.NoCache or CacheType.Auto, got {cache!r:.60}")
    config = AlkymiConfig.get()
    if target is not None and cache is CacheType.NoCache:
        raise ValueError(f"CacheType.NoCache and target={described(target)} exclude each other; leave out one of them")
    if target is None and (cache is CacheType.NoCache or (cache is CacheType.Auto and not config.cache)):
        return None
    chosen = target if target is not None else config.target if config.target is not None else folder_at(base)
    return checked(chosen)


def _doc_of(func: Any) -> str:
    """Return the first paragraph of a function's docstring in one line."""
    text = (getattr(func, "__doc__", None) or "").strip()
    return " ".join(line.strip() for line in text.split("\n\n")[0].splitlines())
