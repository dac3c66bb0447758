"""The laws of targets, as checks that run on any target, user-defined ones included."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..typing import Facts, Key, Target
from .protocol import as_target, checked

__all__ = ["LAWS", "check_target"]

A: Key = ("0a1b2c", "first tag", "3d4e5f")
B: Key = ("0a1b2c", "first tag", "ffffff")
ODD: list[Key] = [("", "", ""), ("a", "b/../c", "d"), ("a", "B", "d"), ("a", "b", "D"), ("é", "ß\n\\", "x" * 300)]
VALUES: list[Any] = [None, False, 0, "", b"", [], {"a": [1, (2, 3)]}, "text", 1 << 100, {1, 2}, b"\0" * 70_000]


def _is_empty_at_first(target: Target) -> None:
    assert len(target) == 0, f"a new target has {len(target)} entries"
    assert list(target) == [], "a new target lists entries"
    assert A not in target, "a new target contains a key"
    assert target.get(A) is None, "a new target has a value"


def _misses_raise_key_error(target: Target) -> None:
    for act in (lambda: target[A], lambda: target.__delitem__(A), lambda: target.pop(A)):
        try:
            act()
        except KeyError:
            continue
        raise AssertionError("an absent key must raise KeyError")


def _what_is_stored_is_found(target: Target) -> None:
    for number, value in enumerate(VALUES):
        key = (A[0], A[1], str(number))
        target[key] = value
        assert key in target, f"{value!r} was stored, but its key is not there"
        found = target[key]
        assert type(found) is type(value), f"{value!r} came back as {found!r}"
        assert found == value, f"{value!r} came back as {found!r}"
        assert len(target) == number + 1, f"{number + 1} entries count as {len(target)}"


def _a_later_value_replaces(target: Target) -> None:
    for value in ("short", b"x" * 70_000, [1], "again"):
        target[A] = value
        assert target[A] == value, "the value stored last must be found"
        assert len(target) == 1, "one key, stored again, must stay one entry"


def _keys_come_back(target: Target) -> None:
    for number, key in enumerate(ODD):
        target[key] = number
    assert sorted(target) == sorted(ODD), f"{sorted(ODD)} were stored, {sorted(target)} are listed"
    assert [target[key] for key in ODD] == list(range(len(ODD))), "keys are mixed up"


def _deleting_takes_one(target: Target) -> None:
    target[A], target[B] = 1, 2
    del target[A]
    assert A not in target, "a deleted key is still there"
    assert (list(target), len(target), target[B]) == ([B], 1, 2), "deleting one key must leave the others"
    assert target.pop(B) == 2, "pop must return the value"
    assert len(target) == 0, "pop must delete"


def _clear_takes_all(target: Target) -> None:
    target[A], target[B] = 1, b"x" * 70_000
    target.clear()
    assert (list(target), len(target), target.get(B)) == ([], 0, None), "clear must leave nothing"
    target[A] = 3
    assert target[A] == 3, "a cleared target must take entries again"


def _views_agree(target: Target) -> None:
    target[A], target[B] = 1, 2
    assert dict(target.items()) == {A: 1, B: 2}, "items differ from what was stored"
    assert sorted(target.values()) == [1, 2], "values differ from what was stored"
    assert target.setdefault(A, 9) == 1, "setdefault must not replace"


def _a_failed_store_changes_nothing(target: Target) -> None:
    if not as_target(target).isolates:
        return  # it keeps the object itself, which cannot fail
    target[A] = "before"
    for bad in (_Unstorable(), (letter for letter in "ab")):
        try:
            target[A] = bad
        except Exception:  # noqa: BLE001  whatever encoding raises
            assert target[A] == "before", "a value that cannot be encoded must leave the old one"
        try:
            target[B] = bad
        except Exception:  # noqa: BLE001
            assert B not in target, "a value that cannot be encoded must leave no entry"


def _hits_are_private_where_promised(target: Target) -> None:
    if not as_target(target).isolates:
        return
    value = [1]
    target[A] = value
    value.append(2)
    target[A].append(3)
    assert target[A] == [1], "isolates is true, but a change made in place reached the store"


def _facts_are_taken(target: Target) -> None:
    as_target(target).put(A, [1], Facts(1.5, {"input": "0a"}))
    assert target[A] == [1], "put must store as setting does"
    entry = as_target(target).entry(A)
    assert entry is not None, "entry must know what is stored"
    assert entry.key == A, f"the entry of {A} says it is that of {entry.key}"
    assert entry.created > 0 or not as_target(target).keeps_times, f"keeps_times is true, the entry has none: {entry}"
    known = (entry.seconds, entry.made_from)
    assert known in [(1.5, {"input": "0a"}), (0.0, {})], f"what is known of an entry is not what was put: {entry}"
    assert as_target(target).entry(B) is None, "an absent key has no entry"
    last = as_target(target).latest(tag=A[1])
    assert last is not None, "latest must find what is stored"
    assert last.key == A, f"the only entry is {A}, and the latest {last.key}"
    assert as_target(target).latest(tag="another tag") is None, "latest must look at what is selected alone"
    assert as_target(target).fate(B) == "", "nothing is known of what was never stored"


def _several_at_once_are_as_one_by_one(target: Target) -> None:
    full = as_target(target)
    full.put_many([(A, 1, Facts(0.5)), (B, b"x" * 70_000, Facts(0.5)), (A, 2, Facts(0.5))])
    assert dict(target.items()) == {A: 2, B: b"x" * 70_000}, "put_many must store every value, the last under its key"
    assert full.get_many([A, ODD[0], B]) == {A: 2, B: b"x" * 70_000}, "get_many must find what is there"
    assert full.get_many([]) == {}, "nothing asked for, nothing found"
    for values in ([1, b"x" * 70_000], [b"x" * 70_000, 1]):
        full.put_many((A, value, Facts(0.5)) for value in values)
        assert target[A] == values[-1], "put_many must keep the last value given for a key, whatever their sizes"


def _entries_can_be_selected(target: Target) -> None:
    full = as_target(target)
    target[A], target[B], target["1", "second tag", "2"] = 1, 2, 3
    assert sorted(entry.key for entry in full.entries(tag=A[1])) == sorted([A, B]), "entries must select by tag"
    assert {stats.tag: stats.entries for stats in full.stats()} == {A[1]: 2, "second tag": 1}, "stats must count tags"
    assert full.clear_where(transform=B[2], dry_run=True) == 1, "a dry run must count"
    assert len(target) == 3, "a dry run must delete nothing"
    assert full.clear_where(transform=B[2]) == 1, "clear_where must count"
    assert sorted(target) == sorted([A, ("1", "second tag", "2")]), "clear_where must delete what is selected, no more"
    if full.keeps_times:
        assert full.clear_where(older_than=3600) == 0, "nothing is as old as that"


def _verifying_finds_nothing_wrong(target: Target) -> None:
    target[A], target[B] = 1, b"x" * 70_000
    assert as_target(target).verify() == [], "what has just been stored must be whole"
    as_target(target).gc(older_than=0)
    assert dict(target.items()) == {A: 1, B: b"x" * 70_000}, "a collection must leave every entry"


def _bytes_are_as_stored(target: Target) -> None:
    full = as_target(target)
    if full.keeps_bytes:
        full.write_bytes(A, [b"by", b"tes"], Facts(0.0))
        assert bytes(full.read_bytes(A)) == b"bytes", "read_bytes must give what write_bytes took"


def _claims_let_their_holder_in(target: Target) -> None:
    full = as_target(target)
    with full.claim(A), full.claim(B), full.claim(A):
        target[A] = 1
    with full.claim_many([B, A]):
        assert target[A] == 1, "what was stored under a claim must be found"


class _Unstorable:
    def __reduce__(self) -> Any:
        raise TypeError("not this one")

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("not this one")


LAWS: dict[str, Callable[[Target], None]] = {
    law.__name__.lstrip("_"): law
    for law in (
        _is_empty_at_first,
        _misses_raise_key_error,
        _what_is_stored_is_found,
        _a_later_value_replaces,
        _keys_come_back,
        _deleting_takes_one,
        _clear_takes_all,
        _views_agree,
        _a_failed_store_changes_nothing,
        _hits_are_private_where_promised,
        _facts_are_taken,
        _several_at_once_are_as_one_by_one,
        _entries_can_be_selected,
        _verifying_finds_nothing_wrong,
        _bytes_are_as_stored,
        _claims_let_their_holder_in,
    )
}


def check_target(make: Callable[[], Target], skip: Iterable[str] = ()) -> None:
    """Check that a target behaves as this library expects; for user-defined targets too.

    :param make: returns a new, empty target each time it is called.
    :param skip: names of laws (keys of ``LAWS``) that need not hold, such as for a target that keeps nothing.
    :raises AssertionError: naming the law that does not hold, and how.

    >>> check_target(dict)
    """
    if not callable(make):
        raise TypeError(
            f"make must be a function that makes a new target, got {make!r:.60}; write lambda: {make!r:.60}"
        )
    omitted = {skip} if isinstance(skip, str) else set(skip)
    unknown = omitted - set(LAWS)
    if unknown:
        raise ValueError(f"unknown law {', '.join(sorted(unknown))}; the laws are {', '.join(LAWS)}")
    for name, law in LAWS.items():
        if name not in omitted:
            try:
                law(checked(make()))
            except Exception as error:
                error.add_note(f"while checking the law {name!r}")
                raise
