"""The key of a call, and the name of its file.

The key of a call is ``(hash of its id, name of the checkpoint, name of the method)``.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..hashing import functional_hash
from ..pipelines import Combinator
from ..pipelines.names import module_name
from ..targets.key_names import cut, quoted, quoted_dotted, uncut, unquoted, unquoted_dotted
from ..typing import Key

__all__ = ["Decorated", "code_in", "key_of_path", "path_of_key", "qualified_name", "undecorated"]

_NAMED = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, type)
_CODE = re.compile(r"-([0-9a-f]{32})$")
_LONGEST = 160  # of a path's component, before the id's digest


class Decorated(Combinator):
    """Base class of decorated methods: what runs on a miss, and whether its code is part of the key.

    >>> from flowly_ckpt.calls import cached
    >>> decorated: Decorated = cached(len, "obj", code=True)
    >>> decorated.transform, decorated.code
    (<built-in function len>, True)
    """

    transform: Callable[..., Any]
    code: bool = False


def undecorated(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a decorated function or bound method runs on a miss; anything else is returned itself.

    >>> from flowly_ckpt.calls import cached
    >>> undecorated(cached(len, "obj")), undecorated(len)
    (<built-in function len>, <built-in function len>)
    """
    if isinstance(method, types.MethodType) and isinstance(method.__func__, Decorated):
        return types.MethodType(method.__func__.transform, method.__self__)
    return method.transform if isinstance(method, Decorated) else method


def qualified_name(method: Callable[..., Any], code: bool = False) -> str:
    """Return the name that identifies a method: module and qualified name, with ``code`` its content hash too.

    What has no name of its own (a lambda, a partial, a pipeline) is always identified by its content.

    :raises UnhashableError: when the content is needed and cannot be hashed.

    >>> import json
    >>> qualified_name(json.dumps)
    'json.dumps'
    >>> qualified_name(json.dumps, code=True) == "json.dumps-" + functional_hash(json.dumps)
    True
    >>> qualified_name(lambda: 1) == qualified_name(lambda: 2)
    False
    """
    function = getattr(method, "__func__", method)
    is_named = isinstance(function, _NAMED) or hasattr(function, "__wrapped__")
    name = getattr(function, "__qualname__", None) if is_named else None
    if name is None:
        kind = type(function)
        return f"{kind.__module__}.{kind.__qualname__}-{functional_hash(method)}"
    full = f"{module_name(getattr(function, '__module__', None) or 'builtins')}.{name}"
    code = code or (isinstance(function, Decorated) and function.code)
    # A method's object is an argument like any other: the id speaks for it.
    return f"{full}-{functional_hash(function)}" if code or name.endswith("<lambda>") else full


def code_in(key: Key) -> str:
    """Return the content hash of a method in the key of a call, empty where its name alone identifies it.

    >>> code_in(("0a", "index_a", qualified_name(len, code=True))) == functional_hash(len)
    True
    >>> code_in(("0a", "index_a", "a-b.len"))
    ''
    """
    found = _CODE.search(key[2])
    return found[1] if found else ""


def path_of_key(key: Key) -> str:
    """Return the file of a cached call: a folder per checkpoint name, in it ``method___id.pkl``.

    >>> path_of_key(("0a1b", "index_a", "rag.embed"))
    'index_a/rag.embed___0a1b.pkl'
    """
    obj, tag, transform = key
    folder = f"{cut(quoted(tag), _LONGEST)}/" if tag else ""
    return f"{folder}{cut(quoted_dotted(transform), _LONGEST)}___{quoted(obj)}.pkl"


def key_of_path(path: Path) -> Key | None:
    """Return the key of a file, or None for a name that :func:`path_of_key` does not make.

    >>> key_of_path(Path("index_a/rag.embed___0a1b.pkl")), key_of_path(Path("index_a/notes.txt"))
    (('0a1b', 'index_a', 'rag.embed'), None)
    """
    text = path.as_posix()
    tag, _, name = uncut(text).rpartition("/")
    transform, _, obj = name.removesuffix(".pkl").rpartition("___")
    try:
        key = (unquoted(obj), unquoted(tag) if tag else "", unquoted_dotted(transform))
    except ValueError:
        return None
    return key if path_of_key(key) == text else None
