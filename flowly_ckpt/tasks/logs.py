"""Log lines that say where they come from; switched on by hand, for a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["logged"]

FORMAT = "%(asctime)s %(levelname)s %(name)s %(filename)s:%(lineno)d %(message)s"


@contextmanager
def logged(*names: str, level: str = "INFO", stream: IO[str] | None = None) -> Iterator[None]:
    """Show what loggers say, with file and line, for the time of a block; afterwards they are as they were.

    :param names: the loggers; by default this library's, which tells what is restored and what is computed.
    :param level: from which level on.
    :param stream: where to write; by default standard error.

    >>> import io, logging
    >>> told = io.StringIO()
    >>> with logged("pipeline", stream=told):
    ...     logging.getLogger("pipeline").info("ready")
    >>> told.getvalue().endswith("ready\\n"), logging.getLogger("pipeline").handlers
    (True, [])
    """
    import logging

    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(FORMAT))
    loggers = [logging.getLogger(name) for name in names or ("flowly_ckpt",)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, old in zip(loggers, before):
            logger.removeHandler(handler)
            logger.setLevel(old)
