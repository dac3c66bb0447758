"""The one place where a result is looked up or stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from ..errors import MutationWarning, StoreWarning, warn
from ..events import clock, tell, watching
from ..logs import DEBUG, INFO, heard
from ..typing import Facts, Key, Target
from .claims import UNCLAIMED, Claim
from .materialise import Materialised, UnstorableError, materialise
from .mutation import forget, is_intact, watch
from .protocol import BaseTarget, as_target, described
from .single_flight import MISSING, Flight, board, landings_elsewhere, share
from .steady import Noted, check_steady, noted
from .waiting import computing, warn_of_circle

__all__ = ["MISSING", "Turn", "compute_once", "holds", "lookup", "recall", "recall_async", "restore", "store"]

Made = dict[str, Any] | Callable[[], dict[str, Any]] | None


def lookup(target: Target, key: Key) -> Any:
    """Return the stored value, or ``MISSING``; a value that was changed in place counts as missing.

    >>> lookup({("object", "tag", "transform"): 6}, ("object", "tag", "transform"))
    6
    >>> lookup({}, ("object", "tag", "transform")) is MISSING
    True

    See also: :func:`recall`.
    """
    value = _look(target, key)
    return iter(value) if type(value) is Materialised else value


def _look(target: Target, key: Key) -> Any:
    try:
        value = target[key]
        intact = as_target(target).isolates or is_intact(target, key, value)
    except KeyError:
        return MISSING
    except Exception as error:  # noqa: BLE001  whatever is wrong with the entry, it can be computed again
        warn(f"{described(target)} could not restore {key[1]!r}, computing it again: {_text(error)}", StoreWarning)
        return MISSING
    if not intact:
        _drop(target, key)
        warn(f"the value stored at {key[1]!r} was changed in place, computing it again (key {key})", MutationWarning)
        return MISSING
    if log := heard(INFO):
        log.info("restore object at %r (key %s)", key[1], key)
    return value


def holds(target: Target, key: Key) -> bool:
    """Return whether a value is stored that :func:`lookup` would look at; where values are copies, none is loaded.

    >>> holds({("object", "tag", "transform"): 6}, ("object", "tag", "transform"))
    True
    """
    if not as_target(target).isolates:
        return lookup(target, key) is not MISSING
    try:
        return key in target
    except Exception as error:  # noqa: BLE001  whatever is wrong with the target, the value can be computed
        warn(f"{described(target)} could not be asked for {key[1]!r}: {_text(error)}", StoreWarning)
        return False


def restore(target: Target, key: Key) -> Any:
    """Return the stored value and report that it was restored, or ``MISSING``.

    ``restore(t, k) is lookup(t, k)``

    >>> restore({("object", "tag", "transform"): 6}, ("object", "tag", "transform"))
    6
    """
    if not watching.get():
        return lookup(target, key)
    start = time.perf_counter()
    value = lookup(target, key)
    if value is not MISSING:
        seconds = time.perf_counter() - start
        clock.inner += seconds
        tell("restored", key, target, seconds)
    return value


def recall(target: Target, key: Key, compute: Callable[[], Any], made_from: Made = None) -> Any:
    """Return the stored value, or compute and store it; one computes, the others wait for it.

    ``recall(t, k, f) == f()``, and ``f`` runs once however often that is asked

    Nothing is stored when ``compute`` raises, or when the target does: then the value is returned anyway,
    with a warning that names the target. The items of an iterator are stored, and each hit returns a new one. A value
    that cannot be stored because its first reader uses it up, an open file say, is computed for each caller.

    :param target: where results are kept, any mutable mapping.
    :param key: three strings: hash of the object, tag, hash of the transform.
    :param compute: gives the value; whatever it raises passes unchanged.
    :param made_from: the digests the key was made from, by name, for targets that keep such facts and to say why it
        is computed; or a function that returns them, called only then.

    >>> target = {}
    >>> recall(target, ("object", "tag", "transform"), lambda: 6)
    6
    >>> recall(target, ("object", "tag", "transform"), lambda: 1 / 0)
    6

    See also: :func:`lookup`, :func:`recall_async`, :func:`flowly_ckpt.checkpoint.with_checkpoint`.
    """
    seen = landings_elsewhere()
    value = restore(target, key)
    return compute_once(target, key, compute, made_from, seen) if value is MISSING else value


def compute_once(target: Target, key: Key, compute: Callable[[], Any], made_from: Made, seen: int) -> Any:
    """Compute and store what was looked for in vain, unless somebody else does or has done so since.

    :param seen: what :func:`~flowly_ckpt.targets.single_flight.landings_elsewhere` gave before the look.

    >>> compute_once({}, ("object", "tag", "transform"), lambda: 6, None, landings_elsewhere())
    6
    """
    turn = Turn(target, key, made_from, seen)
    try:
        for wait in turn.waits():
            if isinstance(wait, Flight):
                turn.circle = wait.wait()
            else:
                time.sleep(wait)
        if turn.found() is MISSING:
            turn.keep(compute())
        return iter(turn.value) if type(turn.value) is Materialised else turn.value
    except BaseException as error:
        turn.fail(error)
        raise
    finally:
        try:
            turn.leave()
        finally:
            if not turn.is_over:  # an interrupt came while it was left
                turn.leave()


async def recall_async(
    target: Target, key: Key, compute: Callable[[], Coroutine[Any, Any, Any]], made_from: Made = None
) -> Any:
    """Return the stored value, or await and store it: :func:`recall` for what is awaited.

    Tasks that ask for the same key share one computation, with threads and with other processes too. A task that is
    cancelled does not disturb the others; the computation is cancelled with the last one that waits for it.

    >>> import asyncio
    >>> async def six():
    ...     return 6
    >>> asyncio.run(recall_async({}, ("object", "tag", "transform"), six))
    6

    See also: :func:`recall`.
    """
    import asyncio

    async def once() -> Turn:
        turn = Turn(target, key, made_from, seen)
        turn.is_awaited = True
        try:
            for wait in turn.waits():
                if isinstance(wait, Flight):
                    turn.circle = await wait.wait_async()
                else:
                    await asyncio.sleep(wait)
            if turn.found() is MISSING:
                turn.keep(await compute())
            return turn
        except BaseException as error:
            turn.fail(error)
            raise
        finally:
            try:
                turn.leave()
            finally:
                if not turn.is_over:
                    turn.leave()

    full = as_target(target)
    while True:
        seen = landings_elsewhere()
        value = restore(target, key)
        if value is not MISSING:
            return value
        turn, is_mine = await share((full.place, key), once)
        if is_mine or turn.is_for_all:
            break
    if full.isolates and not is_mine:
        value = restore(target, key)  # a copy of its own
        if value is not MISSING:
            return value
    if not is_mine:
        tell("restored", key, target)
    return iter(turn.value) if type(turn.value) is Materialised else turn.value


class Turn:
    """One computation's turn: after the flights of other threads, and the claims of other processes.

    >>> turn = Turn({}, ("object", "tag", "transform"), None, landings_elsewhere())
    >>> list(turn.waits()), turn.found(), turn.keep(6), turn.leave(), turn.target
    ([], MISSING, None, None, {('object', 'tag', 'transform'): 6})
    """

    def __init__(self, target: Target, key: Key, made_from: Made, seen: int) -> None:
        self.target = target
        self.key = key
        self.made = made_from
        self.made_from: dict[str, Any] = {}
        self.seen = seen
        full = as_target(target)
        self.full = full
        self.flight = Flight((full.place, key))
        self.outer = computing.get()
        self.value: Any = MISSING
        self.is_for_all = True  # whether those who wait get the value too
        self.is_awaited = False  # by a task
        self.error: Exception | None = None
        self.other: Flight | None = None
        self.circle: Any = None  # what of this context's own the other flight waits for
        self.claim: Claim = UNCLAIMED
        self.is_over = False
        self.start = 0.0

    def waits(self) -> Iterator[Flight | float]:
        """Yield the flights of others, and seconds, to wait for; at the end it is this one's turn, or has been done."""
        flight = self.flight
        if flight.place in self.outer:
            return  # a computation that asks for itself
        while (other := board(flight)) is not flight:
            if other.thread == flight.thread:
                return
            yield other
            if not other.is_over:
                warn_of_circle(self.key, self.circle[1])
                return
            self.value, self.other = _look(self.target, self.key), other
            if self.value is not MISSING or other.is_decided:
                return
        computing.set((*self.outer, flight.place))
        self.claim, self.other = self.full.claim(self.key), None
        if self.is_awaited and self.claim.is_shared:
            self.claim.is_awaited = True
        yield from self.claim.waits()
        if self.claim.is_shared or landings_elsewhere() != self.seen:
            self.value = _look(self.target, self.key)  # somebody may have stored it meanwhile

    def found(self) -> Any:
        """Return what was found or what somebody else got, else MISSING, and let the clock run."""
        if self.value is MISSING and self.other is not None:
            self.value = self.other.outcome()
        if self.value is MISSING:
            self.made_from = self.made() if callable(self.made) else self.made or {}
            if log := heard(INFO):
                from .reasons import reason

                why = reason(self.full, self.key, self.made_from)
                log.info("compute, then store object at %r (key %s): %s", self.key[1], self.key, why)
            tell("start", self.key, self.target)
            self.start = time.perf_counter()
        else:
            tell("restored", self.key, self.target)
        return self.value

    def keep(self, value: Any) -> None:
        """Store what was computed."""
        facts = self.computed(value)
        if facts is not None:
            is_stored = store(self.target, self.full, self.key, self.value, facts)
            clock.inner += time.perf_counter() - self.start - facts.seconds
            if watching.get():
                self.tell_stored(facts, is_stored)
        self.start = 0.0

    def computed(self, value: Any) -> Facts | None:
        """Take what was computed; return the facts to store it with, or None where it cannot be stored."""
        seconds = time.perf_counter() - self.start
        try:
            self.value = materialise(value)
        except UnstorableError as error:
            self.value, self.is_for_all = value, False  # it is spent by its first reader
            warn(f"the result at {self.key[1]!r} is not stored: {error}", StoreWarning)
            tell("run", self.key, self.target, seconds)
            return None
        return Facts(seconds, self.made_from)

    def tell_stored(self, facts: Facts, is_stored: bool) -> None:
        """Report that it was computed, and whether it is stored."""
        kept = is_stored and self.key in self.target  # a target may choose not to keep it
        tell("stored" if kept else "run", self.key, self.target, facts.seconds)

    def fail(self, error: BaseException) -> None:
        """Note what came instead of a value; an interrupt is nothing that others should get."""
        if isinstance(error, Exception):
            self.error = error
        if self.start:
            tell("failed", self.key, self.target, time.perf_counter() - self.start, error)

    def leave(self) -> None:
        """Release whatever is held; where an interrupt comes in between, once more does the rest."""
        try:
            self.claim.release()
        finally:
            computing.set(self.outer)
            self.flight.land(self.value if self.is_for_all else MISSING, self.error)
        self.is_over = True


def store(target: Target, full: BaseTarget, key: Key, value: Any, facts: Facts) -> bool:
    """Store a value, and return whether it is; where that fails, warn and leave no entry behind.

    >>> target = {}
    >>> store(target, as_target(target), ("object", "tag", "transform"), 6, Facts(0.5)), len(target)
    (True, 1)
    """
    buffers: Noted = []
    token = noted.set(buffers)
    try:
        full.put(key, value, facts)
        if not full.isolates:
            watch(target, key, value)
        if buffers:
            check_steady(buffers)
        return True
    except Exception as error:  # noqa: BLE001  whatever a target raises, the computed value must not be lost
        _drop(target, key)
        warn(f"{described(target)} did not store the result at {key[1]!r}: {_text(error)}", StoreWarning)
        return False
    finally:
        noted.reset(token)


def _drop(target: Target, key: Key) -> None:
    """Leave no entry behind that was changed, or put before something about it failed."""
    try:
        del target[key]
    except Exception:  # noqa: BLE001  a target that could not store need not be able to delete
        if log := heard(DEBUG):
            log.debug("nothing removed at %r", key[1])
    else:
        forget(target, key)  # what cannot be removed stays known as changed


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
