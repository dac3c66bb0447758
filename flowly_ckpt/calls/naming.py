"""What a method is called in a key, and what the file of a key is called."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..hashing import functional_hash
from ..targets.key_names import cut, quoted, uncut, unquoted
from ..typing import Key

__all__ = ["dotted_name", "key_of_path", "module_name", "path_of_key", "plain_dotted", "qualified_name"]

_NAMED = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, type)
_LONGEST = 160  # of a path's component, before the id's digest


def module_name(name: str | None) -> str:
    """Return the name of a module; ``__main__`` by the name under which it would be imported, where that is known.

    >>> module_name("json.decoder")
    'json.decoder'
    """
    if name != "__main__":
        return name or "builtins"
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name).removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    return os.path.splitext(os.path.basename(file))[0] if file else "__main__"


def qualified_name(method: Callable[..., Any], code: bool = False) -> str:
    """Return what tells a method from all others: its module and qualified name, with ``code`` its content hash too.

    What has no name of its own (a lambda, a partial, a pipeline) is always told by its content.

    :raises UnhashableError: when the content is needed and cannot be told.

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
    full = f"{module_name(getattr(function, '__module__', None))}.{name}"
    # A method's object is an argument like any other: the id speaks for it.
    return f"{full}-{functional_hash(function)}" if code or name.endswith("<lambda>") else full


def path_of_key(key: Key) -> str:
    """Return the file of a cached call: a folder per checkpoint name, in it ``method___id.pkl``.

    >>> path_of_key(("0a1b", "index_a", "rag.embed"))
    'index_a/rag.embed___0a1b.pkl'
    """
    obj, tag, transform = key
    folder = f"{cut(quoted(tag), _LONGEST)}/" if tag else ""
    return f"{folder}{cut(dotted_name(transform), _LONGEST)}___{quoted(obj)}.pkl"


def key_of_path(path: Path) -> Key | None:
    """Return the key whose file this is, or None for a stranger's.

    >>> key_of_path(Path("index_a/rag.embed___0a1b.pkl")), key_of_path(Path("index_a/notes.txt"))
    (('0a1b', 'index_a', 'rag.embed'), None)
    """
    text = path.as_posix()
    tag, _, name = uncut(text).rpartition("/")
    transform, _, obj = name.removesuffix(".pkl").rpartition("___")
    try:
        key = (unquoted(obj), unquoted(tag) if tag else "", plain_dotted(transform))
    except ValueError:
        return None
    return key if path_of_key(key) == text else None


def dotted_name(name: str) -> str:
    """Write a dotted name so that it is a file name everywhere.

    >>> dotted_name("rag.Index.add")
    'rag.%49ndex.add'
    """
    return ".".join([quoted(part) for part in name.split(".")])


def plain_dotted(text: str) -> str:
    """Return the name that :func:`dotted_name` wrote.

    >>> plain_dotted("rag.%49ndex.add")
    'rag.Index.add'
    """
    return ".".join([unquoted(part) for part in text.split(".")])
