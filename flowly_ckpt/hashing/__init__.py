"""The content hash: one digest for what an object is or does, the same in every process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..errors import UnhashableError
from ..pipelines import effective_steps
from . import classes, functions, libraries, members, modules, opaque, values  # noqa: F401  their rows
from .encode import Walk
from .files import FileContent
from .hints import depends_on, ignore_globals
from .rows import EXACT, OPEN, Parts, register_lazy

if TYPE_CHECKING:
    from .explaining import differences, explain

__all__ = [
    "FileContent",
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

Hasher = Callable[[], Any]


def functional_hash(obj: Any, *, hasher: Hasher | None = None) -> str:
    """Return the content hash of any object: 32 hex digits of XXH3-128 over a canonical, prefix-free encoding.

    It does not change with the process, ``PYTHONHASHSEED``, a copy, a pickle round trip or sharing; nor with the
    file, line, name, docstring, comments, annotations, formatting or names of local variables of a function; nor
    with the layout of an array or a table in memory; nor with checkpoints put around or into a pipeline.

    It changes with any value or its type; with what a function does: its instructions, constants, defaults, closure,
    and everything it refers to, followed through the user's code; with the version of an installed distribution
    it uses; with the minor version of Python for whatever contains code; with the order of a dict.

    :param obj: any object; what pickles, hashes.
    :param hasher: makes objects with ``update(bytes)`` and ``digest()`` of at least 16 bytes, for a store shared with
        strangers: ``partial(hashlib.blake2b, digest_size=16, key=secret)``. None is XXH3-128.
    :raises UnhashableError: for what cannot be told by its content, with the way to it and what to do.

    >>> functional_hash([1, 2]) == functional_hash([1, 2])
    True
    >>> functional_hash(1) == functional_hash(True)
    False
    >>> functional_hash(lambda x: x + 1) == functional_hash(lambda y: y + 1)
    True

    See also: :func:`register` and :func:`ignore_globals` to have a say, :func:`explain` to look inside.
    """
    walk = Walk(hasher)
    return walk.hexdigest(walk.root(obj))


def base_hash(obj: Any, *, hasher: Hasher | None = None) -> str:
    """Return the content hash that also tells functions apart by their file and first line.

    :param obj: any object.
    :param hasher: as in :func:`functional_hash`.
    :raises UnhashableError: as :func:`functional_hash` does.

    >>> f = lambda x: x
    >>> g = lambda x: x
    >>> base_hash(f) == base_hash(g), functional_hash(f) == functional_hash(g)
    (False, True)

    See also: :func:`functional_hash`.
    """
    from .placed import PlacedWalk

    walk = PlacedWalk(hasher)
    return walk.hexdigest(walk.root(obj))


def prefix_hashes(steps: Iterable[Callable[[Any], Any]], *, hasher: Hasher | None = None) -> list[str]:
    """Return the hashes of all prefixes of a chain, at a cost that grows with the number of steps, not its square.

    ``prefix_hashes(steps)[i] == functional_hash(chained(*steps[:i + 1]))``

    :param steps: transforms; chains, checkpoints and marks among them count as in a chain.
    :param hasher: as in :func:`functional_hash`.
    :raises UnhashableError: as :func:`functional_hash` does.

    >>> from flowly_ckpt.pipelines import chained
    >>> prefix_hashes([abs, str])[1] == functional_hash(chained(abs, str))
    True

    See also: :func:`functional_hash`.
    """
    walk = Walk(hasher)
    found: list[str] = []
    done, count, last = b"", 0, b"<run>"
    for step in steps:
        for effective in effective_steps(step):
            last = encoding = walk.root(effective)
            done, count = walk.append(done, encoding, count), count + 1
            if count > 1:
                last = b"<run>" + done
        found.append(walk.hexdigest(last))
    return found


def register(kind: type, parts: Callable[[Any], Any] | None = None) -> Any:
    """Tell how objects of a type are hashed: by their class and the value that ``parts`` returns for them.

    :param kind: the type; its subclasses follow, unless they bring ``__flowly_hash__`` or a reduction of their own.
    :param parts: takes an object, returns any value that can be hashed; without it, a decorator for it.
    :return: ``parts``, or the decorator.

    >>> class Connection:
    ...     def __init__(self, url): self.url, self.socket = url, object()
    >>> @register(Connection)
    ... def content(connection): return connection.url
    >>> functional_hash(Connection("a")) == functional_hash(Connection("a"))
    True

    See also: a class of your own can have a method ``__flowly_hash__`` instead; :func:`register_lazy`.
    """
    if parts is None:
        return lambda function: register(kind, function)

    def row(obj: Any) -> Parts:
        return b"<registered>", [type(obj), parts(obj)]

    OPEN.register(kind)(row)
    EXACT.pop(kind, None)
    return parts


def __getattr__(name: str) -> Any:
    if name in ("differences", "explain"):  # seldom needed, so imported when asked for
        from . import explaining

        return getattr(explaining, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
