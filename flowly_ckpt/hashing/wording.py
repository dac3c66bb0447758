"""What has changed between two tables of parts, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import CodeType
from typing import NamedTuple

from .code.lines import changed_line, lines_of
from .parts import CUT, Row, label_end, row_of, stretch

__all__ = ["Change", "changes", "readable"]

PLACE = re.compile(r"(global|import|closure|class|base|column|result of|step(?: \d+)?) '(.*?)'")
DEFAULT = re.compile(r"default '(.*?)'")

MANY = 3  # places in a container that are told
NOTHING = Row("", "", "")


class Change(NamedTuple):
    """Say what changed: a part of the object itself, or with ``about`` empty the object as a whole.

    >>> str(Change("global SCALE", "0.5 → 0.7"))
    'global SCALE 0.5 → 0.7'
    """

    about: str
    how: str

    def __str__(self) -> str:
        return f"{self.about} {self.how}".strip()


def changes(
    before: Mapping[str, str], after: Mapping[str, str], places: Mapping[str, CodeType] | None = None
) -> list[Change]:
    """Return what differs between two tables of parts, the nearest first.

    :param places: where the functions of the second table stand now, to tell the line.

    >>> from flowly_ckpt.hashing.parts import parts_of
    >>> from flowly_ckpt.hashing.walk import Walk
    >>> before, after = (parts_of(Walk(), {"rate": rate}).rows for rate in (0.5, 0.7))
    >>> [str(change) for change in changes(before, after)]
    ["['rate'] 0.5 → 0.7"]
    """
    then = {way: row_of(text) for way, text in before.items()}
    now = {way: row_of(text) for way, text in after.items()}
    return [*dict.fromkeys(_Comparison(then, now, places or {}).found())]


class _Comparison:
    def __init__(self, then: dict[str, Row], now: dict[str, Row], places: Mapping[str, CodeType]) -> None:
        self.then, self.now, self.places = then, now, places

    def found(self) -> list[Change]:
        both = [way for way in self.now if way in self.then]
        differ = [way for way in both if self.is_comparable(way)]
        edited = {way.partition(":")[0] for way in differ if self.now[way].kind == "function"}
        told = [change for way in differ for change in self.told(way)] + self.replaced(edited)
        if not told:  # the body is as it was, but for the names in it
            renamed = [way for way in both if self.now[way] != self.then[way] and self.now[way].kind == "function"]
            told = [change for way in renamed for change in self.told(way)]
        names = Change("values of columns", "changed")
        if names in told and (columns := self.come_and_gone(":column '")):  # which say more
            told = [*columns, *(change for change in told if change != names)]
        return told or self.come_and_gone()

    def is_comparable(self, way: str) -> bool:
        old, new = self.then[way], self.now[way]
        return old.digest != new.digest and (old.kind == CUT) == (new.kind == CUT)

    def told(self, way: str) -> list[Change]:
        old, new = self.then[way], self.now[way]
        kinds = {old.kind, new.kind}
        if kinds == {"function"}:
            line = self.line(way, old, new)
            defaults = [] if line else self.come_and_gone(f"{way}default ")
            return defaults or [Change(self.owner_in_words(way.partition(":")[0]), "changed" + line)]
        if kinds == {"foreign"}:
            return [self.installed(way, old.shown, new.shown)]
        if kinds == {CUT} and "|" in old.shown and "|" in new.shown:
            return self.among(way, old.shown, new.shown)
        is_whole = not (old.shown.endswith("…") or new.shown.endswith("…"))
        if kinds != {"class"} and is_whole and old.shown and new.shown and old.shown != new.shown:
            return [Change(self.in_words(way), f"{readable(old.shown)} → {readable(new.shown)}")]
        own = self.come_and_gone(way)
        return own or ([] if self.goes_on(way) else [Change(self.in_words(way), "changed")])

    def among(self, way: str, old: str, new: str) -> list[Change]:
        """Say where in a large container something changed, as far as the digests of its stretches tell."""
        (was, _, before), (now, _, after) = old.partition("|"), new.partition("|")
        kind, _, count = now.rpartition(" of ")
        if was != now or not count.isdecimal():
            return [Change(self.in_words(way), f"{readable(was)} → {readable(now)}")]
        step = stretch(int(count))
        starts = [at // 2 * step for at in range(0, len(after), 2) if before[at : at + 2] != after[at : at + 2]]
        if not starts or len(starts) > MANY:
            return [Change(self.in_words(way), f"changed in {len(starts)} places" if starts else "changed")]
        ends = [min(start + step, int(count)) for start in starts]
        if kind == "dict":
            told = ", ".join(f"{start + 1} to {end}" if step > 1 else f"{end}" for start, end in zip(starts, ends))
            return [Change(self.in_words(way), f"changed among its items: {told}")]
        labels = [f"[{start}:{end}]" if step > 1 else f"[{start}]" for start, end in zip(starts, ends)]
        return [Change(self.in_words(way + label), "changed") for label in labels]

    def goes_on(self, way: str) -> bool:
        """Return whether a part that is made of others tells less than these do."""
        return any(
            other != way and other.startswith(way) and other in self.then and self.then[other] != self.now[other]
            for other in self.now
        )

    def line(self, way: str, old: Row, new: Row) -> str:
        code = self.places.get(way)
        line = changed_line(old.shown, new.shown, lines_of(code)[1]) if code is not None and old.shown else None
        return f" at line {line}" if line is not None else ""

    def installed(self, way: str, old: str, new: str) -> Change:
        """Say which version is another, or what else is used in its place."""
        (label, _, name), (other, _, renamed) = old.partition("|"), new.partition("|")
        if name == renamed and label != other:
            common = len(label.split(" ")) > 1 and label.split(" ")[0] == other.split(" ")[0]
            if name:
                return Change("", f"{readable(label)} → {readable(other.split(' ', 1)[1] if common else other)}")
            words, others = label.split(" "), other.split(" ")
            same = 0
            while same < min(len(words), len(others)) - 1 and words[same] == others[same]:
                same += 1
            if same:
                return Change("", readable(f"{' '.join(words[same - 1 :])} → {' '.join(others[same:])}"))
        if old == new:
            return Change(self.in_words(way), "changed")
        return Change(self.in_words(way), f"{readable(name or label)} → {readable(renamed or other)}")

    def replaced(self, edited: set[str]) -> list[Change]:
        """Say where another function is held than before, under the same name."""
        told = []
        for way, new in self.now.items():
            if way.partition(":")[0] in edited or new.kind != "refers":
                continue
            old = self.then.get(way)
            was = old.shown if old is not None else _last(way)
            if was != new.shown and f"{was}:" in self.then and not self.is_same(was, new.shown):
                told.append(Change(self.in_words(way), f"{readable(was)} → {readable(new.shown)}"))
        for way, old in self.then.items():
            if way.partition(":")[0] in edited or old.kind != "refers" or way in self.now:
                continue
            new_name = _last(way)
            if f"{new_name}:" in self.now and not self.is_same(old.shown, new_name):
                told.append(Change(self.in_words(way), f"{readable(old.shown)} → {readable(new_name)}"))
        return told

    def is_same(self, was: str, name: str) -> bool:
        return self.then.get(f"{was}:") == self.now.get(f"{name}:")

    def come_and_gone(self, start: str = "") -> list[Change]:
        """Say which parts are there only before or only now; what they lead to goes without saying."""
        told: list[Change] = []
        for verb, ours, theirs in (("is new", self.now, self.then), ("is gone", self.then, self.now)):
            only = [way for way in ours if way not in theirs and way.startswith(start)]
            told += [
                Change(self.in_words(way), verb)
                for way in only
                if not any(other != way and way.startswith(other) for other in only)
            ]
        return told

    def owner_in_words(self, owner: str) -> str:
        if not owner:
            return ""
        holder = owner.rpartition(".")[0]
        kind = "class" if self.is_class(owner) else "method" if self.is_class(holder) else "helper"
        return f"{kind} {readable(owner.partition('#')[0])}"

    def is_class(self, owner: str) -> bool:
        return any(table.get(f"{owner}:", NOTHING).kind == "class" for table in (self.now, self.then))

    def in_words(self, way: str) -> str:
        owner, _, labels = way.partition(":")
        if not labels:
            return self.owner_in_words(owner)
        owner = owner.partition("#")[0]
        text = DEFAULT.sub(r"default of \1", PLACE.sub(r"\1 \2", labels))
        if text.startswith("."):
            text = f"attribute {owner}{text}" if owner else f"attribute {text[1:]}"
            owner = ""
        text = " of ".join(reversed(text.split(" → ")))
        return readable(f"{text} in {owner}" if owner else text)


def _last(way: str) -> str:
    return label_end(way.partition(":")[2])


def readable(text: str) -> str:
    """Return a text that no terminal obeys: what cannot be printed is left out.

    >>> readable("fit\\x1b[31m")
    'fit[31m'
    """
    return text if text.isprintable() else "".join(filter(str.isprintable, text))
