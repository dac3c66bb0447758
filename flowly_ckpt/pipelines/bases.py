"""The forms of combinators: transforms in a row, by name, as fields beside other arguments, or one with an effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from ..showing import Shown
from .names import show
from .term import children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self

    from ..typing import Transform

__all__ = ["Around", "Combinator", "Fields", "Named", "OfOne", "Row", "are_steps", "no_pipeline"]


class Combinator(Shown):
    """Base class of transforms that are compared, hashed and shown by what they are made of.

    A subclass defines ``__flowly_children__`` and ``__flowly_rebuild__``; ``_head`` returns what is not a child.

    >>> from flowly_ckpt.pipelines import chained
    >>> chained(abs) == chained(abs), hash(chained(abs)) == hash(chained(abs))
    (True, True)
    """

    __slots__ = ("__weakref__",)

    if TYPE_CHECKING:

        def __call__(self, obj: Any, /) -> Any: ...

    def _head(self) -> tuple[Any, ...]:
        return ()

    def _show(self, parts: list[str]) -> list[str]:
        return parts

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or _outline(self) == _outline(other)

    def __hash__(self) -> int:
        return hash(tuple(_outline(self)))

    def __repr__(self) -> str:
        return show(self)


def _outline(transform: Transform) -> list[Any]:
    """List heads and leaves in order, so that deep pipelines are compared and hashed without recursion."""
    outline: list[Any] = []
    waiting = [transform]
    while waiting:
        term = waiting.pop()
        parts = children(term)
        outline.append((type(term), term._head(), len(parts)) if isinstance(term, Combinator) else term)
        waiting += reversed(parts)
    return outline


def _not_callable(owner: Combinator, places: Iterable[Any], transforms: Iterable[Any]) -> TypeError:
    place, found = next(pair for pair in zip(places, transforms) if not callable(pair[1]))
    advice = "give a function of one argument"
    if are_steps(found):
        advice = "write *steps for the steps in a list, and rewrites=[…] for passes"
    return TypeError(f"{type(owner).__name__}: {place} is {found!r:.60}, which cannot be called; {advice}")


def are_steps(given: Any) -> bool:
    """Return whether steps are given in a list or a tuple.

    >>> are_steps([abs, len]), are_steps(abs)
    (True, False)
    """
    return isinstance(given, (list, tuple)) and bool(given) and all(map(callable, given))


def no_pipeline(given: Any, obj: Any = ...) -> TypeError:
    """Return the error for what cannot be called where a pipeline is wanted.

    :param obj: what it would be applied to, where the caller takes that.

    >>> no_pipeline(5, abs)
    TypeError('the pipeline comes first and must be callable, got int; pipeline and object seem to be swapped')
    >>> no_pipeline([abs, len])
    TypeError('a pipeline is made of its steps with chained(…), got a list')
    """
    if are_steps(given):
        return TypeError(f"a pipeline is made of its steps with chained(…), got a {type(given).__name__}")
    if obj is ...:
        return TypeError(f"a pipeline must be callable, got {given!r:.60}")
    text = f"the pipeline comes first and must be callable, got {type(given).__name__}"
    return TypeError(f"{text}; pipeline and object seem to be swapped" if callable(obj) else text)


def row_of(given: tuple[Any, ...]) -> Iterable[Any]:
    """Return arguments that may be given one by one or as one iterable.

    >>> row_of((abs,)), row_of(([abs, len],))
    ((<built-in function abs>,), [<built-in function abs>, <built-in function len>])
    """
    is_one = (
        len(given) == 1 and isinstance(given[0], Iterable) and not (callable(given[0]) or isinstance(given[0], str))
    )
    row: Iterable[Any] = given[0] if is_one else given
    return row


def _unmade(owner: Row, mark: type) -> TypeError:
    place, name = f"step {owner.funcs.index(mark) + 1} of {len(owner.funcs)}", mark.__name__
    return TypeError(f"{type(owner).__name__}: {place} is the class {name}; make one: {name}(results)")


class Row(Combinator):
    """Base class of combinators that hold transforms in a row, given one by one or as one iterable.

    >>> from flowly_ckpt.pipelines import seq
    >>> seq(abs, float) == seq([abs, float])
    True
    """

    __slots__ = ("funcs",)

    def __init__(self, *funcs: Transform | Iterable[Transform]) -> None:
        self.funcs: tuple[Any, ...] = tuple(row_of(funcs)) if len(funcs) == 1 and not callable(funcs[0]) else funcs
        if not all(map(callable, self.funcs)):
            raise _not_callable(self, (f"step {n} of {len(self.funcs)}" for n in count(1)), self.funcs)
        for func in self.funcs:
            if type(func) is type and getattr(func, "__flowly_role__", "") == "mark":
                raise _unmade(self, func)

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return self.funcs

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(*parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self.funcs)

    def __iter__(self) -> Iterator[Transform]:
        return iter(self.funcs)

    def __len__(self) -> int:
        return len(self.funcs)

    def __bool__(self) -> bool:
        return True


class Named(Combinator):
    """Base class of combinators that hold transforms by name, given as mappings, by keyword, or both.

    >>> from flowly_ckpt.pipelines import build_dict
    >>> build_dict({"a": abs}, b=float)
    build_dict(a=abs, b=float)
    """

    __slots__ = ("funcs",)

    def __init__(self, *mappings: Mapping[Any, Transform], **funcs: Transform) -> None:
        self.funcs: dict[Any, Transform] = {}
        for mapping in (*mappings, funcs):
            if not isinstance(mapping, Mapping):
                raise TypeError(f"{type(self).__name__}: transforms must be given by name, got {mapping!r:.60}")
            self.funcs.update(mapping)
        if not all(map(callable, self.funcs.values())):
            raise _not_callable(self, map(repr, self.funcs), self.funcs.values())

    def _head(self) -> tuple[Any, ...]:
        return tuple(self.funcs)

    def _show(self, parts: list[str]) -> list[str]:
        return [f"{name}={part}" for name, part in zip(self.funcs, parts)] + parts[len(self.funcs) :]

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return tuple(self.funcs.values())

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(dict(zip(self.funcs, parts)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.funcs,))


class Fields(Combinator):
    """Base class of combinators whose attributes are their arguments; those in ``_transforms`` are the children.

    Those in ``_optional`` may be ``None``, and are left out then. A subclass sets its attributes in ``__init__``, and
    calls ``_check`` then.

    >>> from flowly_ckpt.pipelines import children, reduceby
    >>> children(reduceby(abs, max))
    (<built-in function abs>,)
    """

    __slots__ = ()
    _transforms: ClassVar[tuple[str, ...]] = ()
    _others: ClassVar[tuple[str, ...]] = ()
    _optional: ClassVar[tuple[str, ...]] = ()

    def _check(self) -> None:
        given = {name: getattr(self, name) for name in self._transforms}
        needed = [name for name, func in given.items() if func is not None or name not in self._optional]
        if not all(callable(given[name]) for name in needed):
            raise _not_callable(self, needed, [given[name] for name in needed])

    def _head(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._others)

    def _show(self, parts: list[str]) -> list[str]:
        return parts + [getattr(value, "__name__", repr(value)) for value in self._head() if value is not ...]

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return tuple(part for name in self._transforms if (part := getattr(self, name)) is not None)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        new = iter(parts)
        transforms = [None if getattr(self, name) is None else next(new) for name in self._transforms]
        return type(self)(*transforms, *self._head())

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (*(getattr(self, name) for name in self._transforms), *self._head()))


class OfOne(Fields):
    """Base class of combinators of one transform and nothing else.

    >>> from flowly_ckpt.pipelines import each
    >>> each(abs).func
    <built-in function abs>
    """

    __slots__ = _transforms = ("func",)

    def __init__(self, func: Transform) -> None:
        self.func = func
        self._check()


class Around(Combinator):
    """Base class of what has an effect around one transform and changes neither its result nor its hash.

    ``_arguments`` returns what a subclass takes before the transform.

    >>> from flowly_ckpt.passes import observed
    >>> observed([print], abs) == observed([print], abs), observed([print], abs).transform
    (True, <built-in function abs>)
    """

    __slots__ = ("transform",)
    __flowly_role__ = "transparent"
    transform: Transform

    def _arguments(self) -> tuple[Any, ...]:
        return ()

    def _head(self) -> tuple[Any, ...]:
        return self._arguments()

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return (self.transform,)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(*self._arguments(), *parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (*self._arguments(), self.transform))
