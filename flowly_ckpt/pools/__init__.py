"""Engines of one machine: parts of a pipeline run side by side in threads or in processes."""

from .engines import pool, processes, threads
from .pmap import pmap

__all__ = ["pmap", "pool", "processes", "threads"]
