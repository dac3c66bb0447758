"""Functions that libraries keep in a form of their own: compiled, pickled to bytes, or out of Python's sight."""

from __future__ import annotations

from functools import cmp_to_key
from gc import get_referents
from types import FunctionType
from typing import Any

from ...errors import UnhashableError
from ..rows import LABELS, ROWS, Parts, register_lazy
from ..values.objects import ADVICE

__all__ = ["behind_generated"]

PICKLED = rb"(?s)(?:\xfb..|\xfc....|.)(PLPYFN)"
PROTOCOL = rb"\x80[\x04\x05]\x95"
GENERATED = ("<@beartype(",)
"""How the file names of wrappers begin that are written anew in each process, with addresses as names."""


def behind_generated(fn: FunctionType) -> Any:
    """Return the function behind a wrapper whose code is generated, or None.

    >>> behind_generated(behind_generated) is None
    True
    """
    return getattr(fn, "__wrapped__", None) if fn.__code__.co_filename.startswith(GENERATED) else None


@ROWS.exact(type(cmp_to_key(max)))
def compared(obj: Any) -> Parts:
    kept = [each for each in get_referents(obj) if each is not type(obj)]
    return b"<cmp to key>", [len(kept), *kept]


LABELS[b"<cmp to key>"] = ("", "function")


def expression(obj: Any) -> Parts:
    """An expression counts as it is serialised; a function in it, which is pickled there, by its content."""
    import io
    import pickle
    import re

    data: bytes = obj.__getstate__()
    found = []
    while match := re.search(PROTOCOL, data):
        stream = io.BytesIO(data)
        stream.seek(match.start())
        try:
            found.append(pickle.load(stream))  # what this process has pickled itself
        except Exception as error:
            raise UnhashableError(obj, (), ADVICE) from error
        data = re.sub(PICKLED, rb"\1", data[: match.start()]) + data[stream.tell() :]
    return b"<polars expression>", [type(obj).__name__, data, *found]


def load_numba() -> None:
    from numba.core.dispatcher import Dispatcher
    from numba.experimental.jitclass.base import JitClassType
    from numba.np.ufunc.dufunc import DUFunc
    from numba.np.ufunc.gufunc import GUFunc

    ROWS.register(Dispatcher)(lambda obj: (b"<compiled>", [type(obj), obj.py_func, obj.targetoptions]))
    ROWS.register(DUFunc)(lambda obj: (b"<compiled>", [type(obj), obj._dispatcher.py_func, obj.identity]))
    ROWS.register(GUFunc)(lambda obj: (b"<compiled>", [type(obj), obj.gufunc_builder.py_func, obj.signature]))
    ROWS.register(JitClassType)(jit_class)


def jit_class(cls: Any) -> Parts:
    made = cls.class_type
    return b"<compiled>", [made.class_name, list(made.struct.items()), made.jit_methods, *map(vars, made.jit_props)]


def load_joblib() -> None:
    from joblib.externals.loky.cloudpickle_wrapper import CloudpickledObjectWrapper
    from joblib.memory import MemorizedFunc, NotMemorizedFunc

    ROWS.register(MemorizedFunc, NotMemorizedFunc)(
        lambda obj: (b"<remembered>", [type(obj), obj.func, getattr(obj, "ignore", None)])
    )

    ROWS.register(CloudpickledObjectWrapper)(lambda obj: (b"<compiled>", [obj._obj]))


def load_beartype() -> None:
    import re

    from beartype.vale._core._valecore import BeartypeValidator

    @ROWS.register(BeartypeValidator)
    def validator(obj: Any) -> Parts:
        """A validator counts by what it was made from; its code has addresses as names."""
        text = re.sub(r"__beartype_object_\d+", "_", obj._is_valid_code)
        return b"<validator>", [text, *obj._is_valid_code_locals.values()]


LABELS[b"<compiled>"] = LABELS[b"<remembered>"] = ("", "function")
register_lazy("numba", load_numba)
register_lazy("joblib", load_joblib)
register_lazy("beartype", load_beartype)
