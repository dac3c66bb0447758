"""The record of a result, ``cache.json``: the value as JSON, and what says whether it still holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ..hashing.parts import CUT, Row, row_of
from ..targets.codecs import Codec
from ..targets.damage import DamagedError
from ..targets.key_names import cut, quoted
from ..targets.provenance import is_sealed, sealed
from ..typing import Bytes, Facts, Key
from .outputs import Output
from .outside import Outside, digest_of

__all__ = ["HEAD", "RECORD", "Part", "Record", "entry_of", "parts_of_inputs", "recorded"]

RECORD = "cache.json"
HEAD = b'{"format": '
FORMAT = 1
RESULT = ":result of '"

Part = tuple[str, int, str]
Write = Callable[[Any], Any]
Items = tuple[tuple[str, tuple[Outside, ...]], ...]


class Record(NamedTuple):
    """The content of ``cache.json``.

    :param name: the recipe, as ``module:name``; with the digests of ``inputs`` and function it makes up the key.
    :param output_checksum: the digest of the value.
    :param input_checksums: the digests of the inputs by the names of the ingredients.
    :param seconds: how long the value took to compute.
    :param home: the project's folder, where the value is only valid there; else empty.
    :param files: the outside files that the value names.
    :param parts: the files that hold parts of the value: path from the recipe's folder, size in bytes, digest.
    :param items: digest and outside files of each item, where items can be loaded one by one.
    :param outputs: the value as JSON.
    :param code: what is known of the function's parts, to say later which of them has changed.

    >>> record = Record("steps:load", "0a", "1b", "2c", {}, 0.1, "", (), (), None, ["x"])
    >>> recorded.loads(recorded.dumps(record)) == record
    True

    See also: :class:`CacheTarget`.
    """

    name: str
    inputs: str
    function_hash: str
    output_checksum: str
    input_checksums: dict[str, str]
    seconds: float
    home: str
    files: tuple[Outside, ...]
    parts: tuple[Part, ...]
    items: Items | None
    outputs: Any
    code: dict[str, Any] = {}  # noqa: RUF012

    @classmethod
    def of(cls, key: Key, output: Output, write: Write, base: str, parts: list[Part], facts: Facts) -> Record:
        """Make the record of an output; ``write`` returns JSON, and lists in ``parts`` the files that it keeps."""
        tree, items = _whole(output, write, base, parts) if output.items is None else _assembled(output, write, parts)
        tied = any(name.endswith(".pkl") for name, _, _ in parts) and any(file.path[1] for file in output.files)
        obj, tag, code = key
        known = dict(facts.made_from)
        return cls(tag, obj, code, output.digest, inputs_in(known.pop("parts", {})), facts.seconds,
                   base if tied else "", output.files, tuple(parts), items, tree, known)  # fmt: skip

    @property
    def key(self) -> Key:
        """The key of the entry."""
        return (self.inputs, self.name, self.function_hash)

    @property
    def made_from(self) -> dict[str, Any]:
        """What the value was made from, in the form that all doors have for it."""
        return {"parts": parts_of_inputs(self.input_checksums), **self.code}

    @property
    def own_parts(self) -> list[Part]:
        """The parts that lie beside the record; those of a ``foreach`` lie with its items."""
        return [part for part in self.parts if part[0].rpartition("/")[0] == entry_of(self.key)]

    def output(self, read: Callable[[Any], Any]) -> Output:
        """Return the output.

        :param read: returns the value of a node; called when the value is asked for.
        """
        keys, items = None, None
        if self.items is not None:
            names, nodes = _nodes(self.outputs)
            known = {int(part[2], 16): part for part in self.parts}
            keys = None if names is None else partial(read, names)
            items = [
                Output(digest, files, partial(read, node), written=(node, _named(node, known)))
                for node, (digest, files) in zip(nodes, self.items)
            ]
        load = partial(read, self.outputs)
        return Output(self.output_checksum, self.files, load, keys, items, (self.outputs, list(self.parts)))


class _Recorded(NamedTuple):
    """Turn records into one JSON object each, whose last member is the digest of what stands before it."""

    name: str = "recipe"
    runs_code: bool = True
    checks_itself: bool = True

    def dumps(self, record: Record) -> bytes:
        """Return the content of ``cache.json``."""
        return sealed({"format": FORMAT, **record._asdict()}, allow_nan=False)

    def loads(self, data: Bytes) -> Record | None:
        """Return the record, or None where it is of another format.

        :raises DamagedError: when the bytes are not what was written.
        """
        line = bytes(data)
        try:
            found = json.loads(line)
            version = found["format"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DamagedError(f"{len(data)} bytes are not the record of a result") from error
        if version != FORMAT:
            return None
        if not is_sealed(line):
            raise DamagedError("the record does not match its digest")
        try:
            return _checked(found)
        except DamagedError:
            raise
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise DamagedError("the record is ill-formed") from error


def _checked(found: dict[str, Any]) -> Record:
    """Return the record of what was read, after checking it: a right digest does not make its content right.

    :raises Exception: of one of several kinds, when it is ill-formed.
    """
    del found["format"], found["check"]
    if type(found.setdefault("code", {})) is not dict:
        raise TypeError(found["code"])
    if found["items"] is not None:
        found["items"] = tuple((_text(digest), _outside(files)) for digest, files in found["items"])
    found["parts"] = tuple((_text(name), size, _text(digest)) for name, size, digest in found["parts"])
    for name, size, digest in found["parts"]:
        if ".." in name.split("/") or name.startswith("/"):
            raise DamagedError("the record names files outside the cache")
        if type(size) is not int or size < 0 or int(digest, 16) < 0:
            raise ValueError(size)
    found["files"] = _outside(found["files"])
    for name in ("name", "inputs", "function_hash", "output_checksum", "home", *found["input_checksums"].values()):
        _text(found.get(name, name))
    return Record(**{**found, "seconds": float(found["seconds"])})


def _text(found: Any) -> str:
    if type(found) is not str:
        raise TypeError(found)
    return found


recorded: Codec = _Recorded()


def parts_of_inputs(digests: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of ingredients' results as a table of parts, which is compared as that of any input.

    >>> inputs_in(parts_of_inputs({"rows": "0a"}))
    {'rows': '0a'}
    """
    return {f"{RESULT}{name}'": Row(digest, CUT, "").text for name, digest in digests.items()}


def inputs_in(parts: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of ingredients' results by name, as :func:`parts_of_inputs` was given them."""
    return {way.removeprefix(RESULT)[:-1]: row_of(text).digest for way, text in parts.items()}


def entry_of(key: Key) -> str:
    """Return the folder of an entry, from that of its recipe.

    >>> entry_of(("0a", "steps:load", "1b"))
    '0a.1b'
    """
    return cut(f"{quoted(key[0])}.{quoted(key[2])}")


def _outside(files: list[Any]) -> tuple[Outside, ...]:
    return tuple(Outside((path, based), tuple(state)) for (path, based), state in files)


def _nodes(tree: Any) -> tuple[Any, list[Any]]:
    """Return the keys of a dict as a node, and the nodes of its values or of the items of a list."""
    if type(tree) is list:
        return None, tree
    if "map" in tree:
        return list(tree["map"]), list(tree["map"].values())
    return [key for key, _ in tree["dict"]], [value for _, value in tree["dict"]]


def _named(node: Any, known: dict[int, Part]) -> list[Part]:
    """Return the parts that a node names, by their numbers."""
    if type(node) is int:
        return [known[node]] if node in known else []
    inner = node.values() if type(node) is dict else node if type(node) is list else ()
    return [part for item in inner for part in _named(item, known)] if known else []


def _whole(output: Output, write: Write, base: str, parts: list[Part]) -> tuple[Any, Items | None]:
    """Write a value; one with parts gets digests of its items, so that they can be loaded one by one."""
    value = output.load()
    tree = write(value)
    if not parts or type(value) not in (list, dict) or not (type(tree) is list or "dict" in tree or "map" in tree):
        return tree, None
    digests = [digest_of(item, base) for item in (value.values() if type(value) is dict else value)]
    return tree, tuple((digest.text, digest.files) for digest in digests)


def _assembled(output: Output, write: Write, parts: list[Part]) -> tuple[Any, Items]:
    """Write a value whose items are stored already, by what was written of each."""
    nodes = []
    for item in output.items or ():
        if item.written is None:
            nodes.append(write(item.load()))
        else:
            nodes.append(item.written[0])
            parts.extend(item.written[1])
    tree = nodes if output.keys is None else {"dict": [[write(k), n] for k, n in zip(output.keys(), nodes)]}
    return tree, tuple((item.digest, item.files) for item in output.items or ())
