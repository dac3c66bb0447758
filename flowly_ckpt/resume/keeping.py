"""Which variables are kept: data, not code, and nothing that is bound to this process."""

from __future__ import annotations

import io
import types
import warnings
from collections.abc import Iterator
from typing import Any

from ..errors import StoreWarning
from ..targets.codecs import gzipped
from .storing import Place

__all__ = ["is_data", "is_private", "save_what_can_be"]

_CODE = (
    types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type, types.CodeType,
    types.FrameType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
    io.IOBase,
)  # fmt: skip
_CONTAINERS = (list, tuple, dict, set, frozenset)


def is_private(name: str) -> bool:
    """Tell whether a variable is left out by its name: one that begins or ends with ``_``.

    >>> is_private("_seen"), is_private("type_"), is_private("my_seen")
    (True, True, False)
    """
    return name.startswith("_") or name.endswith("_")


def is_data(value: Any) -> bool:
    """Tell whether a value is data: no module, function, class, generator or open file.

    >>> is_data([1]), is_data(len), is_data(io)
    (True, False, False)
    """
    return not isinstance(value, _CODE)


def save_what_can_be(place: Place, values: dict[str, Any], rest: dict[str, Any], told: set[str]) -> None:
    """Keep the variables, without those that cannot be pickled; a store that fails is a warning, not an error.

    Left out in silence is what a run makes anew (a lock, a connection); a container that holds such a thing, and may
    hold results too, is named in a warning.

    :param told: the variables a warning was issued for; a loop need not hear it at every turn.

    >>> import threading
    >>> place = Place({}, ("my run", "resume", ""))
    >>> save_what_can_be(place, {"i": 1, "lock": threading.Lock()}, {}, set())
    >>> place.load()["locals"]
    {'i': 1}
    """
    try:
        try:
            place.save({"locals": values, **rest})
        except OSError:
            raise
        except Exception:
            unfit = dict(_unfit(values))
            if not unfit:
                raise
            place.save({"locals": {name: value for name, value in values.items() if name not in unfit}, **rest})
            _tell(unfit, told)
    except Exception as error:  # noqa: BLE001  the computation must not end because its state could not be kept
        text = f"{place.target!r} did not store the state {place.key}: {type(error).__name__}: {error}"
        warnings.warn(f"{text}; the one before still holds", StoreWarning, stacklevel=4)


def _unfit(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        try:
            gzipped.dumps(value)
        except Exception:  # noqa: BLE001  pickling runs code of the value's own
            yield name, value


def _tell(unfit: dict[str, Any], told: set[str]) -> None:
    names = [name for name, value in unfit.items() if isinstance(value, _CONTAINERS) and name not in told]
    told.update(names)
    if names:
        text = f"not kept, since they hold what cannot be pickled: {', '.join(names)}"
        warnings.warn(f"{text}; a resumed run begins with new ones", StoreWarning, stacklevel=5)
