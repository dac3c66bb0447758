"""The arguments of a call as they count: by the names of the parameters, however they were passed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import UnhashableError
from .code.held import as_held

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["counted", "in_argument", "signature_of"]


def signature_of(function: Callable[..., Any]) -> Signature | None:
    """Return the signature of a function, or None: some builtins have none.

    >>> str(signature_of(lambda w, h=4: w * h)), signature_of(dict) is None
    ('(w, h=4)', True)
    """
    import inspect

    try:
        return inspect.signature(function)
    except ValueError:
        return None


def counted(
    signature: Signature | None, ignore: Collection[str], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that count, with defaults; without a signature, as they were passed.

    Defaults count as code holds them, so that a logger or a bare ``object()`` may be one.

    :param ignore: names that do not count.
    :raises TypeError: for arguments that do not fit the signature.

    >>> area = signature_of(lambda w, h=4, verbose=False: w * h)
    >>> counted(area, ["verbose"], (3,), {"verbose": True}) == counted(area, ["verbose"], (), {"h": 4, "w": 3})
    True
    """
    if signature is None:
        return {"args": args, "kwargs": dict(kwargs)}
    given = signature.bind(*args, **kwargs).arguments
    found: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if name in ignore:
            continue
        if name not in given:
            if parameter.kind is parameter.VAR_POSITIONAL or parameter.kind is parameter.VAR_KEYWORD:
                found[name] = () if parameter.kind is parameter.VAR_POSITIONAL else {}
            else:
                found[name] = as_held(parameter.default)
        elif parameter.kind is parameter.VAR_KEYWORD:
            found[name] = {word: value for word, value in given[name].items() if word not in ignore}
        else:
            found[name] = given[name]
    return found


def in_argument(error: UnhashableError, arguments: Mapping[str, Any]) -> UnhashableError:
    """Return the error with the name of the argument that it is about, and what helps there.

    >>> error = UnhashableError(iter([]), ("['rows']", "[0]"), "make it a list")
    >>> print(in_argument(error, {"rows": None}))
    cannot hash list_iterator at argument 'rows' → [0]: make it a list; or leave it out with ignore=['rows']
    """
    name = next((name for name in arguments if error.path[:1] == (f"[{name!r}]",)), None)
    path = error.path if name is None else (f"argument {name!r}", *error.path[1:])
    if name is None and path[:1] == ("self",):
        name = "self"
    if name is None:
        return error
    advice = f"{error.advice}; " if error.advice else ""
    return UnhashableError(error.obj, path, f"{advice}or leave it out with ignore=[{name!r}]")
