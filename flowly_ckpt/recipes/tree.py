"""Results as JSON, with files beside it for what JSON cannot hold well: arrays, bytes, pickles.

A node is a JSON value: ``null``, a truth value, a number, a string or a list stands for itself; everything else is an
object with one member that names its kind. So no text a result may contain is ever taken for anything but text.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from ..targets.buffers import Bytes
from ..targets.codecs import plain_pickle
from ..targets.damage import DamagedError
from ..targets.iterators import Realised
from .external import located, spelled
from .forms import form_named, form_of

__all__ = ["Reader", "UnwritableError", "Writer"]

Reference = list[Any]
Keep = Callable[[str, list[Bytes]], Reference]
Fetch = Callable[[Reference, Callable[[bytearray], Any]], Any]
_PLAIN = frozenset({type(None), bool, str})
_LONGEST = 1 << 1000  # longer integers meet Python's bound on the digits it converts
_ROWS: dict[type, str | None] = {list: None, tuple: "tuple", set: "set", frozenset: "frozenset"}
_MADE: dict[str, Callable[[Any], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "realised": tuple}


class UnwritableError(TypeError):
    """Say which value has no form in the cache, and the way to it.

    >>> str(UnwritableError("no form for Socket at result[0]"))
    'no form for Socket at result[0]'
    """


class Writer(NamedTuple):
    """Write values as nodes.

    :param keep: takes a suffix and the pieces of a file, and returns what stands for it in the JSON.
    :param base: the project's folder, from which paths are told.
    :param pickling: whether what has no other form may be pickled.

    >>> Writer(None, "/work", False).write({(1, 2): [float("inf"), "!#pickle#!"]})
    {'dict': [[{'tuple': [1, 2]}, [{'float': 'inf'}, '!#pickle#!']]]}

    See also: :class:`Reader`.
    """

    keep: Keep
    base: str
    pickling: bool

    def write(self, value: Any) -> Any:
        """Return the node of a value.

        :raises UnwritableError: when it has none, and pickling is not allowed.
        """
        try:
            return self._node(value, "result", frozenset())
        except _Cycle:
            return self._pickle(value, "result, which contains itself,")

    def _node(self, value: Any, way: str, above: frozenset[int]) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is int:
            return value if abs(value) < _LONGEST else {"int": hex(value)}
        if kind is float:
            return value if isfinite(value) else {"float": repr(value)}
        if id(value) in above:
            raise _Cycle
        above |= {id(value)}
        if kind in _ROWS:
            items = [self._node(item, f"{way}[{position}]", above) for position, item in enumerate(value)]
            return items if kind is list else {_ROWS[kind]: items}
        if kind is dict:
            return {"dict": [self._pair(key, item, way, above) for key, item in value.items()]}
        if kind is Realised:
            return {"realised": [self._node(item, f"{way}[…]", above) for item in value.items]}
        return self._leaf(value, way, above)

    def _pair(self, key: Any, value: Any, way: str, above: frozenset[int]) -> list[Any]:
        return [self._node(key, f"a key of {way}", above), self._node(value, f"{way}[{key!r:.40}]", above)]

    def _leaf(self, value: Any, way: str, above: frozenset[int]) -> Any:
        kind = type(value)
        if kind is bytes:
            return {"bytes": self.keep(".bin", [value])}
        if isinstance(value, Path) and kind is type(Path()):
            return {"path": list(spelled(value, self.base))}
        form = form_of(value)
        if form is None:
            return self._pickle(value, way)
        if form.suffix:
            return {"file": [form.name, self.keep(form.suffix, form.to_plain(value))]}
        return {"form": [form.name, self._node(form.to_plain(value), way, above)]}

    def _pickle(self, value: Any, way: str) -> Any:
        if not self.pickling:
            raise UnwritableError(
                f"there is no form for {type(value).__name__} at {way}, and pickling is not allowed; "
                "give one with flowly_ckpt.recipes.register_form, or set AlkymiConfig.get().allow_pickling"
            )
        return {"pickle": self.keep(".pkl", [plain_pickle.dumps(value)])}


class _Cycle(Exception):
    pass


class Reader(NamedTuple):
    """Read values from nodes; a file is fetched when a node that names it is read.

    >>> Reader(None, "/work", False).read({"dict": [["a", {"tuple": [1, 2]}]]})
    {'a': (1, 2)}

    See also: :class:`Writer`.
    """

    fetch: Fetch
    base: str
    pickling: bool

    def read(self, node: Any) -> Any:
        """Return the value of a node.

        :raises DamagedError: when it is no node, or a pickle where they are not allowed.
        """
        if type(node) is list:
            return [self.read(item) for item in node]
        if type(node) is not dict:
            return node
        ((kind, rest),) = node.items()
        if kind in _MADE:
            made = _MADE[kind]([self.read(item) for item in rest])
            return Realised(made) if kind == "realised" else made
        if kind == "dict":
            return {self.read(key): self.read(value) for key, value in rest}
        return self._leaf(kind, rest)

    def _leaf(self, kind: str, rest: Any) -> Any:
        if kind == "int":
            return int(rest, 16)
        if kind == "float":
            return float(rest)
        if kind == "path":
            return located((rest[0], rest[1]), self.base)
        if kind == "bytes":
            return self.fetch(rest, bytes)
        if kind == "pickle":
            if not self.pickling:
                raise DamagedError("it holds a pickle, and pickling is not allowed")
            return self.fetch(rest, plain_pickle.loads)
        name, inner = rest
        form = form_named(name)
        return self.fetch(inner, form.from_plain) if kind == "file" else form.from_plain(self.read(inner))
