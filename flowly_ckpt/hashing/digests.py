"""The content hash: one digest for what an object is or does, the same in every process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType
from typing import Any

from ..errors import UnhashableError
from ..pipelines import effective_steps
from .code.references import imports
from .cycles import encode
from .plain import ATOMS
from .rows import Parts, expand
from .shown import Shown
from .walk import Walk
from .way import with_way

__all__ = ["base_hash", "digest", "functional_hash", "prefix_hashes", "prefixes"]

Hasher = Callable[[], Any]


def functional_hash(obj: Any, *, hasher: Hasher | None = None) -> str:
    """Return the content hash of any object: 32 hex digits of XXH3-128 over a canonical, prefix-free encoding.

    It does not change with the process, ``PYTHONHASHSEED``, a copy, a pickle round trip or sharing; nor with the
    file, line, comments, formatting or names of local variables of a function, nor with its name, docstring and
    annotations where nothing reads them; nor with the layout of an array or a table in memory; nor with checkpoints
    put around or into a pipeline.

    It changes with any value or its type; with what a function does: its instructions, constants, defaults, closure,
    and everything it refers to, followed through the user's code; with the version of an installed distribution
    it uses; with the minor version of Python for whatever contains code; with the order of a dict.

    :param obj: any object; what can be pickled can nearly always be hashed.
    :param hasher: makes objects with ``update(bytes)`` and ``digest()`` of at least 16 bytes, for a store shared with
        untrusted parties: ``partial(hashlib.blake2b, digest_size=16, key=secret)``. None is XXH3-128.
    :raises UnhashableError: for an object whose content cannot be determined, with the way to it and what to do.

    >>> functional_hash([1, 2]) == functional_hash([1, 2])
    True
    >>> functional_hash(1) == functional_hash(True)
    False
    >>> functional_hash(lambda x: x + 1) == functional_hash(lambda y: y + 1)
    True

    See also: :func:`register` and :func:`ignore_globals` to change what counts, :func:`explain` to look inside.
    """
    return digest(Walk(hasher), obj)


def base_hash(obj: Any, *, hasher: Hasher | None = None) -> str:
    """Return the content hash that also distinguishes functions by their file and first line.

    :param obj: any object.
    :param hasher: as in :func:`functional_hash`.
    :raises UnhashableError: as :func:`functional_hash` does.

    >>> f = lambda x: x
    >>> g = lambda x: x
    >>> base_hash(f) == base_hash(g), functional_hash(f) == functional_hash(g)
    (False, True)

    See also: :func:`functional_hash`.
    """
    return digest(Walk(hasher, with_place), obj)


def with_place(obj: Any) -> Parts:
    tag, parts = expand(obj)
    if type(obj) is FunctionType:
        return tag, [*parts, obj.__code__.co_filename, obj.__code__.co_firstlineno]
    return tag, parts


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
    return prefixes(Walk(hasher), steps, partial(Walk, hasher))[1]


def prefixes(
    walk: Walk, steps: Iterable[Callable[[Any], Any]], make: Callable[[], Walk] = Walk
) -> tuple[Walk, list[str]]:
    """Return the walk that has found what each step of a chain is, and the hashes of all prefixes.

    What a step imports may change what another one refers to: then all are hashed anew.

    :param walk: the first to try.
    :param make: makes another walk.

    >>> prefixes(Walk(), [abs, str])[1] == prefix_hashes([abs, str])
    True

    See also: :func:`flowly_ckpt.hashing.changes.way_to_change`.
    """
    steps = list(steps)
    while True:
        before = len(imports)
        found = _prefixes(walk, steps)
        if len(imports) == before:
            return walk, found
        walk = make()


def _prefixes(walk: Walk, steps: Iterable[Callable[[Any], Any]]) -> list[str]:
    found: list[str] = []
    new: list[Any] = []
    shown = None
    done, count, last = b"", 0, b"<run>"
    for step in steps:
        for effective in effective_steps(step):
            last = encoding = encoded(walk, effective)
            done, count = walk.append(done, encoding, count), count + 1
            if count > 1:
                last = b"<run>" + done
            new.append(effective)
            if walk.reads:
                shown = shown or Shown(walk)
                last = shown.added(last, new)
        found.append(walk.hexdigest(last))
    return found


def digest(walk: Walk, obj: Any) -> str:
    """Return the digest of an object by a walk: of a hasher or with an override of one's own.

    ``digest(Walk(), obj) == functional_hash(obj)``

    :raises UnhashableError: with the way to the object that cannot be hashed.

    >>> from pathlib import PurePath
    >>> def by_name(obj): return (b"<path>", [obj.name]) if isinstance(obj, PurePath) else expand(obj)
    >>> digest(Walk(expand=by_name), PurePath("a/x")) == digest(Walk(expand=by_name), PurePath("b/x"))
    True
    """
    encoding = walk.enc(obj) if type(obj) in ATOMS else encoded(walk, obj)
    return walk.hexdigest(Shown(walk).added(encoding, [obj]) if walk.reads else encoding)


def encoded(walk: Walk, obj: Any) -> bytes:
    """Return the encoding of an object by a walk; an error gets the way to the object that cannot be hashed."""
    try:
        return encode(walk, obj)
    except UnhashableError as error:
        complete = with_way(error, obj, walk.expand)
        raise complete from complete.__cause__
