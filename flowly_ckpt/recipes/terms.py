"""A recipe as a transform: made of those of its ingredients and of the step that its function is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

from ..checkpoint.sources import of_function
from ..hashing import functional_hash
from ..pipelines import Combinator, children, name_of, role
from ..targets.made_from import MadeFrom
from ..targets.wrappers import Wrapper
from ..typing import Key, Target, Transform
from .outside import code_digest, digest_of
from .records import parts_of_inputs

__all__ = ["Filed", "brewed", "in_order", "inputs_of", "spread"]


class Filed:
    """What the results of a recipe are filed under, and where; the base of recipes.

    A result has the key (digest of the inputs, ``module:name``, digest of the function).

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> arg(5, "five", cache=CacheType.NoCache).key([])[1]
    'flowly_ckpt.recipes.terms:five'
    """

    mapped = False  # whether the step is for each item of the first ingredient
    name: str
    tag: str
    func: Callable[..., Any]
    code: Any
    state: Callable[[], Any] | None
    transient: bool
    keywords: tuple[str, ...]  # the names of the last arguments, where they are given by keyword
    is_alone: bool  # whether the step takes the result of the only ingredient, not a list of results
    keeps_last: bool  # whether earlier results are dropped
    base: str
    target: Target
    kept: Wrapper  # the target, where an output that is out of date counts as absent

    def brew_as(self, root: brewed, jobs: int = 1) -> Any:
        """Brew a transform of this recipe."""
        raise NotImplementedError

    def plan(self) -> Any:
        """Forecast what brewing would do."""
        raise NotImplementedError

    @property
    def function_hash(self) -> str:
        """The digest of what the function does."""
        return code_digest(self.func if self.code is None else self.code, self.base)

    def made_from(self, key: Key, inputs: Mapping[str, str], fresh: bool = False) -> MadeFrom:
        """Return what the result of a key is made from, to say later why it is not there.

        :param inputs: the digests of the ingredients' results by name.
        """
        code = self.func if self.code is None else self.code
        made = of_function(code, self.name, key[2], self.target, self.tag, fresh)
        made["parts"] = parts_of_inputs(inputs)
        return made

    def outside(self) -> list[Any]:
        """Return what the result depends on beside ingredients and function, as it is now: files with their content."""
        look = self.func if self.code is not None else self.state
        return [self.code, None if look is None else digest_of(look(), self.base).text]

    def key(self, digests: Sequence[str]) -> Key:
        """Return the key of the result for ingredients' results of these digests."""
        return (self._inputs("foreach" if self.mapped else "recipe", digests), self.tag, self.function_hash)

    def item_key(self, whole: Key, item: str, digests: Sequence[str]) -> Key:
        """Return the key of one item's result.

        :param whole: the key of the whole result.
        :param item: the digest of the item.
        :param digests: those of the other ingredients' results.
        """
        return (self._inputs("item", [item, *digests]), whole[1], whole[2])

    def _inputs(self, kind: str, digests: Sequence[str]) -> str:
        state = None if self.state is None else digest_of(self.state(), self.base).text
        named = [self.keywords] if self.keywords else []  # which argument each of the last is for
        return functional_hash([kind, state, *digests, *named])


class spread:
    """Call a function with the items of a sequence, the last of them by keyword.

    ``spread(f)([a, b]) == f(a, b)``

    :param func: the function.
    :param keywords: the names of the last arguments.

    >>> spread(pow, ["mod"])([2, 5, 7])
    4

    See also: :func:`itertools.starmap`.
    """

    __slots__ = ("__weakref__", "func", "keywords")

    def __init__(self, func: Any, keywords: Sequence[str] = ()) -> None:
        self.func = func
        self.keywords = tuple(keywords)

    def __call__(self, values: Sequence[Any]) -> Any:
        count = len(values) - len(self.keywords)
        return self.func(*values[:count], **dict(zip(self.keywords, values[count:])))

    def __reduce__(self) -> tuple[Any, ...]:
        return (spread, (self.func, self.keywords))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, spread):
            return NotImplemented
        return self.func == other.func and self.keywords == other.keywords

    def __hash__(self) -> int:
        return hash((spread, self.func, self.keywords))

    def __repr__(self) -> str:
        return name_of(self.func)


class brewed(Combinator):
    """Brew a recipe whatever the object is: restore its result, or run the step on what its ingredients give.

    ``brewed(r, step, inputs)(x) == r.brew()``, where the step and the inputs are those of ``r``

    Passes reach the ingredients and the step, and change neither what is looked up nor what is stored.

    :param recipe: says under which key the result is kept, and where.
    :param step: a transform of the ingredients' results: of the only one, or of all in a list; for a ``foreach``,
        of the item in place of the first.
    :param inputs: the transforms of the ingredients.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> arg(5, "five", cache=CacheType.NoCache).transform(None)
    5

    See also: :attr:`flowly_ckpt.recipes.Recipe.transform`.
    """

    __slots__ = ("inputs", "recipe", "step")

    def __init__(self, recipe: Filed, step: Transform, inputs: Sequence[Transform] = ()) -> None:
        self.recipe = recipe
        self.step = step
        self.inputs = tuple(inputs)

    def __call__(self, obj: Any) -> Any:
        return self.recipe.brew_as(self)

    @property
    def __name__(self) -> str:
        """The name of the recipe, by which errors, logs and plans know it."""
        return self.recipe.name

    def __flowly_forecast__(self, obj: Any) -> Any:
        """Forecast what would be restored and what would run, for :func:`flowly_ckpt.plan.plan`."""
        return self.recipe.plan()

    def _head(self) -> tuple[Any, ...]:
        return (self.recipe,)

    def _show(self, parts: list[str]) -> list[str]:
        return [repr(self.recipe.name), *parts]

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return (*self.inputs, self.step)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(self.recipe, parts[-1], parts[:-1])

    def __flowly_hash__(self) -> Any:
        step = self.step if self.recipe.code is None else None
        return [self.recipe.mapped, self.recipe.outside(), self.inputs, step]

    def __reduce__(self) -> tuple[Any, ...]:
        return (brewed, (self.recipe, self.step, self.inputs))


def in_order(root: brewed) -> Iterator[Transform]:
    """Yield what a recipe needs, each once and after its own ingredients, the recipe last.

    >>> from flowly_ckpt.recipes import CacheType, arg, zip_results
    >>> one = arg([1], "one", cache=CacheType.NoCache)
    >>> both = zip_results("both", [one, one], cache=CacheType.NoCache)
    >>> [term.recipe.name for term in in_order(both.transform)]
    ['one', 'both']
    """
    seen: set[int] = set()
    waiting: list[tuple[Transform, bool]] = [(root, False)]
    while waiting:
        term, ready = waiting.pop()
        if ready:
            yield term
        elif id(term) not in seen:
            seen.add(id(term))
            waiting.append((term, True))
            waiting.extend((part, False) for part in reversed(inputs_of(term)))


def inputs_of(term: Transform) -> list[Transform]:
    """Return the ingredients of a recipe's transform; any other transform has none.

    >>> inputs_of(abs)
    []
    """
    return [_effective(part) for part in term.inputs] if isinstance(term, brewed) else []


def _effective(transform: Transform) -> Transform:
    while role(transform) == "transparent":
        (transform,) = children(transform)
    return transform
