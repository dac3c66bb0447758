"""The arguments of a call: stores in place of values, their digests, and the name made from them."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping
from inspect import BoundArguments, Signature
from typing import Any

from ..errors import UnhashableError
from ..hashing import functional_hash
from .stores import Store

__all__ = ["Done", "DoneList", "loaded", "replaced", "settled", "spread"]

_CONTAINERS = (dict, list, tuple, set, frozenset)
_SHORT = 60  # letters of one argument in a name; of all together, twice as many
_READABLE = " +@()'"
_INSTEAD = "target='{path}/{funcname}/{n}.pkl'"
_WRITTEN = (str, int, float, bool, type(None), os.PathLike)


class Done:
    """Hold the result of a task that ran at once, with the methods of Prefect's futures.

    >>> Done(3).result(), Done(3).wait(timeout=1)
    (3, None)
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Return what the task returned."""
        return self.value

    def wait(self, timeout: float | None = None) -> None:
        """Return at once."""

    def __repr__(self) -> str:
        return f"Done({self.value!r})"


class DoneList(list[Any]):
    """List the futures of a mapped task that ran at once.

    >>> DoneList([Done(1), Done(2)]).result()
    [1, 2]
    """

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[Any]:
        """Return what the calls returned, in order."""
        return [future.result(timeout=timeout, raise_on_failure=raise_on_failure) for future in self]

    def wait(self, timeout: float | None = None) -> None:
        """Return at once: all have run."""
        for future in self:
            future.wait(timeout=timeout)


def replaced(value: Any, kind: Any, function: Callable[[Any], Any], within: tuple[int, ...] = ()) -> Any:
    """Return a value with everything of a type in it replaced, in lists, tuples, dicts and sets, to any depth.

    A part in which nothing is replaced is returned itself.

    :param kind: the type, or several, to replace.
    :param function: returns the replacement.

    >>> replaced({"a": [1, (2.5, "x")]}, float, int)
    {'a': [1, (2, 'x')]}
    """
    if isinstance(value, kind):
        return function(value)
    if not isinstance(value, _CONTAINERS) or id(value) in within:  # a list may hold itself
        return value
    inside = (*within, id(value))
    old = list(value.values() if isinstance(value, dict) else value)
    new = [replaced(part, kind, function, inside) for part in old]
    return value if all(before is after for before, after in zip(old, new)) else _like(value, new)


def _like(value: Any, parts: list[Any]) -> Any:
    if isinstance(value, dict):
        made = copy.copy(value)  # with what a subclass keeps besides
        made.update(zip(value, parts))
        return made
    if isinstance(value, tuple):
        return type(value)._make(parts) if hasattr(value, "_make") else tuple(parts)
    return next(kind for kind in _CONTAINERS if isinstance(value, kind))(parts)


def loaded(value: Any) -> Any:
    """Return a value with every store in it replaced by what the store holds.

    >>> from flowly_ckpt.tasks.stores import Held
    >>> loaded([Held("a", 1), {"b": Held("c", Held("d", 2))}])
    [1, {'b': 2}]
    """
    return replaced(value, Store, _load)


def holds_stores(value: Any) -> bool:
    """Return whether there is a store anywhere within a value.

    >>> from flowly_ckpt.tasks.stores import Held
    >>> holds_stores([Held("a", 1)]), holds_stores([1])
    (True, False)
    """
    return replaced(value, Store, lambda store: None) is not value


def _load(store: Store) -> Any:
    value: Any = store
    while isinstance(value, Store):  # a task that returned what another task returned
        value = value.load()
    return value


def settled(value: Any) -> Any:
    """Return a value with every future in it that is done replaced by its result.

    >>> settled([Done(1), 2])
    [1, 2]
    """
    return replaced(value, Done, lambda future: future.value)


def digest(value: Any) -> str:
    """Return the content hash of a value, in which a store counts as what it holds; empty where there is none."""
    try:
        return _hashed(value)
    except Exception:  # noqa: BLE001  a digest serves to report changes; without one nothing is reported
        return ""


def _hashed(value: Any) -> str:
    return functional_hash(replaced(value, Store, _version))


def _version(store: Store) -> tuple[str, str]:
    version = store.version()
    if version is None:
        raise LookupError(store)
    return ("store", version)


def name_from(funcname: str, arguments: Mapping[str, Any]) -> str:
    """Return a readable file name for a call: its arguments, or their digest where they are long.

    :raises UnhashableError: for an argument whose content cannot be hashed: others like it would have the same name.
    """
    from urllib.parse import quote

    if not arguments:
        return funcname
    parts = []
    for name, value in arguments.items():
        try:
            parts.append(f"{name}={quote(_short(value), _READABLE, errors='surrogatepass')}")
        except UnhashableError as error:
            advice = f"it would make the name of the result of {funcname}: name that in the template, {_INSTEAD}"
            raise UnhashableError(error.obj, (f"argument {name!r}", *error.path), advice) from None
    text = ",".join(parts)
    if len(text) <= 2 * _SHORT:
        return text
    return f"{funcname}-{(digest(arguments) or functional_hash(text))[:12]}"


def _short(value: Any) -> str:
    text = (repr if _looks_otherwise(value) else str)(value) if isinstance(value, _WRITTEN) else ""
    if text and len(text) <= _SHORT:
        return text
    try:
        return _hashed(value)[:12]
    except LookupError:  # a store that holds nothing yet
        return type(value).__name__


def _looks_otherwise(value: Any) -> bool:
    """Return whether a text would look like a number or a constant."""
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return value in ("None", "True", "False") or value.startswith("'")
    return True


def spread(signature: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[BoundArguments]:
    """Return the arguments of each call of a mapped task; what is not a collection is given to every call.

    :raises ValueError: where there is nothing to map over, or the lengths differ.

    >>> import inspect
    >>> [call.args for call in spread(inspect.signature(pow), ([1, 2], 3), {})]
    [(1, 3, None), (2, 3, None)]
    """
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    several = [p.name for p in signature.parameters.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    rows = {name: list(value) for name, value in given.items() if _is_mapped(value) and name not in several}
    counts = {len(values) for values in rows.values()}
    if len(counts) != 1:
        sizes = ", ".join(f"{name}: {len(values)}" for name, values in rows.items()) or "no collection"
        raise ValueError(f"map needs collections of one length, got {sizes}")
    fixed = {name: _unwrapped(value) for name, value in given.items()}
    return [
        BoundArguments(signature, {**fixed, **{name: values[i] for name, values in rows.items()}})
        for i in range(*counts)
    ]


def _is_mapped(value: Any) -> bool:
    return isinstance(value, Iterable) and not (
        isinstance(value, (str, bytes, Mapping, Store)) or type(value).__name__ == "unmapped"
    )


def _unwrapped(value: Any) -> Any:
    return value.value if type(value).__name__ == "unmapped" else value  # Prefect's own mark
