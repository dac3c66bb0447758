"""Rows for tables of pandas, polars and pyarrow, which are stored in Arrow's interchange format."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from ....hashing import functional_hash
from ..protocol import Bytes
from .arrow import check_arrow
from .rows import Reader, Row, Writer, add_row, refuse_more, waiting

__all__: list[str] = []


def _arrow_pieces(table: Any) -> list[Bytes]:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return [memoryview(sink.getvalue())]


def _arrow_back(plain: Any, of: Reader) -> Any:
    """Return the table of a part; what its buffers hold is looked at in full, since libraries rely on it."""
    import pyarrow as pa

    data = of.part(plain)
    check_arrow(data, of.budget)
    table = pa.ipc.open_stream(pa.py_buffer(data)).read_all()
    table.validate(full=True)
    return table


def _load_pyarrow() -> None:
    import pyarrow as pa

    def encode(table: Any, to: Writer) -> Any:
        return to.part(_arrow_pieces(table))

    add_row(pa.Table, Row("pyarrow.Table", encode, _arrow_back))


def _load_polars() -> None:
    import polars as pl

    def encode(frame: Any, to: Writer) -> Any:
        refuse_more(frame)
        sink = io.BytesIO()
        frame.write_ipc(sink)
        return to.part([sink.getbuffer()])

    def decode(plain: Any, of: Reader) -> Any:
        data = of.part(plain)
        check_arrow(data, of.budget)
        return pl.read_ipc(io.BytesIO(data))

    add_row(pl.DataFrame, Row("polars.DataFrame", encode, decode))

    def column(series: Any, to: Writer) -> Any:
        refuse_more(series)
        return encode(series.to_frame(), to)

    add_row(pl.Series, Row("polars.Series", column,
                           lambda plain, of: decode(plain, of).to_series()))  # fmt: skip


def _load_pandas() -> None:
    import pandas as pd

    add_row(pd.DataFrame, Row("pandas.DataFrame", _frame, _frame_back))
    add_row(pd.Series, Row("pandas.Series", _series, _series_back))
    for kind in (pd.Index, pd.MultiIndex, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex, pd.PeriodIndex,
                 pd.IntervalIndex):  # fmt: skip
        add_row(kind, Row(f"pandas.{kind.__name__}", _index, _index_back))
    add_row(pd.RangeIndex, Row("pandas.RangeIndex", lambda i, to: [i.start, i.stop, i.step, to.write(i.name)],
                               lambda p, of: pd.RangeIndex(*p[:3], name=of.read(p[3]))))  # fmt: skip
    add_row(pd.Timestamp, Row("pandas.Timestamp", lambda t, to: [t.value, t.unit, to.write(t.tzinfo), t.fold], _stamp))
    add_row(pd.Timedelta, Row("pandas.Timedelta", lambda t, to: [t.value, t.unit],
                              lambda p, of: pd.Timedelta(p[0], unit="ns").as_unit(p[1])))  # fmt: skip
    add_row(type(pd.NaT), Row("pandas.NaT", lambda value, to: 0, lambda plain, of: pd.NaT))
    add_row(type(pd.NA), Row("pandas.NA", lambda value, to: 0, lambda plain, of: pd.NA))


def _stamp(plain: Any, of: Reader) -> Any:
    import pandas as pd

    value, unit, zone, fold = plain
    stamp = pd.Timestamp(value, unit="ns", tz="UTC").as_unit(unit)
    zone = of.read(zone)
    stamp = stamp.tz_localize(None) if zone is None else stamp.tz_convert(zone)
    return stamp.replace(fold=fold) if fold else stamp


def _frame(frame: Any, to: Writer) -> Any:
    refuse_more(frame)
    columns = [_column(frame.iloc[:, place], to, place) for place in range(frame.shape[1])]
    names, index = to.write(frame.columns, ".columns"), to.write(frame.index, ".index")
    data = _together(columns, to)
    return [names, index, data, to.write(dict(frame.attrs), ".attrs"), frame.flags.allows_duplicate_labels]


def _frame_back(plain: Any, of: Reader) -> Any:
    import pandas as pd

    columns, index, data, attrs, *flags = plain
    arrays = _apart(data, of.items, of)
    index = of.read(index)
    series = {place: pd.Series(array, index=index, dtype=array.dtype, copy=False) for place, array in enumerate(arrays)}
    frame = pd.DataFrame(series, index=index, copy=False)
    frame.columns = of.read(columns)
    frame.attrs.update(of.read(attrs))
    return _flagged(frame, flags)


def _series(series: Any, to: Writer) -> Any:
    refuse_more(series)
    data = _together([_column(series, to, 0)], to)
    name, index = to.write(series.name, ".name"), to.write(series.index, ".index")
    return [name, index, data, to.write(dict(series.attrs), ".attrs"), series.flags.allows_duplicate_labels]


def _series_back(plain: Any, of: Reader) -> Any:
    import pandas as pd

    name, index, data, attrs, *flags = plain
    array = _apart(data, of.items, of)[0]
    series = pd.Series(array, index=of.read(index), name=of.read(name), dtype=array.dtype, copy=False)
    series.attrs.update(of.read(attrs))
    return _flagged(series, flags)


def _flagged(table: Any, flags: list[Any]) -> Any:
    if flags == [False]:
        table.flags.allows_duplicate_labels = False
    return table


def _index(index: Any, to: Writer) -> Any:
    import pandas as pd

    refuse_more(index, ("sortorder",))
    levels = [pd.Series(index.get_level_values(n), index=range(len(index))) for n in range(index.nlevels)]
    columns = [[to.key(item) for item in level.array] if level.dtype == object else level.array for level in levels]
    freq = _freq(getattr(index, "freq", None))
    return [[to.write(name) for name in index.names], isinstance(index, pd.MultiIndex), freq, _together(columns, to)]


def _freq(freq: Any) -> Any:
    """Return the text of a frequency, if it is all that there is to it."""
    from pandas.tseries.frequencies import to_offset

    if freq is None or functional_hash(to_offset(freq.freqstr)) == functional_hash(freq):
        return None if freq is None else freq.freqstr
    raise TypeError(f"frequency {freq.freqstr!r} has more to it than its name; use the codec pickled")


def _index_back(plain: Any, of: Reader) -> Any:
    import pandas as pd

    names, is_multi, freq, data = plain
    names, arrays = of.items(names), _apart(data, of.keys, of)
    if is_multi:
        return pd.MultiIndex.from_arrays([pd.Index(array, dtype=array.dtype) for array in arrays], names=names)
    index = pd.Index(arrays[0], dtype=arrays[0].dtype, name=names[0])
    if freq is not None and isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        index.freq = freq
    return index


def _column(series: Any, to: Writer, place: int) -> Any:
    """Return a column as a pandas array for Arrow, or, if it holds objects, as a list of values."""
    import pandas as pd

    values: Any = series.array
    if isinstance(values, pd.arrays.FloatingArray) and (values._data != values._data)[~values._mask].any():
        raise TypeError("Arrow gives back NA for the NaN of a nullable column; use the codec pickled")
    if series.dtype == object:
        return [to.write(item, f"[{place}][{row}]") for row, item in enumerate(series.array)]
    return series.array


def _together(columns: list[Any], to: Writer) -> Any:
    """Keep the columns that Arrow takes as one table; give the others in their places."""
    import pandas as pd
    import pyarrow as pa

    taken = {str(place): column for place, column in enumerate(columns) if type(column) is not list}
    plain = [column if type(column) is list else None for column in columns]
    if not taken:
        return [plain, None]
    frame = pd.DataFrame(taken, copy=False)
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        empty = table.slice(0, 0).to_pandas()
        back = {name: pd.Series(_settled(column.array)).dtype for name, column in empty.items()}
    except (pa.ArrowException, NotImplementedError) as error:
        raise TypeError(f"Arrow cannot hold the table: {error}") from error
    lost = [str(dtype) for name, dtype in frame.dtypes.items() if functional_hash(back[name]) != functional_hash(dtype)]
    if lost:
        raise TypeError(f"Arrow does not give back the dtypes {', '.join(lost)}; use the codec pickled")
    return [plain, to.part(_arrow_pieces(table))]


def _settled(array: Any) -> Any:
    """Return times in UTC with Python's own UTC, as pandas makes them; Arrow gives them another."""
    from datetime import UTC

    zone = getattr(array.dtype, "tz", None)
    return array.tz_convert(UTC) if zone is not None and str(zone) == "UTC" else array


def _kept(kind: Any) -> Any:
    """Keep in Arrow what pandas would make objects of, without bound: columns of objects are not written as Arrow."""
    import pandas as pd
    import pyarrow as pa

    return pd.ArrowDtype(kind) if pa.types.is_nested(kind) or pa.types.is_run_end_encoded(kind) else None


def _apart(data: Any, read: Callable[[Any], list[Any]], of: Reader) -> list[Any]:
    import numpy as np

    plain, part = data
    frame = None if part is None else _arrow_back(part, of).to_pandas(types_mapper=_kept)
    arrays: list[Any] = []
    for place, column in enumerate(plain):
        if column is None:
            arrays.append(_settled(frame[str(place)].array))  # type: ignore[index]
            continue
        items = read(column)
        array: Any = np.empty(len(items), dtype=object)
        for row, item in enumerate(items):  # all at once, lists would be taken for the rows of another shape
            array[row] = item
        arrays.append(array)
    return arrays


waiting.update(pandas=_load_pandas, polars=_load_polars, pyarrow=_load_pyarrow)
