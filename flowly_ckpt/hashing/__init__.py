"""The content hash: one digest for what an object is or does, the same in every process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UnhashableError
from ..pipelines.term import run
from . import classes, functions, libraries, opaque, values  # noqa: F401  their rows
from .encode import Walk
from .hints import depends_on, ignore_globals
from .rows import OPEN, Parts, register_lazy

__all__ = [
    "UnhashableError",
    "base_hash",
    "depends_on",
    "differences",
    "explain",
    "functional_hash",
    "ignore_globals",
    "prefix_hashes",
    "register",
    "register_lazy",
]

if TYPE_CHECKING:
    from .explaining import differences, explain

F = TypeVar("F", bound=Callable[[Any], Any])
Hasher = Callable[[], Any]


def functional_hash(obj: Any, *, hasher: Hasher | None = None) -> str:
    """Return the content hash of any object: 32 hex digits.

    >>> functional_hash([1, 2]) == functional_hash([1, 2])
    True
    >>> functional_hash(lambda x: x + 1) == functional_hash(lambda y: y + 1)
    True
    """
    walk = Walk(hasher)
    return walk.hexdigest(walk.root(obj))


def base_hash(obj: Any, *, hasher: Hasher | None = None) -> str:
    """Return the content hash that also tells functions apart by file and first line.

    >>> f = lambda x: x
    >>> base_hash(f) == functional_hash(f)
    False
    """
    from .placed import PlacedWalk

    walk = PlacedWalk(hasher)
    return walk.hexdigest(walk.root(obj))


def prefix_hashes(steps: Iterable[Callable[[Any], Any]], *, hasher: Hasher | None = None) -> list[str]:
    """Return the hashes of all prefixes of a chain, at a cost that grows with the number of steps.

    ``prefix_hashes(steps)[i] == functional_hash(chained(*steps[:i + 1]))``

    >>> from flowly_ckpt.pipelines import chained
    >>> prefix_hashes([abs, str])[1] == functional_hash(chained(abs, str))
    True
    """
    walk = Walk(hasher)
    found, done, count = [], b"", 0
    for step in steps:
        for effective in run(step):
            encoding = walk.root(effective)
            done, count = walk.append(done, encoding, count), count + 1
            last = encoding if count == 1 else b"<run>" + done
        found.append(walk.hexdigest(last if count else b"<run>"))
    return found


def register(kind: type, parts: Callable[[Any], Any] | None = None) -> Any:
    """Tell how objects of a type are hashed: by the value that ``parts`` returns for them.

    >>> class Connection:
    ...     def __init__(self, url): self.url = url
    >>> @register(Connection)
    ... def content(connection): return connection.url
    """
    if parts is None:
        return lambda function: register(kind, function)

    def row(obj: Any) -> Parts:
        return b"<registered>", [type(obj), parts(obj)]

    OPEN.register(kind)(row)
    return parts


def __getattr__(name: str) -> Any:
    if name in ("differences", "explain"):  # seldom needed, so imported when asked for
        from . import explaining

        return getattr(explaining, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
