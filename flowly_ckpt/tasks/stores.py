"""Stores: locations of results, as handles that are cheap to pass around; the data are loaded on request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, ClassVar

from ..errors import StoreError
from ..given import file
from ..hashing import functional_hash
from ..targets import Codec, as_target, plain_pickle
from ..targets.claims import UNCLAIMED
from ..targets.facts import Collected, Entry
from ..targets.files import CLAIMS
from ..targets.files.by_place import NamedByPlace
from ..targets.filesystem import digest_of, read_file
from ..targets.mutation import watch
from ..targets.protocol import settled
from ..targets.provenance import FOLDER
from ..targets.recall import MISSING, holds, lookup
from ..targets.regions import remove_last
from ..typing import Age, Facts, Key, Target

__all__ = ["Filestore", "Held", "Results", "Store", "TargetStore"]

_NOT_THERE = "{} is not there: the task that makes it has not run, or its result was removed"


class Store:
    """Base class of stores: a place for one result, known by its location.

    ``store.save(x); store.load() == x``

    A subclass defines ``save`` and ``load``, and better also ``exists``.

    :param loc: the location of the result: a path, the key of a row, a URL, as the subclass defines it.

    >>> rows = {}
    >>> class Row(Store):
    ...     def save(self, data): rows[self.loc] = data
    ...     def load(self): return rows[self.loc]
    >>> row = Row("working/load/a")
    >>> row.exists(), row.save([1, 2]), row.exists(), row.load(), str(row)
    (False, None, True, [1, 2], 'working/load/a')

    See also: :class:`Filestore`, :func:`flowly_ckpt.tasks.task`.
    """

    def __init__(self, loc: str | os.PathLike[str]) -> None:
        self.loc = os.fspath(loc)

    def save(self, data: Any) -> None:
        """Save the data at the location."""
        raise NotImplementedError(f"{type(self).__name__} has no method save(data); define it")

    def load(self) -> Any:
        """Return the data saved at the location; raise LookupError or FileNotFoundError where there are none."""
        raise NotImplementedError(f"{type(self).__name__} has no method load(); define it")

    def exists(self) -> bool:
        """Return whether there are data at the location; by loading them, where the subclass knows no cheaper way."""
        try:
            self.load()
        except (LookupError, FileNotFoundError):
            return False
        return True

    def put(self, task: str, data: Any, facts: Facts) -> None:
        """Save the data that a task has computed, with facts about them."""
        self.save(data)
        self.note(task, facts)

    def note(self, task: str, facts: Facts) -> None:
        """Keep facts about the data that are there now; by default they are not kept."""

    def entry(self) -> Entry | None:
        """Return what is known of the data that are there; by default that is not kept."""
        return None

    def made_from(self) -> Mapping[str, Any]:
        """Return what the data that are there now were made from, by name; empty where that is not known."""
        return {}

    def version(self) -> str | None:
        """Return a text that changes with what is stored, None where nothing is; by default the location alone."""
        return self.loc

    def claim(self) -> AbstractContextManager[Any]:
        """Return the claim to make this result, which one process holds at a time; by default, nothing."""
        return UNCLAIMED

    def __str__(self) -> str:
        return self.loc

    def __fspath__(self) -> str:
        return self.loc

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.loc})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and type(other) is type(self) and other.loc == self.loc

    def __hash__(self) -> int:
        return hash((type(self), self.loc))

    def __flowly_hash__(self) -> Any:
        """Count as what is stored, so that a step that is given a store runs again when its content changes."""
        return self.load()


class Held(Store):
    """Hold data that could not be saved, so that the tasks after it still get them.

    >>> Held("working/load/a", [1]).load(), Held("working/load/a", [1]).exists()
    ([1], False)
    """

    def __init__(self, loc: str, data: Any) -> None:
        super().__init__(loc)
        self.data = data

    def load(self) -> Any:
        """Return the data."""
        return self.data

    def exists(self) -> bool:
        """Return False: nothing is stored."""
        return False

    def version(self) -> str | None:
        """Return None: nothing is stored."""
        return None


class TargetStore(Store):
    """Keep a result as an entry of a target, under the key (location, name of the task, "").

    :param loc: the first string of the key.
    :param target: where the result is kept, any mutable mapping.
    :param task: the second string of the key.

    >>> target = {}
    >>> TargetStore("working/load/a", target, "load").save([1, 2])
    >>> target, TargetStore("working/load/a", target, "load").load()
    ({('working/load/a', 'load', ''): [1, 2]}, [1, 2])

    See also: :class:`flowly_ckpt.targets.BaseTarget`.
    """

    def __init__(self, loc: str, target: Target, task: str) -> None:
        super().__init__(loc)
        self.target = target
        self.key: Key = (self.loc, task, "")

    def save(self, data: Any) -> None:
        """Store the data under the key."""
        self.put(self.key[1], data, Facts(0.0))

    def put(self, task: str, data: Any, facts: Facts) -> None:
        """Store the data under the key, with facts about them."""
        try:
            as_target(self.target).put(self.key, data, facts)
            newest = settled(self.target)
            if not as_target(newest).isolates:
                watch(newest, self.key, data)
        except Exception:
            self.remove()  # leave nothing behind that is not whole
            raise

    def load(self) -> Any:
        """Return what the target holds.

        :raises LookupError: where it holds nothing, or it was changed in place.
        """
        data = lookup(settled(self.target), self.key)
        if data is MISSING:
            raise LookupError(_NOT_THERE.format(self.loc))
        return data

    def exists(self) -> bool:
        """Return whether the target holds the key, and, if it does not copy values, whether the value is unchanged."""
        return holds(settled(self.target), self.key)

    def entry(self) -> Entry | None:
        """Return what the target knows of the entry."""
        return as_target(self.target).entry(self.key)

    def remove(self) -> None:
        """Delete the entry, so that its task runs again; do nothing where there is none."""
        with suppress(KeyError):
            del self.target[self.key]

    def made_from(self) -> Mapping[str, Any]:
        """Return what the entry was made from, where the target keeps such facts."""
        entry = as_target(self.target).entry(self.key)
        return {} if entry is None else entry.made_from

    def version(self) -> str | None:
        """Return the digest of the value: the one noted, else computed."""
        if not self.exists():
            return None
        return self.made_from().get("value") or functional_hash(self.load())

    def claim(self) -> AbstractContextManager[Any]:
        """Return the target's claim."""
        return as_target(self.target).claim(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TargetStore) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> Any:
        return (type(self), self.key, as_target(self.target).place)


class Filestore(Store):
    """Keep a result as a pickle file at a path: ``pickle.load(open(str(store), "rb"))`` reads it.

    The file is written beside its place and renamed into it, in folders that are made for it. A subclass may set
    another ``codec``, or define ``save`` and ``load`` for its own file format.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Filestore(f"{folder}/load/a")
    ...     store.save([1, 2])
    ...     (store.exists(), store.load(), sorted(os.listdir(f"{folder}/load")))
    (True, [1, 2], ['.made', 'a'])

    See also: :class:`flowly_ckpt.targets.FileTarget`.
    """

    codec: ClassVar[Codec] = plain_pickle

    def __init__(self, loc: str | os.PathLike[str]) -> None:
        if type(self) is Filestore:  # a subclass may know how to reach other places
            file("loc", loc, "a path")
        super().__init__(loc)

    def _entry(self, task: str = "") -> tuple[NamedByPlace, Key]:
        """Return the folder as a target in which every key names this file, and the key."""
        folder, name = os.path.split(os.path.normpath(self.loc))
        return NamedByPlace(folder or ".", lambda key: name, codec=self.codec), (self.loc, task, "")

    def save(self, data: Any) -> None:
        """Write the file, whole or not at all."""
        target, key = self._entry()
        target[key] = data

    def put(self, task: str, data: Any, facts: Facts) -> None:
        """Write the file and its sidecar."""
        if type(self).save is Filestore.save:
            target, key = self._entry(task)
            target.put(key, data, facts)
        else:
            super().put(task, data, facts)

    def load(self) -> Any:
        """Return what the file holds.

        :raises FileNotFoundError: where there is none.
        :raises StoreError: where it cannot be read; it says why.
        """
        target, key = self._entry()
        try:
            data = target.read_bytes(key)
        except KeyError:
            raise FileNotFoundError(_NOT_THERE.format(self.loc)) from None
        try:
            return target.codec.loads(data)
        except Exception as error:  # unpickling damaged bytes may raise anything
            advice = "remove it, and the task that makes it runs again"
            raise StoreError(f"{self.loc} cannot be read ({type(error).__name__}: {error}); {advice}") from error

    def exists(self) -> bool:
        """Return whether there is a file."""
        return os.path.isfile(self.loc)

    def entry(self) -> Entry | None:
        """Return what is known of the file that is there."""
        target, key = self._entry()
        return target.entry(key)

    def remove(self) -> None:
        """Remove the file, so that its task runs again; do nothing where there is none."""
        target, key = self._entry()
        with suppress(KeyError):
            del target[key]

    def note(self, task: str, facts: Facts) -> None:
        """Write the sidecar of the existing file, whoever wrote that."""
        target, key = self._entry(task)
        if os.path.isfile(self.loc):  # of a folder that the function has made nothing is noted
            target.note(key, facts)

    def made_from(self) -> Mapping[str, Any]:
        """Return what the file that is there now was made from, by its sidecar."""
        target, key = self._entry()
        made = target.made(key)
        return {} if made is None else made.made_from

    def version(self) -> str | None:
        """Return the digest of the value where it was noted, else of the file; None without a file."""
        target, key = self._entry()
        made = target.made(key)
        if made is not None:
            return made.made_from.get("value") or made.digest
        try:
            return digest_of([read_file(os.path.realpath(self.loc))]).hex()
        except OSError:
            return None

    def claim(self) -> AbstractContextManager[Any]:
        """Return the claim to make this file; it waits while another living process holds it."""
        target, _ = self._entry()
        return target.claim((os.path.basename(self.loc), "", ""))  # the same from whichever folder it is named


class Results(NamedByPlace):
    """List what tasks have kept in files below a folder, and remove it; files of other origin are not touched.

    A key is the path below the folder, the task's name, and an empty text. A file that was changed since is of other
    origin.

    :param root: the folder, ``gcontext.path`` as a rule.

    >>> import tempfile
    >>> from flowly_ckpt.tasks import task
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     square = task(target=f"{folder}/squares/{{n}}")(lambda n: n * n)
    ...     done = [square(n) for n in range(3)]
    ...     results = Results(folder)
    ...     (sorted(results)[2], results.clear_where(tag="<lambda>"), os.listdir(folder))
    (('squares/2', '<lambda>', ''), 3, [])

    See also: :func:`flowly_ckpt.checkpoint.clear_checkpoints`.
    """

    def __init__(self, root: str | os.PathLike[str], **options: Any) -> None:
        super().__init__(root, lambda key: key[0], **options)

    @staticmethod
    def are_at(root: str | os.PathLike[str]) -> bool:
        """Return whether tasks keep results in a folder or below.

        >>> Results.are_at("/no/such/folder")
        False
        """
        return any(FOLDER in folders for _, folders, _ in os.walk(root))

    def key_at(self, path: str) -> Key | None:
        name = Path(os.path.relpath(path, self.root)).as_posix()
        made = self.made((name, "", ""))
        if made is None or os.path.basename(os.path.normpath(made.key[0])) != os.path.basename(path):
            return None  # another kind of store has written it
        return (name, made.key[1], "")

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        """Remove what killed writers left more than so many seconds ago, and locks that nobody uses."""
        for place, _, _ in os.walk(self.root):
            if os.path.basename(place) == FOLDER:
                remove_last(os.path.join(place, CLAIMS), self.root)
        return super().gc(older_than=older_than, max_bytes=max_bytes)
