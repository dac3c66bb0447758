"""The parts of an object as a short table: what each was when a result was stored, to be compared later.

A table maps the way to a part to a line of text: a digest, a kind, and what can be shown of it. Every part has a row,
or lies in the row of something that holds it, so two tables differ where the objects do. A function and a class
begin a way of their own, by their name, wherever they are referred to. Tables are bounded: what lies further off
than the bound is one row with what leads to it.
"""

from __future__ import annotations

import re
from collections import deque
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from .code.lines import letters, lines_of
from .digests import encoded
from .plain import ATOMS, is_plain
from .rows import Attrs, Blob
from .walk import Walk
from .way import labelled

__all__ = ["CUT", "Parts", "Row", "parts_of", "row_of", "stretch"]

MOST = 48  # rows of a table
ITEMS = 16  # of a container, to be told apart
SHOWN = 40  # characters of a value
CUT = "cut"
REST = "something further off"
SECRET = ("passw", "secret", "token", "credential", "api_key", "apikey", "auth")
LARGE = 2_000  # items
STRETCHES = 32  # of a container that has no row for each item
DIVIDED = 50_000  # items
FAR = 120  # characters of what leads to a part
BITS = 200  # of an integer that is written out
CONTAINERS = frozenset({list, tuple, dict})
SIZED: dict[type, int] = {list: 1, tuple: 1, dict: 1, str: 64, bytes: 64}
"""How many items or characters of what has no rows of its own count as one."""
SHORT = frozenset({list, tuple, set, frozenset})
TOLD = frozenset({"datetime", "decimal", "fractions", "pathlib", "uuid"})  # modules whose values show themselves
REBASED = {b"<function>": "function", b"<user class>": "class"}
NAMED = frozenset({b"<foreign>", b"<class>", b"<builtin>", b"<named>", b"<descriptor>"})


class Row(NamedTuple):
    """What is known of one part.

    :param digest: eight hex digits.
    :param kind: ``"value"``, ``"function"``, ``"class"``, ``"foreign"`` for what is installed, ``"refers"`` for the
        name of a function held under another one, ``"cut"`` for what is not gone into.
    :param shown: the value, cut short; of a function the digests of its lines.

    >>> row_of(Row("3daf1636", "value", "0.5").text)
    Row(digest='3daf1636', kind='value', shown='0.5')
    """

    digest: str
    kind: str
    shown: str

    @property
    def text(self) -> str:
        """The row as it is stored."""
        return f"{self.digest} {self.kind} {self.shown}"


def row_of(text: str) -> Row:
    """Return a row as it was before it was stored, whatever stands there.

    >>> row_of("no row at all")
    Row(digest='no', kind='row', shown='at all')
    """
    return Row(*[*text.split(" ", 2), "", ""][:3])


class Parts(NamedTuple):
    """The table of an object, and where the lines of its functions stand now.

    >>> parts_of(Walk(), {"rate": 0.5}).rows[":['rate']"]
    '23607ff8 value 0.5'
    """

    rows: dict[str, str]
    places: dict[str, CodeType]


def parts_of(walk: Walk, root: Any, most: int = MOST, items: int = ITEMS, private: bool = False) -> Parts:
    """Return the table of an object; what a walk has encoded already is not encoded again.

    :param walk: one that has met the object, or a new one.
    :param most: how many rows there may be.
    :param items: how many items of a container may have rows of their own.
    :param private: show no values.

    >>> from flowly_ckpt.hashing.digests import functional_hash
    >>> list(parts_of(Walk(), functional_hash).rows)
    [':']
    """
    if type(root) in ATOMS:
        return Parts({":": of_atom(walk.hexdigest(walk.enc(root)), root, private)}, {})
    encoded(walk, root)
    return Table(walk, most, items, private).filled(root)


def of_atom(hashed: str, obj: Any, private: bool = False) -> str:
    """Return the row of a plain value by its hash.

    >>> of_atom("3daf16361c830c4d", 1)
    '3daf1636 value 1'
    """
    return f"{hashed[:8]} value {'' if private else brief(obj)}"


class Table:
    """Fill the table of an object, the nearest parts first."""

    def __init__(self, walk: Walk, most: int, items: int, private: bool) -> None:
        self.walk, self.most, self.items, self.private = walk, most, items, private
        noted = iter(walk.expanded)
        self.known = {id(obj): (tag, parts) for obj, tag, parts in zip(noted, noted, noted)}
        self.found: dict[str, list[bytes]] = {}
        self.seen_as: dict[str, tuple[str, str]] = {}
        self.places: dict[str, CodeType] = {}
        self.names: set[str] = set()
        self.waiting: deque[tuple[Any, str, str, bool]] = deque()
        self.named: dict[int, str] = {}  # what was met, with the name that a function or class has here
        self.kept: list[Any] = []  # temporaries must outlive the table, which knows objects by id

    def filled(self, root: Any) -> Parts:
        self.waiting.append((root, "", "", True))
        while self.waiting:
            obj, owner, labels, is_root = self.waiting.popleft()
            if type(obj) in ATOMS or type(obj) in (bytes, Blob):
                way = f"{owner}:{labels}"
                if len(self.found) < self.most or way in self.found:
                    self.add(way, self.walk.enc(obj), "value", self.text(obj, way))
                else:
                    self.add(f"{owner}:{REST}", self.walk.enc(obj), CUT)
            elif id(obj) not in self.named:  # else it has rows where it was met first
                self.named[id(obj)] = ""
                self.inner(obj, owner, labels, is_root)
            else:
                self.refer(f"{owner}:{labels}", labels, self.named[id(obj)])
        fold = self.walk.fold
        rows = {
            way: Row(fold(b"".join(digests)).hex()[:8], *self.seen_as.get(way, ("value", ""))).text
            for way, digests in self.found.items()
        }
        return Parts(rows, self.places)

    def add(self, way: str, content: bytes, kind: str = "value", shown: str = "") -> None:
        self.found.setdefault(way, []).append(content)
        self.seen_as.setdefault(way, (kind, shown))

    def text(self, obj: Any, way: str) -> str:
        """Return what can be shown of a plain value; nothing of one that seems to be secret, or of a file's digest."""
        if self.private or type(obj) is Blob or _is_secret(way) or "content of " in way:
            return ""
        return brief(obj)

    def inner(self, obj: Any, owner: str, labels: str, is_root: bool) -> None:
        kind = type(obj)
        way = f"{owner}:{labels}"
        is_full = len(self.found) + len(self.waiting) >= self.most or len(labels) > FAR
        if len(self.found) >= self.most and way not in self.found:
            self.add(f"{owner}:{REST}", self.walk.enc(obj), CUT)
            return
        if kind in CONTAINERS and (len(obj) > self.items or is_full or self.is_heavy(obj)):
            told = "" if is_full or self.is_heavy(obj) else self.stretches(obj)
            self.add(way, self.walk.enc(obj), CUT, f"{kind.__name__} of {len(obj)}{told}")
            return
        if kind in SHORT and is_short(obj):
            self.add(way, self.walk.enc(obj), "value", self.text(obj, way))
            return
        tag, parts = self.known.get(id(obj)) or self.walk.expand(obj)
        self.kept.append((obj, parts))
        if is_full and tag not in NAMED:
            self.add(way, self.walk.enc(obj), CUT, kind.__name__)
            return
        rebased = REBASED.get(tag)
        if rebased is not None:
            base = "" if is_root else self.name_of(obj)
            self.named[id(obj)] = base
            self.refer(way, labels, base)
            owner, labels, way = base, "", f"{base}:"
            if kind is FunctionType:
                self.places[way] = obj.__code__
        own: list[Any] = [tag]
        of_class = rebased == "class" or (tag == b"<attrs>" and self.seen_as.get(way, ("",))[0] == "class")
        for name, part in labelled(obj, tag, parts):
            if name is None or (not name and is_own(part)) or (of_class and is_trait(name, part)):
                own.append(self.walk.enc(part))
            else:
                # A step is known by its place, so that another there is noticed.
                label = name.partition(" '")[0] if tag == b"<run>" else name
                self.waiting.append((part, owner, joined(labels, label), False))
        self.add(way, b"".join(own), *self.shown(obj, way, tag, parts, rebased))

    def stretches(self, obj: Any) -> str:
        """Return the digests of stretches of a container, two letters each, to say later where it was changed."""
        if len(obj) > DIVIDED:
            return ""
        items, step = list(obj.items()) if type(obj) is dict else obj, stretch(len(obj))
        parts = [items[start : start + step] for start in range(0, len(items), step)]
        self.kept.append((obj, parts))
        return "|" + "".join([letters(self.walk.fold(self.walk.enc(part))) for part in parts])

    def is_heavy(self, obj: Any) -> bool:
        """Return whether what is in a container is large and was encoded with it: to encode it apart takes long."""
        memo = self.walk.memo
        inner = obj.values() if type(obj) is dict else obj
        sizes = [len(each) // SIZED[type(each)] for each in inner if type(each) in SIZED and id(each) not in memo]
        return sum(sizes) > LARGE

    def shown(self, obj: Any, way: str, tag: bytes, parts: list[Any], rebased: str | None) -> tuple[str, str]:
        if rebased == "function":
            return "function", lines_of(obj.__code__)[0]
        if rebased is not None:
            return rebased, ""
        if tag in NAMED:
            texts = [part for part in parts[:3] if type(part) is str]
            return "foreign", f"{texts[-1]}|{'.'.join(texts[:-1])}" if texts else ""
        if tag == b"<mark>":
            return "foreign", str(parts[0])
        if type(obj).__module__ in TOLD:
            return "value", self.text(obj, way)
        if tag == b"<array>" and way == ":":
            return "value", f"{type(obj).__name__} of {obj.dtype} {tuple(obj.shape)}"
        return "value", type(obj).__name__

    def refer(self, way: str, labels: str, name: str) -> None:
        """Note which function or class is referred to, where the reference does not say so itself."""
        if name and labels and label_end(labels) != name.rpartition(".")[2].partition("#")[0]:
            self.add(way, b"", "refers", name)

    def name_of(self, obj: Any) -> str:
        """Return a name that no other function or class in the table has."""
        name = base = str(obj.__qualname__).rpartition("<locals>.")[2].replace(":", ".")
        number = 1
        while name in self.names:
            number += 1
            name = f"{base}#{number}"
        self.names.add(name)
        return name


def stretch(count: int) -> int:
    """Return into stretches of how many items a container is divided; the same for one that grows a little.

    >>> stretch(20), stretch(686), stretch(687)
    (1, 32, 32)
    """
    return 1 << max(-(-count // STRETCHES) - 1, 0).bit_length()


def _is_secret(way: str) -> bool:
    way = way.lower()
    return any(word in way for word in SECRET)


def brief(obj: Any) -> str:
    """Return the text of a plain value, cut short.

    >>> brief("a" * 99), brief(1 << 100_000), brief({"b", "a"})
    ("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…", 'int of 100001 bits…', "{'a', 'b'}")
    """
    if type(obj) is int and not is_simple(obj):
        return f"int of {obj.bit_length()} bits…"  # to write it out takes long, or is refused
    if type(obj) in (set, frozenset):
        text = f"{{{', '.join(sorted(map(brief, obj)))}}}"  # in no order of their own
    else:
        text = repr(obj[: SHOWN + 1] if type(obj) in (str, bytes) else obj)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def is_short(obj: Any, levels: int = 2) -> bool:
    """Return whether a list or tuple is shown whole: a few plain values, or lists of these."""
    if len(obj) > SHOWN // 3:
        return False
    return all(is_short(each, levels - 1) if levels and type(each) in SHORT else is_simple(each) for each in obj)


def is_simple(obj: Any) -> bool:
    """Return whether a value is plain, and not so long that writing it out takes time."""
    kind = type(obj)
    return kind in ATOMS and (kind is not str or len(obj) <= SHOWN) and (kind is not int or obj.bit_length() <= BITS)


def is_own(part: Any) -> bool:
    """Return whether a part without a name is not gone into."""
    return type(part) in ATOMS or type(part) in (bytes, Blob) or (type(part) in CONTAINERS and is_plain([part]))


def is_trait(name: str, part: Any) -> bool:
    """Return whether a part of a class is no member that a user would name."""
    return type(part) is not (FunctionType if name.startswith(".__") else Attrs) and name[:3] in ("", ".__")


def joined(labels: str, name: str) -> str:
    if name[:1] in (".", "["):
        return labels + name
    return f"{labels} → {name}" if labels and name else labels or name


def label_end(labels: str) -> str:
    """Return the last name in what leads to a part.

    >>> label_end("global 'helpers.clean'")
    'clean'
    """
    found: list[str] = re.findall(r"[^\W\d]\w*", labels)
    return found[-1] if found else ""
