"""The pass that places checkpoints by itself, where what was measured says that keeping a result pays."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..checkpoint import add_checkpoints, checkpoint
from ..given import seconds
from ..hashing import functional_hash
from ..pipelines import chained, name_of, role, walk
from ..pipelines.bases import Around
from ..pipelines.strategies import fold, joined
from ..pipelines.term import with_children
from ..plan import Forecast
from ..targets.protocol import as_target, checked
from ..targets.wrappers import Wrapper
from ..typing import Age, Facts, Key, Rewrite, Target, Transform
from ..wording import duration

__all__ = ["Learnt", "auto_checkpoints"]

TAG = "auto_checkpoints"  # of what is learnt


class Learnt(NamedTuple):
    """What runs have shown of a step: the seconds that it took, and those to store and to restore its result.

    >>> Learnt(3.0, 0.1, 0.1).pays(1.0), Learnt(3.0, 2.5, 1.0).pays(1.0)
    (True, False)
    """

    seconds: float
    store: float = 0.0
    restore: float = 0.0

    def pays(self, min_seconds: float, before: float = 0.0) -> bool:
        """Return whether keeping the result saves time.

        :param before: the seconds of the steps before it that are not kept.
        """
        seconds = before + self.seconds
        return seconds >= min_seconds and seconds > self.store + self.restore


class _Books:
    """What is learnt about steps, by the hash of their code; kept in the target beside the results."""

    def __init__(self, target: Target, min_seconds: float, codes: Sequence[str] = ()) -> None:
        self.target = target
        self.min_seconds = min_seconds
        found = as_target(target).get_many([_key(code) for code in codes]).items()
        self.known = {key[0]: Learnt(*value) for key, value in found if _is_sound(value)}

    def learn(self, code: str, learnt: Learnt) -> None:
        self.known[code] = learnt
        as_target(self.target).put(_key(code), list(learnt), Facts(0.0))


def _key(code: str) -> Key:
    return (code, TAG, "")


def _is_sound(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(type(each) is float for each in value)


class _Judged(Wrapper):
    """Store a result if what it took, and what storing it takes, say that this pays; learn from it in any case."""

    def __init__(self, books: _Books, code: str, before: float = 0.0) -> None:
        super().__init__(books.target)
        self.books, self.code, self.before = books, code, before

    @property
    def choice(self) -> str:
        """What will be done with the result, and why, for the plan."""
        learnt, limit = self.books.known.get(self.code), duration(self.books.min_seconds)
        if learnt is None:
            return f"kept if it takes {limit} or more"
        return f"kept, as it took {duration(self.before + learnt.seconds)}"

    def __getitem__(self, key: Key) -> Any:
        start = time.perf_counter()
        value = super().__getitem__(key)
        learnt = self.books.known.get(self.code)
        if learnt is not None and not learnt.restore:
            self.books.learn(self.code, learnt._replace(restore=time.perf_counter() - start))
        return value

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        own = max(facts.seconds - self.before, 0.0)
        learnt = Learnt(own)
        if learnt.pays(self.books.min_seconds, self.before):
            start = time.perf_counter()
            super().put(key, value, facts)
            learnt = Learnt(own, time.perf_counter() - start)
            if not learnt.pays(self.books.min_seconds, self.before):
                self.full._removed(key)
        self.books.learn(self.code, learnt)


class _unkept(Around):
    """Apply a step whose result is not worth keeping, and notice when that changes."""

    __slots__ = ("books", "code")

    def __init__(self, books: _Books, code: str, transform: Transform) -> None:
        self.books, self.code, self.transform = books, code, transform

    def __call__(self, obj: Any) -> Any:
        start = time.perf_counter()
        result = self.transform(obj)
        seconds = time.perf_counter() - start
        learnt = self.books.known[self.code]
        if seconds >= self.books.min_seconds and seconds > learnt.seconds:
            self.books.learn(self.code, learnt._replace(seconds=seconds))
        return result

    def __flowly_forecast__(self, obj: Any) -> Iterator[Forecast]:
        learnt = self.books.known[self.code]
        kept, ran = duration(learnt.store + learnt.restore), duration(learnt.seconds)
        if learnt.seconds >= self.books.min_seconds:
            why = f"not kept, as storing and restoring it takes {kept} and running it {ran}"
        else:
            why = f"not kept, as it took {ran}"
        yield Forecast((name_of(self.transform),), "run", None, why)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.books, self.code)

    def _head(self) -> tuple[Any, ...]:
        return (self.code,)


def auto_checkpoints(target: Target, *, min_seconds: Age = 1.0) -> Rewrite:
    """Return a pass that places checkpoints after the steps whose results are worth keeping.

    ``auto_checkpoints(t)(s)(x) == s(x)``

    The first run keeps the result of each step that took ``min_seconds`` or more, and longer than storing it. What is
    learnt of each step is kept in the target, under the tag ``auto_checkpoints``: later runs place checkpoints only
    where they pay, after several short steps too if these take ``min_seconds`` together. ``plan`` shows the choice.
    Marks that are there are used as they are.

    :param target: where results are kept: any mutable mapping.
    :param min_seconds: how long a step must take for its result to be kept; also a timedelta, or ``"1min"``.
    :raises TypeError: when the target is not a mutable mapping.
    :raises ValueError: for a negative number of seconds.

    >>> from flowly_ckpt import apply
    >>> from flowly_ckpt.plan import plan
    >>> passes = [auto_checkpoints({}, min_seconds=10)]
    >>> apply(chained(sorted, sum), [3, 1, 2], passes)
    6
    >>> apply(chained(sorted), [3, 1, 2], passes, plan)[0].why[:20]
    'not kept, as it took'

    See also: :func:`flowly_ckpt.add_checkpoints`.
    """
    checked(target)
    min_seconds = seconds("min_seconds", min_seconds)

    def rewrite(transform: Transform) -> Transform:
        hasher = as_target(target).hasher
        codes = {id(term): functional_hash(term, hasher=hasher) for term in walk(transform) if role(term) == "leaf"}
        books = _Books(target, min_seconds, [*dict.fromkeys(codes.values())])

        def place(term: Transform, old: Sequence[Transform], new: Sequence[Transform]) -> Transform:
            if role(term) == "sequential":
                return with_children(term, old, list(_marked(new, books, codes)))
            return with_children(term, old, [_as_chain(part, books, codes) for part in new])

        return add_checkpoints(_as_chain(fold(lambda leaf: leaf, place, transform, joined), books, codes))

    return rewrite


def _as_chain(term: Transform, books: _Books, codes: dict[int, str]) -> Transform:
    return chained(*_marked([term], books, codes)) if role(term) == "leaf" else term


def _marked(steps: Sequence[Transform], books: _Books, codes: dict[int, str]) -> Iterator[Transform]:
    """Yield the steps of a chain with marks after those whose results are worth keeping."""
    before = 0.0
    for at, step in enumerate(steps):
        is_kept = at + 1 < len(steps) and role(steps[at + 1]) == "mark"
        if role(step) != "leaf" or is_kept:
            before = 0.0
            yield step
            continue
        code = codes[id(step)]
        learnt = books.known.get(code)
        if learnt is None or learnt.pays(books.min_seconds, before):
            yield step
            yield checkpoint(_Judged(books, code, before), name_of(step).rpartition("<locals>.")[2])
            before = 0.0
        else:
            before += learnt.seconds
            yield _unkept(books, code, step)
