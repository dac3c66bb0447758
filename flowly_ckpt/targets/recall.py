"""The one place where a result is looked up or stored.

A target may be any mutable mapping. What it can do beyond that it says itself:

``isolates``
    true when every value it hands out is a private copy; else changes in place are noticed by a seal.
``put(key, value, facts)``
    store with what is known of the entry; else ``target[key] = value``.
``claim(key)``
    a context manager that only one process holds at a time.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from ..errors import MutationWarning, StoreWarning
from ..typing import Facts, Key, Target
from .flights import MISSING, fly
from .materialise import Materialised, UnstorableError, materialise
from .seals import forget, seal, sealed

__all__ = ["MISSING", "lookup", "recall"]

_log = logging.getLogger("flowly_ckpt")
Compute = Callable[[], Any]


def lookup(target: Target, key: Key) -> Any:
    """Return the stored value, or ``MISSING``; a value that was changed in place counts as missing.

    >>> lookup({("object", "tag", "transform"): 6}, ("object", "tag", "transform"))
    6
    >>> lookup({}, ("object", "tag", "transform")) is MISSING
    True

    See also: :func:`recall`.
    """
    return _handed_out(_look(target, key))


def _look(target: Target, key: Key) -> Any:
    try:
        value = target[key]
        intact = getattr(target, "isolates", False) or sealed(target, key, value)
    except KeyError:
        return MISSING
    except Exception as error:  # noqa: BLE001  whatever is wrong with the entry, it can be computed again
        _warn(StoreWarning, f"{_name(target)} could not restore {key[1]!r}, computing it again: {_text(error)}")
        return MISSING
    if not intact:
        _drop(target, key)
        _warn(MutationWarning, f"the value stored at {key[1]!r} was changed in place, computing it again (key {key})")
        return MISSING
    if _log.isEnabledFor(logging.INFO):
        _log.info("restore object at %r (key %s)", key[1], key)
    return value


def recall(target: Target, key: Key, compute: Compute, made_from: dict[str, Any] | None = None) -> Any:
    """Return the stored value, or compute and store it; one thread computes, the others wait for it.

    ``recall(t, k, f) == f()``, and ``f`` runs once however often that is asked

    Nothing is stored when ``compute`` raises, or when the target does: then the value is returned all the same,
    with a warning that names the target. An iterator is materialised first and handed out afresh at each hit.

    :param target: where results are kept, any mutable mapping.
    :param key: three strings: hash of the object, tag, hash of the transform.
    :param compute: gives the value; whatever it raises passes unchanged.
    :param made_from: the digests the key was made from, by name, for targets that keep such facts.

    >>> target = {}
    >>> recall(target, ("object", "tag", "transform"), lambda: 6)
    6
    >>> recall(target, ("object", "tag", "transform"), lambda: 1 / 0)
    6

    See also: :func:`lookup`, :func:`flowly_ckpt.checkpoint.with_checkpoint`.
    """
    value = _look(target, key)
    if value is MISSING:
        value = fly(
            (id(target), key), lambda: _look(target, key), lambda: _compute(target, key, compute, made_from or {})
        )
    return _handed_out(value)


def _compute(target: Target, key: Key, compute: Compute, made_from: dict[str, Any]) -> Any:
    claim = getattr(target, "claim", None)
    with claim(key) if claim is not None else nullcontext():
        # Another process may have stored it while this one waited for the claim.
        value = _look(target, key) if claim is not None else MISSING
        if value is not MISSING:
            return value
        if _log.isEnabledFor(logging.INFO):
            _log.info("compute, then store object at %r (key %s)", key[1], key)
        start = time.perf_counter()
        value = compute()
        try:
            value = materialise(value)
        except UnstorableError as error:
            _warn(StoreWarning, f"the result at {key[1]!r} is not stored: {error}")
        else:
            _store(target, key, value, Facts(time.perf_counter() - start, made_from))
        return value


def _store(target: Target, key: Key, value: Any, facts: Facts) -> None:
    put = getattr(target, "put", None)
    try:
        if put is not None:
            put(key, value, facts)
        else:
            target[key] = value
        if not getattr(target, "isolates", False):
            seal(target, key, value)
    except Exception as error:  # noqa: BLE001  whatever a target raises, the computed value must not be lost
        _drop(target, key)
        _warn(StoreWarning, f"{_name(target)} did not store the result at {key[1]!r}: {_text(error)}")


def _handed_out(value: Any) -> Any:
    return iter(value) if type(value) is Materialised else value


def _drop(target: Target, key: Key) -> None:
    """Leave no entry behind that was changed, or put before something about it failed."""
    try:
        del target[key]
    except Exception:  # noqa: BLE001  a target that could not store need not be able to delete
        _log.debug("nothing removed at %r", key[1])
    else:
        forget(target, key)  # what cannot be removed keeps its seal, by which it stays known as changed


def _name(target: Target) -> str:
    text = repr(target) if type(target) is not dict else f"dict of {len(target)} entries"
    return text if len(text) <= 80 else text[:79] + "…"


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _warn(kind: type[Warning], message: str) -> None:
    warnings.warn(message, kind, stacklevel=2)
