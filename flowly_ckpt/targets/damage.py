"""How damage in a store is reported: an exception inside, one warning outside."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import once
from ..errors import FlowlyError, StoreWarning
from ..wording import plain

__all__ = ["DamagedError", "judged", "raised_as_damage", "warn_once"]

# Nothing is there, or something that no store puts there; after any other error what could not be read may be whole.
_NOTHING = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.EFBIG}


class DamagedError(FlowlyError, ValueError):
    """Raised for bytes that are not what was stored; a target turns it into a miss and one warning.

    >>> str(DamagedError("12 bytes, 80 were stored"))
    '12 bytes, 80 were stored'

    See also: :class:`flowly_ckpt.errors.StoreWarning`, what a caller sees of it.
    """


@contextmanager
def raised_as_damage(what: str) -> Iterator[None]:
    """Raise whatever a library says of bytes that it cannot decode as damage to them.

    What lies elsewhere passes as it is: no memory is left, or a module is missing.

    >>> with raised_as_damage("it is no number"):
    ...     int("x")
    Traceback (most recent call last):
        ...
    flowly_ckpt.targets.damage.DamagedError: it is no number (ValueError: invalid literal for int() with base 10: 'x')
    """
    try:
        yield
    except (DamagedError, MemoryError, ImportError):
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__module__.startswith("pyo3"):  # Rust's are no Exceptions
            raise DamagedError(f"{what} ({type(error).__name__}: {error})") from error
        raise


def judged(fault: Callable[[], str]) -> tuple[str, bool]:
    """Return what is wrong with an entry, and whether that is certain: what cannot be read now may be whole.

    :param fault: returns what is wrong, or an empty text; raises what the system says where it cannot be read.

    >>> def refused():
    ...     raise PermissionError(errno.EACCES, "Permission denied")
    >>> judged(lambda: "it is torn"), judged(refused)
    (('it is torn', True), ('PermissionError: [Errno 13] Permission denied', False))
    """
    try:
        return fault(), True
    except OSError as error:
        return f"{type(error).__name__}: {error}", error.errno in _NOTHING


def warn_once(store: str, entry: Any, what: object, of: Any = None) -> None:
    """Warn of a damaged or unusable entry, once per process for the same place and cause.

    :param store: where the entry lies, as a user would name it.
    :param entry: the key, file or row that is meant; None for the index as a whole.
    :param what: what was found; an exception by type and text.
    :param of: the state of the entry; damage to a later one is warned of again.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_once("results", ("a", "b", "c"), "the file is gone")
    ...     warn_once("results", ("a", "b", "c"), "the file is gone")
    >>> print(caught[0].message, len(caught))
    results: entry ('a', 'b', 'c') cannot be used (the file is gone); it counts as absent and is computed again 1
    """
    cause = f"{type(what).__name__}: {what}" if isinstance(what, BaseException) else str(what)
    if entry is None:
        text = f"{store}: the index was damaged ({cause}); a new one holds what was whole, the rest is computed again"
    else:
        text = f"{store}: entry {entry} cannot be used ({cause}); it counts as absent and is computed again"
    once.warn_once(StoreWarning, (store, repr(entry), cause, of), plain(text))
