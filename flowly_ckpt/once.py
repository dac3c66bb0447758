"""Say something once."""

from __future__ import annotations

from collections.abc import Hashable

from .errors import warn

__all__ = ["is_first", "warn_once"]

_MOST = 10_000
_said: set[Hashable] = set()


def is_first(about: Hashable) -> bool:
    """Return whether this is asked for the first time in this process.

    >>> is_first(("a doctest", 1)), is_first(("a doctest", 1))
    (True, False)
    """
    if about in _said:
        return False
    if len(_said) >= _MOST:
        _said.clear()
    _said.add(about)
    return True


def warn_once(kind: type[Warning], about: Hashable, message: str) -> None:
    """Issue a warning that shows the user's line, unless it was issued before.

    :param about: equal for warnings that say the same.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     for _ in range(2):
    ...         warn_once(UserWarning, ("a doctest", 2), "said once")
    >>> [str(each.message) for each in caught]
    ['said once']
    """
    if is_first(about):
        warn(message, kind)
