"""What identifies a call: an expression over the arguments of a function.

An id is trusted text: the programmer writes it into the source beside the function, and Python evaluates it in the
namespace of that function, with all that an expression can do. Never make one of input. The other place that evaluates
text, the templates of :mod:`flowly_ckpt.tasks`, looks through it first and lets only a few forms pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import FlowlyError
from ..pipelines import name_of

__all__ = ["IdError", "identify"]


class IdError(FlowlyError, ValueError):
    """Raised when the id of a call cannot be evaluated; its ``__cause__`` says why.

    :param expression: the id as it was given.
    :param function: the name of the decorated function.

    >>> print(IdError("arg.id", "embed"))
    Failed to evaluate the provided expression: arg.id (the id of a call of embed)
    """

    def __init__(self, expression: str, function: str) -> None:
        super().__init__(f"Failed to evaluate the provided expression: {expression} (the id of a call of {function})")
        self.expression = expression
        self.function = function


def identify(function: Callable[..., Any], id: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that computes the id of a call from the call's arguments.

    Arguments are bound to the function's parameters and defaults are applied, so it does not matter how they are
    passed. An expression sees them, the variables the function closes over, and the globals of its module.

    :param id: an expression, or a function of the same arguments.
    :raises SyntaxError: when the text is not an expression.
    :raises ValueError: when it mentions what is neither an argument nor known to the module.
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
    try:
        tree = ast.parse(source.strip(), file, "eval")
    except SyntaxError as error:
        error.msg = f"the id {source!r} of {name} is no expression of its arguments: {error.msg}"
        raise
    mentioned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    _check_names(tree, source, function, parameters)
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


def _check_names(tree: Any, source: str, function: Any, parameters: Any) -> None:
    """Refuse unknown names; a function that is called may be defined further down in the module."""
    import ast
    import builtins

    nodes = list(ast.walk(tree))
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    known = {*parameters, *own, *_closure(function), *getattr(function, "__globals__", {}), *vars(builtins)}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id not in known and id(node) not in called:
            takes = ", ".join(parameters) or "no argument"
            raise ValueError(f"id {source!r}: there is no {node.id!r}; {name_of(function)} takes {takes}")


def _closure(function: Any) -> dict[str, Any]:
    code = getattr(function, "__code__", None)
    return {} if code is None else dict(zip(code.co_freevars, function.__closure__ or ()))
