"""What a fork must not come in the midst of, and what a forked child begins anew.

The threads of the parent are not in the child: what they hold is never released there, what is half-way stays so.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Gate", "renewed"]

_AT_FORK = 5.0  # seconds that a fork waits for other threads
_renewed: dict[tuple[int, str], tuple[weakref.ref[Any], Callable[[], Any]]] = {}
_gates: weakref.WeakSet[Gate] = weakref.WeakSet()
_closed: list[Gate] = []


def renewed(owner: Any, name: str, make: Callable[[], Any]) -> None:
    """Set an attribute, a lock for example, now and again in every forked child.

    >>> class Books: pass
    >>> books = Books()
    >>> renewed(books, "guard", threading.Lock), books.guard.locked()
    (None, False)
    """
    place = (id(owner), name)
    _renewed[place] = (weakref.ref(owner, lambda _: _renewed.pop(place, None)), make)
    setattr(owner, name, make())


class Gate:
    """A context that no fork comes in the midst of, as far as it ends in a few seconds.

    It is not to be entered again by a thread that is inside.

    >>> gate = Gate()
    >>> with gate:
    ...     gate.inside == {threading.get_ident()}
    True
    """

    def __init__(self) -> None:
        self.begin()
        _gates.add(self)

    def begin(self) -> None:
        """Begin with nobody inside."""
        self.inside: set[int] = set()
        self._is_closed = False
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closed, _AT_FORK)
            self.inside.add(threading.get_ident())  # by thread, so that one an interrupt has left counts once at most

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self.inside.discard(threading.get_ident())
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until no other thread is inside, and let none in."""
        self._changed.acquire()
        self._is_closed = True
        self._changed.wait_for(lambda: self.inside <= {threading.get_ident()}, _AT_FORK)

    def open(self) -> None:
        """Let threads in again."""
        self._is_closed = False
        self._changed.notify_all()
        self._changed.release()


def _before() -> None:
    for gate in list(_gates):
        _closed.append(gate)
        gate.close()


def _after_in_parent() -> None:
    while _closed:
        _closed.pop().open()


def _after_in_child() -> None:
    while _closed:
        _closed.pop().begin()
    for (_, name), (reference, make) in list(_renewed.items()):
        if (owner := reference()) is not None:
            setattr(owner, name, make())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
