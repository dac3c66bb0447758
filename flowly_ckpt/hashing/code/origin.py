"""Where code comes from: Python itself, an installed distribution, this library, or the user.

What is installed counts by name and version; what the user writes counts by content.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any, NamedTuple

__all__ = ["Origin", "named", "of_globals", "of_module"]

PYTHON = f"python {sys.version_info[0]}.{sys.version_info[1]}"
STDLIB = os.path.dirname(os.__file__)
SITES = ("site-packages", "dist-packages")


class Origin(NamedTuple):
    """Describe who wrote some code, with the label that stands for it.

    :param kind: ``"python"``, ``"installed"``, ``"ours"`` or ``"user"``.
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

    >>> of_globals({"__name__": "__main__", "__file__": "/work/script.py"}).kind
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
    if type(name) is not str or type(file) not in (str, type(None)):
        return USER
    top = name.partition(".")[0]
    if top == "flowly_ckpt":
        return OURS
    if file is None:
        known = top in sys.stdlib_module_names or top in sys.builtin_module_names
        return Origin("python", PYTHON) if known else _namespace(top)
    site, package = split_site(file)
    if site:
        label = version_label(site, package or top)
        return Origin("installed", label) if label else USER
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
    from importlib.metadata import packages_distributions

    names = sorted(set(packages_distributions().get(package, ())))
    found = [_folders(site).get(normal(name)) for name in names]
    return " ".join(_label(site, folder) for folder in found if folder)


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
