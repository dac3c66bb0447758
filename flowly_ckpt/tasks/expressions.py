"""Expressions of templates: names, attributes, subscripts, arithmetic, and calls of a few harmless functions.

Nothing is handed to ``eval``: an expression is parsed, looked through once, and then followed node by node.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from .permitted import MODULES, PLAIN, may_be_called, may_be_read

__all__ = ["evaluate", "has_call", "names_in", "parse"]

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}
_NODES = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.keyword, ast.BinOp, ast.UnaryOp,
    ast.IfExp, ast.BoolOp, ast.And, ast.Or, ast.Tuple, ast.Load, *_BINARY, *_UNARY,
)  # fmt: skip


def parse(text: str) -> ast.expr:
    """Parse an expression, and refuse at once what a template may not do.

    :raises ValueError: with the reason, in words for whoever wrote the template.

    >>> parse("n + 1") is not None
    True
    >>> parse("(lambda: 1)()")
    Traceback (most recent call last):
    ValueError: Lambda is not for templates; pass the value as an argument
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, MemoryError) as error:
        raise ValueError(f"it is no expression ({getattr(error, 'msg', error)})") from None
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise ValueError(f"{type(node).__name__} is not for templates; pass the value as an argument")
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise ValueError(f"{node.attr!r} is private")
        if isinstance(node, ast.keyword) and node.arg is None:
            raise ValueError("** is not for templates")
    return tree


def names_in(tree: ast.expr) -> set[str]:
    """Return the names an expression needs, without the modules and functions that are always there.

    >>> names_in(parse("os.path.basename(fn) + str(n)"))  == {"fn", "n"}
    True
    """
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {*MODULES, *PLAIN}


def has_call(tree: ast.expr) -> bool:
    """Tell whether an expression calls anything.

    >>> has_call(parse("str(n)")), has_call(parse("n.real"))
    (True, False)
    """
    return any(isinstance(node, ast.Call) for node in ast.walk(tree))


def evaluate(tree: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the value of a parsed expression.

    :param names: the values by name; they stand before modules and functions of the same name.
    :raises NameError: for a name that nobody gave; whatever the values themselves raise passes unchanged.

    >>> evaluate(parse("os.path.basename(fn)[:2] + str(n + 1)"), {"fn": "data/abc", "n": 2})
    'ab3'
    """
    return _FOLLOW[type(tree)](tree, names)


def _name(node: ast.Name, names: Mapping[str, Any]) -> Any:
    for table in (names, MODULES, PLAIN):
        if node.id in table:
            return table[node.id]
    raise NameError(f"nothing is called {node.id!r}", name=node.id)


def _attribute(node: ast.Attribute, names: Mapping[str, Any]) -> Any:
    owner = evaluate(node.value, names)
    if not may_be_read(owner, node.attr):
        raise ValueError(f"{ast.unparse(node)} is not for templates")
    return getattr(owner, node.attr)


def _call(node: ast.Call, names: Mapping[str, Any]) -> Any:
    function = evaluate(node.func, names)
    if not may_be_called(function):
        raise ValueError(f"{ast.unparse(node.func)} is not for templates; call it before, and pass what it gives")
    args = [evaluate(arg, names) for arg in node.args]
    return function(*args, **{str(word.arg): evaluate(word.value, names) for word in node.keywords})


def _subscript(node: ast.Subscript, names: Mapping[str, Any]) -> Any:
    return evaluate(node.value, names)[evaluate(node.slice, names)]


def _slice(node: ast.Slice, names: Mapping[str, Any]) -> slice:
    bounds = (node.lower, node.upper, node.step)
    return slice(*[None if bound is None else evaluate(bound, names) for bound in bounds])


def _bool(node: ast.BoolOp, names: Mapping[str, Any]) -> Any:
    value: Any = None
    for part in node.values:
        value = evaluate(part, names)
        if bool(value) is isinstance(node.op, ast.Or):
            return value
    return value


_FOLLOW: dict[type, Callable[[Any, Mapping[str, Any]], Any]] = {
    ast.Constant: lambda node, names: node.value,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Call: _call,
    ast.BoolOp: _bool,
    ast.BinOp: lambda node, names: _BINARY[type(node.op)](evaluate(node.left, names), evaluate(node.right, names)),
    ast.UnaryOp: lambda node, names: _UNARY[type(node.op)](evaluate(node.operand, names)),
    ast.IfExp: lambda node, names: evaluate(node.body if evaluate(node.test, names) else node.orelse, names),
    ast.Tuple: lambda node, names: tuple([evaluate(part, names) for part in node.elts]),
}
