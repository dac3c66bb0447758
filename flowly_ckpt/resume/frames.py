"""The local variables of a running function: which they are, and how to set them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ..errors import FlowlyError

__all__ = ["FrameError", "Owner", "assign", "caller", "find", "owner_of", "variables"]

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_FUNCTION, _ARGS, _KWARGS = 0x1, 0x4, 0x8  # flags of code objects (inspect.CO_…, which would cost an import)
_COMPREHENSIONS = frozenset(["<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"])


class FrameError(FlowlyError, RuntimeError):
    """Raised when this Python does not let the local variables of a running function be set.

    >>> print(FrameError())
    this Python does not let local variables be set; use flowly_ckpt.resume.state instead
    """

    def __init__(self) -> None:
        super().__init__("this Python does not let local variables be set; use flowly_ckpt.resume.state instead")


class Owner(NamedTuple):
    """Remember the function that made a checkpoint, without keeping its variables alive.

    >>> owner_of(sys._getframe()).code is sys._getframe().f_code
    True
    """

    code: CodeType
    frame: int


def caller(made: Any = None) -> FrameType:
    """Return the nearest frame outside this package; while something is being made, outside its ``__init__`` too.

    >>> caller() is sys._getframe()
    True
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_back is not None and _is_ours(frame, made):
        frame = frame.f_back
    assert frame is not None
    return frame


def _is_ours(frame: FrameType, made: Any) -> bool:
    code = frame.f_code
    if code.co_filename.startswith(_HERE):
        return True
    return made is not None and code.co_name == "__init__" and frame.f_locals.get(code.co_varnames[0]) is made


def owner_of(frame: FrameType) -> Owner:
    """Return what a frame is recognised by.

    >>> owner_of(sys._getframe()) == owner_of(sys._getframe())
    True
    """
    return Owner(frame.f_code, id(frame))  # a frame keeps its object, and so the id, as long as it runs


def find(owner: Owner) -> FrameType:
    """Return the frame whose variables are meant: the owner's while it runs, else the caller's.

    What belongs to a module serves whichever function asks.

    >>> find(owner_of(sys._getframe())) is sys._getframe()
    True
    """
    nearest = caller()
    if owner.code.co_flags & _FUNCTION:
        running = []
        frame: FrameType | None = nearest
        while frame is not None:
            if frame.f_code is owner.code:
                running.append(frame)
            frame = frame.f_back
        if running:
            return next((frame for frame in running if id(frame) == owner.frame), running[0])
    while nearest.f_code.co_name in _COMPREHENSIONS and nearest.f_back is not None:
        nearest = nearest.f_back
    return nearest


def variables(frame: FrameType) -> dict[str, Any]:
    """Return the variables a frame has set so far, without its arguments.

    Of an enclosing function's variables there are those that this one assigns to (``nonlocal``).

    >>> def function(argument, *more, option=None, **options):
    ...     local = 1
    ...     return variables(sys._getframe())
    >>> function(0)
    {'local': 1}
    """
    code = frame.f_code
    values = frame.f_locals
    if not code.co_flags & _FUNCTION:
        return dict(values)
    arguments = code.co_argcount + code.co_kwonlyargcount + sum(bool(code.co_flags & flag) for flag in (_ARGS, _KWARGS))
    left_out = {*code.co_varnames[:arguments], *code.co_freevars} - _assigned(code)
    return {name: value for name, value in values.items() if name not in left_out}


@lru_cache(256)
def _assigned(code: CodeType) -> frozenset[str]:
    """Return the variables of enclosing functions that a function assigns to."""
    if not code.co_freevars:
        return frozenset()
    import dis

    stored = {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_DEREF"}
    return frozenset(stored & set(code.co_freevars))


def assign(frame: FrameType, values: Mapping[str, Any]) -> None:
    """Set variables that a frame has already set.

    :raises FrameError: where this Python does not allow it.

    >>> def function():
    ...     local = 1
    ...     assign(sys._getframe(), {"local": 2})
    ...     return local
    >>> function()
    2
    """
    known = frame.f_locals  # up to 3.12 a copy, which asking again would fill again
    for name, value in values.items():
        known[name] = value
    if sys.version_info < (3, 13) and frame.f_code.co_flags & _FUNCTION:
        _write_back(frame)
    written = frame.f_locals
    if any(written[name] is not value for name, value in values.items()):
        raise FrameError


def _write_back(frame: FrameType) -> None:
    try:
        import ctypes

        write = ctypes.pythonapi.PyFrame_LocalsToFast
    except (ImportError, AttributeError) as error:
        raise FrameError from error
    write(ctypes.py_object(frame), ctypes.c_int(0))
