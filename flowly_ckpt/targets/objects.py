"""Objects below an address of fsspec: read, written, listed and removed in bulk, patiently, with no secret shown."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ..errors import StoreError
from ..logs import INFO, heard
from ..typing import Bytes
from .addresses import masked, safe, secrets_of
from .damage import warn_once
from .filesystem import is_temporary
from .local_files import LocalFiles

__all__ = ["Objects", "passes"]

T = TypeVar("T")

_ABSENT = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
_PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs",
}  # fmt: skip
_READ_AT_ONCE = 64  # objects, which are in memory together
_FIRST = 1 << 18  # bytes that are read before it is known how many there are
_REMOVE_AT_ONCE = 1000
_PAUSES = (0.1, 5.0)  # seconds before another attempt, growing from the first to the second, drawn by chance
_TIRED = 60.0  # seconds in which nothing is tried again after that was in vain: a store that is away holds up once
# What passes when one waits, beside what Python itself calls a lost connection or a time-out.
_NUMBERS = {
    errno.EBUSY, errno.EAGAIN, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH, getattr(errno, "EREMOTEIO", -1),
}  # fmt: skip
_STATUS = {408, 429, 500, 502, 503, 504}
_KINDS = {
    ("aiohttp.client_exceptions", "ClientConnectionError"), ("aiohttp.client_exceptions", "ClientPayloadError"),
    ("botocore.exceptions", "HTTPClientError"), ("botocore.exceptions", "ConnectionError"),
    ("requests.exceptions", "ConnectionError"), ("requests.exceptions", "Timeout"),
    ("azure.core.exceptions", "ServiceRequestError"), ("azure.core.exceptions", "ServiceResponseError"),
}  # fmt: skip


def passes(error: BaseException) -> bool:
    """Return whether another attempt may go well: a connection was lost, or the store is busy.

    >>> passes(ConnectionResetError()), passes(OSError(errno.EBUSY, "SlowDown")), passes(PermissionError())
    (True, True, False)
    """
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    if getattr(error, "status", getattr(error, "status_code", None)) in _STATUS:
        return True
    return any((kind.__module__, kind.__name__) in _KINDS for kind in type(error).__mro__)


class Objects:
    """The objects below an address, by their paths.

    :param url: such as ``s3://bucket/results``.
    :param options: what fsspec's file system takes.
    :param patience: seconds in which another attempt is made where a store is busy or the connection is lost.
    :raises ModuleNotFoundError: where fsspec, or what it needs for the address, is not installed.
    :raises ValueError: for an address of a kind that fsspec does not know.

    >>> objects = Objects("memory://some", {}, 30.0)
    >>> objects.write({"a": b"1", "b/c": b"2"})
    >>> sorted(objects.names()), dict(objects.read(["a", "d"])), objects.remove(["a", "b/c", "d"])
    (['a', 'b/c'], {'a': b'1'}, None)
    """

    def __init__(self, url: str, options: dict[str, Any], patience: float) -> None:
        self.url = url
        self.options = options
        self.patience = patience
        self._secrets = secrets_of(url, options)
        self._tired_until = 0.0
        self._made_by = 0
        self._system: Any = self.system

    def __str__(self) -> str:
        return masked(self.url)

    @property
    def system(self) -> Any:
        """The file system, of this process: what a forked child inherits would wait for a thread that is not there."""
        if self._made_by != os.getpid():
            system, root = self._open()
            self.root = root.rstrip("/")
            # Only where it is nothing but files of this machine: chained addresses change what they hold.
            is_local = "file" in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol)
            self._system = LocalFiles(self.root) if is_local else system
            self._made_by = os.getpid()
        return self._system

    @property
    def is_local(self) -> bool:
        """Whether they are nothing but files of this machine."""
        return isinstance(self.system, LocalFiles)

    def _open(self) -> tuple[Any, str]:
        scheme = self.url.partition("://")[0]
        try:
            from fsspec.core import url_to_fs
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "RemoteTarget needs fsspec: run `pip install 'flowly-ckpt[remote]'`", name=error.name
            ) from error
        try:
            found: tuple[Any, str] = url_to_fs(self.url, **self.options)
        except ImportError as error:
            name = _PACKAGES.get(scheme, error.name or "a package")
            extra = " or `pip install 'flowly-ckpt[remote]'`" if name == "s3fs" else ""
            text = f"RemoteTarget needs {name} for {scheme}://: run `pip install {name}`{extra}"
            raise ModuleNotFoundError(text, name=name) from error
        except ValueError as error:
            if "rotocol" not in str(error):
                raise self._told(error) from None
            text = f"no file system is known for {str(self)!r}; give s3://…, gs://…, abfs://…, or file:///folder"
            raise ValueError(text) from None
        return found

    def path(self, name: str) -> str:
        """Return the path of an object as the file system takes it."""
        return f"{self.root}/{name}"

    def read(self, names: Iterable[str], end: int | None = None) -> Iterator[tuple[str, Bytes]]:
        """Yield name and content of the objects that are there; many are asked for at the same time.

        :param end: how many bytes of each; by default all.
        :raises StoreError: when none can be read; of those that can be, the rest is left out, with a warning.
        """
        wanted = list(names)
        for start in range(0, len(wanted), _READ_AT_ONCE):
            # Asked for a range, S3 answers at once; else its size is asked for first, and what is missing is listed.
            found = self._read(wanted[start : start + _READ_AT_ONCE], 0, end or _FIRST)
            longer = [name for name, data in found.items() if end is None and len(data) == _FIRST]
            yield from ((name, data) for name, data in found.items() if name not in longer)
            yield from self._read(longer, None, None).items()

    def _read(self, names: list[str], start: int | None, end: int | None) -> dict[str, Bytes]:
        rest, found = list(names), {}
        refused: dict[str, Exception] = {}

        def attempt(system: Any) -> None:
            got = dict(zip(rest, system.cat_ranges([self.path(name) for name in rest], start, end, on_error="return")))
            failed = {name: data for name, data in got.items() if isinstance(data, Exception)}
            found.update({name: data for name, data in got.items() if name not in failed})
            rest[:] = [name for name, error in failed.items() if passes(error)]
            refused.update(
                {name: failed[name] for name in failed.keys() - rest if not isinstance(failed[name], _ABSENT)}
            )
            if rest:
                raise failed[rest[0]]

        if names:
            self._patiently(attempt)
        for name, error in refused.items():
            if len(refused) == len(names):
                raise self._told(error) from None
            warn_once(str(self), name, self._shown(error))
        return found

    def write(self, contents: dict[str, bytes]) -> None:
        """Write objects, each whole, many at the same time.

        :raises StoreError: when one cannot be written.
        """

        def attempt(system: Any) -> None:
            system.pipe({self.path(name): data for name, data in contents.items()})

        try:
            self._patiently(attempt)
        except FileNotFoundError as error:
            raise StoreError(
                f"{self}: there is no such place to write to ({self._shown(error)}); make it first"
            ) from None

    def create(self, name: str, data: bytes) -> bool:
        """Write an object unless there is one of this name; return whether it was written.

        :raises StoreError: where the store has no such way of writing.
        """

        def attempt(system: Any) -> bool:
            try:
                system.pipe_file(self.path(name), data, mode="create")
            except FileExistsError:
                return False
            return True

        try:
            return self._patiently(attempt)
        except (TypeError, NotImplementedError) as error:
            raise StoreError(f"{self}: it cannot write only what is not there: {self._shown(error)}") from None

    def has(self, name: str) -> bool:
        """Return whether there is an object of this name."""

        def attempt(system: Any) -> bool:
            system.invalidate_cache(os.path.dirname(self.path(name)))
            try:
                return bool(system.info(self.path(name))["type"] == "file")  # `isfile` takes any error for a no
            except _ABSENT:
                return False

        return self._patiently(attempt)

    def names(self, below: str = "") -> Iterator[str]:
        """Yield the names of all objects, or of those below a folder, from a listing of many at once."""

        def attempt(system: Any) -> Any:
            system.invalidate_cache()
            try:
                return system.find(self.path(below) if below else self.root)
            except FileNotFoundError:
                return ()

        for path in self._patiently(attempt):
            if not is_temporary(path.rpartition("/")[2]):
                yield path[len(self.root) + 1 :]

    def forsaken(self, names: Iterable[str], older_than: float) -> list[tuple[str, int]]:
        """Return name and size of those of some objects that nobody has written for so many seconds."""

        def attempt(system: Any) -> list[tuple[str, int]]:
            found = []
            for name in names:
                with suppress(*_ABSENT, NotImplementedError):  # others remove them too; some stores keep no such times
                    if time.time() - system.modified(self.path(name)).timestamp() >= older_than:
                        found.append((name, system.info(self.path(name))["size"]))
            return found

        return self._patiently(attempt)

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects, many at the same time; those that are not there are none the less gone."""
        for start in range(0, len(names), _REMOVE_AT_ONCE):
            paths = [self.path(name) for name in names[start : start + _REMOVE_AT_ONCE]]

            def attempt(system: Any, paths: list[str] = paths) -> None:
                # A path is not taken for a pattern where it is removed alone.
                if len(paths) > 1 and not any(letter in self.root for letter in "*?["):
                    with suppress(FileNotFoundError):
                        return system.rm(paths)  # type: ignore[no-any-return]
                for path in paths:
                    with suppress(FileNotFoundError):
                        system.rm_file(path)
                return None

            self._patiently(attempt)

    def collect(self, older_than: float) -> list[int]:
        """Remove what killed writers left so many seconds ago; return the sizes. In buckets there is no such thing."""
        return self._system.collect(older_than) if self.is_local else []

    def _patiently(self, work: Callable[[Any], T]) -> T:
        """Return ``work(system)``, tried again for a while where that may help, unless that was just in vain."""
        try:
            return work(self.system)
        except Exception as error:  # noqa: BLE001  what it is, is asked below
            if not (passes(error) and self.patience > 0 and time.monotonic() >= self._tired_until):
                raise self._told(error) from None
            first = error
        try:
            import tenacity
        except ModuleNotFoundError:
            advice = "install tenacity, and it is tried again: `pip install 'flowly-ckpt[remote]'`"
            raise StoreError(f"{self}: {self._shown(first)}; {advice}") from None
        if log := heard(INFO):
            log.info("%s: trying again after %s", self, self._shown(first))
        again = tenacity.Retrying(
            stop=tenacity.stop_after_delay(self.patience),
            wait=tenacity.wait_random_exponential(_PAUSES[0], _PAUSES[1]),
            retry=tenacity.retry_if_exception(passes),
            reraise=True,
        )
        try:
            result: T = again(work, self.system)
        except Exception as error:  # noqa: BLE001
            self._tired_until = time.monotonic() + _TIRED
            raise self._told(error) from None
        return result

    def _told(self, error: Exception) -> Exception:
        """Return what is raised for an error of the file system: it says where, and shows no secret."""
        if isinstance(error, (*_ABSENT, TypeError, NotImplementedError)) and not isinstance(error, StoreError):
            return type(error)(self._shown(error))
        return StoreError(f"{self}: {self._shown(error)}")

    def _shown(self, error: BaseException) -> str:
        return f"{type(error).__name__}: {safe(error, self._secrets)}"
