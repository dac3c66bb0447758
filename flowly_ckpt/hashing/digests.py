"""The content hash: one digest for what an object is or does, the same in every process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain, combinations
from types import FunctionType
from typing import Any

from ..errors import UnhashableError
from ..pipelines import effective_steps
from .code.references import imports
from .cycles import encode
from .rows import Parts, expand
from .shown import OF_THINGS as ALL
from .shown import Shown, things_in
from .walk import Walk
from .way import with_way

__all__ = [
    "base_hash",
    "digest",
    "digest_as_read",
    "digests_as_read",
    "functional_hash",
    "prefix_hashes",
    "prefixes",
]

Hasher = Callable[[], Any]
NOTHING: frozenset[str] = frozenset()


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
) -> tuple[Walk, list[str], list[frozenset[str]]]:
    """Return the walk that has found what each step of a chain is, and of all prefixes the hash and what they read.

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
        found, reads = _prefixes(walk, steps)
        if len(imports) == before:
            return walk, found, reads
        walk = make()


def _prefixes(walk: Walk, steps: Iterable[Callable[[Any], Any]]) -> tuple[list[str], list[frozenset[str]]]:
    found: list[str] = []
    reads: list[frozenset[str]] = []
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
        reads.append(shown.names if shown else NOTHING)
    return found, reads


def digest(walk: Walk, obj: Any) -> str:
    """Return the digest of an object by a walk: of a hasher or with an override of one's own.

    ``digest(Walk(), obj) == functional_hash(obj)``

    :raises UnhashableError: with the way to the object that cannot be hashed.

    >>> from pathlib import PurePath
    >>> def by_name(obj): return (b"<path>", [obj.name]) if isinstance(obj, PurePath) else expand(obj)
    >>> digest(Walk(expand=by_name), PurePath("a/x")) == digest(Walk(expand=by_name), PurePath("b/x"))
    True
    """
    encoding = encoded(walk, obj)
    return walk.hexdigest(Shown(walk).added(encoding, [obj]) if walk.reads else encoding)


def digest_as_read(walk: Walk, obj: Any, reads: Iterable[str], own: bool, count: int) -> str:
    """Return the digest of an object as it is for code that reads what functions and classes show.

    ``digest_as_read(walk, obj, [], …) == functional_hash(obj)``, and so it is where the object leads to no code

    :param walk: the one that has hashed the object.
    :param reads: what is read.
    :param own: whether the walk had met what reads by itself, when that was done.
    :param count: how much it had expanded by then.

    >>> walk, obj = Walk(), [digest]
    >>> before = digest(walk, obj)
    >>> [digest_as_read(walk, obj, reads, walk.reads, len(walk.expanded)) == before for reads in ([], ["__doc__"])]
    [True, False]
    """
    # Only what reads by itself is explored to the end: texts in it may name what it reads.
    code = [obj] if own else things_in(walk.expanded[:count])
    encoding = encoded(walk, obj)
    return walk.hexdigest(Shown(walk, reads).added(encoding, code) if code else encoding)


def digests_as_read(obj: Any, hasher: Hasher | None = None) -> set[str]:
    """Return the digests that an object may have, whatever the code that is given it reads.

    >>> digests_as_read([1, 2]) == {functional_hash([1, 2])}
    True
    """
    walk = Walk(hasher)
    found, own, count = {digest(walk, obj)}, walk.reads, len(walk.expanded)
    if own or things_in(walk.expanded):
        some = chain.from_iterable(combinations(sorted(ALL), many) for many in range(1, len(ALL) + 1))
        found.update(digest_as_read(walk, obj, names, own, count) for names in some)
    return found


def encoded(walk: Walk, obj: Any) -> bytes:
    """Return the encoding of an object by a walk; an error gets the way to the object that cannot be hashed."""
    try:
        return encode(walk, obj)
    except UnhashableError as error:
        complete = with_way(error, obj, walk.expand)
        raise complete from complete.__cause__
