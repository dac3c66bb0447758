"""Run a call of a task unless its result is there, and keep the result."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from ..checkpoint.hashed import is_quick, warn_of_arguments, watching_steps
from ..checkpoint.sources import PYTHON, of_function
from ..errors import FlowlyWarning, StoreError, StoreWarning, warn
from ..events import tell
from ..plan import Forecast, restoring
from ..targets import as_target
from ..targets.claims import Claim, EnteredClaim
from ..targets.facts import Entry
from ..targets.made_from import MadeFrom
from ..targets.materialise import Materialised, UnstorableError, materialise
from ..targets.mutation import IMMUTABLE
from ..targets.protocol import BaseTarget
from ..targets.reasons import of_code
from ..targets.recall import MISSING, recall, recall_async
from ..typing import Facts, Key
from .arguments import digest, holds_stores, loaded
from .calling import Call, Definition
from .context import running
from .stores import Filestore, Held, Store

__all__ = ["StaleError", "StaleWarning", "direct", "run"]


class StaleWarning(FlowlyWarning):
    """Issued for an existing result that was made from different code or arguments.

    See also: the option ``changed`` of :func:`flowly_ckpt.tasks.task`.

    >>> import tempfile, warnings
    >>> from flowly_ckpt.tasks import task
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     square = task(target=f"{folder}/square")(lambda n: n * n)
    ...     square(2).load(), square(3).load(), caught[0].category.__name__
    (4, 4, 'StaleWarning')
    """


class StaleError(StoreError):
    """Raised in place of :class:`StaleWarning` by a task with ``changed="raise"``.

    :param loc: where the result lies.
    :param differences: what differs: ``code``, ``argument 'x'``, ….
    :param changed: what has changed in the code, where that is known.

    >>> print(StaleError("working/load/a", ("code",), "load: global LIMIT 5 → 6"))
    working/load/a was made from different code (load: global LIMIT 5 → 6); remove it to make it again
    """

    def __init__(self, loc: str, differences: tuple[str, ...], changed: str = "") -> None:
        super().__init__(f"{loc} was made from different {told(differences, changed)}; remove it to make it again")
        self.loc = loc
        self.differences = differences
        self.changed = changed


def run(task: Definition, call: Call) -> Any:
    """Return the store of a call, after running the function if nothing is there.

    >>> import tempfile
    >>> from flowly_ckpt.tasks import Template
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     distance = Definition(abs, Template(f"{folder}/{{x}}.pkl"))
    ...     run(distance, distance.call((-3,), {})).load()
    3
    """
    result = _Result(task, call)
    if inspect.iscoroutinefunction(task.fn):
        return _run_async(result)
    if result.is_done():
        tell("restored", result.key, result)
        return call.store

    def compute() -> Any:
        with result.computing():
            result.computed = task.fn(*loaded(call.args), **loaded(call.kwargs))
        return result.computed

    return result.returned(recall(result, result.key, compute, result.all_made_from))


async def _run_async(result: _Result) -> Any:
    if result.is_done():
        tell("restored", result.key, result)
        return result.store

    async def compute() -> Any:
        with result.computing():
            result.computed = await result.task.fn(*loaded(result.call.args), **loaded(result.call.kwargs))
        return result.computed

    value = await recall_async(result, result.key, compute, result.all_made_from)
    if result.is_own and not result.task.save:
        value = result.computed  # not the store, which stands for what the function saved
    return result.returned(value)


def is_done(task: Definition, call: Call) -> bool:
    """Return whether the result of a call is there; report one that was made otherwise.

    :raises StaleError: for such a one, where ``changed="raise"``.
    """
    return _Result(task, call).is_done()


def forecast(task: Definition, call: Call) -> Forecast:
    """Forecast whether a call would find its result, as :func:`flowly_ckpt.plan` does.

    >>> from flowly_ckpt.tasks import Template
    >>> distance = Definition(abs, Template("/no/such/folder/{x}.pkl"))
    >>> forecast(distance, distance.call((-3,), {})).why
    'its file is not there'
    """
    result, name = _Result(task, call), (task.name,)
    if not result.store.exists():
        return Forecast(name, "run", str(call.store), "its file is not there")
    if result._is_emptied():
        return Forecast(name, "run", str(call.store), "its file is empty")
    differ = result._differences()
    found = told(differ, result._changed(differ, fresh=True))
    entry = call.store.entry()
    if found and task.changed == "rerun":
        seconds = entry.seconds or None if entry else None
        return Forecast(name, "run", str(call.store), f"it was made from different {found}", saves=seconds)
    if found:
        found = f", made from different {found}" + (": an error" if task.changed == "raise" else "")
    return restoring(name, str(call.store), f"its file is there{found}", entry)


def direct(task: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the function as it is; where it saves its own output it may still ask for its target.

    >>> from flowly_ckpt.tasks import Template, current_target
    >>> direct(Definition(lambda n: current_target(), Template("{path}/{n}.txt")), (3,), {})
    'working/3.txt'
    """

    def place() -> str:
        return task.call(args, kwargs).store.loc

    async def later() -> Any:
        with running(place):
            return await task.fn(*task.first, *args, **kwargs)

    if inspect.iscoroutinefunction(task.fn):
        return later()
    with running(place):
        return task.fn(*task.first, *args, **kwargs)


class _Result(BaseTarget):
    """The result of one call, as a target whose value is the store: so a result that is there is not read."""

    isolates = True

    def __init__(self, task: Definition, call: Call) -> None:
        self.task = task
        self.call = call
        self.store = call.store
        self.computed: Any = MISSING  # what this very call computed
        self.made_from: dict[str, Any] = {}
        self.hashing = 0.0  # the seconds that it took to hash the arguments
        if task.changed != "ignore":
            start = time.perf_counter()
            arguments = {name: digest(value) for name, value in call.arguments.items()}
            self.hashing = time.perf_counter() - start
            self.made_from = {"python": PYTHON, "code": digest(task.fn), "arguments": arguments}
        # Where a result that was made otherwise does not count, it is not shared either.
        self.key: Key = (call.store.loc, task.name, digest(self.made_from) if task.changed == "rerun" else "")

    def __repr__(self) -> str:
        return f"the store {self.store!r}"

    @property
    def place(self) -> Hashable:
        """The target that keeps the result, or else what makes the stores."""
        kept = self.task.store
        return ("tasks", as_target(kept).place if isinstance(kept, MutableMapping) else id(kept))

    @property
    def is_own(self) -> bool:
        """Whether this very call computed the result."""
        return self.computed is not MISSING

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Set the current target, and add a note that names the task to an exception."""
        try:
            code = watching_steps(self.task.fn) if self.made_from else nullcontext()
            start = time.perf_counter()
            with running(lambda: self.store.loc), code:
                yield
            if is_quick(self.hashing, time.perf_counter() - start):
                warn_of_arguments(self.task.name, self._changed_arguments())
        except Exception as error:
            error.add_note(f"in task {self.task.name}, which makes {self.store}")
            raise

    def _changed_arguments(self) -> list[str]:
        """Return which of the caller's own objects the function has changed; what stores hold is no caller's."""
        before = self.made_from.get("arguments", {})
        return [
            name
            for name, value in self.call.arguments.items()
            if before.get(name) and type(value) not in IMMUTABLE and not holds_stores(value)
            if digest(value) != before[name]
        ]

    def is_done(self) -> bool:
        """Return whether the result is there; report one that was made otherwise, and an empty file.

        :raises StaleError: for a result that was made otherwise, where ``changed="raise"``.
        """
        if self._is_emptied():
            text = f"{self.store.loc} is empty and counts as absent; it is made again"
            warn(text, StoreWarning)
            return False
        return self.store.exists() and self._is_current()

    def _is_current(self) -> bool:
        """Return whether the result that is there is the one asked for; report it if it is used anyway."""
        found = self._differences()
        if found and self.task.changed in ("raise", "warn"):
            error = StaleError(self.store.loc, found, self._changed(found))
            if self.task.changed == "raise":
                raise error
            warn(str(error), StaleWarning)
        return not found or self.task.changed != "rerun"

    def _is_emptied(self) -> bool:
        """Return whether an empty file is what is left of a pickle that never was written."""
        if not self.task.save or type(self.store).load is not Filestore.load:
            return False
        try:
            return os.path.getsize(self.store.loc) == 0
        except OSError:  # none is there, which the store tells
            return False

    def _differences(self) -> tuple[str, ...]:
        return differences(self.store.made_from(), self.made_from) if self.made_from else ()

    def _changed(self, found: tuple[str, ...], fresh: bool = False) -> str:
        """Return what has changed in the code, if that is among the differences."""
        if "code" not in found:
            return ""
        before = Entry(self.key, made_from=dict(self.store.made_from()))
        return of_code(self, before, self._of_code(fresh))

    def _of_code(self, fresh: bool = False) -> MadeFrom:
        kept = self.task.store if isinstance(self.task.store, MutableMapping) else None
        return of_function(self.task.fn, self.task.name, self.made_from["code"], kept, fresh=fresh)

    def all_made_from(self) -> dict[str, Any]:
        """Return what the result is made from, with the parts of the code to say later which of them has changed."""
        if not self.made_from:
            return {}
        return {**self._of_code(), **self.made_from}

    def fate(self, key: Key) -> str:
        """Return why the result that is there does not count, where one is."""
        found = self._differences() if self.store.exists() else ()
        return f"it was made from different {told(found, self._changed(found))}" if found else ""

    def returned(self, value: Any) -> Any:
        """Return what a call returns after recalling: the store, data that could not be saved, or data as they are."""
        if not self.is_own and self.store.exists():
            self._is_current()  # somebody else has made it meanwhile, perhaps otherwise
        if not self.task.save:
            return value
        was_found = isinstance(value, Store) and value == self.store  # it may have been removed since
        if was_found or self.key in self:
            return self.store
        with suppress(UnstorableError):  # an open file, or what never ends, is handed on as it is
            value = materialise(value)
        return Held(self.store.loc, value.listed() if type(value) is Materialised else value)

    def __getitem__(self, key: Key) -> Store:
        is_there = not self._is_emptied() and self.store.exists()
        if not is_there or (self.task.changed == "rerun" and self._differences()):
            raise KeyError(key)
        return self.store

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Save a value, and note how it was made; one that the function should have saved is only noted."""
        if not self.task.save:
            if self.store.exists():
                self.store.note(self.task.name, facts)
            return
        # The file is for any reader: what was an iterator is a list in it.
        value = value.listed() if type(value) is Materialised else value
        made_from = {**facts.made_from, "value": digest(value)} if facts.made_from else {}
        self.store.put(self.task.name, value, Facts(facts.seconds, made_from))

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def __delitem__(self, key: Key) -> None:
        # Asked for where saving failed: what stood there before still stands, and nothing half-written does.
        raise KeyError(key)

    def __iter__(self) -> Iterator[Key]:
        return iter([self.key] if self.key in self else [])

    def __len__(self) -> int:
        return int(self.key in self)

    def claim(self, key: Key) -> Claim:
        """Return the store's claim."""
        claim = self.store.claim()
        return claim if isinstance(claim, Claim) else EnteredClaim(claim)


def told(differences: Iterable[str], changed: str) -> str:
    """Return what differs in words.

    >>> told(["code", "argument 'n'"], "load changed at line 3")
    "code (load changed at line 3) and argument 'n'"
    """
    return " and ".join([f"{one} ({changed})" if one == "code" and changed else one for one in differences])


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what differs between two ways of making a result, in words; what is not known is not compared."""
    found = []
    # Another version of Python compiles the same text to other code.
    if then.get("python") == now.get("python") and _differ(then.get("code"), now.get("code")):
        found.append("code")
    old, new = then.get("arguments"), now.get("arguments")
    if isinstance(old, dict) and isinstance(new, dict):
        changed = [repr(name) for name in sorted({*old, *new}) if _differ(old.get(name), new.get(name))]
        if changed:
            found.append(f"argument{'s' if len(changed) > 1 else ''} {', '.join(changed)}")
    return tuple(found)


def _differ(then: str | None, now: str | None) -> bool:
    return then != now and then != "" and now != ""
