"""What brewing would do, found out from records alone: nothing runs, no value is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .status import Status
from .terms import brewed, in_order, inputs_of

if TYPE_CHECKING:
    from ..plan import Plan
    from .binding import Recipe
    from .outputs import Output

__all__ = ["current", "forecast", "statuses"]


def statuses(recipe: Recipe[Any]) -> dict[Recipe[Any], Status]:
    """Tell the status of a recipe and of all that it needs, the ingredients first.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> five = arg(5, "five", cache=CacheType.NoCache)
    >>> statuses(five)[five].name
    'NotEvaluatedYet'

    See also: :meth:`flowly_ckpt.recipes.Recipe.status`.
    """
    return {known: status for known, (status, _) in _known(recipe).items()}


def current(recipe: Recipe[Any]) -> Output | None:
    """Return the result of a recipe, if it is up to date.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> five = arg(5, "five", cache=CacheType.NoCache)
    >>> current(five), five.brew(), current(five).value()
    (None, 5, 5)
    """
    known = _known(recipe)
    if known[recipe][1] is None:
        return None
    digests = [known[ingredient][1] or "" for ingredient in recipe.ingredients]
    return recipe.target.get(recipe.key(digests))


def _known(recipe: Recipe[Any]) -> dict[Recipe[Any], tuple[Status, str | None]]:
    """Find the status of each recipe, and the digest of its result where it is up to date."""
    found: dict[Recipe[Any], tuple[Status, str | None]] = {}
    for term in in_order(recipe.transform):
        assert isinstance(term, brewed)
        digests = [found[part.recipe][1] for part in inputs_of(term) if isinstance(part, brewed)]
        found[term.recipe] = _status(term.recipe, digests)
    return found


def _status(recipe: Recipe[Any], digests: list[str | None]) -> tuple[Status, str | None]:
    if recipe.transient:
        return Status.NotEvaluatedYet, None
    known = [digest for digest in digests if digest is not None]
    if len(known) < len(digests):
        kept = any(True for _ in recipe.target.siblings(recipe.tag))
        return (Status.IngredientDirty if kept else Status.NotEvaluatedYet), None
    key = recipe.key(known)
    there, digest = recipe.target.peek(key)
    if there:
        return (Status.OutputsInvalid if digest is None else Status.Ok), digest
    return _missing(recipe, key[0]), None


def _missing(recipe: Recipe[Any], wanted: str) -> Status:
    """Tell by the results that are there why the one that is wanted is not."""
    others = False
    for inputs, _ in recipe.target.siblings(recipe.tag):
        if inputs == wanted:
            return Status.BoundFunctionChanged
        others = True
    if not others:
        return Status.NotEvaluatedYet
    return Status.InputsChanged if recipe.state is None else Status.CustomDirty


def forecast(recipe: Recipe[Any]) -> Plan:
    """Tell what brewing a recipe would restore and what it would run, in order, and why.

    >>> from flowly_ckpt.recipes import CacheType, arg
    >>> print(forecast(arg(5, "five", cache=CacheType.NoCache)))
    run      five  five  nothing is stored of it yet

    See also: :func:`flowly_ckpt.plan.plan`, for pipelines with checkpoints.
    """
    from ..plan import Forecast, Plan

    found = statuses(recipe)
    clean = found[recipe] is Status.Ok
    rows = []
    for known, status in found.items():
        action = "run" if status is not Status.Ok else "restore" if known is recipe or not clean else "skip"
        why = "a later result is stored" if action == "skip" else status.why
        rows.append(Forecast((known.name,), action, known.name, why))
    return Plan(rows)
