"""The exceptions and warnings of the library; each exception also derives from the built-in one that fits."""

from __future__ import annotations

import os
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "FlowlyError",
    "FlowlyWarning",
    "MutationWarning",
    "RedefinedWarning",
    "StoreError",
    "StoreWarning",
    "UnhashableError",
    "UnreachableWarning",
    "UnstorableError",
    "WorkerError",
    "warn",
]

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_BETWEEN = {"asyncio", "concurrent", "contextlib", "functools", "threading", "toolz", "cytoolz"}


class FlowlyError(Exception):
    """Base class of all exceptions raised by flowly_ckpt; each keeps its text, facts and notes when it is pickled.

    >>> from flowly_ckpt import functional_hash
    >>> try:
    ...     functional_hash(iter([]))
    ... except FlowlyError as error:
    ...     isinstance(error, TypeError)
    True
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # Without calling the type, which makes the text of facts.
        return (_again, (type(self), self.args), {**vars(self)})


def _again(kind: type[FlowlyError], args: tuple[Any, ...]) -> FlowlyError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class UnhashableError(FlowlyError, TypeError):
    """Raised for an object whose content cannot be hashed; shows where it is and what to do.

    :param obj: the object that cannot be hashed; None where the error comes from another process.
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

    def __reduce__(self) -> tuple[Any, ...]:
        make, args, facts = super().__reduce__()
        return make, args, {**facts, "obj": None}  # a lock, a socket, a generator: it cannot be pickled either


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
    """Raised when a store cannot be used; says what is wrong, where, and what to do.

    >>> str(StoreError("results: not a store of this library; name another folder"))
    'results: not a store of this library; name another folder'
    """


class WorkerError(FlowlyError, RuntimeError):
    """Raised for what went wrong in another process where that itself cannot be sent: an exception, or a result.

    >>> str(WorkerError("in a worker process: LockedError: no; its traceback is lost"))
    'in a worker process: LockedError: no; its traceback is lost'
    """


class FlowlyWarning(UserWarning):
    """Base class of all warnings issued by flowly_ckpt; a filter on it covers them all.

    >>> import warnings
    >>> with warnings.catch_warnings(action="error", category=FlowlyWarning):
    ...     warnings.warn("a result could not be stored", StoreWarning)
    Traceback (most recent call last):
        ...
    flowly_ckpt.errors.StoreWarning: a result could not be stored
    """


class StoreWarning(FlowlyWarning):
    """Issued when a result could not be stored or restored; the caller still gets the right value.

    >>> import warnings
    >>> from flowly_ckpt.targets.recall import recall
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     result = recall({}, ("a", "open", "f"), lambda: open("/dev/null"))
    >>> caught[0].category.__name__, result.close()
    ('StoreWarning', None)
    """


class MutationWarning(FlowlyWarning):
    """Issued when a stored value, or something that keys are made from, was changed in place.

    A stored value that was changed after it was stored is computed again. A step that changes its input, or what its
    code refers to, has another key the next time, and its result is not found.

    >>> import warnings
    >>> from flowly_ckpt.targets.recall import recall
    >>> target = {}
    >>> recall(target, ("a", "rows", "f"), lambda: [1]).append(2)
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     recall(target, ("a", "rows", "f"), lambda: [1])
    [1]
    >>> caught[0].category.__name__
    'MutationWarning'
    """


class RedefinedWarning(FlowlyWarning):
    """Issued for a pipeline that holds a function in whose place its module has another one now.

    >>> str(RedefinedWarning("the pipeline holds an earlier 'clean'"))
    "the pipeline holds an earlier 'clean'"
    """


class UnreachableWarning(FlowlyWarning):
    """Issued for a mark that no rewrite pass has reached or can reach, so that nothing is stored for it.

    >>> import warnings
    >>> from flowly_ckpt import add_checkpoints, checkpoint
    >>> hidden = checkpoint({}, tag="rows")
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     _ = add_checkpoints(lambda rows: hidden(rows))
    >>> caught[0].category.__name__
    'UnreachableWarning'
    """


def warn(message: str, kind: type[Warning]) -> None:
    """Issue a warning that shows the line of the user's program which led to it.


    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     warn("a result could not be stored", StoreWarning)
    >>> str(caught[0].message)
    'a result could not be stored'
    """
    frame, level = sys._getframe(1), 2
    while (outer := frame.f_back) is not None:
        root = str(frame.f_globals.get("__name__")).partition(".")[0]
        if not frame.f_code.co_filename.startswith(_HERE) and root not in _BETWEEN:
            break
        frame, level = outer, level + 1
    warnings.warn(message, kind, stacklevel=level)
