"""Names of transforms: in a repr, in an exception's note, in a log line; and of their modules, in every process."""

from __future__ import annotations

import os
import reprlib
import sys
from contextlib import suppress
from types import CoroutineType

from ..labels import label
from .awaiting import ADVICE
from .term import children, effective_steps, role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..typing import Transform

__all__ = ["MAIN", "locate", "module_name", "name_of", "place_of", "show", "steps_of", "unlocated"]

_DEPTH = 6
_PLACE = "__flowly_place__"
_ITEM = "__flowly_item__"
MAIN = ("__main__", "__mp_main__")  # the latter in processes that multiprocessing has spawned


def name_of(transform: Transform) -> str:
    """Return a short name: a function's own, else the type's.

    >>> name_of(abs), name_of(print)
    ('abs', 'print')

    See also: :func:`show`, which goes into what a transform is made of.
    """
    function = getattr(transform, "func", transform)  # partial and curry are known by what they call
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return str(name) if name else type(transform).__name__


def steps_of(transform: Transform) -> str:
    """Return the names of the first steps of a pipeline.

    >>> from flowly_ckpt.pipelines import chained
    >>> steps_of(chained(abs, chained(float))), steps_of(abs)
    ('abs, float', 'abs')
    """
    steps = effective_steps(transform)
    return ", ".join([*map(name_of, steps[:3])] + ["…"] * (len(steps) > 3))


def module_name(name: str, unnamed: str = "__main__") -> str:
    """Return the name of a module, the same whether it is imported, run, or run again by a worker process.

    :param unnamed: stands for ``__main__`` where it has no file, as in a notebook.

    >>> module_name("json.decoder")
    'json.decoder'
    """
    if name not in MAIN:
        return name
    main = sys.modules.get(name)
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None and spec.name:
        return str(spec.name).removesuffix(".__main__")
    return os.path.splitext(os.path.basename(file))[0] if file else unnamed


def show(transform: Transform, depth: int = _DEPTH, width: int | None = None) -> str:
    """Return a transform as source text, with ``…`` for parts beyond the given depth and length.

    A type has the method ``_show(parts)`` when it is written as a call; it returns the arguments of the call.

    >>> from flowly_ckpt.pipelines import chained
    >>> show(chained(abs, chained(float, str)), depth=1)
    'chained(abs, chained(…))'
    >>> show(chained(abs, float, str), width=2)
    'chained(abs, float, …)'
    >>> from functools import partial
    >>> show(partial(round, ndigits=2))
    'round(ndigits=2)'

    See also: :func:`name_of`.
    """
    kind: Any = type(transform)
    if not hasattr(kind, "_show"):
        if all(hasattr(transform, name) for name in ("func", "args", "keywords")):  # as of partial and curry
            return _bound(transform, depth, width)
        has_own_repr = kind.__repr__ is not object.__repr__ and not hasattr(transform, "__name__")
        return repr(transform) if has_own_repr else name_of(transform)
    parts = children(transform)
    if depth == 0 and parts:
        return f"{kind.__name__}(…)"
    shown = [show(part, depth - 1, width) for part in parts[:width]]
    if len(shown) < len(parts):
        shown.append("…")
    return f"{kind.__name__}({', '.join(kind._show(transform, shown))})"


def _bound(call: Any, depth: int, width: int | None) -> str:
    """Write a call whose first arguments are bound; large values are shortened."""

    def written(value: Any) -> str:
        if callable(value):
            return show(value, depth - 1, width) if depth > 0 else name_of(value)
        return reprlib.repr(value)

    arguments = [*map(written, call.args), *(f"{name}={written(value)}" for name, value in call.keywords.items())]
    name = name_of(call)
    return f"{name}({', '.join(arguments)})" if arguments else name


def locate(error: Exception, chain: Transform, index: int, obj: Any = None) -> None:
    """Add a note to an exception that names the step of a chain in which it was raised.

    Steps are counted in the flat pipeline without marks, so passes do not change their numbers. Where the step was
    reading a ``map`` over a list or a tuple, the note before it names the item.

    >>> from flowly_ckpt.pipelines import chained
    >>> try:
    ...     chained(abs, chained(len, str))(5)
    ... except TypeError as error:
    ...     print(*error.__notes__)
    in step 2 of 3, len, of chained(abs, len, str)
    """
    if type(obj) is map:
        _locate_item(error, obj)
    if type(obj) is CoroutineType:
        error.add_note(f"the step was given a coroutine: {ADVICE}")
    parts = children(chain)
    before = len(effective_steps(*parts[:index]))
    if before and not effective_steps(parts[index]):  # a mark is told by the step before it
        before -= 1
    owner, position, note = getattr(error, _PLACE, (None, 1, ""))
    if owner is not None and _leads(parts[index], owner):
        error.__notes__.remove(note)
    else:
        position = 1
    position += before
    note = _place(chain, index, position)
    error.add_note(note)
    setattr(error, _PLACE, (chain, position, note))


def place_of(chain: Transform, index: int) -> str:
    """Return the note that :func:`locate` adds to an exception of a step which itself has none.

    >>> from flowly_ckpt.pipelines import chained
    >>> place_of(chained(abs, len, str), 1)
    'in step 2 of 3, len, of chained(abs, len, str)'
    """
    return _place(chain, index, 1 + len(effective_steps(*children(chain)[:index])))


def _place(chain: Transform, index: int, position: int) -> str:
    steps = effective_steps(chain)
    name = show(steps[position - 1], depth=1, width=3) if position <= len(steps) else name_of(children(chain)[index])
    listed = ", ".join([show(step, depth=0) for step in steps[:5]] + ["…"] * (len(steps) > 5))
    return f"in step {position} of {len(steps)}, {name}, of {type(chain).__name__}({listed})"


def unlocated(error: Exception) -> Exception:
    """Return an exception without the pipeline that its note was made from, so that it can be sent; the note stays.

    >>> from flowly_ckpt.pipelines import chained
    >>> try:
    ...     chained(len)(5)
    ... except TypeError as error:
    ...     vars(unlocated(error))
    {'__notes__': ['in step 1 of 1, len, of chained(len)']}
    """
    vars(error).pop(_PLACE, None)
    return error


def _locate_item(error: Exception, mapped: Any) -> None:
    """Add a note that names the item at which a ``map`` stands, as far as its iterator shows it."""
    if getattr(error, _ITEM, False):
        return
    with suppress(TypeError, ValueError, AttributeError, IndexError):  # iterators of other kinds say nothing
        _, (func, source) = mapped.__reduce__()
        _, (items,), following = source.__reduce__()
        if isinstance(items, (list, tuple)):
            error.add_note(f"at item {following - 1} ({label(items[following - 1])}) of map({steps_of(func)})")
            setattr(error, _ITEM, True)


def _leads(transform: Transform, owner: Transform) -> bool:
    # A note made on the left edge of a child counts its steps from the child's own first step.
    while transform is not owner:
        if role(transform) not in ("sequential", "transparent"):
            return False
        parts = children(transform)
        if not parts:
            return False
        transform = parts[0]
    return True
