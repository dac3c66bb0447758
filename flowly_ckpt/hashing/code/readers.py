"""Functions and attributes by which code reads what functions and classes show, or finds what texts name.

Code shows them by name (``f.__doc__``, ``inspect.getdoc(f)``); under another name they are known by the function
itself, wherever it is held: ``describe = inspect.getdoc``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from typing import Any

from ..rows import Reads

__all__ = ["IMPORTERS", "READERS", "SPECIAL", "read_by", "read_in_texts", "reads_of"]

IMPORTERS = frozenset({"import_module", "__import__", "resolve_name", "locate", "run_module", "find_spec"})
READERS = {
    **{name: name for name in ("__name__", "__qualname__", "__doc__", "__annotations__", "__module__", "__code__")},
    **{name: name for name in ("__subclasses__", "__dict__")},
    "vars": "__dict__",
    **dict.fromkeys(("__annotate__", "get_type_hints", "get_annotations"), "__annotations__"),
    **dict.fromkeys(("signature", "from_callable", "getfullargspec"), "__annotations__"),
    **dict.fromkeys(("TypeAdapter", "validate_call", "beartype", "typechecked"), "__annotations__"),
    **dict.fromkeys(("getdoc", "help", "render_doc", "model_json_schema", "json_schema"), "__doc__"),
    **dict.fromkeys(("_getframe", "currentframe", "stack", "extract_stack"), "__code__"),
    **dict.fromkeys(("getsource", "getsourcelines", "getcomments"), "source"),
    **dict.fromkeys(("globals", "exec", "f_globals", "__globals__", "modules", "getmodule"), "texts"),
    **dict.fromkeys(("sql", "SQLContext", "sqldf", "duckdb", "numexpr", "ne"), "texts"),
    **dict.fromkeys(("ols", "glm", "logit", "dmatrix", "dmatrices", "from_formula", "model_matrix"), "texts"),
    **dict.fromkeys((*IMPORTERS, "EntryPoint", "entry_points"), "imports"),
    "query": "queries",
}
"""What is read of functions and classes by an attribute, or by a function that is given one of them, by its name; and
what finds things that texts name: globals (``texts``), those behind an ``@`` (``queries``), modules (``imports``)."""
SPECIAL = frozenset(name for name in READERS if name[:2] == "__")
OF_MODULES = {"builtins.eval": "texts", "inspect.stack": "__code__", "numexpr.necompiler.evaluate": "texts"}
UNSURE = {"stack": "inspect", "ne": "numexpr", "modules": "sys"}
"""Names that others use, too (``np.stack``, ``s.ne(1)``, ``net.modules()``): they count beside that of their module."""


def read_by(module: Any, name: str) -> tuple[Reads, ...]:
    """Return what a function or class of a library reads of others, by where it stands.

    >>> [set(reads) for reads in read_by("inspect", "getdoc")], read_by("numpy", "stack")
    ([{'__doc__'}], ())
    """
    last = name.rpartition(".")[2]
    found = OF_MODULES.get(f"{module}.{name}") if last in UNSURE or last[:4] == "eval" else READERS.get(last)
    return (Reads({found}),) if found is not None else ()


def reads_of(names: Set[str], roots: Collection[str]) -> set[str]:
    """Return what code reads by some names.

    :param roots: those of them that are looked up as globals or imported.

    >>> reads_of({"np", "stack"}, {"np"}), reads_of({"inspect", "stack"}, {"inspect"}), reads_of({"stack"}, {"stack"})
    (set(), {'__code__'}, {'__code__'})
    """
    sure = (names & (READERS.keys() - SPECIAL)) - UNSURE.keys()
    sure |= {name for name in names & UNSURE.keys() if UNSURE[name] in names or name in roots}
    return {READERS[name] for name in sure}


def read_in_texts(texts: Iterable[str]) -> Iterator[str]:
    """Yield what is read under names that stand in texts: of ``getattr(f, "__doc__")``, ``"{.__name__}"``, patterns.

    >>> list(read_in_texts(["{.__doc__}"]))
    ['__doc__']
    """
    return (READERS[name] for text in texts if "__" in text for name in SPECIAL if name in text)
