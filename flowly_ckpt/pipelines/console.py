"""Show and time what a program does, while it is being written."""

from __future__ import annotations

import logging
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

__all__ = ["printf", "show", "timed"]


class _Printf:
    """Print a text with values put into it; ``printf.wrap`` breaks its lines at 80 characters.

    >>> printf("{:.0%} of {what}", 0.5, what="all")
    50% of all
    """

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        print(*(text.format(*args[1:], **kwargs) for text in args[:1]))

    def wrap(self, *args: Any, **kwargs: Any) -> None:
        print(*("\n".join(textwrap.wrap(text.format(*args[1:], **kwargs), 80)) for text in args[:1]))


printf = _Printf()


class _Show:
    """Print an object and return it: a step that shows what passes, or ``show | obj``, ``show % "size {}" | obj``.

    ``show(x) == x``

    >>> show(5), (show % "size {}" | 5)
    5
    size 5
    (5, 5)
    """

    def __init__(self, form: str = "{!r}") -> None:
        self.form = form

    def __call__(self, obj: Any) -> Any:
        print(self.form.format(obj))
        return obj

    __or__ = __call__

    def __mod__(self, form: str) -> _Show:
        return _Show(form)


show = _Show()


@contextmanager
def _timing(logger: logging.Logger, what: str, level: int) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        logger.log(level, "%stook %s s", what, time.perf_counter() - start)


def timed(tag: Any = None, level: int = logging.INFO) -> AbstractContextManager[None]:
    """Log how long a block of code took, to the logger of the module that it stands in.

    >>> with timed("training"):
    ...     pass
    """
    name = sys._getframe(1).f_globals.get("__name__", __name__)
    return _timing(logging.getLogger(name), "" if tag is None else f"{tag} ", level)
