"""What a run's keys were made from, and whether it is still so when the run is over.

A result is filed under what its input and its code were before it was computed. A step that changes either while it
runs has another key the next time: its result is right where it is, but is not looked for there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType
from typing import Any

from ..errors import MutationWarning, UnhashableError, warn
from ..hashing.changes import Way, is_changed, way_to_change
from ..hashing.digests import digest, prefixes
from ..hashing.kept import Keeper, Knowing
from ..hashing.plain import ATOMS
from ..hashing.walk import Walk
from ..once import warn_once
from ..pipelines import name_of
from ..targets.mutation import IMMUTABLE
from ..typing import Transform

__all__ = ["Hashed", "is_quick", "warn_of_arguments", "warn_of_changes", "watching_steps"]

_QUICK = 0.1  # seconds that it may take to hash the input, or the steps, once more
_SHARE = 0.1  # of what it took to compute the result: what takes more than either is not done a second time
_MEMBERS = 100  # of a dict

Hasher = Callable[[], Any]
_costly: dict[tuple[str, str], float] = {}  # how many seconds that took, by what was hashed and the code it is for


class Hashed:
    """Hash an object and all prefixes of some steps, each once, and know later what they were.

    ``obj`` is the hash of the object, ``steps`` lists those of the steps up to each of them.

    :raises UnhashableError: when one of them cannot be hashed.

    >>> from flowly_ckpt import functional_hash
    >>> found = Hashed([1], [abs], Keeper())
    >>> found.obj == functional_hash([1]), found.steps == [functional_hash(abs)]
    (True, True)

    See also: :func:`warn_of_changes`.
    """

    __slots__ = ("_beside", "end", "members", "obj", "steps", "walk")

    def __init__(self, obj: Any, steps: Sequence[Transform], keeper: Keeper) -> None:
        first = self.walk = keeper.walk()
        self._hash(obj)
        known = first.origin.hashes_of(steps) if type(first) is Knowing else None
        if known is not None:
            self.steps = known
        else:
            self.walk, self.steps = prefixes(first, steps, keeper.walk)  # kept, unlike that of the object
            keeper.learn(self.walk)
            if type(self.walk) is Knowing:
                self.walk.origin.note(steps, self.steps)

    def _hash(self, obj: Any) -> None:
        # Atoms leave nothing in a walk, so they need none of their own.
        walk = self.walk if type(obj) in ATOMS else self.walk.beside()
        self._beside: Walk | None = walk
        self.obj = digest(walk, obj)
        self.members = _members(walk, obj) if type(obj) is dict else {}
        self.end = time.perf_counter()

    def of(self, obj: Any) -> Hashed | None:
        """Hash another object for the same steps, before any of them has run; None where that is not sure to be so."""
        if type(self.walk) is not Knowing:
            return None
        other = object.__new__(Hashed)
        other.walk, other.steps = self.walk, self.steps
        other._hash(obj)
        return other

    def code_is_whole(self) -> bool:
        """Return whether it is known that the steps lead to the objects that they led to, whose data may be others."""
        return type(self.walk) is Knowing and self.walk.origin.places.is_whole()

    def code_holds(self) -> bool:
        """Return whether it is known, without hashing the steps once more, that they are as they were."""
        return type(self.walk) is Knowing and self.walk.origin.holds()

    def let_go(self) -> Walk:
        """Return the walk that has hashed the object, which may be large, and do not keep it longer."""
        walk, self._beside = self._beside, None
        return walk or self.walk.beside()


def warn_of_changes(before: Hashed, obj: Any, steps: Sequence[Transform], hasher: Hasher | None) -> bool:
    """Warn, once for each, of what was changed while the steps ran on the object.

    :return: whether the result is of what the key says. It is not where code was redefined meanwhile, as by a cell of
        a notebook while another thread runs; what a step changes itself, it changes again from the same beginning.

    >>> from flowly_ckpt import with_checkpoint, checkpoint
    >>> import warnings
    >>> seen = []
    >>> def step(x): return seen.append(x)
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     with_checkpoint(checkpoint({}), step)(1)
    >>> print(str(caught[0].message).partition(",")[0])
    running 'step' changed global 'seen'
    """
    if type(before.walk) is Knowing:  # what changes its own key each time is not known
        return before.code_is_whole() or _look_at_steps(before, steps, hasher)
    spent, code, is_of_key = time.perf_counter() - before.end, "".join(before.steps[-1:]), True
    if _is_cheap("steps", code, spent):
        start = time.perf_counter()
        is_of_key = _look_at_steps(before, steps, hasher)
        _note("steps", code, time.perf_counter() - start)
    if type(obj) not in IMMUTABLE and _is_cheap("input", code, spent):
        start = time.perf_counter()
        _look_at_input(before, obj, steps, hasher)
        _note("input", code, time.perf_counter() - start)
    return is_of_key


@contextmanager
def watching_steps(*steps: Transform, is_kept: bool = True) -> Iterator[list[Transform]]:
    """Warn of what steps change of their own code in a block; of steps that cannot be hashed nothing is known.

    What it yields holds the steps afterwards if the result is not of their code, as this was redefined meanwhile.

    :param is_kept: whether the result stays where it is even so.

    >>> import warnings
    >>> met = []
    >>> def note(x): return met.append(x)
    >>> with warnings.catch_warnings(record=True, action="always") as caught, watching_steps(note):
    ...     note(1)
    >>> len(caught)
    1
    """
    try:
        before = Hashed(None, steps, Keeper())
    except (UnhashableError, RecursionError):
        yield []
        return
    misfiled: list[Transform] = []
    yield misfiled
    spent, code = time.perf_counter() - before.end, before.steps[-1]
    if _is_cheap("steps", code, spent):
        start = time.perf_counter()
        if not _look_at_steps(before, steps, None, is_kept):
            misfiled.extend(steps)
        _note("steps", code, time.perf_counter() - start)


def warn_of_arguments(name: str, places: Sequence[int | str]) -> None:
    """Warn of arguments that a call changed, by position or name: one that finds its result would not do so.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     warn_of_arguments("add", [0, "rows"])
    >>> print(str(caught[0].message).partition(";")[0])
    add changed its argument 1, 'rows' in place
    """
    if places:
        shown = ", ".join([repr(place) if isinstance(place, str) else str(place + 1) for place in places])
        text = f"{name} changed its argument {shown} in place; a call answered from the checkpoint will not do so"
        warn(f"{text}: return the changed object instead", MutationWarning)


def is_quick(seconds: float, spent: float) -> bool:
    """Return whether to hash something once more costs little beside what it took to compute a result.

    >>> is_quick(0.01, 0.0), is_quick(2.0, 5.0), is_quick(2.0, 60.0)
    (True, False, True)
    """
    return seconds < _QUICK or seconds < _SHARE * spent


def _is_cheap(what: str, code: str, spent: float) -> bool:
    """Return whether to hash something again costs little, as far as is known from the last time."""
    return is_quick(_costly.get((what, code), -1.0), spent)


def _note(what: str, code: str, seconds: float) -> None:
    if seconds >= _QUICK:
        _costly[what, code] = seconds


def _look_at_steps(before: Hashed, steps: Sequence[Transform], hasher: Hasher | None, is_kept: bool = False) -> bool:
    now, is_of_key = Walk(hasher), True
    for step in steps:
        try:
            way = way_to_change(before.walk, now, step) if is_changed(before.walk, now, step) else None
        except Exception as error:  # noqa: BLE001  whatever it is, the result is there and must not be lost
            message = f"running {_names(steps)} left {name_of(step)!r} so that the next run will fail: {error}"
            warn_once(MutationWarning, message, message)
        else:
            if way is not None:
                is_of_key = is_of_key and not way.redefined
                _warn(step, way, steps, is_kept)
    return is_of_key


def _look_at_input(before: Hashed, obj: Any, steps: Sequence[Transform], hasher: Hasher | None) -> None:
    changed = _changed_in(obj, before, hasher)
    if changed is not None:
        message = f"running {_names(steps)} changed its {changed} in place"
        message += ", which a run that restores the result will not do: let it change a copy, and return that"
        warn_once(MutationWarning, message, message)


def _changed_in(obj: Any, before: Hashed, hasher: Hasher | None) -> str | None:
    """Say what of an input has changed; None where nothing has."""
    now = Walk(hasher)
    try:
        if digest(now, obj) == before.obj:
            return None
    except Exception:  # noqa: BLE001  it could be hashed before; a file may be gone
        return "input"
    after = _members(now, obj) if before.members else {}
    names = [repr(name) for name, encoding in before.members.items() if after.get(name) != encoding]
    return f"input {', '.join(names)}".rstrip()


def _members(walk: Walk, obj: Any) -> dict[Any, Any]:
    return {name: walk.memo.get(id(value)) for name, value in obj.items()} if len(obj) <= _MEMBERS else {}


def _advice(step: Transform, way: Sequence[str]) -> str:
    """Return the way out for the last name on the way from a step that has one."""
    for name in reversed(way):
        kind, _, rest = name.partition(" ")
        word = rest.strip("'").partition(".")[0]
        if kind in ("global", "closure"):
            return f"@ignore_globals({word!r}) where it has no part in the result"
        if kind == "default":
            return f"{word}=None, and make it in the body"
    attribute = next((name for name in way if name.startswith(".")), None)
    if attribute is not None and isinstance(step, FunctionType):
        return f"keep what {attribute} holds in a global, and leave that out with @ignore_globals"
    if attribute is not None:
        return f"leave {attribute} out by a __flowly_hash__ or __reduce__ where it has no part in the result"
    return "let it change a copy, and return that"


def _names(steps: Sequence[Transform]) -> str:
    """Name the steps that may change things: those that are not Python's own."""
    able = [step for step in steps if not isinstance(step, BuiltinFunctionType | type)]
    return repr(", ".join(map(name_of, able or steps)))


def _warn(step: Transform, way: Way, steps: Sequence[Transform], is_kept: bool) -> None:
    what, names = " → ".join(way.names) or ("its code" if way.redefined else "itself"), _names(steps)
    if way.redefined:
        end = "is kept: remove it" if is_kept else "is not kept"
        message = f"{what} was redefined while {name_of(step)!r} ran; the result, of which code is unclear, {end}"
        warn_once(MutationWarning, message, message)
        return
    if names != repr(name_of(step)):
        what += f" of {name_of(step)!r}"
    message = f"running {names} changed {what}, so its result will not be found again"
    warn_once(MutationWarning, message, f"{message}: {_advice(step, way.names)}")
