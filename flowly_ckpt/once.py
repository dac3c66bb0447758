"""Say something once, at the line of the user's own code."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Hashable
from typing import Any

__all__ = ["is_first", "warn_once"]

_OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
_said: set[Hashable] = set()


def is_first(about: Hashable) -> bool:
    """Return whether this is asked for the first time in this process.

    >>> is_first(("a doctest", 1)), is_first(("a doctest", 1))
    (True, False)
    """
    if about in _said:
        return False
    _said.add(about)
    return True


def warn_once(kind: type[Warning], about: Hashable, message: str) -> None:
    """Issue a warning at the innermost line that is not this library's, unless it was issued before.

    :param about: equal for warnings that say the same.

    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     for _ in range(2):
    ...         warn_once(UserWarning, ("a doctest", 2), "said once")
    >>> [str(each.message) for each in caught]
    ['said once']
    """
    if is_first(about):
        warnings.warn(message, kind, stacklevel=_level())


def _level() -> int:
    """Return how many frames above :func:`warn_once` the user's code is."""
    level, frame = 1, sys._getframe(1)
    outer: Any = frame
    while outer is not None and outer.f_code.co_filename.startswith(_OURS):
        level, outer = level + 1, outer.f_back
    return level
