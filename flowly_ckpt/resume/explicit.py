"""The state of a loop as an object, and the shortest way to a loop that can be resumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any, Self, TypeVar

from ..errors import FlowlyError
from ..given import wrong
from ..typing import Target
from .checkpoint import Checkpoint
from .frames import caller

__all__ = ["State", "over", "state"]

T = TypeVar("T")
_OWN = frozenset(["sync", "save", "over", "forget"])
_loops: dict[str, tuple[CodeType, int]] = {}  # where the loop of each function stands that keeps its state by its name


class State:
    """Hold the values of a computation as attributes: the saved ones, where there are any.

    Leaving it as a context keeps the values; leaving it by an exception keeps what was kept last.

    :param checkpoint: where the values are kept.
    :param initial: the values of a first run.

    >>> kept = {}
    >>> with State(Checkpoint("count", target=kept), {"i": 0}) as s:
    ...     s.i += 1
    >>> State(Checkpoint("count", target=kept), {"i": 0}).i
    1

    See also: :func:`state`.
    """

    __slots__ = ("__dict__", "__weakref__", "_checkpoint")
    _checkpoint: Checkpoint

    def __init__(self, checkpoint: Checkpoint, initial: dict[str, Any]) -> None:
        object.__setattr__(self, "_checkpoint", checkpoint)
        for name, value in {**initial, **(checkpoint.take() or {})}.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            raise AttributeError(f"{name!r} is a method of the state; choose another name for the value")
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the state has no value {name!r}; it has {', '.join(vars(self)) or 'none'}")

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def save(self) -> None:
        """Keep the values, and the states of the random number generators, as they are now."""
        self._checkpoint.put(dict(vars(self)))

    def sync(self) -> bool:
        """Save if the checkpoint's ``rate`` seconds have passed since the last save; return whether it did."""
        due = self._checkpoint.is_due()
        if due:
            self.save()
        return due

    def over(self, iterable: Iterable[T]) -> Iterator[T]:
        """Yield the items of a loop that the last run had not done; sync after each, save after the last."""
        return self._checkpoint._over(iterable, self.sync, self.save)

    def forget(self) -> None:
        """Remove what was kept; the values stay as they are."""
        self._checkpoint.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self.save()


def state(checkpoint: str | Checkpoint, /, *, target: Target | None = None, **initial: Any) -> State:
    """Return the values of a computation as an object: the saved ones, or the initial ones in a first run.

    :param checkpoint: the name it is kept by, or a checkpoint with options of its own.
    :param target: any mutable mapping in which to keep the values, instead of a file.
    :param initial: the values of a first run.
    :raises TypeError: when the target is not a mutable mapping, or given besides a checkpoint that has its own.

    >>> kept = {}
    >>> with state("primes", target=kept, i=0, primes=[2]) as s:
    ...     s.primes.append(3)
    >>> state("primes", target=kept, i=0, primes=[2])
    State(i=0, primes=[2, 3])

    See also: :class:`Checkpoint`, which keeps the local variables themselves.
    """
    return State(_made(checkpoint, {} if target is None else {"target": target}), initial)


def over(iterable: Iterable[T], checkpoint: str | Checkpoint | None = None, /, **options: Any) -> Iterator[T]:
    """Loop over items so that an interrupted run continues where it stopped, with its local variables.

    Set the variables before the loop. A loop that comes to its end leaves nothing behind: the next run starts over.

    :param checkpoint: the name it is kept by, by default the function's; or a checkpoint with options of its own.
    :param options: those of :class:`Checkpoint`, such as ``rate`` and ``target``.
    :raises FlowlyError: for a second loop in one function, when neither has a name.
    :raises ChangedError: when the items that were done have changed, which plain items show.
    :raises TypeError: for options given besides a checkpoint, and for what cannot be looped over.

    >>> def total(items):
    ...     total = 0
    ...     for item in over(items, "total", target={}):
    ...         total += item
    ...     return total
    >>> total([1, 2, 3])
    6

    See also: :meth:`Checkpoint.over`, for several loops, or one within another.
    """
    if not any(hasattr(type(iterable), way) for way in ("__iter__", "__getitem__")):
        raise wrong("iterable", "something to loop over", iterable)
    if checkpoint is None:
        _refuse_second_loop()
    made = _made(checkpoint, options)
    made.restore()
    return _until_done(made, iterable)


def _made(checkpoint: str | Checkpoint | None, options: dict[str, Any]) -> Checkpoint:
    if not isinstance(checkpoint, Checkpoint):
        return Checkpoint(checkpoint, **options)
    if options:
        raise TypeError(f"{', '.join(options)} must be given to Checkpoint(…) itself, where one is passed")
    return checkpoint


def _until_done(checkpoint: Checkpoint, iterable: Iterable[T]) -> Iterator[T]:
    yield from checkpoint._over(iterable, checkpoint.sync, checkpoint.forget)


def _refuse_second_loop() -> None:
    frame = caller()
    name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"
    code, position = _loops.setdefault(name, (frame.f_code, frame.f_lasti))
    if code is frame.f_code and position != frame.f_lasti:
        text = f"{name} has two loops over the same saved state; name them, resume.over(items, 'name'), "
        raise FlowlyError(f"{text}or make one checkpoint = Checkpoint() and use checkpoint.over(items) in both")
    _loops[name] = (frame.f_code, frame.f_lasti)
