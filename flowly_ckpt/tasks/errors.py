"""What can go wrong with tasks: a mode, a template, a file made by other code, Prefect not installed."""

from __future__ import annotations

from ..errors import FlowlyError, FlowlyWarning, StoreError

__all__ = ["MissingPrefectError", "ModeError", "StaleError", "StaleWarning", "TemplateError"]


class ModeError(FlowlyError, ValueError):
    """Say that ``PIPEX`` names no mode, and which there are.

    :param mode: what was asked for.

    >>> print(ModeError("bad"))
    PIPEX='bad' is no mode: it must be do_nothing, cache, prefect or prefect.cache
    """

    def __init__(self, mode: str) -> None:
        super().__init__(f"PIPEX={mode!r} is no mode: it must be do_nothing, cache, prefect or prefect.cache")
        self.mode = mode


class TemplateError(FlowlyError, ValueError):
    """Say what is wrong with a template, and where in it.

    :param template: the whole text.
    :param field: the part in braces that is meant, or the empty text.
    :param reason: what is wrong, and what to do.

    >>> print(TemplateError("{a}/{b", "b", "the brace is not closed"))
    template '{a}/{b', at 'b': the brace is not closed
    """

    def __init__(self, template: str, field: str, reason: str) -> None:
        super().__init__(f"template {template!r}{f', at {field!r}' if field else ''}: {reason}")
        self.template = template
        self.field = field
        self.reason = reason


class MissingPrefectError(FlowlyError, ImportError):
    """Say that a mode needs Prefect, which is not installed.

    >>> print(MissingPrefectError("prefect.cache"))
    PIPEX='prefect.cache' needs Prefect 3: pip install flowly-ckpt[prefect]
    """

    def __init__(self, mode: str) -> None:
        super().__init__(f"PIPEX={mode!r} needs Prefect 3: pip install flowly-ckpt[prefect]")
        self.mode = mode


class StaleWarning(FlowlyWarning):
    """Report a result that is there under the name asked for, and was made by other code or with other arguments.

    >>> issubclass(StaleWarning, UserWarning)
    True

    See also: the option ``changed`` of :func:`flowly_ckpt.tasks.task`.
    """


class StaleError(StoreError):
    """Say the same as :class:`StaleWarning`, where a task was told ``changed="raise"``.

    :param loc: where the result lies.
    :param differences: what differs: ``code``, ``argument 'x'``, ….

    >>> print(StaleError("working/load/a", ("code",)))
    working/load/a was made with other code; remove it to make it again
    """

    def __init__(self, loc: str, differences: tuple[str, ...]) -> None:
        super().__init__(f"{loc} was made with other {' and '.join(differences)}; remove it to make it again")
        self.loc = loc
        self.differences = differences
