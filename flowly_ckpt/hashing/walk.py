"""The walk, by the fast engine: every value to bytes, prefix-free, the same in every process.

``enc(atom) = marshal(atom)`` and ``enc(container) = tag + marshal([atom or (enc(part),) for part in parts])``,
folded to a digest when long: by XXH3-128 (Yann Collet, https://xxhash.com), unless another hasher is given. Version 2
of marshal has no references and no interning, so the bytes depend on the value alone; only exact types that it writes
without loss ever reach it, and a one-tuple cannot be mistaken for an atom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import _lru_cache_wrapper
from marshal import dumps
from types import FunctionType, MethodType
from typing import Any

import xxhash

from ..given import function
from ..pipelines.term import shapes
from .plain import (
    ATOMS,
    FEW,
    FLAT,
    NEVER_PLAIN,
    OTHERWISE,
    SAFE,
    SHORT,
    TOGETHER,
    UNORDERED,
    all_of,
    in_step,
    is_leaf,
    is_plain,
)
from .rows import Blob, Parts, Reads, expand, refusing
from .several import MANY, several
from .values.objects import RUN_ROLES, only_step

__all__ = ["NAMED", "NAMED_IN", "UNORDERED", "VERSION", "Cycle", "Walk"]

VERSION = b"flowly 1\0"
NAMED_IN = frozenset(
    {b"<list>", b"<tuple>", b"<dict>", b"<set>", b"<frozenset>", b"<unordered>", b"<instance>", b"<object>"}
)
"""The tags in which functions are values, whose names can be read; elsewhere they are only called."""
NAMED = frozenset({FunctionType, MethodType, _lru_cache_wrapper})
ORDERED = frozenset({int, str})  # by an order of their own
NAN = float("nan")
SLICE = 2048

_xxh3: Callable[[bytes], bytes] = xxhash.xxh3_128_digest


class Cycle(Exception):
    """Raised by the fast engine when an object contains itself.

    >>> loop = []
    >>> loop.append(loop)
    >>> try: Walk().enc(loop)
    ... except Cycle: print("a cycle")
    a cycle
    """


class Walk:
    """Encode objects; what is shared between them is encoded once.

    :param hasher: makes an object with ``update`` and ``digest``; XXH3-128 when None.
    :param expand: returns the tag and the parts of an object; by the table of rows, unless it is overridden.

    >>> walk, one, other = Walk(), [1, True], [1, 1]
    >>> walk.enc(one) == walk.enc(other)
    False

    See also: :func:`flowly_ckpt.hashing.cycles.encode`, for objects that are deep or contain themselves.
    """

    __slots__ = ("expand", "expanded", "fold", "hasher", "kept", "memo", "reads")

    def __init__(self, hasher: Callable[[], Any] | None = None, expand: Callable[[Any], Parts] = expand) -> None:
        self.expand = expand
        self.hasher = xxhash.xxh3_128 if hasher is None else function("hasher", hasher, "nothing, as hashlib.blake2b")
        self.fold = _xxh3 if hasher is None else self._fold
        self.memo: dict[int, tuple[bytes, ...]] = {}
        self.kept: list[Any] = []  # temporaries must outlive the memo, which knows objects by id
        self.reads = False  # whether anything that was met reads what functions and classes show
        self.expanded: list[Any] = []  # object, tag, parts, and so on: temporaries too, for tables of parts

    def beside(self) -> Walk:
        """Return another walk with the same hasher, which does not keep anything of this one's."""
        return Walk(None if self.fold is _xxh3 else self.hasher)

    def enc(self, obj: Any) -> bytes:
        kind = type(obj)
        if kind in ATOMS:
            return dumps(obj if obj == obj else nan(obj), 2)
        encoded: bytes = self.part(obj)[0]
        return encoded

    def part(self, obj: Any) -> Any:
        """Return what stands for a part inside its container: an atom, or the encoding in a one-tuple."""
        kind = type(obj)
        if kind in ATOMS:
            return obj if obj == obj else nan(obj)
        if kind is bytes:
            return (self.enc_bytes(obj),)
        memo, key = self.memo, id(obj)
        found = memo.get(key)
        if found:
            return found
        if found is not None:
            raise Cycle
        memo[key] = ()  # being encoded
        if kind is list:
            done = self.seal(b"<list>", obj)
        elif kind is dict:
            done = self.seal(b"<dict>", [*obj, *obj.values()])
        elif kind is tuple:
            done = self.seal(b"<tuple>", list(obj))
        elif kind is Blob:
            done = self.enc_blob(obj)
            self.kept.append(obj)
        else:
            tag, parts = self.expand(obj)
            self.expanded += (obj, tag, parts)
            self.reads = self.reads or kind is Reads
            done = self.finish(tag + dumps(parts, 2)) if is_leaf(tag, parts) else self.close(tag, parts)
        memo[key] = encoded = (done,)
        return encoded

    def item(self, obj: Any) -> Any:
        """Return what stands for a part that can be read as a value: of a function, with its name."""
        if type(obj) not in NAMED:
            if shapes[type(obj)].role not in RUN_ROLES:
                return self.part(obj)
            obj = only_step(obj)
        if type(obj) in NAMED:
            return (b"<handed>" + dumps((obj.__name__, self.enc(obj)), 2),)
        return self.part(obj)

    def close(self, tag: bytes, parts: list[Any]) -> bytes:
        """Encode an object from its tag and parts."""
        if len(parts) <= FEW and tag not in OTHERWISE and TOGETHER.isdisjoint(map(type, parts)):
            return self.finish(tag + self.mixed(parts, tag in NAMED_IN))
        if tag == b"<run>":
            return self.enc_run(parts)
        if tag in UNORDERED:
            return self.seal_set(tag, parts)
        if tag in NEVER_PLAIN:
            part = self.item if tag in NAMED_IN else self.part
            out = tag + dumps([p if type(p) in SAFE else part(p) for p in parts], 2)
            return b"#" + self.fold(out)
        return self.seal(tag, parts)

    def seal(self, tag: bytes, parts: list[Any]) -> bytes:
        """Join parts behind a tag; a long encoding is folded, so that cost and memory stay linear."""
        if len(parts) > SLICE:
            slices = (parts[i : i + SLICE] for i in range(0, len(parts), SLICE))
            return b"#" + self.stream(tag, (self.write(some, tag in NAMED_IN) for some in slices))
        return self.finish(tag + self.write(parts, tag in NAMED_IN))

    def finish(self, out: bytes) -> bytes:
        return out if len(out) <= SHORT else b"#" + self.fold(out)

    def seal_set(self, tag: bytes, parts: list[Any]) -> bytes:
        if parts and type(parts[0]) in ORDERED and all_of(type(parts[0]), parts):
            return self.seal(tag, sorted(parts))
        encoded = [dumps(p, 2) for p in parts] if is_plain(parts) else map(self.enc_item, parts)
        return b"#" + self.stream(tag, [dumps(sorted(encoded), 2)])

    def enc_item(self, obj: Any) -> bytes:
        kind = type(obj)
        if kind in ATOMS:
            return self.enc(obj)
        encoded: bytes = self.item(obj)[0]
        return encoded

    def write(self, parts: list[Any], named: bool = False) -> bytes:
        if len(parts) > FLAT and (done := in_step(parts)):
            return done
        if is_plain(parts):
            return dumps(parts, 2)
        together = several(self, parts) if len(parts) >= MANY and not (named and type(parts[0]) in NAMED) else None
        if together is not None:
            return dumps(together, 2)
        return self.mixed(parts, named)

    def mixed(self, parts: list[Any], named: bool) -> bytes:
        """Write atoms, and what stands for anything else."""
        part = self.item if named else self.part
        return dumps([p if (kind := type(p)) in SAFE or (kind is float and p == p) else part(p) for p in parts], 2)

    def stream(self, tag: bytes, chunks: Iterable[Any]) -> bytes:
        hasher = self.hasher()
        hasher.update(tag)
        for chunk in chunks:
            hasher.update(chunk)
        digest: bytes = hasher.digest()[:16]
        return digest

    def enc_bytes(self, obj: bytes) -> bytes:
        return b"<bytes>" + obj if len(obj) <= SHORT else b"#bytes" + self.fold(obj)

    def enc_blob(self, blob: Blob) -> bytes:
        try:
            done = b"<blob>" + self.stream(b"", blob.chunks)
        except BaseException as error:
            raise refusing(blob, error) from error
        blob.chunks = ()  # they may be large
        return done

    def enc_run(self, steps: list[Any]) -> bytes:
        """Fold the steps from the left, so that a run and its prefixes share their work."""
        if len(steps) == 1:
            return self.enc(steps[0])
        done = b""
        for count, step in enumerate(steps):
            done = self.append(done, self.enc(step), count)
        return b"<run>" + done

    def append(self, done: bytes, step: bytes, count: int) -> bytes:
        """Fold one more step into a run of ``count`` steps."""
        return self.fold(b"<run>" + done + self.fold(step)) if count else self.fold(step)

    def hexdigest(self, encoding: bytes) -> str:
        return self.fold(VERSION + encoding).hex()

    def _fold(self, data: bytes) -> bytes:
        return self.stream(data, ())


def nan(value: Any) -> Any:
    """Return a NaN with the standard payload and sign; the other part of a complex number stays."""
    if type(value) is float:
        return NAN
    return complex(*(x if x == x else NAN for x in (value.real, value.imag)))
