"""Resumable loops: an interrupted computation continues from its last saved state.

Read in this order: ``frames``, ``randomness``, ``loops``, ``storing``, ``checkpoint``, ``explicit``.

>>> from flowly_ckpt import resume
>>> kept = {}
>>> def total(items):
...     checkpoint = resume.Checkpoint("total", rate=0, target=kept)
...     total = 0
...     checkpoint.restore()
...     for item in checkpoint.over(items):
...         total += item
...     return total
>>> total(iter([1, 2, "three"]))
Traceback (most recent call last):
TypeError: unsupported operand type(s) for +=: 'int' and 'str'
>>> total([1, 2, 3])
6
"""

from .checkpoint import Checkpoint, NullCheckpoint
from .explicit import State, over, state
from .loops import ChangedError

__all__ = ["ChangedError", "Checkpoint", "NullCheckpoint", "State", "over", "state"]
