"""What a recipe is called, and where it is from: names that hold in every process, wherever the project lies."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["doc_of", "module_name", "module_of"]


def module_of(func: Any) -> str:
    """Return the name of the module that a function belongs to.

    >>> module_of(os.path.join) in ("posixpath", "ntpath")
    True
    """
    return module_name(getattr(func, "__module__", None) or "recipes")


def module_name(name: str) -> str:
    """Return the name of a module, the same whether it is imported or run; cells of any notebook share one.

    >>> module_name("pkg.steps")
    'pkg.steps'
    """
    if name != "__main__":
        return name
    main = sys.modules.get("__main__")
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    return os.path.splitext(os.path.basename(file))[0] if file else "notebook"


def doc_of(func: Any) -> str:
    """Return the first paragraph of a function's docstring in one line.

    >>> doc_of(module_of)
    'Return the name of the module that a function belongs to.'
    """
    text = (getattr(func, "__doc__", None) or "").strip()
    return " ".join(line.strip() for line in text.split("\n\n")[0].splitlines())
