"""Instances: by their class and state, from the reduction that pickle uses (PEP 307)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from copyreg import __newobj__ as new  # type: ignore[attr-defined]
from copyreg import dispatch_table
from types import ModuleType
from typing import Any

from ...dispatch import Dispatch
from ...errors import UnhashableError
from ...pipelines import Combinator, children, effective_steps
from ...pipelines.term import shapes
from ..code.origin import of_module
from ..files import FileContent
from ..reductions import reducer_of
from ..rows import LABELS, ROWS, Parts, of_class, own_attributes
from .cached import kept_by_properties

__all__ = ["RUN_ROLES", "by_reduction", "is_made_anew", "is_run", "is_slots", "left_out", "made_anew", "only_step"]

ADVICE = (
    "describe its content with flowly_ckpt.hashing.register or a method __flowly_hash__ or __reduce__, "
    "or leave it out with ignore_globals"
)

HEAP = 1 << 9  # set for the types that are made while a program runs
BEHIND = ("__wrapped__", "_self_wrapper", "func", "fn", "function", "py_func")
"""Attributes under which wrappers keep what they wrap, those of wrapt among them."""
REDUCTIONS = frozenset({"__reduce__", "__reduce_ex__"})
SETS: tuple[Any, ...] = (set.__reduce__, frozenset.__reduce__)
ITERATIONS: tuple[Any, ...] = (set.__iter__, frozenset.__iter__)
FLAT = frozenset({tuple, dict})
STRINGS = frozenset({str})
PLAIN_STATE = frozenset({dict, type(None)})
COPIED = frozenset(
    {"__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__annotate__", "__type_params__"}
)
"""What ``functools.update_wrapper`` copies from the function it wraps."""
NAMING = frozenset({str, ModuleType})
RUN_ROLES = frozenset({"sequential", "transparent", "mark"})


def of_reduction(obj: Any, parts: list[Any]) -> list[str]:
    args = parts[2 : 2 + parts[1]]
    names = (f"class {arg.__name__!r}" if isinstance(arg, type) else f"argument {i}" for i, arg in enumerate(args))
    return ["made by", "", *names]


def of_instance(obj: Any, parts: list[Any]) -> list[str | None]:
    half = len(parts) // 2
    return [f"class {parts[0].__name__!r}", *[None] * half, *(f".{name}" for name in parts[1 : 1 + half])]


def of_combinator(obj: Any, parts: list[Any]) -> list[str]:
    return [f"class {parts[0].__name__!r}", "arguments", *(f"step {step_name(step)!r}" for step in parts[2:])]


def of_own(obj: Any, parts: list[Any]) -> list[str]:
    name = os.path.basename(obj.path) if type(obj) is FileContent else ""
    return [*of_class(obj, parts), f"content of {os.fsdecode(name)}" if name else ""]


def of_steps(obj: Any, steps: list[Any]) -> list[str]:
    return [f"step {i} {step_name(step)!r}" for i, step in enumerate(steps, start=1)]


def step_name(step: Any) -> str:
    name = getattr(step, "__name__", None)
    return name if type(name) is str else type(step).__name__


LABELS.update(
    {
        b"<run>": of_steps,
        b"<own>": of_own,
        b"<combinator>": of_combinator,
        b"<instance>": of_instance,
        b"<object>": of_reduction,
    }
)


@ROWS.register(object)
def by_reduction(obj: Any) -> Parts:
    """Describe an object by its class and state, as pickle would.

    >>> from fractions import Fraction
    >>> by_reduction(Fraction(1, 2))[0]
    b'<object>'
    """
    kind = type(obj)
    if is_run(obj):
        return b"<run>", effective_steps(obj)
    if is_ordinary(obj, kind):
        kept = own_state(obj.__dict__, kind)
        if STRINGS.issuperset(map(type, kept)):
            refuse_addresses(obj, kept.values())
            return b"<instance>", [kind, *kept, *kept.values()]
    if hasattr(kind, "__flowly_hash__"):
        own = of_type(kind, "__flowly_hash__")
        if own is not None:
            return b"<own>", [kind, own.__get__(obj, kind)()]
    if issubclass(kind, Combinator):  # it only calls its transforms, so their names do not count
        return b"<combinator>", [kind, obj._head(), *children(obj)]
    if hasattr(kind, "__next__") and of_type(kind, "__next__") is not None:
        refuse_iterator(kind, obj)
    behind = wrapped(obj, kind)
    try:
        reduced = reduce(obj)
    except UnhashableError:
        if not behind:
            raise
        reduced = ""
    if isinstance(reduced, str):
        return by_name(obj, kind, reduced, behind)
    if len(reduced) == 2 and (behind or is_looked_up(obj, reduced[0])) and NAMING.issuperset(map(type, reduced[1])):
        return by_name(obj, kind, "", behind)
    return of_reduced(obj, kind, reduced)


def of_reduced(obj: Any, kind: type, reduced: Any) -> Parts:
    """Describe an object by what it was reduced to: the function that makes it, with arguments, and its state."""
    function, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if function is new and len(args) == 1 and items is None and pairs is None and type(state) in PLAIN_STATE:
        kept = own_state(state, kind)
        refuse_addresses(obj, kept.values())
        if setter is None and all(type(name) is str for name in kept):
            return b"<instance>", [args[0], *kept, *kept.values()]
    if issubclass(kind, set | frozenset) and kind.__reduce__ in SETS and kind.__iter__ in ITERATIONS:
        args = (set(obj),)  # reduced to a list in an order that means nothing
    states = state if is_slots(state) else (state,)
    refuse_addresses(obj, args)
    for each in (*args, *states):
        if type(each) in FLAT:
            refuse_addresses(obj, each.values() if type(each) is dict else each)
    parts = [function, len(args), *args, *(state_told(each, kind) for each in states)]
    if items is not None or pairs is not None:
        parts += [list(items or ()), list(pairs or ())]
    cause = obj.__cause__ if isinstance(obj, BaseException) else None
    own = own_state(left_out(obj, state), kind) or None
    if setter is not None or cause is not None or own is not None:
        parts.append({"setter": setter, "cause": cause, "own": own})
    return b"<object>", parts


def state_told(state: Any, kind: type) -> Any:
    if type(state) is dict:
        return own_state(state, kind) or None
    if type(state) is tuple and dict in map(type, state):  # of an array with attributes, as astropy's
        return tuple([own_state(each, kind) if type(each) is dict else each for each in state])
    return state


class Ordinary:
    """Have no more than attributes."""


def is_ordinary(obj: Any, kind: Any) -> bool:
    """Return whether the content of an object is its attributes, for all that its class says; most are so.

    >>> is_ordinary(Ordinary(), Ordinary), is_ordinary(1, int)
    (True, False)
    """
    return (
        kind.__basicsize__ == Ordinary.__basicsize__
        and kind.__dictoffset__ == Ordinary.__dictoffset__
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and kind.__getstate__ is object.__getstate__
        and kind not in dispatch_table
        and not callable(obj)
        and not (hasattr(kind, "__flowly_hash__") or hasattr(kind, "__next__"))
        and not (hasattr(kind, "__getnewargs_ex__") or hasattr(kind, "__getnewargs__"))
    )


def is_made_anew(obj: Any, kind: Any) -> bool:
    """Return whether an object and all others of its class count by what ``object`` reduces them to.

    >>> from collections import namedtuple
    >>> Point = namedtuple("Point", "x y")
    >>> is_made_anew(Point(1, 2), Point), is_made_anew({1}, set)
    (True, False)
    """
    return (
        kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and kind not in dispatch_table
        and not callable(obj)
        and not issubclass(kind, Combinator)
        and not (hasattr(kind, "__flowly_hash__") or hasattr(kind, "__next__"))
    )


def made_anew(obj: Any) -> Parts:
    """Describe an object of a class of which :func:`is_made_anew` is true; ``made_anew(obj) == by_reduction(obj)``.

    >>> from collections import namedtuple
    >>> point = namedtuple("Point", "x y")(1, 2)
    >>> made_anew(point) == by_reduction(point)
    True
    """
    reduced = reduce(obj)
    if type(reduced) is tuple and reduced[0] is new:
        return of_reduced(obj, type(obj), reduced)
    return by_reduction(obj)


def is_looked_up(obj: Any, function: Any) -> bool:
    """Return whether a callable object of the user's is reduced to how it is found, not to how it is made."""
    return callable(obj) and not isinstance(function, type) and of_module(type(obj).__module__).kind == "user"


def of_type(kind: type, name: str) -> Any:
    """Return an attribute of a type, or None; unlike ``getattr``, not one that its metaclass makes up."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def is_run(obj: Any) -> bool:
    """Return whether an object is a run of steps: a sequential or transparent transform, or a mark.

    >>> from flowly_ckpt.pipelines import chained
    >>> is_run(chained(abs)), is_run(abs)
    (True, False)
    """
    return shapes[type(obj)].role in RUN_ROLES


def only_step(obj: Any) -> Any:
    """Return the one step of a run that has just one, else the object itself.

    >>> from flowly_ckpt.pipelines import chained
    >>> only_step(chained(abs))
    <built-in function abs>
    """
    while is_run(obj):
        steps = effective_steps(obj)
        if len(steps) != 1:
            break
        obj = steps[0]
    return obj


def reduce(obj: Any) -> Any:
    registered = reducer_of(type(obj))
    try:
        return obj.__reduce_ex__(4) if registered is None else registered(obj)
    except RecursionError:
        raise
    except Exception as error:  # whatever a foreign __reduce__ raises, there is nothing to hash
        raise UnhashableError(obj, (), ADVICE) from error


def silent_base(kind: type) -> type | None:
    """Return the base in Python itself below which a class adds what its reduction says nothing of, or None.

    A Counter's own reduction says nothing of the attributes that it may have itself.

    >>> from collections import Counter
    >>> Words = type("Words", (Counter,), {"__module__": "example"})
    >>> silent_base(Words), silent_base(Counter), silent_base(type("Names", (dict,), {}))
    (<class 'collections.Counter'>, <class 'collections.Counter'>, None)
    """
    speaks = next(base for base in kind.__mro__ if not REDUCTIONS.isdisjoint(vars(base)))
    if speaks is object or not is_of_python(speaks) or speaks.__module__ == "typing" or kind in dispatch_table:
        return None
    base = next(base for base in kind.__mro__ if speaks in base.__mro__ and is_of_python(base))
    return base if base is not kind or kind is Counter else None


def is_of_python(kind: type) -> bool:
    return of_module(kind.__module__).kind == "python"


def left_out(obj: Any, state: Any) -> dict[str, Any]:
    """Return the attributes and slots of an object that its reduction leaves out, given the state in that.

    >>> from collections import Counter
    >>> Words = type("Words", (Counter,), {"__module__": "example"})
    >>> words = Words("ab")
    >>> words.language = "en"
    >>> left_out(words, None)
    {'language': 'en'}
    """
    base = SILENT[type(obj)]
    found: dict[str, Any] = {}
    if base is not None and (state is None or not has_own_state(obj)):
        tables = state if type(state) is tuple else (state,)
        told = {name for table in tables if type(table) is dict for name in table}
        found = {name: value for name, value in (own_attributes(obj, base) or {}).items() if name not in told}
    if isinstance(obj, NameError | AttributeError) and "name" not in (state or ()) and obj.name is not None:
        found["name"] = obj.name
    return found


def has_own_state(obj: Any) -> bool:
    """Return whether a class says itself what the state of its object is, so that what it leaves out does not count."""
    kind = next(base for base in type(obj).__mro__ if "__getstate__" in vars(base))
    return not (is_of_python(kind) or isinstance(obj, BaseException))  # which are reduced without asking it


SILENT = Dispatch[Any](default=silent_base)


def is_slots(state: Any) -> bool:
    """Return whether a state is the pair of an instance dict and the values of the slots.

    >>> is_slots((None, {"a": 1})), is_slots({"a": 1})
    (True, False)
    """
    return (
        type(state) is tuple
        and len(state) == 2
        and type(state[1]) is dict
        and (state[0] is None or type(state[0]) is dict)
    )


def own_state(state: Any, kind: type) -> dict[Any, Any]:
    """Return a state without what ``functools.update_wrapper`` copied into it, and what properties keep there.

    What a library restores in its own way comes back in another order, which is its own affair.
    """
    if not state:
        return {}
    kept = kept_by_properties(kind)
    left_out = kept & state.keys()
    if "__wrapped__" in state:
        left_out |= COPIED
    if kept and type(state.get("__dict__")) is dict:  # of a model of pydantic
        state = {**state, "__dict__": own_state(state["__dict__"], kind)}
    if left_out:
        state = {name: value for name, value in state.items() if name not in left_out}
    is_restored = hasattr(kind, "__setstate__") and of_module(kind.__module__).kind == "installed"
    return dict(sorted(state.items())) if is_restored and STRINGS.issuperset(map(type, state)) else state


def by_name(obj: Any, kind: type, name: str, behind: list[Any]) -> Parts:
    """Describe an object that pickles as a global: installed, by its name and version, else by what the name hides."""
    module = getattr(obj, "__module__", None) or kind.__module__
    origin = of_module(module)
    if origin.kind != "user":
        return b"<named>", [module, name, origin.label, kind]
    try:
        state: Any = object.__getstate__(obj)
    except TypeError:  # an extension type keeps its state to itself
        state = None
    states = [own_state(each, kind) for each in (state if is_slots(state) else (state,)) if type(each) is dict and each]
    if behind or states:
        return b"<wrapped>", [kind, behind, *states]
    if kind.__flags__ & HEAP and of_module(kind.__module__).kind == "user":
        return b"<named>", [name, kind]
    raise UnhashableError(obj, (), f"its reduction says only its name, {module}.{name}; {ADVICE}")


def wrapped(obj: Any, kind: type) -> list[Any]:
    """Return the functions that a wrapper says it wraps, by the attributes that wrappers use."""
    if not callable(obj):
        return []
    found = []
    for name in BEHIND:
        try:
            value = getattr(obj, name, None)
        except Exception:  # noqa: BLE001  whatever a property of a foreign wrapper raises
            continue
        if value is not None and value is not obj and callable(value):
            found += [name, value]
    return found


def refuse_addresses(obj: Any, values: Iterable[Any]) -> None:
    """Refuse a reduction that contains the object's address: it would give another key in every run."""
    address = id(obj)
    for value in values:
        kind = type(value)
        if (kind is int and value == address) or (kind is str and "0x" in value and f"{address:x}" in value.lower()):
            raise UnhashableError(obj, (), f"its state contains its address in memory; {ADVICE}")


def refuse_iterator(kind: type, obj: Any) -> None:
    """Refuse the iterators of Python itself, as reading consumes them; a user's class counts by its state."""
    if of_module(kind.__module__).kind == "python":
        raise UnhashableError(obj, (), "an iterator can be read only once; make it a list or a tuple")
