"""One run on an executor: parts are submitted, their results gathered, and the first error cancels the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self

from ..lowering import Items, Parallel, is_divisible
from ..targets.waiting import gathering
from ..typing import Transform
from .sending import OTHER, Sent

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = ["InProcesses", "InThreads"]


class InThreads(Parallel):
    """A run whose workers share this process's memory; the executor is opened when there is work for it.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with InThreads(lambda: ThreadPoolExecutor(2), 4) as engine:
    ...     engine.over(abs, [-1, 2])
    [1, 2]
    """

    def __init__(self, opened: Callable[[], AbstractContextManager[Executor]], width: int) -> None:
        self.opened = opened
        self.width = width
        self.is_beside = False  # whether other branches run at the same time
        self.is_versioned = False  # whether what runs is on the way to a checkpoint
        self._shared = _Shared()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._shared.close()

    def over(self, function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        if len(parts) < 2 and not self.is_beside:
            return [function(part) for part in parts]
        return self._gathered(self._submitted(function, part) for part in parts)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        if not self.is_beside:
            return function(*args)
        return self._gathered(iter([self._submitted(function, *args)]))[0]

    def keep(self, *args: Any) -> Any:
        versioned, self.is_versioned = self.is_versioned, True
        try:
            return super().keep(*args)
        finally:
            self.is_versioned = versioned

    def branches(self, transforms: Sequence[Transform], obj: Any) -> list[Any]:
        divisible = [is_divisible(term) for term in transforms]
        if len(transforms) < 2 or not any(divisible):
            return super().branches(transforms, obj)
        from concurrent.futures import ThreadPoolExecutor

        whole = obj if all(divisible) else self.whole(obj)
        beside = self._beside()
        # Threads of their own, which only wait: in those of the pool they would take the place of what they wait for.
        with ThreadPoolExecutor(sum(divisible)) as waiting:
            return self._gathered(
                waiting.submit(copy_context().run, beside.branch, term, obj)
                if is_divided
                else self._submitted(term, whole)
                for term, is_divided in zip(transforms, divisible)
            )

    def branch(self, term: Transform, obj: Any) -> Any:
        """Apply one of several branches."""
        value = self.lower(term, obj)
        return self.whole(value) if isinstance(value, Items) else value

    def _beside(self) -> Self:
        beside = type(self)(self.opened, self.width)
        beside.is_beside, beside.is_versioned, beside._shared = True, self.is_versioned, self._shared
        return beside

    def _submitted(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        return self._shared.submit(self.opened, copy_context().run, function, *args)

    def _result(self, future: Future[Any]) -> Any:
        return future.result()

    def _gathered(self, submitted: Iterator[Future[Any]]) -> list[Any]:
        """Submit work, and return the results in its order."""
        from concurrent.futures import BrokenExecutor, CancelledError, as_completed

        results = {}
        try:
            with gathering():
                futures = list(submitted)
                for future in as_completed(futures):
                    results[future] = self._result(future)
        except CancelledError:
            raise self._shared.error or CancelledError from None
        except BaseException as error:
            self._shared.stop(error)
            if isinstance(error, BrokenExecutor):
                error.add_note("a worker ended abruptly; what was finished is stored, and another run goes on there")
            raise
        return [results[future] for future in futures]


class InProcesses(InThreads):
    """A run whose workers are other processes.

    >>> InProcesses(list, 4).width
    4
    """

    shares_memory = False

    def _submitted(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        future = self._shared.submit(self.opened, *self._shared.sent.packed(function, args, self.is_versioned))
        if self.is_versioned:
            self._shared.versioned[future] = function, args
        return future

    def _result(self, future: Future[Any]) -> Any:
        """Return what a process gave; where it has other code than the key is made from, what this one gives."""
        result = future.result()
        if not isinstance(result, bytes):
            return result  # of a thread that lowers a branch
        function, args = self._shared.versioned.pop(future, (None, ()))
        value = self._shared.sent.unpacked(result)
        return function(*args) if value is OTHER and function is not None else value


class _Shared:
    """What the branches of a run have in common: the executor, what was submitted, and the first error."""

    def __init__(self) -> None:
        from threading import Lock

        self.lock = Lock()
        self.executor: Executor | None = None
        self.context = ExitStack()
        self.futures: set[Future[Any]] = set()
        self.versioned: dict[Future[Any], tuple[Callable[..., Any], tuple[Any, ...]]] = {}
        self.error: BaseException | None = None
        self.sent = Sent()

    def submit(self, opened: Callable[[], AbstractContextManager[Executor]], *work: Any) -> Future[Any]:
        from concurrent.futures import CancelledError

        with self.lock:
            if self.error is not None:
                raise CancelledError
            if self.executor is None:
                self.executor = self.context.enter_context(opened())
            future = self.executor.submit(*work)
            self.futures.add(future)
        future.add_done_callback(self.futures.discard)
        return future

    def stop(self, error: BaseException) -> None:
        with self.lock:
            self.error = self.error or error
            futures = list(self.futures)
        for future in futures:
            future.cancel()

    def close(self) -> None:
        self.context.close()
