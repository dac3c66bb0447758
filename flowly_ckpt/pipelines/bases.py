"""The forms that a combinator takes: transforms in a row, by name, or as fields beside other arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..typing import Transform
from .term import children, walk

__all__ = ["Combinator", "Fields", "Named", "Row"]


class Combinator:
    """Compare, hash and show a transform by what it is made of.

    A subclass has ``__flowly_children__``, ``__flowly_rebuild__``, and in ``_head`` what is not a child.

    >>> from flowly_ckpt.pipelines import chained
    >>> chained(abs) == chained(abs), hash(chained(abs)) == hash(chained(abs))
    (True, True)
    """

    __slots__ = ("__weakref__",)

    if TYPE_CHECKING:

        def __call__(self, obj: Any, /) -> Any: ...

    def _head(self) -> tuple[Any, ...]:
        return ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or outline(self) == outline(other)

    def __hash__(self) -> int:
        return hash(tuple(outline(self)))

    def __repr__(self) -> str:
        from .names import show

        return show(self)


def outline(transform: Transform) -> list[Any]:
    """List heads and leaves in order, so that deep terms compare and hash without recursion."""
    return [_head(term) for term in walk(transform)]


def _head(term: Any) -> Any:
    if isinstance(term, Combinator):
        return (type(term), term._head(), len(children(term)))
    return term


def require_transforms(name: str, transforms: Iterable[Any]) -> tuple[Transform, ...]:
    """Return the transforms as a tuple, or say which of them cannot be called."""
    found = tuple(transforms)
    for position, transform in enumerate(found, start=1):
        if not callable(transform):
            raise TypeError(
                f"{name}: step {position} of {len(found)} is {transform!r}, which cannot be called; "
                "a step is a function of one argument"
            )
    return found


class Row(Combinator):
    """Hold transforms in a row, given one by one or as one iterable.

    >>> from flowly_ckpt.pipelines import seq
    >>> seq(abs, float) == seq([abs, float])
    True
    """

    __slots__ = ("funcs",)

    funcs: tuple[Transform, ...]

    def __init__(self, *funcs: Transform | Iterable[Transform]) -> None:
        given = funcs[0] if len(funcs) == 1 and not callable(funcs[0]) and isinstance(funcs[0], Iterable) else funcs
        self.funcs = require_transforms(type(self).__name__, given)

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
    """Hold transforms by name, given as mappings, by keyword, or both.

    >>> from flowly_ckpt.pipelines import build_dict
    >>> build_dict({"a": abs}, b=float)
    build_dict(a=abs, b=float)
    """

    __slots__ = ("funcs",)

    funcs: dict[Any, Transform]

    def __init__(self, *mappings: Mapping[Any, Transform], **funcs: Transform) -> None:
        self.funcs = {}
        for mapping in (*mappings, funcs):
            if not isinstance(mapping, Mapping):
                raise TypeError(f"{type(self).__name__}: {mapping!r} is no mapping; give transforms by name")
            self.funcs.update(mapping)
        for name, func in self.funcs.items():
            if not callable(func):
                raise TypeError(f"{type(self).__name__}: {name!r} is {func!r}, which cannot be called")

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
    """Keep arguments as attributes; those named in ``_transforms`` are the children.

    >>> from flowly_ckpt.pipelines import children, reduceby
    >>> children(reduceby(abs, max))
    (<built-in function abs>,)
    """

    __slots__ = ()
    _transforms: ClassVar[tuple[str, ...]] = ()
    _others: ClassVar[tuple[str, ...]] = ()

    def _keep(self, **arguments: Any) -> None:
        require_transforms(type(self).__name__, [arguments[name] for name in self._transforms])
        for name, value in arguments.items():
            setattr(self, name, value)

    def _head(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._others)

    def _show(self, parts: list[str]) -> list[str]:
        return parts + [getattr(value, "__name__", repr(value)) for value in self._head() if value is not ...]

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return tuple(getattr(self, name) for name in self._transforms)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(*parts, *self._head())

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (*self.__flowly_children__(), *self._head()))
