"""What is kept of a computation, and where: data, in a gzipped pickle in a folder, or in any target."""

from __future__ import annotations

import io
import os
import time
import types
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import StoreWarning, warn
from ..events import tell
from ..targets.codecs import gzipped
from ..targets.files import FileTarget
from ..targets.files.by_place import NamedByPlace
from ..targets.key_names import cut, quoted, quoted_dotted, uncut, unquoted, unquoted_dotted
from ..targets.protocol import as_target, described, settled
from ..targets.recall import MISSING, lookup
from ..typing import Key, Target

__all__ = ["EXTENSION", "FORMAT", "Place", "folder_of_states", "is_data", "key_of_path", "path_of_key"]

FORMAT = 1
EXTENSION = ".pzip"
Snapshot = dict[str, Any]

_CODE = (
    types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type, types.CodeType,
    types.FrameType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
    io.IOBase,
)  # fmt: skip
_CONTAINERS = (list, tuple, dict, set, frozenset)


def path_of_key(key: Key, extension: str = EXTENSION) -> str:
    """Return the file of a state: the name given, or ``function@where``.

    >>> path_of_key(("my run", "resume", "")), path_of_key(("", "resume", "primes.compute_primes"))
    ('my run.pzip', 'compute_primes@primes.pzip')
    """
    given, _, function = key
    if not function:
        return given + extension
    where, _, name = function.rpartition(".")
    return cut(f"{quoted(name)}@{quoted_dotted(where)}") + extension


def key_of_path(path: Path, extension: str = EXTENSION) -> Key | None:
    """Return the key of a file, or None for a name that :func:`path_of_key` does not make.

    >>> key_of_path(Path("compute_primes@primes.pzip")), key_of_path(Path("notes.txt"))
    (('', 'resume', 'primes.compute_primes'), None)
    """
    text = path.as_posix()
    if not text.endswith(extension):
        return None
    stem = text.removesuffix(extension)
    name, _, where = uncut(stem).partition("@")
    try:
        key = ("", "resume", f"{unquoted_dotted(where)}.{unquoted(name)}")
        if where and path_of_key(key, extension) == text:
            return key
    except ValueError:
        pass  # a name that was given
    return None if "/" in stem else (stem, "resume", "")


def folder_of_states(
    folder: str | os.PathLike[str], max_age: float | None = None, extension: str = EXTENSION
) -> FileTarget:
    """Return a folder of states as a target, which can be listed and cleared like any other.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     folder_of_states(folder)["my run", "resume", ""] = {"i": 1}
    ...     list(folder_of_states(folder)), sorted(os.listdir(folder))
    ([('my run', 'resume', '')], ['.made', 'my run.pzip'])
    """
    path_of, key_of = partial(path_of_key, extension=extension), partial(key_of_path, extension=extension)
    # A state is worth hours: it is on the disk before the old one goes.
    return NamedByPlace(folder, path_of, key_of, codec=gzipped, max_age=max_age, durable=True)


def is_data(name: str, value: Any) -> bool:
    """Return whether a variable is data: not a module, function, class, generator or open file, and not private.

    >>> is_data("total", [1]), is_data("measure", len), is_data("_seen", 1), is_data("type_", 1)
    (True, False, False, False)
    """
    return not name.startswith("_") and not name.endswith("_") and not isinstance(value, _CODE)


class Place(NamedTuple):
    """Load and save the state kept under one key of a target.

    :param max_age: seconds after which a state no longer counts; None for never.
    :param reported: the variables that a warning was issued for; a loop need not repeat it at every turn.

    >>> place = Place({}, ("my run", "resume", ""), None, set())
    >>> place.save({"i": 3}, {})
    >>> place.load()["locals"]
    {'i': 3}
    """

    target: Target
    key: Key
    max_age: float | None
    reported: set[str]

    def load(self) -> Snapshot | None:
        """Return the state, or None where there is none, or none that can be used."""
        kept = lookup(settled(self.target), self.key)
        if kept is MISSING:
            return None
        try:
            snapshot: Snapshot = gzipped.loads(kept) if isinstance(kept, bytes) else kept
            if snapshot["format"] != FORMAT:
                raise ValueError(f"format {snapshot['format']!r}, this version reads {FORMAT}")
            has_expired = self.max_age is not None and abs(time.time() - snapshot["saved_at"]) >= self.max_age
        except Exception as error:  # noqa: BLE001  whatever it is, it is not a state of ours: start over
            text = f"{described(self.target)}: the state {self.key} cannot be used, starting over: {error!r}"
            warn(text, StoreWarning)
            return None
        if has_expired:
            return None
        tell("restored", self.key, self.target)
        return snapshot

    def save(self, values: dict[str, Any], rest: Snapshot) -> None:
        """Keep the variables, except those that cannot be pickled; a store that fails is a warning, not an error.

        What each run makes again (a lock, a connection) is left out silently; a container that holds such a thing,
        and may hold results too, is named in a warning.
        """
        try:
            try:
                self._store(values, rest)
            except OSError:
                raise
            except Exception:
                unfit = dict(_unfit(values))
                if not unfit:
                    raise
                self._store({name: value for name, value in values.items() if name not in unfit}, rest)
                self._report(unfit)
            tell("stored", self.key, self.target)
        except Exception as error:  # noqa: BLE001  the computation must not end because its state could not be kept
            text = f"{described(self.target)} did not store the state {self.key}: {type(error).__name__}: {error}"
            warn(f"{text}; the previous one is still valid", StoreWarning)

    def _store(self, values: dict[str, Any], rest: Snapshot) -> None:
        snapshot = {"format": FORMAT, "saved_at": time.time(), "locals": values, **rest}
        # A target that keeps the very objects would see them change as the computation continues.
        self.target[self.key] = snapshot if as_target(self.target).isolates else gzipped.dumps(snapshot)

    def _report(self, unfit: dict[str, Any]) -> None:
        names = [name for name, value in unfit.items() if isinstance(value, _CONTAINERS) and name not in self.reported]
        self.reported.update(names)
        if names:
            text = f"not kept, because they contain what cannot be pickled: {', '.join(names)}"
            warn(f"{text}; a resumed run starts with new ones", StoreWarning)

    def forget(self) -> None:
        """Remove the state, if there is one."""
        with suppress(KeyError):
            del self.target[self.key]


def _unfit(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        try:
            gzipped.dumps(value)
        except Exception:  # noqa: BLE001  pickling runs code of the value's own
            yield name, value
