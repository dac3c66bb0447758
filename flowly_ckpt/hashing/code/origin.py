"""Where code comes from: Python itself, an installed distribution, this library, or the user.

What is installed counts by name and version; what the user writes counts by content, what the user compiled by the
content of its file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from ...pipelines.names import MAIN

__all__ = ["Origin", "library_label", "named", "of_globals", "of_module"]

PYTHON = f"python {sys.version_info[0]}.{sys.version_info[1]}"
STDLIB = os.path.dirname(os.__file__)
SITES = ("site-packages", "dist-packages")
COMPILED = (".so", ".pyd", ".dll", ".dylib")
SYSTEM = ("/usr/", "/lib", "/System/", os.path.join(sys.base_prefix, ""))


class Origin(NamedTuple):
    """Describe who wrote some code, with the label that stands for it.

    :param kind: ``"python"``, ``"installed"``, ``"ours"``, ``"compiled"`` or ``"user"``.
    :param label: the name and version that count; empty for the user's code, which counts by content.

    >>> of_module("json").kind
    'python'
    """

    kind: str
    label: str


USER = Origin("user", "")
OURS = Origin("ours", "flowly_ckpt")


def of_globals(table: dict[str, Any]) -> Origin:
    """Return the origin of the code that has these globals.

    >>> of_globals({"__name__": "__main__", "__file__": os.__file__}).kind
    'user'
    """
    try:
        return _origin(table.get("__name__"), table.get("__file__"))
    except TypeError:  # names that cannot be keys
        return USER


def of_module(name: Any) -> Origin:
    """Return the origin of a module, imported or not, by its name.

    >>> of_module("no_such_module").kind
    'user'
    """
    module = sys.modules.get(name) if type(name) is str else None
    if module is None:
        return _unimported(name) if type(name) is str else USER
    return of_globals(vars(module))


def named(module: Any, qualname: str) -> Any:
    """Return what a module has under a qualified name, or None.

    >>> named("json", "JSONDecoder.decode").__name__
    'decode'
    """
    found = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found


@cache
def _origin(name: Any, file: Any) -> Origin:
    if type(name) is not str or type(file) not in (str, type(None)) or name in MAIN:
        return USER  # what is written at a prompt, of asyncio's for one, stands among the names of what shows it
    top = name.partition(".")[0]
    if top == "flowly_ckpt":
        return OURS
    if file is None:
        known = top in sys.stdlib_module_names or top in sys.builtin_module_names
        return Origin("python", PYTHON) if known else _namespace(top)
    site, package = split_site(file)
    if not site:
        site, package = beside(name, file), top
    label = version_label(site, package or top) if site else ""
    if label:
        return Origin("installed", label)
    if file.endswith(COMPILED) and not file.startswith(STDLIB + os.sep):
        return Origin("compiled", library_label(file))
    if site:
        return USER
    if file.startswith((STDLIB + os.sep, "<frozen ")) or top == "builtins":
        return Origin("python", PYTHON)
    return USER


@cache
def _unimported(name: str) -> Origin:
    from importlib.util import find_spec

    try:
        spec = find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return USER
    if spec is None:
        return USER
    if spec.origin in (None, "built-in", "frozen"):
        places = list(spec.submodule_search_locations or ())
        return _origin(name, os.path.join(places[0], "__init__.py") if places else None)
    return _origin(name, spec.origin)


def _namespace(top: str) -> Origin:
    places = list(getattr(sys.modules.get(top), "__path__", ()))
    return _origin(top, os.path.join(places[0], "__init__.py")) if places else USER


def split_site(file: str) -> tuple[str, str]:
    """Split a file into the folder of installed packages and the name of its top-level package, or two empty strings.

    >>> split_site("/venv/lib/site-packages/toolz/core.py")
    ('/venv/lib/site-packages', 'toolz')
    """
    parts = file.split(os.sep)
    for i in range(len(parts) - 2, 0, -1):
        if parts[i] in SITES:
            return os.sep.join(parts[: i + 1]), parts[i + 1].partition(".")[0]
    return "", ""


@cache
def version_label(site: str, package: str) -> str:
    """Return the name and version of the distribution a package belongs to; empty if no distribution owns it."""
    folder = _folders(site).get(normal(package))
    if folder is not None:
        return _label(site, folder)
    folders = sorted(_folders(site).values(), key=lambda folder: (-likeness(folder, package), folder))
    owners: Iterator[str] = (folder for folder in folders if owns(site, folder, package))
    if os.path.isfile(os.path.join(site, package, "__init__.py")):  # all of it is of one distribution
        owners = islice(owners, 1)
    return " ".join(_label(site, folder) for folder in sorted(owners))


def likeness(folder: str, package: str) -> int:
    """Return how many runs of three letters the names of a distribution and a package share.

    >>> likeness("scikit_learn-1.9.1.dist-info", "sklearn"), likeness("toolz-1.1.dist-info", "sklearn")
    (3, 0)
    """
    one, other = (normal(name).replace("_", "") for name in (folder.partition("-")[0], package))
    return len({one[i : i + 3] for i in range(len(one) - 2)} & {other[i : i + 3] for i in range(len(other) - 2)})


def owns(site: str, folder: str, package: str) -> bool:
    """Return whether a distribution of another name owns a package, by the lists that it brought with it."""
    for file, start in (("top_level.txt", b""), ("RECORD", b"/."), ("installed-files.txt", b"/.")):
        try:
            with open(os.path.join(site, folder, file), "rb") as opened:
                text = b"\n" + opened.read().replace(b"\r", b"").replace(b"../", b"") + b"\n"
        except OSError:
            continue
        if any(b"\n" + package.encode() + end in text for end in ([b"/", b"."] if start else [b"\n"])):
            return True
    return False


def beside(name: str, file: str) -> str:
    """Return the folder a module was imported from if metadata lie there, as after ``pip install --target``."""
    parts, depth = file.split(os.sep), name.count(".") + 1
    at = len(parts) - depth - parts[-1].startswith("__init__.")
    if at <= 0 or parts[at].partition(".")[0] != name.partition(".")[0]:
        return ""
    folder = os.sep.join(parts[:at])
    return folder if any(each.endswith(".dist-info") for each in _folders(folder).values()) else ""


def library_label(file: str) -> str:
    """Return what stands for a library that the user compiled: the content of its file.

    >>> library_label("libc.so.6")
    'libc.so.6'
    """
    if os.sep not in file or file.startswith(SYSTEM) or not os.path.isfile(file):
        return file
    from ..files import content_digest

    return f"content {content_digest(file)}"


@cache
def _folders(site: str) -> dict[str, str]:
    """Return the folders of metadata by normalised name; much faster than importing importlib.metadata."""
    try:
        names = os.listdir(site)
    except OSError:
        return {}
    return {normal(n.split("-")[0]): n for n in names if n.endswith((".dist-info", ".egg-info"))}


def _label(site: str, folder: str) -> str:
    label = " ".join(folder.rpartition(".")[0].split("-")[:2])
    return label + _content(os.path.join(site, folder))


def _content(folder: str) -> str:
    """Return a digest of the list of files if installed from a folder or repository, as the version says little."""
    if not os.path.exists(os.path.join(folder, "direct_url.json")):
        return ""
    import xxhash

    try:
        with open(os.path.join(folder, "RECORD"), encoding="utf-8") as record:
            lines = sorted(line for line in record if "dist-info" not in line and ".pyc" not in line)
    except OSError:
        return ""
    return " " + xxhash.xxh3_128_hexdigest("".join(lines).encode())


def normal(name: str) -> str:
    return name.replace("-", "_").replace(".", "_").lower()
