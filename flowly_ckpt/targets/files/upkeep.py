"""How a folder of files is looked after: every entry checked, and what nobody uses collected."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

from ...wording import plain
from ..damage import DamagedError, judged
from ..facts import Collected
from ..filesystem import collect_temporaries
from ..protocol import Progress
from .sidecars import MadeAt, collect_sidecars, read_intact

__all__ = ["collect", "fault_of", "verify"]


def verify(
    root: str,
    paths: Sequence[str],
    fault_at: Callable[[str], str],
    remove_at: Callable[[str], object] | None,
    progress: Progress | None,
) -> list[str]:
    """Check files; return a line for each that is damaged.

    :param fault_at: tells what is wrong with a file, or an empty text; raises OSError where it cannot be read.
    :param remove_at: called for each damaged file, if given, but not for those that cannot be read now.
    :param progress: called with the number of files checked and of all.

    >>> verify("/a", ["/a/b"], lambda path: "it is torn", None, print)
    1 1
    ['b: it is torn']
    """
    lines = []
    for number, path in enumerate(paths, 1):
        fault, is_certain = judged(partial(fault_at, path))
        if fault:
            lines.append(plain(f"{os.path.relpath(path, root)}: {fault}"))
            if remove_at is not None and is_certain:
                remove_at(path)
        if progress is not None:
            progress(number, len(paths))
    return lines


def fault_of(path: str, made_at: MadeAt) -> str:
    """Return what is wrong with a file, or an empty text; one that has gone was cleared.

    :raises OSError: when it cannot be read.

    >>> fault_of("/no/such/file", lambda path, data: None)
    ''
    """
    try:
        read_intact(path, made_at)
    except DamagedError as error:
        return str(error)
    except FileNotFoundError:
        pass
    return ""


def collect(root: str, older_than: float, remove_locks: Callable[[str], object]) -> Collected:
    """Remove what killed writers left below a folder, and sidecars whose files are gone.

    :param older_than: seconds since it was written.
    :param remove_locks: called with the folder of a sidecar that was removed.

    >>> collect("/no/such/folder", 600.0, print)
    Collected(expired=0, files=0, bytes=0, evicted=0)
    """
    found = [*collect_temporaries(root, older_than), *collect_sidecars(root, older_than, remove_locks)]
    return Collected(0, len(found), sum(size for _, size in found))
