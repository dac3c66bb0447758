"""Addresses of stores as they may be shown: the one place that hides what opens them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

__all__ = ["masked", "safe", "secrets_of"]

_HIDDEN = "***"
_USER = re.compile(r"(?<=://)([^/?#@]*?):([^/?#]*)@(?=[^@/?#]*(?:[/?#]|$))")
# Values of a query that open nothing, and that a reader of an error needs.
_VALUE = re.compile(r"([?&](?!(?:host|port|user|dbname|mode|sslmode|region|versionId)=)[^=&#]+=)([^&#]*)")
_SECRET = re.compile(r"pass|secret|token|key|cred|auth|sign|sas|conn", re.IGNORECASE)
_SHORTEST = 4  # letters: hiding shorter ones would spoil every text


def masked(url: str) -> str:
    """Return an address without its password, and without the values of its query but for some that open nothing.

    >>> masked("postgresql://ann:secret@/results?host=here&x=1"), masked("s3://bucket/results")
    ('postgresql://ann:***@/results?host=here&x=***', 's3://bucket/results')
    """
    return _VALUE.sub(rf"\1{_HIDDEN}", _USER.sub(rf"\1:{_HIDDEN}@", url))


def secrets_of(url: str, options: Any = ()) -> list[str]:
    """Return what an address and the options of a store must not show, the longest first.

    >>> secrets_of("https://ann:p%40ss@host/a?token=12345", {"client_kwargs": {"secret": "67890", "region": "here"}})
    ['p%40ss', '12345', '67890', 'p@ss']
    """
    found = [*_secret_parts(url), *_secret_options(options)]
    return sorted({text for text in found if len(text) >= _SHORTEST}, key=lambda text: (-len(text), text))


def _secret_parts(url: str) -> Iterable[str]:
    for found in (*_USER.finditer(url), *_VALUE.finditer(url)):
        yield from (found.group(2), unquote(found.group(2)))


def _secret_options(options: Any, is_secret: bool = False) -> Iterable[str]:
    if isinstance(options, Mapping):
        for name, value in options.items():
            yield from _secret_options(value, is_secret or _SECRET.search(str(name)) is not None)
    elif isinstance(options, (list, tuple)):
        for value in options:
            yield from _secret_options(value, is_secret)
    elif isinstance(options, str):
        yield from [options] if is_secret else _secret_parts(options)


def safe(text: object, secrets: Iterable[str]) -> str:
    """Return a text in which none of the secrets is left.

    >>> safe("no such host: https://ann:p@ss@host", ["p@ss"])
    'no such host: https://ann:***@host'
    """
    found = str(text)
    for secret in secrets:
        found = found.replace(secret, _HIDDEN)
    return found
