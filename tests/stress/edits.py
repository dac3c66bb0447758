"""Edit functions of the standard library and of installed packages, and look whether their hash changes with them.

An edit that leaves other instructions, constants or names must change the hash; another layout, other names of local
variables, annotations of them and comments must not.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import dis
import importlib
import pkgutil
import random
import symtable
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from flowly_ckpt import functional_hash
from flowly_ckpt.errors import UnhashableError

PACKAGES = ("toolz", "cloudpickle", "packaging", "jinja2", "dask", "pandas", "sqlalchemy")
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd}
EQUIVALENT = {"platform.system_alias"}  # both branches of its last condition do the same
# What compiles to other jumps when a condition stands on one line instead of many, on some versions of Python.
WRAPPED = {"dask.optimization.fuse", "inspect.isawaitable", "inspect._signature_is_functionlike"}
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.Gt: ast.GtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
}


def sources() -> Iterator[tuple[Any, ast.FunctionDef]]:
    """Yield functions at the top of modules that can be imported, with their module."""
    names = [*sorted(sys.stdlib_module_names), *PACKAGES]
    for name in names:
        if name.startswith("_") or name in ("antigravity", "this", "idlelib", "turtledemo", "lib2to3"):
            continue
        for module in modules(name):
            path = str(vars(module).get("__file__"))
            if path.endswith(".py"):
                for node in ast.parse(Path(path).read_bytes()).body:
                    if type(node) is ast.FunctionDef and not node.decorator_list:
                        yield module, node


def modules(name: str) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = importlib.import_module(name)
        except Exception:  # noqa: BLE001  a module of another system, or one that needs a window
            return
        yield module
        for each in pkgutil.iter_modules(getattr(module, "__path__", ())):
            if each.name.startswith(("_", "test")):
                continue
            with contextlib.suppress(Exception):
                yield importlib.import_module(f"{name}.{each.name}")


def made(module: Any, node: ast.FunctionDef) -> FunctionType:
    """Compile a function as if the user had written it, beside everything that its module defines."""
    home = {name: value for name, value in vars(module).items() if name != "__file__"} | {"__name__": "edited"}
    tree = ast.fix_missing_locations(ast.Module([node], []))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(tree, "<edited>", "exec"), home)
    return home[node.name]


def shown(code: CodeType) -> list[Any]:
    """Return what the interpreter runs: instructions with constants and names; no lines, no constant nobody loads."""
    found: list[Any] = [code.co_exceptiontable]
    for each in dis.get_instructions(code):
        value = each.argval
        found.append((each.opname, shown(value) if type(value) is CodeType else (type(value), repr(value))))
    return found


def shown_with_defaults(fn: FunctionType) -> tuple[Any, ...]:
    return shown(fn.__code__), repr(fn.__defaults__), repr(fn.__kwdefaults__)


class Mutation(ast.NodeTransformer):
    """Make one edit, at the place of the given number."""

    def __init__(self, place: int):
        self.place, self.seen, self.kind = place, -1, ""

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return node  # a docstring
        if isinstance(node, ast.arg):
            return node  # with an annotation, which counts only where something reads it
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        edit = next((edit for kind, edit in EDITS.items() if isinstance(node, kind) and edit(node) is not None), None)
        if edit is not None:
            self.seen += 1
            if self.seen == self.place:
                self.kind = type(node).__name__
                return ast.copy_location(edit(node), node)
        return self.generic_visit(node)


def other_constant(node: Any) -> Any:
    if type(node.value) is bool:
        return ast.Constant(not node.value)
    if type(node.value) in (int, float, complex):
        return ast.Constant(node.value + 1)
    return (
        ast.Constant(node.value + (" " if type(node.value) is str else b" "))
        if type(node.value) in (str, bytes)
        else None
    )


def other_operator(node: Any) -> Any:
    kind = OPERATORS.get(type(node.op))
    return kind and ast.BinOp(node.left, kind(), node.right)


def other_comparison(node: Any) -> Any:
    kind = COMPARISONS.get(type(node.ops[0]))
    return kind and ast.Compare(node.left, [kind(), *node.ops[1:]], node.comparators)


def swapped(node: Any) -> Any:
    if len(node.args) < 2 or any(isinstance(each, ast.Starred) for each in node.args):
        return None
    return ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)


EDITS: dict[type, Callable[[Any], Any]] = {
    ast.Constant: other_constant,
    ast.BinOp: other_operator,
    ast.Compare: other_comparison,
    ast.Call: swapped,
    ast.If: lambda node: ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse),
    ast.BoolOp: lambda node: ast.BoolOp(ast.And() if type(node.op) is ast.Or else ast.Or(), node.values),
    ast.Attribute: lambda node: ast.Attribute(node.value, f"{node.attr}_", node.ctx),
    ast.Return: lambda node: node.value and ast.Return(ast.Tuple([node.value], ast.Load())),
    ast.Expr: lambda node: None if isinstance(node.value, ast.Constant) else ast.Pass(),
}


class Renaming(ast.NodeTransformer):
    """Name local variables anew, and annotate where they are assigned."""

    def __init__(self, names: set[str]):
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(f"{node.id}_renamed", node.ctx), node) if node.id in self.names else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and node.targets[0].id.endswith("_renamed"):
            return ast.copy_location(
                ast.AnnAssign(node.targets[0], ast.Name("object", ast.Load()), node.value, 1), node
            )
        return node


def locals_of(node: ast.FunctionDef) -> set[str]:
    """Return the local variables that only plain names speak of: none of a nested scope, no parameter."""
    plain = ast.FunctionDef(node.name, node.args, node.body, [], None, lineno=1, col_offset=0)
    table = symtable.symtable(ast.unparse(ast.fix_missing_locations(plain)), "<edited>", "exec").get_children()[0]
    if table.get_children() or {"globals", "locals", "vars", "eval", "exec", "dir"} & set(table.get_identifiers()):
        return set()
    named = {name for each in ast.walk(node) for name in also_named(each)}
    return {each.get_name() for each in table.get_symbols() if each.is_local() and not each.is_parameter()} - named


def also_named(node: ast.AST) -> list[str]:
    """Return names that a node holds as text, not as a Name."""
    found: list[str] = []
    for field in ("name", "rest", "asname", "names"):
        values = getattr(node, field, None)
        for each in values if isinstance(values, list) else [values]:
            found += [each] if type(each) is str else [getattr(each, "name", ""), getattr(each, "asname", None) or ""]
    return [each.partition(".")[0] for each in found]


def run(mutations: int, layouts: int, seed: int = 0) -> list[tuple[str, str, bool]]:
    """Return rows of the table: what was tried, what came of it, whether it holds."""
    chance, found = random.Random(seed), list(sources())
    chance.shuffle(found)
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    for module, node in found:
        if seen["edits"] >= mutations and seen["layouts"] >= layouts:
            break
        try:
            before = made(module, copy.deepcopy(node))
            key, was = functional_hash(before), shown_with_defaults(before)
        except (UnhashableError, NameError, TypeError, AttributeError, SyntaxError) as error:
            seen[f"{type(error).__name__} of the function itself"] += 1
            continue
        where = f"{module.__name__}.{node.name}"
        if seen["layouts"] < layouts:
            look_at_layout(module, node, key, where, seen, wrong)
        counting = Mutation(-1)
        counting.visit(copy.deepcopy(node))
        places = chance.sample(range(counting.seen + 1), min(6, counting.seen + 1)) if seen["edits"] < mutations else []
        for place in places:
            look_at_edit(module, node, key, was, Mutation(place), where, seen, wrong)
    for each in wrong[:20]:
        print("   ", each)
    stale, needless = (sum(each.startswith(kind) for each in wrong) for kind in ("stale", "needless"))
    refused = ", ".join(f"{count} {name}" for name, count in seen.items() if " of the " in name)
    edits = f"{seen['edits']} edits of real functions, {seen['alike']} of them to the same body"
    layouts_seen = f"{seen['layouts']} functions laid out anew, {seen['renamed']} of them renamed inside"
    return [
        (edits, f"{stale} stale", not stale),
        (layouts_seen, f"{needless} needless, also by edits to the same body", not needless),
        ("errors", refused or "none", True),
    ]


def look_at_layout(
    module: Any, node: ast.FunctionDef, key: str, where: str, seen: Counter[str], wrong: list[str]
) -> None:
    text = ast.unparse(node).replace("\n", "  # a comment\n\n", 1)
    again = ast.parse(text).body[0]
    names = locals_of(node)
    if names:
        again = Renaming(names).visit(again)
    after = made(module, again)
    seen["layouts"] += 1
    seen["renamed"] += bool(names)
    if functional_hash(after) != key and where not in WRAPPED:
        wrong.append(f"needless: {where}, local variables {sorted(names)}")


def look_at_edit(
    module: Any,
    node: ast.FunctionDef,
    key: str,
    was: Any,
    mutation: Mutation,
    where: str,
    seen: Counter[str],
    wrong: list[str],
) -> None:
    try:
        after = made(module, mutation.visit(copy.deepcopy(node)))
        now = functional_hash(after)
    except (UnhashableError, NameError, TypeError, AttributeError, SyntaxError, ValueError) as error:
        seen[f"{type(error).__name__} of the edited function"] += 1
        return
    same = was == shown_with_defaults(after)
    seen["edits"] += 1
    seen["alike"] += same
    if (now == key) != same and where not in EQUIVALENT:
        kind = "needless" if same else "stale"
        wrong.append(f"{kind}: {where}, place {mutation.place}, {mutation.kind}")


if __name__ == "__main__":
    rows = run(*map(int, sys.argv[1:] or (10_000, 2_500)))
    for tried, came, holds in rows:
        print(f"{tried:80} {came:40} {'held' if holds else 'NOT HELD'}")
    sys.exit(not all(holds for *_, holds in rows))
