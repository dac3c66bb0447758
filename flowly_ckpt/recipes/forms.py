"""The forms that values take in the cache without being pickled: of arrays, dates, and of types of one's own."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

from ..dispatch import Dispatch
from ..targets.damage import DamagedError

__all__ = ["Form", "form_named", "form_of", "register_form"]


class Form(NamedTuple):
    """Tell how values of a type are written and read.

    :param name: stands for the type in the cache, and must keep its meaning.
    :param to_plain: gives a simpler value; with a suffix, the pieces of a file, as bytes.
    :param from_plain: makes the value again, from the simpler value or the bytes of the file.
    :param suffix: ends the name of the file; empty for values that go into the JSON.
    :param fits: tells whether this very value can take the form.

    >>> Form("complex", lambda z: [z.real, z.imag], lambda p: complex(*p)).to_plain(1j)
    [0.0, 1.0]
    """

    name: str
    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any]
    suffix: str = ""
    fits: Callable[[Any], bool] = lambda value: True


_forms: Dispatch[Any] = Dispatch()
_names: dict[str, Form] = {}


def register_form(
    kind: type,
    to_plain: Callable[[Any], Any],
    from_plain: Callable[[Any], Any],
    *,
    name: str | None = None,
    suffix: str = "",
) -> None:
    """Tell how values of a type are kept, so that they need not be pickled; subclasses are not meant.

    :param kind: the type.
    :param to_plain: gives a simpler value (numbers, text, lists, dicts, arrays …); with a suffix, bytes.
    :param from_plain: makes the value again.
    :param name: stands for the type in the cache; by default its qualified name.
    :param suffix: keeps the bytes in a file of their own with this ending, read only when the value is asked for.
    :raises ValueError: when the name belongs to another type.

    >>> class Point:
    ...     def __init__(self, x, y): self.x, self.y = x, y
    >>> register_form(Point, lambda point: [point.x, point.y], lambda plain: Point(*plain), name="point")
    >>> form_named("point").from_plain([1, 2]).y
    2

    See also: :class:`Form`.
    """
    name = name or f"{kind.__module__}.{kind.__qualname__}"
    pieces = (lambda value: [to_plain(value)]) if suffix else to_plain
    _register(kind, Form(name, pieces, from_plain, suffix))


def _register(kind: type, form: Form) -> None:
    before = _forms._rows.get(kind)
    if form.name in _names and (before is None or before.name != form.name):
        raise ValueError(f"register_form: {form.name!r} already stands for another type; give another name")
    _forms.register(kind)(form)
    _names[form.name] = form


def form_of(value: Any) -> Form | None:
    """Return the form of a value, or None where it has to be pickled.

    >>> form_of(1j).name, form_of(object())
    ('complex', None)
    """
    kind = type(value)
    form = _forms.get(kind)
    return form if form is not None and kind in _forms._rows and form.fits(value) else None


def form_named(name: str) -> Form:
    """Return the form of a name.

    :raises DamagedError: when nothing of that name is registered.

    >>> form_named("complex").from_plain([0, 1])
    1j
    """
    if name not in _names and name.partition(".")[0] in _forms._lazy:
        _forms._lazy.pop(name.partition(".")[0])()
    if name not in _names:
        raise DamagedError(f"it holds a form named {name!r}; register_form makes it known")
    return _names[name]


_register(complex, Form("complex", lambda z: [z.real, z.imag], lambda plain: complex(*plain)))
_register(range, Form("range", lambda r: [r.start, r.stop, r.step], lambda plain: range(*plain)))
_register(bytearray, Form("bytearray", lambda data: [bytes(data)], bytearray, ".bin"))


def _load_datetime() -> None:
    import datetime as dt

    def naive(value: Any) -> bool:
        return value.tzinfo is None and not value.fold

    for kind in (dt.datetime, dt.time):
        _register(kind, Form(f"datetime.{kind.__name__}", kind.isoformat, kind.fromisoformat, fits=naive))
    _register(dt.date, Form("datetime.date", dt.date.isoformat, dt.date.fromisoformat))
    parts = ("days", "seconds", "microseconds")
    _register(dt.timedelta, Form("datetime.timedelta", lambda delta: [getattr(delta, part) for part in parts],
                                 lambda plain: dt.timedelta(*plain)))  # fmt: skip


def _load_decimal() -> None:
    from decimal import Decimal

    _register(Decimal, Form("decimal.Decimal", str, Decimal))


def _load_uuid() -> None:
    from uuid import UUID

    _register(UUID, Form("uuid.UUID", str, UUID, fits=lambda value: value.is_safe.value is None))


def _load_numpy() -> None:
    import numpy as np

    def is_plain(value: Any) -> bool:
        return not value.dtype.hasobject and value.dtype.kind != "T"

    _register(np.ndarray, Form("numpy.ndarray", _npy, _from_npy, ".npy", is_plain))
    for kind in {np.dtype(char).type for char in np.typecodes["All"] if char != "O"}:
        _register(kind, Form(f"numpy.{kind.__name__}", _scalar, _from_scalar, fits=lambda value: not value.dtype.names))


def _npy(array: Any) -> list[Any]:
    """Return the pieces of a .npy file, the data where they lie if they lie in order."""
    import numpy as np

    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    flat = array.T if array.flags.f_contiguous and not array.flags.c_contiguous else np.ascontiguousarray(array)
    return [head.getvalue(), memoryview(flat.reshape(-1).view(np.uint8)) if array.nbytes else b""]


def _from_npy(data: bytearray) -> Any:
    """Return the array, which lies in the data itself and can be written to."""
    import numpy as np

    head = io.BytesIO(memoryview(data)[: 1 << 17])
    version = np.lib.format.read_magic(head)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read_header(head)
    if dtype.hasobject:
        raise DamagedError("an array of objects would have to be unpickled")
    array = np.frombuffer(data, dtype, offset=head.tell()) if dtype.itemsize else np.zeros(shape, dtype)
    return array.reshape(shape, order="F" if in_columns else "C")


def _scalar(value: Any) -> list[Any]:
    return [value.dtype.str, value.tobytes().hex()]


def _from_scalar(plain: Any) -> Any:
    import numpy as np

    dtype, data = plain
    return np.frombuffer(bytes.fromhex(data), np.dtype(dtype))[0] if data else np.dtype(dtype).type()


_forms.register_lazy("datetime", _load_datetime)
_forms.register_lazy("decimal", _load_decimal)
_forms.register_lazy("uuid", _load_uuid)
_forms.register_lazy("numpy", _load_numpy)
