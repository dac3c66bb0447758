"""Reductions of what lies in larger buffers: a slice of Arrow or torch is stored alone, a storage of torch in place."""

from __future__ import annotations

import pickle
from typing import Any

from ...dispatch import Dispatch

__all__: list[str] = []

SPARE = 1 << 12  # bytes by which buffers may be larger, besides twice the size


def load_pyarrow(reductions: Dispatch[Any]) -> None:
    import pyarrow as pa

    reductions.exact(pa.Table, pa.RecordBatch)(lambda obj: compact(obj, obj))
    reductions.register(pa.Array, pa.ChunkedArray)(lambda obj: compact(obj, as_table(obj)))


def as_table(obj: Any) -> Any:
    import pyarrow as pa

    return pa.table({"": obj})


def compact(obj: Any, table: Any) -> Any:
    """Reduce what is a part of larger buffers to a stream of Arrow, which has the part alone."""
    import pyarrow as pa

    table = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table
    chunks = [chunk for column in table.columns for chunk in column.chunks]
    if sum(chunk.get_total_buffer_size() for chunk in chunks) < 2 * table.nbytes + SPARE:
        return NotImplemented
    sink = pa.BufferOutputStream()
    try:
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    except pa.ArrowException:  # not every type has a form there
        return NotImplemented
    return from_stream, (kind_of(obj), pickle.PickleBuffer(sink.getvalue()))


def kind_of(obj: Any) -> str:
    import pyarrow as pa

    return next(
        kind for kind in ("Table", "RecordBatch", "ChunkedArray", "Array") if isinstance(obj, getattr(pa, kind))
    )


def from_stream(kind: str, buffer: Any) -> Any:
    """Return a table, a batch, a chunked array or an array from a stream of Arrow."""
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(buffer)) as stream:
        table = stream.read_all()
    if kind == "Table":
        return table
    if kind == "ChunkedArray":
        return table.column(0)
    batch = table.combine_chunks().to_batches()[0]
    return batch if kind == "RecordBatch" else batch.column(0)


def load_torch(reductions: Dispatch[Any]) -> None:
    import torch

    # Torch pickles tensors of these, but cannot read them again.
    wide = {torch.uint16, torch.uint32, torch.uint64}
    without_storage = {kind for name, kind in vars(torch).items() if name.startswith("float8_")} | wide

    @reductions.exact(torch.Tensor, torch.nn.Parameter)
    def tensor(obj: Any) -> Any:
        """A gradient goes with its tensor, which torch would leave behind."""
        found = content(obj)
        if not obj.is_leaf or obj.grad is None:
            return found
        made = obj.__reduce_ex__(5) if found is NotImplemented else found
        return (*made[:2], obj.grad, None, None, set_gradient)

    def content(obj: Any) -> Any:
        """A part of a larger storage is stored alone."""
        if obj.layout is not torch.strided or obj.is_quantized or obj.is_nested or obj.is_meta or vars(obj):
            return NotImplemented
        if obj.dtype in without_storage and type(obj) is torch.Tensor:
            plain = obj.detach().reshape(-1).view(torch.uint8)
            return viewed, (plain, obj.dtype, obj.requires_grad, tuple(obj.shape))
        if obj.untyped_storage().nbytes() < 2 * obj.nbytes + SPARE or not obj.is_leaf:
            return NotImplemented
        part = obj.detach().clone()
        return (
            (part if type(obj) is torch.Tensor else type(obj)(part)).requires_grad_(obj.requires_grad).__reduce_ex__(5)
        )

    @reductions.exact(torch.storage.TypedStorage, torch.UntypedStorage)
    def storage(obj: Any) -> Any:
        untyped = obj if type(obj) is torch.UntypedStorage else obj._untyped_storage
        if untyped.device.type != "cpu":
            return NotImplemented
        content = torch.empty(0, dtype=torch.uint8).set_(untyped).numpy()
        return storage_of, (pickle.PickleBuffer(content), None if untyped is obj else obj.dtype)


def set_gradient(tensor: Any, gradient: Any) -> None:
    """Give a tensor its gradient."""
    tensor.grad = gradient


def viewed(plain: Any, dtype: Any, requires_grad: bool, shape: tuple[int, ...] | None = None) -> Any:
    """Return a tensor of bytes as one of another type of number, and in another shape."""
    found = plain.view(dtype)
    return (found if shape is None else found.reshape(shape)).requires_grad_(requires_grad)


def storage_of(buffer: Any, dtype: Any) -> Any:
    """Return a storage of torch that lies in a buffer: of numbers of a kind, or of bytes."""
    import torch

    is_empty = memoryview(buffer).nbytes == 0
    untyped = torch.UntypedStorage(0) if is_empty else torch.frombuffer(buffer, dtype=torch.uint8).untyped_storage()
    if dtype is None:
        return untyped
    return torch.storage.TypedStorage(wrap_storage=untyped, dtype=dtype, _internal=True)
