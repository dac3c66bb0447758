"""Instances: by their class and state, from the reduction that pickle uses (PEP 307)."""

from __future__ import annotations

from collections.abc import Iterable
from copyreg import __newobj__ as new  # type: ignore[attr-defined]
from copyreg import dispatch_table
from functools import lru_cache
from typing import Any

from ...errors import UnhashableError
from ...pipelines import effective_steps, role
from ..code.origin import of_module
from ..rows import LABELS, ROWS, Attrs, Parts, attrs, of_class, package

__all__ = ["by_reduction", "is_run"]

ADVICE = (
    "describe its content with flowly_ckpt.hashing.register or a method __flowly_hash__ or __reduce__, "
    "or leave it out with ignore_globals"
)

SETS: tuple[Any, ...] = (set.__reduce__, frozenset.__reduce__)
FLAT = frozenset({tuple, dict})
PLAIN_STATE = frozenset({dict, type(None)})
COPIED = frozenset(
    {"__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__annotate__", "__type_params__"}
)
"""What ``functools.update_wrapper`` copies from the function it wraps."""
RUN_ROLES = frozenset({"sequential", "transparent", "mark"})


def of_reduction(obj: Any, parts: list[Any]) -> list[str]:
    args = parts[2 : 2 + parts[1]]
    names = (f"class {arg.__name__!r}" if isinstance(arg, type) else f"argument {i}" for i, arg in enumerate(args))
    return ["made by", "", *names]


def of_instance(obj: Any, parts: list[Any]) -> list[str | None]:
    half = len(parts) // 2
    return [f"class {parts[0].__name__!r}", *[None] * half, *(f".{name}" for name in parts[1 : 1 + half])]


def of_steps(obj: Any, steps: list[Any]) -> list[str]:
    return [f"step {i} {step_name(step)!r}" for i, step in enumerate(steps, start=1)]


def step_name(step: Any) -> str:
    name = getattr(step, "__name__", None)
    return name if type(name) is str else type(step).__name__


LABELS.update({b"<run>": of_steps, b"<own>": of_class, b"<instance>": of_instance, b"<object>": of_reduction})


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
    if hasattr(kind, "__flowly_hash__"):
        own = of_type(kind, "__flowly_hash__")
        if own is not None:
            return b"<own>", [kind, own.__get__(obj, kind)()]
    if hasattr(kind, "__next__") and of_type(kind, "__next__") is not None:
        refuse_iterator(kind, obj)
    reduced = reduce(obj)
    if isinstance(reduced, str):
        return by_name(obj, kind, reduced)
    function, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if function is new and len(args) == 1 and items is None and pairs is None and type(state) in PLAIN_STATE:
        kept = own_state(state, kind)
        refuse_addresses(obj, kept.values())
        tag, state_parts = attrs(Attrs(kept))
        if tag == b"<attrs>":
            return b"<instance>", [args[0], *state_parts]
    if issubclass(kind, set | frozenset) and kind.__reduce__ in SETS:
        args = (set(obj),)  # reduced to a list in an order that means nothing
    states = state if is_slots(state) else (state,)
    refuse_addresses(obj, args)
    for each in (*args, *states):
        if type(each) in FLAT:
            refuse_addresses(obj, each.values() if type(each) is dict else each)
    parts = [function, len(args), *args, *(as_state(each, kind) for each in states)]
    if items is not None or pairs is not None:
        parts += [list(items or ()), list(pairs or ())]
    beside = {"setter": setter, "cause": obj.__cause__ if isinstance(obj, BaseException) else None}
    if any(value is not None for value in beside.values()):
        parts.append(Attrs(beside))
    return b"<object>", parts


def of_type(kind: type, name: str) -> Any:
    """Return an attribute of a type, or None; unlike ``getattr``, not one that its metaclass makes up."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def is_run(obj: Any) -> bool:
    """Return whether an object is a run of steps: a sequential or transparent transform, or a mark.

    >>> from flowly_ckpt.pipelines import chained
    >>> is_run(chained(abs)), is_run(abs)
    (True, False)
    """
    return role(obj) in RUN_ROLES


def reduce(obj: Any) -> Any:
    registered = dispatch_table.get(type(obj))
    try:
        return obj.__reduce_ex__(4) if registered is None else registered(obj)
    except RecursionError:
        raise
    except Exception as error:  # whatever a foreign __reduce__ raises, there is nothing to hash
        raise UnhashableError(obj, (), ADVICE) from error


def is_slots(state: Any) -> bool:
    """Return whether a state is the pair of an instance dict and the values of the slots."""
    return (
        type(state) is tuple
        and len(state) == 2
        and type(state[1]) is dict
        and (state[0] is None or type(state[0]) is dict)
    )


def as_state(state: Any, kind: type) -> Any:
    return Attrs(own_state(state, kind)) if type(state) is dict else state


def own_state(state: Any, kind: type) -> dict[Any, Any]:
    """Return a state without what ``functools.update_wrapper`` copied into it, and what properties keep there."""
    if not state:
        return {}
    left_out = kept_by_properties(kind) & state.keys()
    if "__wrapped__" in state:
        left_out |= COPIED
    return {name: value for name, value in state.items() if name not in left_out} if left_out else state


@lru_cache(maxsize=10_000)
def kept_by_properties(kind: type) -> frozenset[str]:
    """Return the names under which cached properties of a class keep what follows from the rest of the state.

    Besides ``functools.cached_property`` there are those of many libraries; they have ``__get__`` alone.
    """
    found = [(name, type(value)) for base in kind.__mro__ for name, value in vars(base).items()]
    names = {name for name, descriptor in found if is_cached(descriptor)}
    in_pandas = any(is_cached(descriptor) and package(descriptor) == "pandas" for _, descriptor in found)
    return frozenset({*names, "_cache"} if in_pandas else names)


def is_cached(kind: type) -> bool:
    name = kind.__name__.lower()
    return ("cached" in name or "lazy" in name or name == "reify") and hasattr(kind, "__get__")


def by_name(obj: Any, kind: type, name: str) -> Parts:
    """Describe an object that pickles as a global by its name, the version of its origin and its type."""
    module = getattr(obj, "__module__", None) or kind.__module__
    return b"<named>", [module, name, of_module(module).label, kind]


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
