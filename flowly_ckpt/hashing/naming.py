"""Names for the parts of an object, as a user would say them; asked for only when there is something to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from .functions import content
from .hints import IGNORES
from .recipes import recipe_of
from .references import resolve
from .rows import Attrs, Parts

__all__ = ["named_parts"]

Named = list[tuple[str, Any]]


def named_parts(obj: Any, told: Parts) -> Named:
    """Return the parts of an object with a name for each; an empty name adds nothing to a path.

    >>> named_parts({"a": 1}, (b"<dict>", ["a", 1]))
    [("['a']", 1)]
    """
    tag, parts = told
    by_tag = NAMES.get(tag)
    if by_tag is not None:
        return by_tag(obj, parts)
    return [("", part) for part in parts]


def positions(obj: Any, parts: list[Any]) -> Named:
    return [(f"[{i}]", part) for i, part in enumerate(parts)]


def keys(obj: Any, parts: list[Any]) -> Named:
    half = len(parts) // 2
    found = [(f"key {key!r:.40}", key) for key in parts[:half] if type(key) is not str]
    return found + [(f"[{key!r:.40}]", value) for key, value in zip(parts[:half], parts[half:])]


def attributes(obj: Any, parts: list[Any]) -> Named:
    half = len(parts) // 2
    return [(f".{name}", value) for name, value in zip(parts[:half], parts[half:])]


def function(fn: FunctionType, parts: list[Any]) -> Named:
    code, recipe = fn.__code__, recipe_of(fn.__code__)
    ignored = fn.__dict__.get(IGNORES, ())
    names = code.co_varnames[: code.co_argcount]
    defaults = fn.__defaults__ or ()
    found = [(f"default {name!r}", v) for name, v in zip(names[len(names) - len(defaults) :], defaults)]
    found += [(f"default {name!r}", value) for name, value in (fn.__kwdefaults__ or {}).items()]
    found.append(("", Attrs({k: v for k, v in fn.__dict__.items() if k != IGNORES})))
    if ignored is True:
        return found
    free = [code.co_freevars[i] for i in recipe.free]
    cells = [(fn.__closure__ or ())[i] for i in recipe.free]
    found += [(f"closure {name!r}", content(cell)) for name, cell in zip(free, cells) if name not in ignored]
    for reference in recipe.references:
        if reference.name not in ignored:
            value, rest = resolve(reference, fn.__globals__)
            cut = reference._replace(chain=reference.chain[: len(reference.chain) - len(rest)])
            found.append((cut.text, value))
    return found


def instance(obj: Any, parts: list[Any]) -> Named:
    kind, *rest = parts
    return [(f"class {kind.__name__!r}", kind), *attributes(obj, rest)]


def reduced(obj: Any, parts: list[Any]) -> Named:
    function, count, *rest = parts
    args, states = rest[:count], rest[count:]
    names = [f"class {arg.__name__!r}" if isinstance(arg, type) else f"argument {i}" for i, arg in enumerate(args)]
    return [("made by", function), *zip(names, args), *(("", state) for state in states)]


def run(obj: Any, steps: list[Any]) -> Named:
    return [(f"step {i} {step_name(step)!r}", step) for i, step in enumerate(steps, start=1)]


def step_name(step: Any) -> str:
    name = getattr(step, "__name__", None)
    return name if type(name) is str else type(step).__name__


def columns(obj: Any, parts: list[Any]) -> Named:
    names = list(obj.columns)
    first = len(parts) - len(names)
    found = [("index", parts[0]), ("columns", parts[1]), *(("", part) for part in parts[2:first])]
    return found + [(f"column {name!r}", part) for name, part in zip(names, parts[first:])]


def called(*names: str) -> Callable[[Any, list[Any]], Named]:
    return lambda obj, parts: list(zip([*names, *("" for _ in parts[len(names) :])], parts))


def user_class(obj: Any, parts: list[Any]) -> Named:
    bases: Iterable[Any] = parts[1]
    return [*((f"base {base.__name__!r}", base) for base in bases), ("", parts[2]), *(("class", p) for p in parts[3:])]


def typed(obj: Any, parts: list[Any]) -> Named:
    kind, *rest = parts
    return [(f"class {getattr(kind, '__name__', '')!r}", kind), *(("", part) for part in rest)]


NAMES: dict[bytes, Callable[[Any, list[Any]], Named]] = {
    b"<list>": positions,
    b"<tuple>": positions,
    b"<elements>": lambda obj, parts: [(f"[{i}]", part) for i, part in enumerate(parts, obj.start)],
    b"<dict>": keys,
    b"<attrs>": attributes,
    b"<function>": function,
    b"<instance>": instance,
    b"<object>": reduced,
    b"<run>": run,
    b"<frame>": columns,
    b"<method>": called("function", "self"),
    b"<bound>": called("", "self"),
    b"<curry>": called("", "function", "arguments", "keywords"),
    b"<partial>": called("function", "arguments", "keywords"),
    b"<cached>": called("function"),
    b"<series>": called("name", "index", "values"),
    b"<index>": called("names", "values"),
    b"<user class>": user_class,
    b"<own>": typed,
    b"<registered>": typed,
}
