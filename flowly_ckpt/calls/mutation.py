"""Notice a cached method that changes its arguments: a call that is answered from the checkpoint would not."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import MutationWarning
from ..hashing import functional_hash

__all__ = ["digests_of", "warn_of_changes"]

_IMMUTABLE = frozenset([type(None), bool, int, float, complex, str, bytes, range])
_Digests = dict[int | str, str]


def digests_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> _Digests:
    """Return digests of the arguments that can change and can be told by content, by position or name.

    >>> sorted(digests_of((1, [2]), {"name": "x", "more": {}}), key=str)
    [1, 'more']
    """
    found: _Digests = {}
    for place, value in _places(args, kwargs):
        try:
            found[place] = functional_hash(value)
        except Exception:  # noqa: BLE001  an argument that cannot be told (a client, a file) is not watched
            continue
    return found


def warn_of_changes(name: str, before: _Digests, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Warn of arguments that are not what they were before the call.

    >>> import warnings
    >>> rows = []
    >>> before = digests_of([rows], {})
    >>> rows.append("new")
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     warn_of_changes("add", before, [rows], {})
    >>> print(told[0].message)
    add changed its argument 1 in place; a call answered from the checkpoint will not do so: return what it makes
    """
    after = digests_of(args, kwargs)
    changed = [place for place, digest in before.items() if after.get(place) != digest]
    if changed:
        shown = ", ".join([repr(place) if isinstance(place, str) else str(place + 1) for place in changed])
        text = f"{name} changed its argument {shown} in place; a call answered from the checkpoint will not do so"
        warnings.warn(f"{text}: return what it makes", MutationWarning, stacklevel=2)


def _places(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[int | str, Any]]:
    yield from ((place, value) for place, value in enumerate(args) if type(value) not in _IMMUTABLE)
    yield from ((name, value) for name, value in kwargs.items() if type(value) not in _IMMUTABLE)
