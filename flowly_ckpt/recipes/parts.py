"""Results as the ``tree`` codec writes them, each part in a file of its own; and pickles, where they are allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..targets.budget import Budget
from ..targets.codecs import plain_pickle
from ..targets.codecs.tree import Reader, Row, Writer
from ..targets.damage import DamagedError
from ..typing import Bytes
from .outside import located, spelled

__all__ = ["SUFFIXES", "file_reader", "file_writer"]

SUFFIXES = (".npy", ".arrow", ".bin", ".pkl")
_MAGIC = {b"\x93NUMPY": ".npy", b"ARROW1": ".arrow"}


def file_writer(keep: Callable[[str, list[Bytes]], str], base: str, pickling: bool) -> Writer:
    """Return what writes values as JSON; each part goes into a file, and its digest, as a number, stands for it.

    :param keep: takes a suffix and the pieces of a file, and returns their digest as 32 hex digits.
    :param base: the project's folder, which paths are relative to.
    :param pickling: whether what the codec has no form for may be pickled.

    >>> file_writer(None, "/work", False).write([(1, 2), Path("/work/a")])
    [{'tuple': [1, 2]}, {'recipes.path': ['a', True]}]

    See also: :func:`file_reader`, :data:`flowly_ckpt.targets.tree`.
    """

    def part(pieces: list[Bytes]) -> int:
        suffix = _MAGIC.get(bytes(memoryview(pieces[0])[:6]), ".bin") if pieces else ".bin"
        return int(keep(suffix, pieces), 16)

    def pickled(value: Any, to: Writer) -> int:
        return int(keep(".pkl", [plain_pickle.dumps(value)]), 16)

    return Writer(part, {type(Path()): _path(base)}, _pickle(pickled, True) if pickling else None)


def file_reader(fetch: Callable[[int], bytearray], base: str, pickling: bool, budget: Budget) -> Reader:
    """Return what reads a value from JSON; a file is fetched when what is in it is read.

    :param fetch: returns the bytes of a file, given its number.
    :param base: the project's folder.
    :param pickling: whether pickles may be loaded.
    :param budget: what reading may cost.

    >>> file_reader(None, "/work", False, Budget(100)).read([{"tuple": [1, 2]}, {"recipes.path": ["a", False]}])[0]
    (1, 2)

    See also: :func:`file_writer`.
    """
    return Reader(lambda number: memoryview(fetch(number)), budget, [_path(base), _pickle(None, pickling)])


def _path(base: str) -> Row:
    return Row("recipes.path", lambda path, to: list(spelled(path, base)), lambda p, of: located((p[0], p[1]), base))


def _pickle(encode: Any, allowed: bool) -> Row:
    def decode(plain: Any, of: Reader) -> Any:
        if not allowed:
            raise DamagedError("it holds a pickle, and AlkymiConfig.get().allow_pickling is False")
        return plain_pickle.loads(of.part(plain))

    return Row("recipes.pickle", encode, decode)
