"""Results as the ``tree`` codec writes them, each part in a file of its own; and pickles, where they are allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..targets.buffers import Bytes
from ..targets.codecs import plain_pickle
from ..targets.damage import DamagedError
from ..targets.trees import Reader, Writer
from .outside import located, spelled

__all__ = ["SUFFIXES", "FileReader", "FileWriter"]

Keep = Callable[[str, list[Bytes]], str]
Fetch = Callable[[int], bytearray]
SUFFIXES = (".npy", ".arrow", ".bin", ".pkl")
_PLACE = type(Path())
_PATH, _PICKLE = "recipes.path", "recipes.pickle"
_MAGIC = {b"\x93NUMPY": ".npy", b"ARROW1": ".arrow"}


class FileWriter(Writer):
    """Write values as JSON; each part goes into a file, and its digest, as a number, stands for it.

    :param keep: stores the pieces of a file with a suffix, and returns their digest as 32 hex digits.
    :param base: the project's folder, which paths are relative to.
    :param pickling: whether what the codec has no form for may be pickled.

    >>> FileWriter(None, "/work", False).tree([(1, 2), Path("/work/a")])
    [{'tuple': [1, 2]}, {'recipes.path': ['a', True]}]

    See also: :class:`FileReader`, :data:`flowly_ckpt.targets.tree`.
    """

    def __init__(self, keep: Keep, base: str, pickling: bool) -> None:
        super().__init__()
        self.keep = keep
        self.base = base
        self.pickling = pickling

    def tree(self, value: Any) -> Any:
        """Return the JSON of a whole result.

        :raises TypeError: for a value without a form, where pickling is not allowed; names the way to it.
        """
        try:
            return self.write(value)
        except (_CycleError, RecursionError):
            if not self.pickling:
                raise
            return self._pickled(value)

    def part(self, pieces: list[Bytes]) -> int:
        """Keep bytes in a file; return the number that stands for it."""
        suffix = _MAGIC.get(bytes(memoryview(pieces[0])[:6]), ".bin") if pieces else ".bin"
        return int(self.keep(suffix, pieces), 16)

    def write(self, value: Any, step: str = "") -> Any:
        """Return the JSON of a value within the result."""
        if id(value) in self._above and self.pickling:
            raise _CycleError
        return super().write(value, step)

    def _node(self, kind: type, value: Any) -> Any:
        if kind is _PLACE:
            return {_PATH: list(spelled(value, self.base))}
        way, above = len(self._way), set(self._above)
        try:
            return super()._node(kind, value)
        except TypeError:
            if not self.pickling:
                raise
            del self._way[way:]
            self._above = above
            return self._pickled(value)

    def _pickled(self, value: Any) -> Any:
        return {_PICKLE: int(self.keep(".pkl", [plain_pickle.dumps(value)]), 16)}


class _CycleError(Exception):
    pass


class FileReader(Reader):
    """Read values from JSON; a file is fetched when a value in it is read.

    >>> FileReader.over(None, "/work", False).read([{"tuple": [1, 2]}, {"recipes.path": ["a", False]}])[0]
    (1, 2)

    See also: :class:`FileWriter`.
    """

    fetch: Fetch
    base: str
    pickling: bool

    @classmethod
    def over(cls, fetch: Fetch, base: str, pickling: bool) -> FileReader:
        """Make a reader.

        :param fetch: returns the bytes of a file by its number.
        :param base: the project's folder.
        :param pickling: whether pickles may be loaded.
        """
        reader = cls([])
        reader.fetch, reader.base, reader.pickling = fetch, base, pickling
        return reader

    def part(self, number: Any) -> memoryview:
        """Return the bytes of a file."""
        return memoryview(self.fetch(number))

    def read(self, node: Any) -> Any:
        """Return the value of a node.

        :raises DamagedError: when it is not a value, or a pickle where they are not allowed.
        """
        if type(node) is dict and len(node) == 1:
            ((tag, inner),) = node.items()
            if tag == _PATH:
                return located((inner[0], inner[1]), self.base)
            if tag == _PICKLE:
                if not self.pickling:
                    raise DamagedError("it holds a pickle, and pickling is not allowed")
                return plain_pickle.loads(self.part(inner))
        return super().read(node)
