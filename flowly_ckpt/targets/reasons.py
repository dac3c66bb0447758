"""Why a result is not there: what it would be made from, beside what the nearest earlier one was made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..hashing.parts import Parts
from ..hashing.wording import Change, changes, readable
from ..typing import Key
from .alignment import aligned
from .facts import Entry
from .protocol import BaseTarget

__all__ = ["compared", "explained", "nearest", "of_code", "reason"]

MOST = 3  # changes told
HOW = {"changed": "", "is new": " (new)", "is gone": " (gone)"}  # after what differs in the input
LOOKS = 10_000  # entries of the same code, looked through for the table of its parts

MOST_FOUND = 1000

Rows = Mapping[str, str]

_found: dict[tuple[str, ...], list[Any]] = {}  # steps with their tables, by the hashes up to each


def reason(target: BaseTarget, key: Key, made_from: Mapping[str, Any]) -> str:
    """Return why there is no entry of a key, by the nearest earlier one of its tag.

    A target that is far is not asked for all that it has, since a run waits for this.

    >>> from flowly_ckpt.targets.protocol import as_target
    >>> reason(as_target({}), ("a", "fit", "f"), {})
    'never run'
    """
    return "nothing is stored for it; `plan` says why" if target.is_far else explained(target, key, made_from)[0]


def explained(
    target: BaseTarget, key: Key, made_from: Mapping[str, Any], others: Collection[str] | None = None
) -> tuple[str, Entry | None]:
    """Return why there is no entry of a key, and the nearest earlier one.

    :param others: the hashes of objects that stand beside this one, where there is time to look at many entries: what
        was made from these was not made from it.

    >>> from flowly_ckpt.targets.protocol import as_target
    >>> explained(as_target({}), ("a", "fit", "f"), {})
    ('never run', None)
    """
    try:
        before = nearest(target, key, made_from, others)
        why = target.fate(key)
        if not why and before is not None:
            why = compared(target, before, key, made_from)
        elif not why:
            why = "the input is new" if others and target.latest(tag=key[1]) else "never run"
    except Exception as error:  # noqa: BLE001  a target that cannot list what it has can be used all the same
        return f"it is not known why ({type(error).__name__}: {readable(str(error))})", None
    return why, before


def nearest(
    target: BaseTarget, key: Key, made_from: Mapping[str, Any], others: Collection[str] | None = None
) -> Entry | None:
    """Return the latest entry of a tag: of the same input, by steps of the same names first, else of the same code.

    Where there is neither, any other of the tag. Among ``others``, the one whose input is most like this one.

    >>> from flowly_ckpt.targets.protocol import as_target
    >>> nearest(as_target({("a", "fit", "f"): 6}), ("b", "fit", "f"), {}).key[0]
    'a'
    """
    obj, tag, transform = key
    same = list(islice(target.entries(tag=tag, object=obj), LOOKS))
    if same:
        names = names_in(made_from)
        rated = [(alike(names_in(entry.made_from), names), entry.created, at) for at, entry in enumerate(same)]
        return same[max(rated)[2]]
    if not others:
        named = latest_named(target, tag, transform, called(made_from)) if others is not None else None
        return named or target.latest(tag=tag, transform=transform) or target.latest(tag=tag)
    left = [entry for entry in islice(target.entries(tag=tag), LOOKS) if entry.key[0] not in others]
    alike_to_it = [common(entry.made_from, made_from) for entry in left]
    found = [
        (count, left[at].key[2] == transform, left[at].created, at) for at, count in enumerate(alike_to_it) if count
    ]
    return left[max(found)[3]] if found else None


def common(then: Mapping[str, Any], now: Mapping[str, Any]) -> int:
    """Return how much two inputs have in common: equal parts, or that they are called the same.

    >>> common({"parts": {":['a']": "1", ":['b']": "2"}}, {"parts": {":['a']": "1", ":['b']": "3"}})
    1
    """
    tables = [one.get("parts") for one in (then, now)]
    before, after = (set(table.items()) if isinstance(table, dict) and is_table(table) else set() for table in tables)
    equal = {way for way, _ in before & after} - {":"}  # which is of the kind alone
    return len(equal) + bool(called(now) and called(then) == called(now))


def called(made_from: Mapping[str, Any]) -> str:
    """Return the text or the path that an input is known by, if it is known by one.

    >>> called({"input": "'a.csv'"}), called({"input": "dict of 3"})
    ("'a.csv'", '')
    """
    name = made_from.get("input")
    return name if isinstance(name, str) and name[:1] in ("'", '"') else ""


def latest_named(target: BaseTarget, tag: str, transform: str, name: str) -> Entry | None:
    """Return the latest entry of the same code whose input has a name."""
    entries = islice(target.entries(tag=tag, transform=transform), LOOKS) if name else ()
    found = [entry for entry in entries if called(entry.made_from) == name]
    return max(found, key=lambda entry: entry.created, default=None)


def alike(names: list[str], others: list[str]) -> tuple[bool, int]:
    """Return how much one list of names is like another: equal, else by what is in only one of them."""
    return names == others, -len(set(names) ^ set(others))


def names_in(made_from: Mapping[str, Any]) -> list[str]:
    """Return the names of the steps that a result was made by.

    >>> names_in({"steps": [["fit", "0a"]]})
    ['fit']
    """
    return [step[0] for step in steps_in(made_from)]


def steps_in(made_from: Mapping[str, Any]) -> list[Any]:
    """Return the steps that a result was made by; what a foreign store says instead does not count."""
    steps = made_from.get("steps")
    return [step for step in steps if is_step(step)] if isinstance(steps, list) else []


def compared(target: BaseTarget, before: Entry, key: Key, made_from: Mapping[str, Any]) -> str:
    """Return what is not as it was when an entry was made.

    >>> from flowly_ckpt.targets.protocol import as_target
    >>> compared(as_target({}), Entry(("a", "fit", "f")), ("b", "fit", "f"), {})
    'the input is new'
    """
    then = before.made_from
    told = []
    if before.key[0] != key[0]:
        told.append(of_input(then.get("parts"), made_from.get("parts"), made_from.get("after")))
    if before.key[2] != key[2]:
        told.append(
            of_code(target, before, made_from) or ("the code is new" if told else "the code is new for this input")
        )
    if told == ["the input is new", "the code is new"]:
        return "the input and the code are new"
    if not told and before.key == key:
        return "it is there by now"
    return "; ".join(told)


def of_input(then: Any, now: Any, after: Any) -> str:
    if not is_table(then) or not is_table(now):
        return "the input is new"
    found = changes(then, now)
    if len(found) == 1 and found[0].about.startswith(("content of ", "result of ")):
        return f"the {found[0].about} {found[0].how}"
    if len(found) == 1 and not found[0].about:
        return "the input is new" if found[0].how == "changed" else f"the input {found[0].how}"
    if any(change.about.startswith("content of ") and change.how == "is new" for change in found):
        return "the input is new"  # another file
    values = [f"{change.about}{HOW.get(change.how, f' {change.how}')}" for change in found]
    return f"the input differs in {listed(values)}" if values else "the input is new"


def of_code(target: BaseTarget, before: Entry, made_from: Mapping[str, Any]) -> str:
    """Return what is not as it was in the code that an entry was made by; empty where that cannot be told.

    >>> from flowly_ckpt.targets.protocol import as_target
    >>> now, then = ({"steps": [["fit", code]], "python": "3.11"} for code in ("1b", "0a"))
    >>> of_code(as_target({}), Entry(("a", "fit", "f"), made_from=then), now)
    'fit changed'
    """
    then = before.made_from
    if then.get("python", made_from.get("python")) != made_from.get("python"):
        return f"python {readable(str(then['python']))} → {made_from['python']}"
    if "steps" not in made_from:
        return listed(
            [f"{readable(str(name))} changed" for name in made_from if then and then.get(name) != made_from[name]]
        )
    known = {made_from.get("after"), *(step[1] for step in made_from["steps"])}
    known.update(hashed for one in getattr(made_from, "known", ()) for hashed in one.hashes)
    if then.get("after") not in known:
        return "a step before its segment changed"
    steps = steps_in(then)
    first = next((at for at, step in enumerate(steps) if step[1] not in known), len(steps))
    last = steps[first - 1][1] if first else then.get("after")
    told = of_steps(steps[first:], tables_of(target, before, steps)[first:], last, made_from)
    return listed([*dict.fromkeys(told)])


def of_steps(then: list[Any], tables: list[Rows | None], last: Any, made_from: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not as it was in the steps after the last one that is."""
    hashes = [step[1] for step in made_from["steps"]]
    start = hashes.index(last) + 1 if last in hashes else 0
    now = made_from["steps"][start:]
    # Of an entry that is only read there are no live tables, but perhaps stored ones.
    own = getattr(made_from, "tables", ())[start:] or [Parts(step[2] if has_table(step) else {}, {}) for step in now]
    pairs = aligned([step[0] for step in then], [step[0] for step in now])
    gone = {then[at][0] for at, to in pairs if at is not None and to is None}
    come = {now[to][0] for at, to in pairs if to is not None and at is None}
    for at, to in pairs:
        if at is None or to is None:
            name = now[to][0] if to is not None else then[at or 0][0]
            if to is not None or name not in come:
                yield f"step {readable(name)} {'is gone' if to is None else 'has moved' if name in gone else 'is new'}"
        elif then[at][0] != now[to][0]:
            yield f"it was another step: {readable(then[at][0])}"
        else:
            before = tables[at]
            found = changes(before, own[to].rows, own[to].places) if before and to < len(own) and own[to].rows else []
            if found or at == to == 0:
                yield in_step(readable(then[at][0]).rpartition("<locals>.")[2], found or [Change("", "changed")])


def in_step(name: str, found: list[Change]) -> str:
    """Return what changed in a step, after its name."""
    own, *others = found
    if own.about or " → " in own.how:
        return f"{name}: {listed([str(change) for change in found])}"
    return ", ".join([f"{name} {own.how}", *([listed([str(change) for change in others])] if others else [])])


def tables_of(target: BaseTarget, entry: Entry, steps: list[Any]) -> list[Rows | None]:
    """Return the tables of an entry's steps, which not each of many entries of the same code keeps."""
    hashes = tuple(step[1] for step in steps)
    if not all(map(has_table, steps)):
        steps = _found.get(hashes) or steps
    if not all(map(has_table, steps)):
        for other in islice(target.entries(tag=entry.key[1], transform=entry.key[2]), LOOKS):
            found = steps_in(other.made_from)
            if tuple(step[1] for step in found) == hashes and all(map(has_table, found)):
                if len(_found) >= MOST_FOUND:
                    _found.clear()
                _found[hashes] = steps = found
                break
    return [step[2] if has_table(step) else None for step in steps]


def has_table(step: Any) -> bool:
    return len(step) > 2 and is_table(step[2])


def is_step(step: Any) -> bool:
    return isinstance(step, list | tuple) and len(step) in (2, 3) and all(type(part) is str for part in step[:2])


def is_table(rows: Any) -> bool:
    return isinstance(rows, dict) and all(type(way) is str and type(text) is str for way, text in rows.items())


def listed(texts: Sequence[str]) -> str:
    """Return some texts as one, the first few of many.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d"])
    ('a, b', 'a, b, c and 1 more')
    """
    more = len(texts) - MOST
    return ", ".join(texts[:MOST]) + (f" and {more} more" if more > 0 else "")
