"""The saved state of a running function: its variables, its loops, its random numbers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Literal, TypeVar

from ..given import function, optional, seconds, switch, wrong
from ..pipelines.names import module_name
from ..targets.protocol import checked
from ..typing import Age, Target
from .frames import assign, caller, find, owner_of, variables
from .loops import Loops
from .randomness import capture, reinstate
from .storing import EXTENSION, Place, folder_of_states, is_data

__all__ = ["Checkpoint", "NullCheckpoint"]

T = TypeVar("T")
MaxAge = Age | None | Literal["CACHE_EXPIRE"]


class Checkpoint:
    """Save the state of the function that makes it, its local variables, so that its next run continues from there.

    Make it at the start of a function. After the variables have their first values, :meth:`restore` replaces them by
    the saved ones; :meth:`sync` and :meth:`save` keep them. Arguments are neither kept nor replaced. The global random
    number generators (``random``, and where loaded ``numpy.random`` and ``torch``) continue as if the run had not been
    interrupted: making the checkpoint sets them to where they were at the first, :meth:`restore` to the last save.

    What can be pickled is kept, except functions, classes, modules, generators, open files, and names that begin or end
    with ``_``. Several runs of one function at a time share one state: the last save counts.

    :param filename: a name, for ``<folder>/<name>.pzip``, or a path; by default the function's name.
    :param clean: start over, whatever is saved; the saved state stays until the first save.
    :param rate: seconds that must have passed since the last save before :meth:`sync` saves again.
    :param max_age: seconds after which a saved state no longer counts (it stays until the first save); None for never.
    :param folder: where states lie, instead of ``.checkpoints`` in the working directory.
    :param target: any mutable mapping in which to keep the state, instead of a file.
    :param clock: returns the seconds by which ``rate`` is measured.
    :raises TypeError: when the target is not a mutable mapping.

    >>> kept = {}
    >>> def count(n):
    ...     checkpoint = Checkpoint("count", target=kept)
    ...     done = 0
    ...     checkpoint.restore()
    ...     while n > 0:
    ...         done, n = done + 1, n - 1
    ...     checkpoint.save()
    ...     return done
    >>> count(10), count(5)
    (10, 15)

    See also: :func:`flowly_ckpt.resume.over`, the shortest form; :func:`flowly_ckpt.resume.state`, which touches
    no variables; :class:`flowly_ckpt.calls.Checkpoint` is another thing, where results of cached calls are kept.
    """

    CACHE_EXPIRE: ClassVar[float | None] = 86_400.0
    folder: str | os.PathLike[str] = ".checkpoints"
    ext: ClassVar[str] = EXTENSION

    def __init__(
        self,
        filename: str | os.PathLike[str] | None = None,
        clean: bool = False,
        rate: Age = 30.0,
        *,
        max_age: MaxAge = "CACHE_EXPIRE",
        folder: str | os.PathLike[str] | None = None,
        target: Target | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        frame = caller(self)
        self._owner = owner_of(frame)
        self.name = _name_of(self._owner.code.co_qualname, frame.f_globals)
        self.rate = seconds("rate", rate)
        if folder is not None and target is not None:
            raise TypeError("Checkpoint: folder and target are both places for the state; give only one of them")
        self.folder = self.folder if folder is None else folder
        self.extra: dict[str, Any] = {}
        age = self.CACHE_EXPIRE if max_age == "CACHE_EXPIRE" else max_age
        self._place = self._placed(filename, optional(seconds, "max_age", age), target)
        self._clock = function("clock", clock)
        self._loaded = None if switch("clean", clean) else self._place.load()
        self._begin()

    def _begin(self) -> None:
        loaded, self._modified = self._loaded, self._clock()
        self._loops = Loops({} if loaded is None else loaded["loops"])
        if loaded is None:
            self._initial = capture()
        else:
            self._initial = loaded["random_initial"]
            self._modified -= max(0.0, time.time() - loaded["saved_at"])
            reinstate(self._initial)

    def _placed(self, filename: str | os.PathLike[str] | None, max_age: float | None, target: Target | None) -> Place:
        if not isinstance(filename, str | os.PathLike | None):
            raise wrong("filename", "a name or a path", filename)
        given = "" if filename is None else os.path.expandvars(os.path.expanduser(os.fspath(filename)))
        where, name = os.path.split(given.removesuffix(self.ext))
        key = (name, "resume", "" if name else self.name)
        if target is not None:
            key = (given, "resume", "") if where else key
            self.filename = "".join(key[::2])
            return Place(checked(target), key, max_age, set())
        files = folder_of_states(where or self.folder, max_age, self.ext)
        self.filename = files.path(key)
        return Place(files, key, None, set())  # the folder goes by the file's date

    def __repr__(self) -> str:
        return f"Checkpoint({self.filename!r})"

    def restore(self, **values: Any) -> bool:
        """Set the function's variables, and the random number generators, to what was saved.

        Only variables that already have a value are set; everything else that was saved is in ``extra``. A second call
        does nothing.

        :param values: for variables of which nothing was saved.
        :returns: whether there was a saved state.
        :raises FrameError: where this Python does not let variables be set.

        >>> Checkpoint("nothing saved", target={}).restore()
        False
        """
        saved = self.take()
        found = {**values, **(saved or {})}
        frame = find(self._owner)
        known = variables(frame)
        self.extra = {name: value for name, value in found.items() if name not in known}
        assign(frame, {name: value for name, value in found.items() if name in known})
        return saved is not None

    def take(self) -> dict[str, Any] | None:
        """Return the saved variables, and continue the random numbers from there; the second time, None.

        >>> kept = {}
        >>> Checkpoint("i", target=kept).put({"i": 1})
        >>> checkpoint = Checkpoint("i", target=kept)
        >>> checkpoint.take(), checkpoint.take()
        ({'i': 1}, None)
        """
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            return None
        reinstate(loaded["random"])
        saved: dict[str, Any] = loaded["locals"]
        return saved

    def save(self, **values: Any) -> None:
        """Keep the function's variables, and the states of the random number generators, as they are now.

        :param values: further values to keep.

        >>> kept = {}
        >>> i = 7
        >>> Checkpoint("i", target=kept).save(j=8)
        >>> checkpoint, i = Checkpoint("i", target=kept), 0
        >>> checkpoint.restore(), i, checkpoint.extra["j"]
        (True, 7, 8)
        """
        own = variables(find(self._owner))
        self.put({**{name: value for name, value in own.items() if self.must_save(name, value)}, **values})

    def must_save(self, name: str, value: Any) -> bool:
        """Return whether a variable is kept; a subclass may decide otherwise.

        >>> Checkpoint("i", target={}).must_save("_i", 1)
        False
        """
        return is_data(name, value) and not isinstance(value, Checkpoint | NullCheckpoint)

    def put(self, values: dict[str, Any]) -> None:
        """Keep these values in place of the function's variables.

        >>> kept = {}
        >>> Checkpoint("i", target=kept).put({"i": 1})
        >>> len(kept)
        1
        """
        rest = {
            "of": self.name,
            "loops": self._loops.positions(),
            "random": capture(),
            "random_initial": self._initial,
        }
        self._place.save(values, rest)
        self._modified = self._clock()

    def is_due(self) -> bool:
        """Return whether at least ``rate`` seconds have passed since the last save.

        >>> Checkpoint("i", target={}, rate=0).is_due()
        True
        """
        return bool(self._clock() - self._modified >= self.rate)

    def sync(self, **values: Any) -> bool:
        """Save if at least ``rate`` seconds have passed since the last save; return whether it did.

        >>> Checkpoint("i", target={}, rate=60).sync()
        False
        """
        due = self.is_due()
        if due:
            self.save(**values)
        return due

    def over(self, iterable: Iterable[T]) -> Iterator[T]:
        """Yield the items of a loop that the last run had not done; sync after each, save after the last.

        Loops are recognised by their order, also one within another; call :meth:`restore` before the first.

        :raises ChangedError: when the items that were done have changed, which plain items show.

        >>> list(Checkpoint("loop", target={}).over("abc"))
        ['a', 'b', 'c']
        """
        return self._over(iterable, self.sync, self.save)

    def _over(self, iterable: Iterable[T], sync: Callable[[], object], save: Callable[[], object]) -> Iterator[T]:
        yield from self._loops.over(iterable, sync)
        save()

    def forget(self) -> None:
        """Remove the saved state.

        >>> kept = {}
        >>> checkpoint = Checkpoint("i", target=kept)
        >>> checkpoint.save(i=1)
        >>> checkpoint.forget()
        >>> kept
        {}
        """
        self._place.forget()


def _name_of(qualname: str, namespace: dict[str, Any]) -> str:
    return f"{module_name(namespace.get('__name__') or 'builtins')}.{qualname}"


class NullCheckpoint:
    """Take the place of a :class:`Checkpoint`, and save nothing.

    >>> checkpoint = NullCheckpoint()
    >>> checkpoint.restore(), checkpoint.sync(), list(checkpoint.over("ab"))
    (False, False, ['a', 'b'])
    """

    def __init__(self, filename: Any = "", *ignored: Any, **options: Any) -> None:
        self.filename = str(filename)
        self.extra: dict[str, Any] = {}

    def restore(self, **values: Any) -> bool:
        """Do nothing."""
        return False

    def save(self, **values: Any) -> None:
        """Do nothing."""

    def sync(self, **values: Any) -> bool:
        """Do nothing."""
        return False

    def over(self, iterable: Iterable[T]) -> Iterator[T]:
        """Yield all items."""
        return iter(iterable)

    def forget(self) -> None:
        """Do nothing."""
