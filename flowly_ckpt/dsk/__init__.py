"""Pipelines on dask: each combinator becomes a part of a graph, and what is stored is never built.

Needs the extra ``dask``: ``pip install 'flowly-ckpt[dask]'``.
"""

from .engine import apply, apply_to_local, dask

__all__ = ["apply", "apply_to_local", "dask"]
