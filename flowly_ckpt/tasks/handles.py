"""The mapping that tasks recall from: its values are handles, so that a result that is there is not read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import StoreError, StoreWarning
from ..targets.claims import Claim, EnteredClaim
from ..targets.materialise import Materialised
from ..targets.protocol import BaseTarget
from ..typing import Facts, Key
from .filestore import Filestore
from .notes import Note, differences, digest, note_of, read_note
from .stores import Store

__all__ = ["Handles"]

StoreOf = Callable[[str], Store]


class Handles(BaseTarget):
    """Give for a key, whose first part is a location, the store there, if it holds something; take values to save.

    :param store_of: makes the store of a location.
    :param saves: False where the functions save their own output; then a value that is put is noted, not saved.
    :param strict: True where a result counts as absent that was made otherwise than the note says which is then the
        third part of its key.

    >>> from flowly_ckpt.tasks.stores import Held
    >>> Handles(lambda loc: Held(loc, 1)).get(("working/load/a", "load", ""), "absent")
    'absent'

    See also: :func:`flowly_ckpt.targets.recall.recall`.
    """

    isolates = True

    def __init__(self, store_of: StoreOf, saves: bool = True, strict: bool = False) -> None:
        self.store_of = store_of
        self.saves = saves
        self.strict = strict

    def __repr__(self) -> str:
        return f"the store {getattr(self.store_of, '__name__', self.store_of)}"

    def holds(self, store: Store) -> bool:
        """Tell whether a store holds a result; an empty file is what is left of a pickle that never was written."""
        if not store.exists():
            return False
        emptied = self.saves and type(store).load is Filestore.load and os.path.getsize(store.loc) == 0
        if emptied:
            warnings.warn(f"{store.loc} is empty and counts as absent; it is made again", StoreWarning, stacklevel=5)
        return not emptied

    def changes(self, store: Store, now: Note) -> tuple[str, ...]:
        """Return in words in what the result that is there was made otherwise than it would be now."""
        then = read_note(store)
        return () if then is None else differences(then, now)

    def __getitem__(self, key: Key) -> Store:
        store = self.store_of(key[0])
        if not self.holds(store) or (self.strict and self._outdated(store, key)):
            raise KeyError(key)
        return store

    def _outdated(self, store: Store, key: Key) -> bool:
        then, now = read_note(store), note_of(key[2])
        return then is not None and now is not None and bool(differences(then, now))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Save a value, and note how it was made."""
        store = self.store_of(key[0])
        if self.saves:
            # The file is for any reader: what was an iterator is a list in it.
            value = list(value) if type(value) is Materialised else value
            store.save(value)
        elif not store.exists():
            return
        made = Note(key[1], **facts.made_from)
        self._note(store, made._replace(value=digest(value) if self.saves else "", seconds=facts.seconds))

    def _note(self, store: Store, note: Note) -> None:
        try:
            store.note(note.text())
        except OSError as error:
            warnings.warn(f"nothing could be noted about {store.loc}: {error}", StoreWarning, stacklevel=2)

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def __delitem__(self, key: Key) -> None:
        # Asked for where saving failed: what stood there before still stands, and nothing half-written does.
        raise KeyError(key)

    def __iter__(self) -> Iterator[Key]:
        raise StoreError("tasks know their results by the names of their templates alone; list the folder instead")

    def __len__(self) -> int:
        raise StoreError("tasks know their results by the names of their templates alone; list the folder instead")

    def claim(self, key: Key) -> Claim:
        """Return the right to make a result, among processes."""
        return EnteredClaim(self.store_of(key[0]).claim())
