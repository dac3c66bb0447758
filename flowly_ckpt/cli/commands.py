"""What each command does, and the code it exits with."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from ..errors import StoreError
from ..targets.facts import Entry
from ..targets.protocol import BaseTarget, described
from ..wording import age, duration, size
from .printing import Printer, entry_facts, readable

__all__ = ["COMMANDS", "DAMAGED", "DONE", "REFUSED"]

DONE, DAMAGED, REFUSED = 0, 1, 2
ENTRY_COLUMNS = ("tag", "object", "transform", "size", "age", "unused", "took", "hits")
STATS_COLUMNS = ("tag", "entries", "size", "hits", "saved", "unused")


def list_entries(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """List the entries, by tag."""
    entries = list(islice(store.entries(**_criteria(options)), options.limit))
    out.table(ENTRY_COLUMNS, map(_row, entries), [entry_facts(entry) for entry in entries])
    return DONE


def _row(entry: Entry) -> tuple[str, ...]:
    obj, tag, transform = entry.key
    times = (age(entry.created), age(entry.used), duration(entry.seconds))
    return (tag, obj, transform, size(entry.size), *times, str(entry.hits))


def show(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Show the facts of the entries that match a key, and with ``--value`` the values."""
    entry = None
    # Each is shown before the next is looked for: in one folder several stores may have an entry of the same key.
    for entry in filter(partial(_is_meant, options.key), store.entries()):
        facts = entry_facts(entry) if out.as_json else readable(entry_facts(entry))
        if options.value:
            facts["value"] = repr(store.get(entry.key))
        out.facts(facts)
    if entry is None:
        raise StoreError(f"{described(store)}: no entry matches {options.key!r}; `flowly-ckpt ls` lists them")
    return DONE


def _is_meant(text: str, entry: Entry) -> bool:
    return "/".join(entry.key) == text or any(part and part.startswith(text) for part in entry.key)


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
    if not options.all and not any(value is not None for value in criteria.values()):
        raise StoreError("clear needs a criterion, such as --tag or --older-than, or --all")
    count = store.clear_where(dry_run=options.dry_run, **criteria)
    out.facts({"would be removed" if options.dry_run else "removed": count})
    return DONE


def collect(store: BaseTarget, options: argparse.Namespace, out: Printer) -> int:
    """Remove expired entries and what nothing refers to."""
    found = store.gc() if options.older_than is None else store.gc(older_than=options.older_than)
    facts = found._asdict() if out.as_json else {"files removed": found.files, "freed": size(found.bytes)}
    out.facts(facts)
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
    "clear": clear,
    "gc": collect,
    "verify": verify,
    "report": write_report,
}
