"""Run work in threads: what depends on each other in order, the rest at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

__all__ = ["run_all", "run_graph"]

T = TypeVar("T")


def run_all(work: Sequence[Callable[[], T]], jobs: int) -> list[T]:
    """Call all of the functions, some at once, and list what they give; after the first error no further one starts.

    >>> run_all([lambda: 1, lambda: 2], jobs=2)
    [1, 2]

    See also: :func:`run_graph`.
    """
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one) for one in work]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        failed = [future for future in futures if future.done() and not future.cancelled() and future.exception()]
        return [future.result() for future in failed or futures]


def run_graph(order: Sequence[T], needs: Callable[[T], Iterable[T]], work: Callable[[T], Any], jobs: int) -> None:
    """Call ``work`` on each item after those that it needs; after the first error no further one starts.

    :param order: the items, each after those that it needs; they are told apart by identity.

    >>> done = []
    >>> run_graph(["a", "b"], {"a": [], "b": ["a"]}.get, done.append, jobs=2)
    >>> done
    ['a', 'b']

    See also: :func:`run_all`.
    """
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

    missing = {id(item): {id(need) for need in needs(item)} for item in order}
    waiting: list[T] = list(order)
    running: dict[Future[Any], T] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting or running:
                ready = [item for item in waiting if not missing[id(item)]]
                waiting = [item for item in waiting if missing[id(item)]]
                running.update({pool.submit(work, item): item for item in ready})
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    future.result()
                    finished = id(running.pop(future))
                    for needed in missing.values():
                        needed.discard(finished)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
