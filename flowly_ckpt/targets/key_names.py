"""Names of entries that are safe on every file system, readable, and can be turned back into keys."""

from __future__ import annotations

from ..typing import Key

__all__ = [
    "cut",
    "key_of_name",
    "key_of_path",
    "name_of_key",
    "path_of_key",
    "quoted",
    "quoted_dotted",
    "uncut",
    "unquoted",
    "unquoted_dotted",
]

# Capitals are quoted too: on a file system that ignores case, two tags must not share a file.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_QUOTED = {chr(code): chr(code) if chr(code) in _PLAIN else f"%{code:02x}" for code in range(128)}
_RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{digit}" for kind in ("com", "lpt") for digit in "123456789")}
_LONGEST = 180  # of a path's component; longer ones go on in the next
_GOES_ON = "~"  # marks a component that goes on; quoting never makes it


def quoted(text: str) -> str:
    """Write any text in lower-case letters, digits, ``_``, ``-`` and ``%``; never empty, never a reserved name.

    ``unquoted(quoted(text)) == text``

    >>> quoted("Clean/up"), quoted(""), quoted("../x"), quoted("nul")
    ('%43lean%2fup', '%', '%2e%2e%2fx', '%6eul')
    """
    if not text:
        return "%"
    if text in _RESERVED:
        return f"%{ord(text[0]):02x}{text[1:]}"
    return "".join([_QUOTED.get(letter) or _bytes_quoted(letter) for letter in text])


def _bytes_quoted(letter: str) -> str:
    return "".join([f"%{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass")])


def unquoted(name: str) -> str:
    """Return the text that :func:`quoted` wrote as this name.

    :raises ValueError: for a name it did not write.

    >>> unquoted("%43lean%2fup"), unquoted("%")
    ('Clean/up', '')
    """
    if name == "%":
        return ""
    first, *rest = name.split("%")
    data = first.encode() + b"".join([bytes.fromhex(part[:2]) + part[2:].encode() for part in rest])
    text = data.decode("utf-8", "surrogatepass")
    if quoted(text) != name:
        raise ValueError(f"{name!r} is not the name of an entry")
    return text


def quoted_dotted(name: str) -> str:
    """Write a dotted name part by part, so that its dots stay readable.

    ``unquoted_dotted(quoted_dotted(name)) == name``

    >>> quoted_dotted("rag.Index.add")
    'rag.%49ndex.add'
    """
    return ".".join([quoted(part) for part in name.split(".")])


def unquoted_dotted(text: str) -> str:
    """Return the name that :func:`quoted_dotted` wrote.

    :raises ValueError: for a name it did not write.

    >>> unquoted_dotted("rag.%49ndex.add")
    'rag.Index.add'
    """
    return ".".join([unquoted(part) for part in text.split(".")])


def name_of_key(key: Key) -> str:
    """Write a key as one name, for mappings whose keys are strings.

    ``key_of_name(name_of_key(key)) == key``

    >>> name_of_key(("0a1b", "clean up", "2c3d"))
    'clean%20up.0a1b.2c3d'
    """
    obj, tag, transform = key
    return f"{quoted(tag)}.{quoted(obj)}.{quoted(transform)}"


def key_of_name(name: str) -> Key | None:
    """Return the key of a name, or None for a name of other origin.

    >>> key_of_name("clean%20up.0a1b.2c3d"), key_of_name("README.md")
    (('0a1b', 'clean up', '2c3d'), None)
    """
    try:
        tag, obj, transform = map(unquoted, name.split("."))
    except ValueError:
        return None
    return (obj, tag, transform)


def path_of_key(key: Key) -> str:
    """Write a key as a relative path: a folder for the tag, in it a file for object and transform.

    >>> path_of_key(("0a1b", "clean up", "2c3d"))
    'clean%20up/0a1b.2c3d'
    """
    obj, tag, transform = key
    return f"{cut(quoted(tag))}/{cut(f'{quoted(obj)}.{quoted(transform)}')}"


def key_of_path(path: str) -> Key | None:
    """Return the key of a relative path (with ``/``), or None for a path of other origin.

    >>> key_of_path("clean%20up/0a1b.2c3d"), key_of_path("notes.txt")
    (('0a1b', 'clean up', '2c3d'), None)
    """
    tag, _, name = uncut(path).partition("/")
    key = key_of_name(f"{tag}.{name}")
    return key if key is not None and path_of_key(key) == path else None


def cut(name: str, longest: int = _LONGEST) -> str:
    """Write a long name as a path of components that every file system takes.

    >>> cut("a" * 181).split("/")[1], cut("short")
    ('a', 'short')

    See also: :func:`uncut`.
    """
    pieces = []
    while len(name) > longest:
        end = longest + (name[longest] == ".")  # no piece starts with a dot: it would be hidden
        pieces.append(name[:end])
        name = name[end:]
    return f"{_GOES_ON}/".join([*pieces, name])


def uncut(path: str) -> str:
    """Join the components that :func:`cut` made.

    >>> uncut(cut("a" * 500)) == "a" * 500
    True
    """
    return path.replace(f"{_GOES_ON}/", "")
