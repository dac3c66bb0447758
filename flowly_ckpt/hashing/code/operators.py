"""Which special methods syntax and builtins call, as nothing in the code names them: ``a @ b``, ``len(x)``."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable

from .instructions import Instruction

__all__ = ["SPECIAL_METHODS", "special_methods"]

BINARY = ("add", "and", "floordiv", "lshift", "matmul", "mul", "mod", "or", "pow", "rshift", "sub", "truediv", "xor")
"""In the order of their numbers; those that assign come behind in the same order."""
SUBSCRIPT = 2 * len(BINARY)
COMPARE = ("eq", "ne", "lt", "le", "gt", "ge")
ITERATE = ("iter", "next", "len", "getitem")
CALL = ("call", "new", "init", "array_ufunc", "array_function", "array", "index", "fspath", "torch_function")
FORMAT = ("format", "str", "repr")
TRUTH = ("bool", "len")
BY_INSTRUCTION = {
    "COMPARE_OP": COMPARE,
    "CONTAINS_OP": ("contains", "iter", "eq"),
    "BINARY_SUBSCR": ("getitem", "class_getitem"),
    "BINARY_SLICE": ("getitem",),
    **dict.fromkeys(("STORE_SUBSCR", "STORE_SLICE"), ("setitem",)),
    "DELETE_SUBSCR": ("delitem",),
    "LOAD_ATTR": ("getattr", "getattribute"),
    "LOAD_METHOD": ("getattr", "getattribute"),
    "STORE_ATTR": ("setattr",),
    "DELETE_ATTR": ("delattr",),
    **dict.fromkeys(("GET_ITER", "FOR_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND", "SET_UPDATE"), ITERATE),
    **dict.fromkeys(("DICT_UPDATE", "DICT_MERGE"), ("iter", "keys", "getitem")),
    **dict.fromkeys(("BEFORE_WITH", "LOAD_SPECIAL"), ("enter", "exit", "aenter", "aexit")),
    "BEFORE_ASYNC_WITH": ("aenter", "aexit"),
    **dict.fromkeys(("GET_AITER", "GET_ANEXT", "GET_AWAITABLE"), ("aiter", "anext", "await")),
    "UNARY_NEGATIVE": ("neg",),
    "UNARY_POSITIVE": ("pos",),
    "UNARY_INVERT": ("invert",),
    "CALL_INTRINSIC_1": ("pos", "iter"),
    "UNARY_NOT": TRUTH,
    "TO_BOOL": TRUTH,
    **{f"POP_JUMP_{way}IF_{word}": TRUTH for way in ("", "FORWARD_", "BACKWARD_") for word in ("TRUE", "FALSE")},
    **dict.fromkeys(("JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP"), TRUTH),
    **dict.fromkeys(("FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC", "CONVERT_VALUE"), FORMAT),
    **dict.fromkeys(("CALL", "CALL_KW", "CALL_FUNCTION_EX"), CALL),
    **dict.fromkeys(("MATCH_MAPPING", "MATCH_KEYS", "MATCH_SEQUENCE"), (*ITERATE, "instancecheck")),
    "MATCH_CLASS": ("instancecheck", "getattr"),
}  # fmt: skip
BY_NAME = {
    **dict.fromkeys(("sorted", "min", "max", "sort", "heapify", "heappush", "bisect"), ("lt", "gt", *ITERATE)),
    "sum": ("add", "radd", *ITERATE),
    **dict.fromkeys(("list", "tuple", "enumerate", "zip", "map", "filter", "any", "all", "iter", "next"), ITERATE),
    **dict.fromkeys(("reversed", "join", "extend"), ITERATE),
    **dict.fromkeys(("set", "dict", "frozenset", "hash", "Counter"), ("hash", "eq", *ITERATE)),
    **dict.fromkeys(("str", "print", "format", "repr"), FORMAT),
    **dict.fromkeys(("accumulate", "reduce", "starmap"), ITERATE),
    **dict.fromkeys(("isinstance", "issubclass"), ("instancecheck", "subclasscheck")),
    **dict.fromkeys(("copy", "deepcopy", "replace"), ("copy", "deepcopy", "replace")),
    **dict.fromkeys(("int", "float", "complex", "bool", "range"), ("int", "float", "complex", "bool", "index", "len")),
    **dict.fromkeys(("getattr", "hasattr"), ("getattr", "getattribute")),
}
OF_OPERATOR = {name: name.strip("_") for name in dir(operator) if hasattr(operator, f"__{name.strip('_')}__")}
OF_BUILTIN = frozenset({"abs", "round", "divmod", "pow", "bytes", "len", "dir", "trunc", "floor", "ceil", "sizeof"})


def special_methods(instructions: Iterable[Instruction], used: Collection[str]) -> set[str]:
    """Return the special methods that some instructions may call, and the functions whose names they use.

    >>> from .instructions import instructions_of
    >>> sorted(special_methods(instructions_of((lambda a, b: a @ -b).__code__)[0], ()))
    ['__imatmul__', '__matmul__', '__neg__', '__rmatmul__']
    """
    found: set[str] = set()
    for each in instructions:
        if each.name == "BINARY_OP":
            found.update(
                ("getitem", "class_getitem")
                if each.value == SUBSCRIPT
                else arithmetic(BINARY[each.value % len(BINARY)])
            )
        else:
            found.update(BY_INSTRUCTION.get(each.name, ()))
    for name in used:
        found.update(BY_NAME.get(name, ()))
        if name in OF_BUILTIN:
            found.add(name)
        if name in OF_OPERATOR:
            found.update(arithmetic(OF_OPERATOR[name]))
    return {f"__{name}__" for name in found}


def arithmetic(name: str) -> tuple[str, str, str]:
    return name, f"r{name}", f"i{name}"


SPECIAL_METHODS = frozenset(
    f"__{name}__"
    for names in (
        *map(arithmetic, BINARY),
        *BY_INSTRUCTION.values(),
        *BY_NAME.values(),
        OF_BUILTIN,
        OF_OPERATOR.values(),
    )
    for name in names
)
"""All that any code may call in this way."""
