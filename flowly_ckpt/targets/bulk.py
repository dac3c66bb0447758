"""Look up and store many results at once: what :mod:`~flowly_ckpt.targets.recall` does for one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, TypeVar

from ..errors import StoreWarning, warn
from ..events import clock, tell, watching
from ..logs import INFO, heard
from ..typing import Facts, Key, Target
from .materialise import Materialised, UnstorableError, materialise
from .protocol import as_target, described
from .recall import MISSING, Made, Turn, recall, restore, store
from .single_flight import Flight
from .steady import Noted, check_steady, noted
from .waiting import computing

__all__ = ["Batch", "keep", "restore_many", "size_about", "together"]

T = TypeVar("T")
Pending = tuple[Turn, Facts]

_SECONDS, _COUNT, _BYTES = 0.5, 200, 16_000_000  # of results that wait to be stored together
_SMALL = frozenset({type(None), bool, int, float, complex})
_PARTS = 100  # that are looked at to tell the size of a value


def restore_many(target: Target, keys: Sequence[Key]) -> list[Any]:
    """Return for each key the stored value, and report that it was restored, or ``MISSING``.

    ``restore_many(t, ks) == [restore(t, k) for k in ks]``

    >>> restore_many({("a", "tag", "f"): 6}, [("a", "tag", "f"), ("b", "tag", "f")])
    [6, MISSING]
    """
    full = as_target(target)
    if not full.isolates:
        return [restore(target, key) for key in keys]
    start = time.perf_counter()
    try:
        found = full.get_many(dict.fromkeys(keys))
    except Exception as error:  # noqa: BLE001  whatever is wrong with one entry, the others may be right
        text = f"{described(target)} could not restore several results at once: {type(error).__name__}: {error}"
        warn(text, StoreWarning)
        return [restore(target, key) for key in keys]
    if log := heard(INFO):
        for key in found:
            log.info("restore object at %r (key %s)", key[1], key)
    seconds = time.perf_counter() - start
    clock.inner += seconds
    values, given = [], set()
    for key in keys:
        value = found.get(key, MISSING)
        if value is not MISSING and key in given:
            value = restore(target, key)  # a copy of its own
        elif value is not MISSING and watching.get():
            tell("restored", key, target, seconds / len(found))
        given.add(key)
        values.append(iter(value) if type(value) is Materialised else value)
    return values


def together(work: Callable[[Batch], T], seen: int) -> T:
    """Do work that computes results one after the other, and store them some at a time.

    ``together(work, seen) == work(b)``, where ``b.once`` is ``partial(compute_once, seen=seen)``

    What was computed is stored within half a second of work, or when it takes many bytes, and in any case before this
    ends, whether by a value or an exception. Whoever asks for one of the keys meanwhile waits until it is stored.

    :param work: is given what computes a result and stores it soon.
    :param seen: what :func:`~flowly_ckpt.targets.single_flight.landings_elsewhere` gave before the look.

    >>> target = {}
    >>> together(lambda batch: batch.once(target, ("a", "tag", "f"), lambda: 6, {}), 0), len(target)
    (6, 1)

    See also: :func:`~flowly_ckpt.targets.recall.compute_once`.
    """
    batch = Batch(seen)
    try:
        return work(batch)
    finally:
        try:
            batch.close()
        finally:
            if not batch.is_over:  # an interrupt came while it was closed
                batch.close()


def size_about(value: Any) -> int:
    """Return about how many bytes a value takes, by a look at its surface.

    >>> size_about(bytes(1000)) > 1000, size_about([bytes(1000)] * 10) > 10_000
    (True, True)
    """
    if type(value) in _SMALL:
        return 0
    parts = value if isinstance(value, (list, tuple)) else value.values() if isinstance(value, dict) else ()
    return _size(value) + sum(map(_size, islice(parts, _PARTS)))


def _size(value: Any) -> int:
    try:
        known = getattr(value, "nbytes", None)
        return known if isinstance(known, int) else sys.getsizeof(value)
    except Exception:  # noqa: BLE001  a foreign object need not know
        return 0


def keep(target: Target, key: Key, value: Any, facts: Facts) -> Any:
    """Store what was computed elsewhere, and return it.

    >>> target = {}
    >>> keep(target, ("object", "tag", "transform"), 6, Facts(0.5)), len(target)
    (6, 1)
    """
    try:
        kept = materialise(value)
    except UnstorableError as error:
        warn(f"the result at {key[1]!r} is not stored: {error}", StoreWarning)
        return value
    is_stored = store(target, as_target(target), key, kept, facts)
    tell("stored" if is_stored else "run", key, target, facts.seconds)
    return iter(kept) if type(kept) is Materialised else kept


class Batch:
    """Results that were computed and wait to be stored; their turns are held until they are.

    >>> batch = Batch(0)
    >>> batch.once({}, ("a", "tag", "f"), lambda: 6, {}), batch.is_waiting
    (6, False)

    See also: :func:`together`, which makes and closes one.
    """

    def __init__(self, seen: int) -> None:
        self.seen = seen
        self.outer = computing.get()
        self.places: set[Hashable] = set()
        self.waiting: list[Pending] = []
        self.since = 0.0
        self.size = 0  # of what waits
        self.turn: Turn | None = None  # what is computed now
        self.is_over = False

    @property
    def is_waiting(self) -> bool:
        """Whether anything waits to be stored."""
        return bool(self.waiting)

    def once(self, target: Target, key: Key, compute: Callable[[], Any], made_from: Made) -> Any:
        """Compute a result that was looked for in vain; it is stored soon."""
        turn = Turn(target, key, made_from, self.seen)
        if turn.flight.place in self.places:
            self.flush()
            return recall(target, key, compute, made_from)
        self.places.add(turn.flight.place)
        self.turn = turn
        try:
            self._wait(turn)
            if turn.found() is MISSING:
                self._computed(turn, compute())
        except BaseException as error:
            turn.fail(error)
            raise
        if not self.waiting or self.waiting[-1][0] is not turn:
            turn.leave()
        self.turn = None
        if self.waiting and (
            len(self.waiting) >= _COUNT or self.size >= _BYTES or time.perf_counter() - self.since >= _SECONDS
        ):
            self.flush()
        return iter(turn.value) if type(turn.value) is Materialised else turn.value

    def _wait(self, turn: Turn) -> None:
        for wait in turn.waits():
            # Whoever waits holds nothing that somebody else may wait for.
            self.flush()
            turn.outer = self.outer
            if isinstance(wait, Flight):
                turn.circle = wait.wait()
            else:
                computing.set((*self.outer, turn.flight.place))
                time.sleep(wait)

    def _computed(self, turn: Turn, value: Any) -> None:
        if not turn.full.isolates:
            turn.keep(value)  # in memory: there is nothing to be saved by waiting
        elif (facts := turn.computed(value)) is not None:
            if not self.waiting:
                self.since = time.perf_counter() - facts.seconds
            self.waiting.append((turn, facts))
            self.size += size_about(turn.value.items if type(turn.value) is Materialised else turn.value)
        turn.start = 0.0  # what fails from now on is another

    def flush(self) -> None:
        """Store what waits, and let go of all of it, the last first, as one leaves rooms that lie in each other."""
        with ExitStack() as rooms:
            for turn, _ in self.waiting:
                rooms.callback(turn.leave)
            for some in _by_target(self.waiting):
                _store(some)
        self.waiting.clear()
        self.size = 0

    def close(self) -> None:
        """Store what waits, and let go of everything; to do it again completes it."""
        try:
            if self.turn is not None:
                self.turn.leave()
        finally:
            self.flush()
        self.is_over = True


def _by_target(waiting: Sequence[Pending]) -> Iterable[list[Pending]]:
    found: dict[int, list[Pending]] = {}
    for turn, facts in waiting:
        found.setdefault(id(turn.target), []).append((turn, facts))
    return found.values()


def _store(waiting: Sequence[Pending]) -> None:
    """Store what waits for one target."""
    start = time.perf_counter()
    target, full = waiting[0][0].target, waiting[0][0].full
    buffers: Noted = []
    token = noted.set(buffers)
    try:
        full.put_many([(turn.key, turn.value, facts) for turn, facts in waiting])
        check_steady(buffers)
        stored = [True] * len(waiting)
    except Exception:  # noqa: BLE001  one that cannot be stored must not take the others with it
        stored = [store(target, full, turn.key, turn.value, facts) for turn, facts in waiting]
    finally:
        noted.reset(token)
    clock.inner += time.perf_counter() - start
    for (turn, facts), is_stored in zip(waiting, stored) if watching.get() else ():
        turn.tell_stored(facts, is_stored)
