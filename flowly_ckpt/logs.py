"""The library's messages to ``logging``, which is slow to import and in most programs has nobody who listens."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["DEBUG", "INFO", "WARNING", "heard"]

DEBUG, INFO, WARNING = 10, 20, 30

_logger: Logger | None = None


def heard(level: int) -> Logger | None:
    """Return the library's logger, or None where nobody hears messages of a level.

    Without handlers only warnings are shown, and nobody has made a handler before ``logging`` was imported.

    >>> heard(WARNING)
    <Logger flowly_ckpt (WARNING)>
    >>> heard(DEBUG) is None
    True
    """
    global _logger
    if _logger is None:
        if level < WARNING and "logging" not in sys.modules:
            return None
        import logging

        _logger = logging.getLogger("flowly_ckpt")
    return _logger if _logger.isEnabledFor(level) else None
