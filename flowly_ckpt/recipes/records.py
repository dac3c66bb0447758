"""The record of a result, ``cache.json``: the value as JSON, and what tells whether it still holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import xxhash

from ..targets.damage import DamagedError
from ..typing import Facts, Key
from .external import Outside, digest_of
from .outputs import Load, Output

__all__ = ["FORMAT", "Record", "read_record", "write_record"]

FORMAT = 1
_CHECK = b', "check": "'
Write = Callable[[Any], Any]


class Record(NamedTuple):
    """Hold what ``cache.json`` says.

    :param name: the recipe, as ``module:name``.
    :param inputs: the digest of the inputs.
    :param function_hash: the digest of the function.
    :param output_checksum: the digest of the value.
    :param input_checksums: the digests of the inputs by the names of the ingredients.
    :param seconds: how long the value took to compute.
    :param home: the project's folder, where the value holds only there; else empty.
    :param files: the outside files that the value names.
    :param parts: the files of the cache that hold parts of the value: name, size in bytes, digest.
    :param items: digest and outside files of each item, where they can be had one by one.
    :param outputs: the value as JSON.

    >>> Record("steps:load", "0a", "1b", "2c", {}, 0.1, "", (), (), None, ["x"]).outputs
    ['x']

    See also: :func:`read_record`, :func:`write_record`.
    """

    name: str
    inputs: str
    function_hash: str
    output_checksum: str
    input_checksums: dict[str, str]
    seconds: float
    home: str
    files: tuple[Outside, ...]
    parts: tuple[tuple[str, int, str], ...]
    items: tuple[tuple[str, tuple[Outside, ...]], ...] | None
    outputs: Any

    @classmethod
    def of(cls, key: Key, output: Output, write: Write, base: str, parts: list[list[Any]], facts: Facts) -> Record:
        """Make the record of an output; ``parts`` is where ``write`` lists the files it keeps."""
        obj, tag, code = key
        assembled = output.items is not None
        tree, items = _assembled(output, write, parts) if assembled else _whole(output, write, base, parts)
        named = tuple((name, size, digest) for name, size, digest in parts)
        tied = any(name.endswith(".pkl") for name, _, _ in named) and any(file.path[1] for file in output.files)
        made_from = {name: str(digest) for name, digest in facts.made_from.items()}
        return cls(tag, obj, code, output.digest, made_from, facts.seconds, base if tied else "",
                   output.files, named, items, tree)  # fmt: skip

    def output(self, read: Callable[[Any], Any]) -> Output:
        """Return the output.

        :param read: gives the value of a node; called when it is asked for.
        """
        parts: list[list[Any]] = [list(part) for part in self.parts]
        keys, items = self._pieces(read, {int(part[2], 16): part for part in parts})
        load = partial(read, self.outputs)
        return Output(self.output_checksum, self.files, load, keys, items, (self.outputs, parts))

    def _pieces(self, read: Callable[[Any], Any], known: Parts) -> tuple[Load | None, list[Output] | None]:
        """Return what gives the keys of a dict, and the items, where they can be had one by one."""
        if self.items is None:
            return None, None
        keys, nodes = _nodes(self.outputs)
        return None if keys is None else partial(read, keys), [
            Output(digest, files, partial(read, node), None, None, (node, _named(node, known)))
            for node, (digest, files) in zip(nodes, self.items)
        ]


Parts = dict[int, list[Any]]


def _nodes(tree: Any) -> tuple[Any, list[Any]]:
    """Return the keys of a dict as a node, and the nodes of its values or of the items of a list."""
    if type(tree) is list:
        return None, tree
    if "map" in tree:
        return list(tree["map"]), list(tree["map"].values())
    return [key for key, _ in tree["dict"]], [value for _, value in tree["dict"]]


Items = tuple[tuple[str, tuple[Outside, ...]], ...]


def _whole(output: Output, write: Write, base: str, parts: list[list[Any]]) -> tuple[Any, Items | None]:
    """Write a value; one with files of its own gets digests of its items, so that they can be asked for singly."""
    value = output.load()
    tree = write(value)
    if not parts or type(value) not in (list, dict) or not _has_items(tree):
        return tree, None
    digests = [digest_of(item, base) for item in (value.values() if type(value) is dict else value)]
    return tree, tuple((digest.text, digest.files) for digest in digests)


def _has_items(tree: Any) -> bool:
    return type(tree) is list or "dict" in tree or "map" in tree


def _assembled(output: Output, write: Write, parts: list[list[Any]]) -> tuple[Any, Items]:
    """Write a value whose items are in the cache already, by what was written of each."""
    nodes = []
    for item in output.items or ():
        if item.written is None:
            nodes.append(write(item.load()))
        else:
            nodes.append(item.written[0])
            parts.extend(item.written[1])
    tree = nodes if output.keys is None else {"dict": [[write(k), n] for k, n in zip(output.keys(), nodes)]}
    return tree, tuple((item.digest, item.files) for item in output.items or ())


def _named(node: Any, known: Parts) -> list[list[Any]]:
    """Return the files of the cache that a node names, by their numbers."""
    if type(node) is int:
        return [known[node]] if node in known else []
    inner = node.values() if type(node) is dict else node if type(node) is list else ()
    return [part for item in inner for part in _named(item, known)] if known else []


def write_record(record: Record) -> bytes:
    """Return the bytes of ``cache.json``: one object, whose last member is the digest of what stands before it.

    ``read_record(write_record(record)) == record``

    >>> write_record(Record("steps:load", "0a", "1b", "2c", {}, 0.1, "", (), (), None, ["x"]))[:38]
    b'{"format": 1, "name": "steps:load", "i'
    """
    text = json.dumps({"format": FORMAT, **record._asdict()}, allow_nan=False).encode()[:-1]
    return b'%b%b%b"}\n' % (text, _CHECK, xxhash.xxh3_128_hexdigest(text).encode())


def read_record(data: bytes) -> Record | None:
    """Return the record, or None where it is of another format.

    :raises DamagedError: when the bytes are not what was written.

    >>> read_record(b'{"format": 2}') is None
    True
    """
    text, _, check = data.rpartition(_CHECK)
    whole = bool(text) and check == xxhash.xxh3_128_hexdigest(text).encode() + b'"}\n'
    try:
        found = json.loads(data)
        version = found["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedError(f"{len(data)} bytes are no record of a result") from error
    if version != FORMAT:
        return None
    if not whole:
        raise DamagedError("the record does not match its digest")
    del found["format"], found["check"]
    if found["items"] is not None:
        found["items"] = tuple((digest, _outside(files)) for digest, files in found["items"])
    found["parts"] = tuple((name, size, digest) for name, size, digest in found["parts"])
    if any(".." in name.split("/") or name.startswith("/") for name, _, _ in found["parts"]):
        raise DamagedError("the record names files that are none of the cache")
    found["files"] = _outside(found["files"])
    return Record(**found)


def _outside(files: list[Any]) -> tuple[Outside, ...]:
    return tuple(Outside((path, based), tuple(state)) for (path, based), state in files)
