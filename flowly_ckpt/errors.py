"""The errors and warnings of the library: one root each, every error also the built-in it stands for."""

from __future__ import annotations

from typing import Any

__all__ = [
    "FlowlyError",
    "FlowlyWarning",
    "MutationWarning",
    "StoreError",
    "StoreWarning",
    "UnhashableError",
    "UnreachableWarning",
    "UnstorableError",
]


class FlowlyError(Exception):
    """Be the root of every error this library raises.

    >>> issubclass(UnhashableError, FlowlyError) and issubclass(UnhashableError, TypeError)
    True
    """


class UnhashableError(FlowlyError, TypeError):
    """Say which object cannot be told by its content, the way to it, and what to do.

    :param obj: the object that cannot be hashed.
    :param path: the steps that lead to it from the object asked about, outermost first.
    :param advice: what the user can do about it.

    >>> print(UnhashableError(object(), ("step 2 'fetch'", "closure 'conn'"), "give it to ignore_globals"))
    cannot hash object at step 2 'fetch' → closure 'conn': give it to ignore_globals

    See also: :func:`flowly_ckpt.hashing.register`, :func:`flowly_ckpt.hashing.ignore_globals`.
    """

    def __init__(self, obj: Any, path: tuple[str, ...] = (), advice: str = "") -> None:
        kind = type(obj)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        where = f" at {' → '.join(path)}" if path else ""
        super().__init__(f"cannot hash {name}{where}" + (f": {advice}" if advice else ""))
        self.obj = obj
        self.path = path
        self.advice = advice


class UnstorableError(FlowlyError, TypeError):
    """Raised for a result that cannot be stored, such as an open file or an endless iterator.

    >>> from itertools import count
    >>> from flowly_ckpt.targets.materialise import materialise
    >>> materialise(count())
    Traceback (most recent call last):
        ...
    flowly_ckpt.errors.UnstorableError: count(0) never ends; cut it with itertools.islice first

    See also: :func:`flowly_ckpt.targets.materialise.materialise`.
    """


class StoreError(FlowlyError, OSError):
    """Say that a store cannot be used: what is wrong with it, where it is, what to do.

    >>> str(StoreError("results: not a store of this library; name another folder"))
    'results: not a store of this library; name another folder'
    """


class FlowlyWarning(UserWarning):
    """Be the root of every warning this library issues.

    >>> issubclass(StoreWarning, FlowlyWarning) and issubclass(FlowlyWarning, UserWarning)
    True
    """


class StoreWarning(FlowlyWarning):
    """Report that a result could not be stored or restored; the caller still gets the right value.

    >>> issubclass(StoreWarning, UserWarning)
    True
    """


class MutationWarning(FlowlyWarning):
    """Report that a stored value was changed in place after it was stored; it is computed again.

    >>> issubclass(MutationWarning, UserWarning)
    True
    """


class UnreachableWarning(FlowlyWarning):
    """Report a mark that no rewrite pass can reach, so that nothing is stored for it.

    >>> issubclass(UnreachableWarning, UserWarning)
    True
    """
