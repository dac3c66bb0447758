"""Sparse matrices of scipy and tensors of torch."""

from __future__ import annotations

from typing import Any

from .rows import OPEN, Parts

__all__: list[str] = []

SPARSE = ("data", "indices", "indptr", "coords", "row", "col", "offsets", "rows", "blocksize")


def load_scipy() -> None:
    import sys

    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None:
        OPEN.register(sparse.spmatrix, sparse.sparray)(sparse_matrix)


def load_torch() -> None:
    import torch

    OPEN.register(torch.Tensor)(tensor)


def sparse_matrix(obj: Any) -> Parts:
    """A sparse matrix counts as it is stored: its format, the order of its entries and its explicit zeros."""
    if obj.format == "dok":
        return b"<sparse>", [type(obj), obj.shape, str(obj.dtype), dict(obj.items())]
    return b"<sparse>", [type(obj), obj.shape, *(getattr(obj, name) for name in SPARSE if hasattr(obj, name))]


def tensor(obj: Any) -> Parts:
    """A tensor counts by dtype, shape, kind of device, gradient flag and values."""
    import torch

    kind = type(obj)
    about = [kind, str(obj.dtype), tuple(obj.shape), obj.device.type, obj.requires_grad]
    plain = obj.detach().resolve_conj().resolve_neg().cpu()
    if plain.layout is not torch.strided:
        return b"<tensor>", [*about, str(plain.layout), plain.to_dense()]
    return b"<tensor>", [*about, plain.contiguous().reshape(-1).view(torch.uint8).numpy()]
