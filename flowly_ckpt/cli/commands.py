"""What each command does, and the code it exits with."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from heapq import nsmallest
from itertools import islice
from typing import Any

from ..checkpoint.stale import clear_stale
from ..errors import StoreError
from ..targets.facts import Entry
from ..targets.protocol import BaseTarget, described
from ..wording import age, date, duration, size
from .pipelines import pipelines_named
from .printing import Printer, entry_facts, readable, spelled
from .stores import RecordedFiles
from .why import why

__all__ = ["COMMANDS", "DAMAGED", "DONE", "REFUSED"]

DONE, DAMAGED, REFUSED = 0, 1, 2
ENTRY_COLUMNS = ("tag", "object", "transform", "size", "stored", "unused", "took", "hits", "input")
SORTED_BY: dict[str, Callable[[Entry], Any]] = {
    "tag": lambda entry: entry.key[1],
    "size": lambda entry: -entry.size,
    "stored": lambda entry: -entry.created,
    "unused": lambda entry: entry.used,
    "took": lambda entry: -entry.seconds,
    "hits": lambda entry: -entry.hits,
    "saved": lambda entry: -entry.saved,
}
STATS_COLUMNS = ("tag", "entries", "size", "hits", "saved", "unused")


def list_entries(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """List the entries, by tag or as asked."""
    found = store.entries(**_criteria(options))
    if options.sort is not None:
        found = _first(found if out.as_json else map(_shortened, found), SORTED_BY[options.sort], options.limit)
    entries = islice(found, options.limit)
    out.table(ENTRY_COLUMNS, map(_row, entries), map(entry_facts, entries))
    return DONE


def _first(entries: Iterator[Entry], order: Callable[[Entry], Any], limit: int | None) -> Iterator[Entry]:
    """Return entries in order; where only a few are wanted, the others are not kept in memory."""
    return iter(sorted(entries, key=order) if limit is None else nsmallest(limit, entries, key=order))


def _shortened(entry: Entry) -> Entry:
    """Return an entry with no more of what it was made from than a row shows."""
    return entry._replace(made_from={"input": entry.made_from.get("input")})


def _row(entry: Entry) -> tuple[str, ...]:
    obj, tag, transform = entry.key
    times = (date(entry.created), age(entry.used), duration(entry.seconds))
    label = entry.made_from.get("input")
    return (tag, obj, transform, size(entry.size), *times, str(entry.hits), label if isinstance(label, str) else "")


def show(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Show the facts of the entries that match a key, and with ``--value`` the values."""
    # Each is shown before the next is looked for: in one folder several stores may have an entry of the same key.
    for entry in _meant(store, options.key):
        facts = entry_facts(entry) if out.as_json else readable(entry_facts(entry))
        if options.value:
            facts["value"] = spelled(store.get(entry.key))
        out.facts(facts)
    return DONE


def compare(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Say why two entries are not one."""
    one, other = (_single(store, key) for key in options.key)
    lines = list(why(one, other)) or ["nothing is known of how they were made"]
    out.facts({"differences": lines} if out.as_json else dict.fromkeys(lines, ""))
    return DONE


def _single(store: BaseTarget, text: str) -> Entry:
    first, *more = islice(_meant(store, text), 2)
    if more:
        obj, tag, transform = first.key
        advice = f"write object/tag/transform, such as {obj[:8]}/{tag}/{transform[:8]}"
        raise StoreError(f"{described(store)}: several entries match {text!r}; {advice}")
    return first


def _meant(store: BaseTarget, text: str) -> Iterator[Entry]:
    entry = None
    for entry in filter(partial(_is_meant, text), store.entries()):
        yield entry
    if entry is None:
        raise StoreError(f"{described(store)}: no entry matches {text!r}; `flowly-ckpt ls` lists them")


def _is_meant(text: str, entry: Entry) -> bool:
    """Return whether an entry is meant by the beginning of a part of its key, or by its tag between two beginnings.

    A part that is a name, as the tag of a remembered function is, begins anew behind each dot and colon.

    >>> entry = Entry(("0a1b", "fit/all", "2c3d"))
    >>> [_is_meant(text, entry) for text in ("0a", "2c3", "0a/fit/all/2c", "/fit/all/", "0a/fit/2c", "0a//2c")]
    [True, True, True, True, False, False]
    >>> [_is_meant(text, Entry(("0a1b", "prog.Model.fit", "2c3d"))) for text in ("prog", "Model", "Model.f", "it")]
    [True, True, True, False]
    """
    obj, tag, transform = entry.key
    if "/".join(entry.key) == text or any(part and _begins(text, part) for part in entry.key):
        return True
    head, found, tail = text.partition(f"/{tag}/")
    return bool(found) and obj.startswith(head) and transform.startswith(tail)


def _begins(text: str, part: str) -> bool:
    return part.startswith(text) or f".{text}" in part or f":{text}" in part


def stats(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Count entries, bytes, hits and seconds saved, by tag."""
    found = store.stats()
    rows = [(s.tag, str(s.entries), size(s.bytes), str(s.hits), duration(s.saved), age(s.used)) for s in found]
    totals = [sum(column) for column in zip(*[(s.entries, s.bytes, s.hits, s.saved) for s in found])] or [0, 0, 0, 0]
    rows.append(("all", f"{totals[0]:.0f}", size(totals[1]), f"{totals[2]:.0f}", duration(totals[3]), ""))
    out.table(STATS_COLUMNS, rows, [s._asdict() for s in found])
    return DONE


def clear(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Delete the entries that meet all criteria."""
    criteria = _criteria(options)
    if not (options.all or options.stale) and not any(value is not None for value in criteria.values()):
        raise StoreError("clear needs a criterion, such as --tag or --older-than, or --all")
    stores = store.stores() if options.all and isinstance(store, RecordedFiles) else []
    if len(stores) > 1 and not (options.recursive or options.dry_run):
        names = ", ".join(stores[:20]) + (", …" if len(stores) > 20 else "")
        raise StoreError(f"it has files of several stores: clear each by its path, or all with --recursive ({names})")
    if options.stale:
        count = clear_stale(store, *pipelines_named(options.stale), dry_run=options.dry_run, **criteria)
    else:
        count = store.clear_where(dry_run=options.dry_run, **criteria)
    out.facts({"would be removed" if options.dry_run else "removed": count})
    return DONE


def collect(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Remove expired entries and what nothing refers to."""
    given = {"older_than": options.older_than, "max_bytes": options.max_bytes}
    found = store.gc(**{name: value for name, value in given.items() if value is not None})
    facts = {"files removed": found.files, "freed": size(found.bytes)}
    if found.evicted:
        facts["entries evicted"] = found.evicted
    out.facts(found._asdict() if out.as_json else facts)
    return DONE


def verify(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Check every entry and list what is damaged; with ``--repair``, remove it."""
    with out.progress("checking") as progress:
        lines = store.verify(repair=options.repair, progress=progress)
    if out.as_json:
        out.facts({"damaged": lines})
    else:
        out.facts(dict.fromkeys(lines, "") or {"damaged": 0})
    return DAMAGED if lines else DONE


def write_report(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Write a page about the store."""
    from ..report import report

    report(options.output, target=store)
    out.facts({"written": options.output})
    return DONE


def _criteria(options: argparse.Namespace) -> dict[str, Any]:
    names = ("tag", "object", "transform", "older_than", "unused_for")
    return {name: getattr(options, name) for name in names}


COMMANDS: dict[str, Callable[[BaseTarget, argparse.Namespace, Printer], int]] = {
    "ls": list_entries,
    "show": show,
    "stats": stats,
    "why": compare,
    "clear": clear,
    "gc": collect,
    "verify": verify,
    "report": write_report,
}
