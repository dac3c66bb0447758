"""Templates: the name of a result, filled from the arguments and the context when the task is called.

The rule of trust for the two places of the package that evaluate text:

*ids of calls* (:mod:`flowly_ckpt.calls`) are trusted: the programmer wrote them, and Python evaluates them.

*templates of tasks* are looked through, since parts of them may come from a configuration, and what they are filled
with from anywhere. Python's parser splits them as the f-strings they are; nothing is ever handed to ``eval``. They may
name values, read attributes and items, calculate, and call the functions of ``os.path`` and ``datetime``, a few plain
ones, and methods of texts, numbers, dates, pure paths and mappings that change nothing. Everything else is refused:
what can be seen in the text when the template is made, the rest when it is filled.

What a field gives cannot leave the folder that the template names. It is one component of the path, with its slashes
quoted, whether it is an argument or made from one by a call. It keeps its slashes, but no component ``.`` or ``..``,
where the template speaks of folders itself: by ``{path}`` or ``{base}``, by ``os.sep``, ``os.path.join`` or
``os.path.dirname`` in the field, or by a slash in its format. Only what a template begins with is taken as it is.
"""

from __future__ import annotations

import ast
import datetime
import operator
import os
import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from .. import given
from ..errors import FlowlyError

__all__ = ["Template", "TemplateError"]

Names = Mapping[str, Any]

_MODULES = {"os": os, "datetime": datetime}
_PLAIN: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (abs, bool, float, int, len, list, max, min, repr, round, sorted, str, sum, tuple)
}
_OF_OS = frozenset({"path", "sep", "curdir", "pardir", "extsep", "environ", "getcwd", "getpid", "fspath", "name"})
_OF_MODULES = {os: _OF_OS, os.path: frozenset(os.path.__all__), datetime: frozenset(datetime.__all__)}
_OF_MAPPINGS = frozenset({"get", "keys", "values", "items"})
_FUNCTIONS = {os.getcwd, os.getpid, os.fspath, *(getattr(os.path, name) for name in os.path.__all__)}
_VALUES = (str, int, float, bytes, datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo)

_FOLDERS = frozenset({"os.sep", "os.path.sep", "os.path.join", "os.path.dirname"})
_WHOLE = frozenset({"path", "base", "gcontext.path", "gcontext.base"})
_BARRED = "/\0" + ('\\<>:"|?*' if os.name == "nt" else "")
# The last two ranges are halves of letters, which no file name can have.
_QUOTED = re.compile(f"[{re.escape(_BARRED)}\ud800-\udc7f\udd00-\udfff]")


class TemplateError(FlowlyError, ValueError):
    """Raised for a template that cannot be parsed or filled.

    :param template: the whole text.
    :param field: the expression that failed, or the empty text.
    :param reason: what is wrong, and what to do.

    >>> print(TemplateError("{a}/{b.c()}", "b.c()", "b.c is not allowed in templates"))
    template '{a}/{b.c()}', at 'b.c()': b.c is not allowed in templates
    """

    def __init__(self, template: str, field: str, reason: str) -> None:
        super().__init__(f"template {template!r}{f', at {field!r}' if field else ''}: {reason}")
        self.template = template
        self.field = field
        self.reason = reason


class Template:
    """Fill a text like an f-string, without running arbitrary code.

    Values keep their types, so ``{n:03d}`` works. The docstring of the module says what a field may do, and that no
    value leads out of the folder.

    :param text: literal text and fields in braces.
    :raises TemplateError: for a text that cannot be parsed, or a field that is not allowed.

    >>> Template("{path}/{n:03d}_{os.path.basename(fn)}.pkl").fill({"path": "working", "n": 7, "fn": "data/a.csv"})
    'working/007_a.csv.pkl'
    >>> Template("{path}/{fn.lower()}").fill({"path": "working", "fn": "../Data"})
    'working/..%2Fdata'
    """

    def __init__(self, text: str) -> None:
        self.text = given.text("template", text)
        self.parts = _parsed(text)
        self._written = [_as_it_is, *map(_written, self.parts[1:])]  # how the path takes what each part gives

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Template, (self.text,))

    @property
    def names(self) -> frozenset[str]:
        """The names that filling needs."""
        nodes = (node for part in self.parts for node in ast.walk(part))
        return frozenset({node.id for node in nodes if isinstance(node, ast.Name)}.difference(_MODULES, _PLAIN))

    def fill(self, names: Names) -> str:
        """Return the text with its fields filled.

        :param names: values by name; they stand before modules and functions of the same name.
        :raises TemplateError: for a name that is not among them, or a field whose evaluation fails.
        """
        return "".join([write(self._filled(part, names)) for write, part in zip(self._written, self.parts)])

    def _filled(self, part: ast.expr, names: Names) -> str:
        try:
            return str(_evaluate(part, names))
        except NameError as error:
            reason = f"unknown name {error.name!r}; known are {', '.join(sorted(names))}, os and datetime"
            raise TemplateError(self.text, _source(part), reason) from None
        except Exception as error:
            raise TemplateError(self.text, _source(part), f"{type(error).__name__}: {error}") from error


def _parsed(text: str) -> list[ast.expr]:
    """Return the literal texts and fields of a template, after checking them."""
    quote = "'''" if '"""' in text else '"""'
    if quote in text or "\r" in text:
        raise TemplateError(text, "", "carriage returns, and both kinds of triple quotes in one text, are not allowed")
    try:
        # The text must not end with a quote or a backslash: they would belong to the end of the f-string.
        tree = ast.parse(f"rf{quote}{text}|{quote}", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise TemplateError(text, "", f"it cannot be parsed ({getattr(error, 'msg', error)})") from None
    assert isinstance(tree, ast.JoinedStr)
    *parts, last = tree.values
    assert isinstance(last, ast.Constant)
    assert isinstance(last.value, str)
    parts += [ast.Constant(last.value[:-1])] if last.value != "|" else []
    for part in parts:
        for node in ast.walk(part):
            if reason := _refused(node):
                raise TemplateError(text, _source(part), reason)
    return parts


def _refused(node: ast.AST) -> str:
    """Return why a node is not allowed in a template, or the empty text."""
    if not isinstance(node, (*_FOLLOW, *_PARTS)):
        return f"{type(node).__name__} is not allowed in templates; pass the value as an argument"
    if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
        return f"{node.attr!r} is private"
    return "** is not allowed in templates" if isinstance(node, ast.keyword) and node.arg is None else ""


def _source(part: ast.expr) -> str:
    return ast.unparse(part.value if isinstance(part, ast.FormattedValue) else part)


def _written(part: ast.expr) -> Callable[[str], str]:
    """Return how the path takes what a part gives: literal text as it is, a field so that it stays in the folder."""
    if not isinstance(part, ast.FormattedValue):
        return _as_it_is
    form = ast.walk(part.format_spec) if part.format_spec else ()
    speaks_of_folders = (
        _source(part) in _WHOLE
        or any(isinstance(node, ast.Attribute) and ast.unparse(node) in _FOLDERS for node in ast.walk(part.value))
        or any(isinstance(node, ast.Constant) and "/" in str(node.value) for node in form)
    )
    return _components if speaks_of_folders else _component


def _as_it_is(text: str) -> str:
    return text


def _component(text: str) -> str:
    return "%2E" * len(text) if text in (".", "..") else _QUOTED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _components(text: str) -> str:
    return "/".join(map(_component, (text.replace("\\", "/") if os.name == "nt" else text).split("/")))


def _evaluate(node: ast.expr, names: Names) -> Any:
    return _FOLLOW[type(node)](node, names)


def _name(node: ast.Name, names: Names) -> Any:
    for table in (names, _MODULES, _PLAIN):
        if node.id in table:
            return table[node.id]
    raise NameError(f"unknown name {node.id!r}", name=node.id)


def _attribute(node: ast.Attribute, names: Names) -> Any:
    owner = _evaluate(node.value, names)
    if isinstance(owner, ModuleType) and node.attr not in _OF_MODULES.get(owner, ()):
        raise ValueError(f"{ast.unparse(node)} is not allowed in templates; pass the value as an argument")
    return getattr(owner, node.attr)


def _call(node: ast.Call, names: Names) -> Any:
    function = _evaluate(node.func, names)
    if not _may_be_called(function):
        raise ValueError(f"{ast.unparse(node.func)} is not allowed in templates; call it before, and pass the result")
    args = [_evaluate(arg, names) for arg in node.args]
    return function(*args, **{str(word.arg): _evaluate(word.value, names) for word in node.keywords})


def _may_be_called(function: Any) -> bool:
    """Return whether a call changes nothing: of a plain function, one for paths or dates, or a method of a value."""
    if isinstance(function, type):
        return function in _PLAIN.values() or function.__module__ == "datetime"
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if owner is None or isinstance(owner, ModuleType):
        is_function = isinstance(function, (FunctionType, BuiltinFunctionType))
        return is_function and (function in _FUNCTIONS or function in _PLAIN.values())
    if isinstance(owner, type):
        return owner.__module__ == "datetime"
    if isinstance(owner, Mapping):
        return name in _OF_MAPPINGS
    if isinstance(owner, PurePath):
        return hasattr(PurePath, name)
    return isinstance(owner, _VALUES) and not name.startswith("format")  # which follows attributes by text


def _field(node: ast.FormattedValue, names: Names) -> str:
    convert: Any = {ord("r"): repr, ord("s"): str, ord("a"): ascii}.get(node.conversion)
    value = _evaluate(node.value, names)
    form = _evaluate(node.format_spec, names) if node.format_spec else ""
    return format(convert(value) if convert else value, form)


def _slice(node: ast.Slice, names: Names) -> slice:
    bounds = (node.lower, node.upper, node.step)
    return slice(*[None if bound is None else _evaluate(bound, names) for bound in bounds])


def _bool(node: ast.BoolOp, names: Names) -> Any:
    value: Any = None
    for part in node.values:
        value = _evaluate(part, names)
        if bool(value) is isinstance(node.op, ast.Or):
            return value
    return value


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_UNARY: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}
_PARTS = (ast.keyword, ast.And, ast.Or, ast.Load, *_BINARY, *_UNARY)  # of expressions, not followed by themselves
_FOLLOW: dict[type, Callable[[Any, Names], Any]] = {
    ast.Constant: lambda node, names: node.value,
    ast.JoinedStr: lambda node, names: "".join([_evaluate(part, names) for part in node.values]),
    ast.FormattedValue: _field,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: lambda node, names: _evaluate(node.value, names)[_evaluate(node.slice, names)],
    ast.Slice: _slice,
    ast.Call: _call,
    ast.BoolOp: _bool,
    ast.BinOp: lambda node, names: _BINARY[type(node.op)](_evaluate(node.left, names), _evaluate(node.right, names)),
    ast.UnaryOp: lambda node, names: _UNARY[type(node.op)](_evaluate(node.operand, names)),
    ast.IfExp: lambda node, names: _evaluate(node.body if _evaluate(node.test, names) else node.orelse, names),
    ast.Tuple: lambda node, names: tuple([_evaluate(part, names) for part in node.elts]),
}
