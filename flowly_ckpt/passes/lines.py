"""Events as lines: in a log, or as JSON in a file."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from typing import Any

from ..events import Event, Listener
from ..forks import renewed
from ..given import new_file, wrong
from ..wording import duration

__all__ = ["jsonl", "log_to"]

VERBS = {"run": "ran", "start": "starts"}


class log_to(Listener):
    """Write what happens to a logger: failures as errors, the end of a long run as information, the rest by ``level``.

    :param logger: a logger, or its name.
    :param level: of what is neither.
    :raises TypeError: for what is no logger.

    >>> from flowly_ckpt import apply, chained
    >>> from flowly_ckpt.passes import observe
    >>> apply(chained(abs, float), -5, [observe(log_to("my.run"))])
    5.0

    See also: :func:`jsonl`.
    """

    def __init__(
        self, logger: logging.Logger | logging.LoggerAdapter[Any] | str = "flowly_ckpt.run", level: int = logging.INFO
    ) -> None:
        if not isinstance(logger, (str, logging.Logger, logging.LoggerAdapter)):
            raise wrong("logger", "a logger or its name", logger)
        if not isinstance(level, int):
            raise ValueError(f"level must be a level of logging such as logging.INFO, got {level!r}")
        self.logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self.level = level

    def __call__(self, event: Event) -> None:
        """Take an event."""
        failed = event.kind == "failed"
        level = logging.ERROR if failed else self.level
        if not self.logger.isEnabledFor(level):
            return
        text = f"{event.of} {event.step!r} {VERBS.get(event.kind, event.kind)}"
        if event.total is not None and event.kind == "start":
            text += f" with {event.total} items"
        if event.seconds:
            text += f" in {duration(event.seconds)}"
        if failed:
            text += f": {type(event.error).__name__}: {event.error}"
        self.logger.log(level, "%s", text)


class jsonl(Listener):
    """Append each event as a line of JSON to a file.

    A line has ``time`` in seconds since the epoch, ``kind``, ``of``, ``step``, ``seconds`` and ``own``, and where they
    are known ``key``, ``total`` and ``error``.

    :param path: the file; it is made with the first event.
    :raises ValueError: for a folder, and for a file in a folder that is not there.
    :raises OSError: with an event, as a warning of the run, when the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "run.jsonl")
    ...     jsonl(path)(Event("fit", 0.5))
    ...     with open(path) as file: json.loads(file.readline())["step"]
    'fit'

    See also: :func:`log_to`.
    """

    _guard: Any

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(new_file("path", path))
        renewed(self, "_guard", threading.Lock)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.path,))

    def __call__(self, event: Event) -> None:
        """Take an event."""
        line: dict[str, Any] = {"time": time.time(), "kind": event.kind, "of": event.of, "step": event.step}
        line |= {"seconds": event.seconds, "own": event.own}
        if event.key is not None:
            line["key"] = event.key
        if event.total is not None:
            line["total"] = event.total
        if event.error is not None:
            line["error"] = f"{type(event.error).__name__}: {event.error}"
        data = (json.dumps(line) + "\n").encode()
        # One write at the end of the file: the lines of several processes do not mix.
        with self._guard:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, data)
            finally:
                os.close(file)
