"""What is known of a recipe before it runs."""

from __future__ import annotations

import enum

__all__ = ["Status"]


class Status(enum.Enum):
    """Say whether brewing a recipe would restore its result, and if not, why.

    Its text is its name.

    >>> print(Status.BoundFunctionChanged)
    BoundFunctionChanged

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
    Status.CustomDirty: "what it looks at outside has changed",
}
