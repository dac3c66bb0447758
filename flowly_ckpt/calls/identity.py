"""What identifies a call: an expression over the arguments of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import FlowlyError

__all__ = ["IdError", "identify"]


class IdError(FlowlyError, ValueError):
    """Say that the id of a call cannot be evaluated; the cause says why.

    :param expression: the id as it was given.
    :param function: the name of the decorated function.

    >>> print(IdError("arg.id", "embed"))
    Failed to evaluate the provided expression: arg.id (the id of a call of embed)
    """

    def __init__(self, expression: str, function: str) -> None:
        super().__init__(f"Failed to evaluate the provided expression: {expression} (the id of a call of {function})")
        self.expression = expression
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.expression, self.function))


def identify(function: Callable[..., Any], id: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives the id of a call from the call's arguments.

    The arguments are bound to the function's parameters and defaults applied, so that it does not matter how they
    are given. An expression sees them, what the function has closed over, and the globals of the function's module.

    :param id: an expression, or a function of the same arguments.
    :raises SyntaxError: for an expression that is none.
    :raises IdError: from the returned function, when the expression fails.

    >>> def embed(chunk, model="small"): ...
    >>> call_id = identify(embed, "chunk['content'] + model")
    >>> call_id({"content": "text "}), call_id(model="large", chunk={"content": "text "})
    ('text small', 'text large')
    """
    import inspect

    signature = inspect.signature(function)
    inner = inspect.unwrap(function)
    evaluate = id if callable(id) else _compiled(id, inner, signature.parameters)

    def call_id(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return evaluate(*bound.args, **bound.kwargs) if callable(id) else evaluate(bound.arguments)

    return call_id


def _compiled(source: str, function: Callable[..., Any], parameters: Any) -> Callable[..., Any]:
    """Compile an expression to a function of its own, so that scopes within it (``[… for …]``) see the arguments."""
    import ast

    name = getattr(function, "__qualname__", repr(function))
    file = f"<id of {name}>"
    tree = ast.parse(source.strip(), file, "eval")
    mentioned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    cells = {name: cell for name, cell in _closure(function).items() if name in mentioned and name not in parameters}
    text = f"lambda {', '.join([*parameters, *cells])}: (\n{source.strip()}\n)"
    expression = eval(compile(text, file, "eval"), getattr(function, "__globals__", {}))

    def evaluate(arguments: dict[str, Any]) -> Any:
        try:
            closed_over = {name: cell.cell_contents for name, cell in cells.items()}
            return expression(**arguments, **closed_over)
        except Exception as error:
            raise IdError(source, name) from error

    return evaluate


def _closure(function: Any) -> dict[str, Any]:
    code = getattr(function, "__code__", None)
    return {} if code is None else dict(zip(code.co_freevars, function.__closure__ or ()))
