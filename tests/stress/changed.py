"""The changes of a module: each of one place in one of its functions, put into the functions that live.

A change is a comparison, an operator, a constant or a condition that is another one, an argument or a value that is
None, a statement that is gone. What a message says is left alone, and what runs when the module is imported.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

COMPARISONS: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
OPERATORS: dict[type, type] = {
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
NOT_RUN = {"decorator_list", "annotation", "returns", "type_params", "type_comment"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Key = tuple[str, int]  # of a code object: its qualified name and first line


@dataclass(frozen=True)
class Change:
    """One change: where it is, what it is, and the code objects that it makes others."""

    path: Path
    function: str
    lines: range
    text: str
    codes: dict[Key, CodeType]

    def put_in_place(self, living: dict[Key, list[FunctionType]]) -> None:
        for key, code in self.codes.items():
            for function in living.get(key, ()):
                function.__code__ = code


def changes(path: Path) -> Iterator[Change]:
    """Yield each change of a module's functions that compiles to something else."""
    tree = ast.parse(path.read_bytes())
    for name, outer in functions(tree):
        for function, parent, field, index, node in list(places(outer, outer)):
            if not (others := list(alternatives(node))):
                continue
            with named_by(function, node):
                before = compiled(tree, path)
                for other in others:
                    set_at(parent, field, index, ast.fix_missing_locations(ast.copy_location(other, node)))
                    found = {key: code for key, code in compiled(tree, path).items() if code != before.get(key)}
                    set_at(parent, field, index, node)
                    if found:
                        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                        yield Change(path, name, lines, f"{shown(node)} -> {shown(other)}", found)


@contextlib.contextmanager
def named_by(function: Function, node: ast.AST) -> Iterator[None]:
    """Let a function name what it names now, in a branch that is never run: its closure stays as it is."""
    kept = node if isinstance(node, ast.expr) else getattr(node, "test", None) or getattr(node, "value", None)
    spare = ast.If(ast.Constant(False), [ast.Expr(kept) if kept else ast.Pass()], [])
    function.body.append(ast.fix_missing_locations(ast.copy_location(spare, function.body[-1])))
    yield
    function.body.pop()


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Yield the functions and methods of a module, without those inside of others."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield within + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{within}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from functions(node, within)


def places(function: Function, node: ast.AST) -> Iterator[tuple[Function, ast.AST, str, int | None, ast.AST]]:
    """Yield what runs inside of a node, each with its function and the place that holds it."""
    for field, value in ast.iter_fields(node):
        if field in NOT_RUN or isinstance(value, ast.arguments):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not is_text(child):
                yield function, node, field, index, child
                if not isinstance(child, ast.Raise):
                    yield from places(child if isinstance(child, Function) else function, child)


def is_text(node: ast.AST) -> bool:
    """Tell what is only read: docstrings and messages."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in a node's place."""
    match node:
        case ast.Compare(ops=[operator]):
            yield from (replaced(node, ops=[other()]) for other in COMPARISONS[type(operator)])
        case ast.BoolOp() | ast.BinOp() | ast.AugAssign() if type(node.op) in OPERATORS:
            yield replaced(node, op=OPERATORS[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield copy.copy(node.operand)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.Constant(value=str()):
            yield ast.Constant(f"{node.value}~")
        case ast.Constant(value=bytes()):
            yield ast.Constant(node.value + b"~")
        case ast.Call():
            for index, argument in enumerate(node.args):
                if not isinstance(argument, ast.Starred | ast.Constant):
                    others = [*node.args[:index], ast.Constant(None), *node.args[index + 1 :]]
                    yield replaced(node, args=others)
            for keyword in node.keywords:
                yield replaced(node, keywords=[other for other in node.keywords if other is not keyword])
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) if not is_none(value):
            yield replaced(node, value=ast.Constant(None))
        case ast.Return(value=ast.expr() as value) if not is_none(value):
            yield replaced(node, value=ast.Constant(None))
        case ast.If() | ast.While() | ast.IfExp() if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            yield replaced(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Expr() | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def replaced(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    vars(other).update(fields)
    return other


def set_at(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def shown(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:90]


def compiled(tree: ast.Module, path: Path) -> dict[Key, CodeType]:
    return codes(compile(tree, str(path), "exec", dont_inherit=True))


def codes(module: CodeType) -> dict[Key, CodeType]:
    """Return all code objects inside of one; of two lambdas in a line, the last."""
    found: dict[Key, CodeType] = {}
    for constant in module.co_consts:
        if isinstance(constant, CodeType):
            found[constant.co_qualname, constant.co_firstlineno] = constant
            found |= codes(constant)
    return found


def living(path: Path) -> dict[Key, list[FunctionType]]:
    """Return the functions of a module that there are, whoever holds them."""
    found: dict[Key, list[FunctionType]] = {}
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__.co_filename == str(path):
            found.setdefault((function.__code__.co_qualname, function.__code__.co_firstlineno), []).append(function)
    return found
