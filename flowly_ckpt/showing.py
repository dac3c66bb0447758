"""How an object shows itself in a notebook: a table of types, filled by what draws them when one is first shown."""

from __future__ import annotations

from collections.abc import Callable

from .dispatch import Dispatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Shown", "forms"]


def _plain(kind: type) -> Callable[[Any], dict[str, str]]:
    return lambda obj: {}


#: What a notebook shows of an object beside its repr, by type: text by MIME type.
forms: Dispatch[Callable[[Any], dict[str, str]]] = Dispatch(_plain)


class Shown:
    """Base class of what a notebook shows in the form that ``forms`` has for its type.

    >>> class Point(Shown):
    ...     def __repr__(self): return "Point()"
    >>> @forms.register(Point)
    ... def show(point): return {"text/html": "<b>Point</b>"}
    >>> Point()._repr_mimebundle_()
    {'text/plain': 'Point()', 'text/html': '<b>Point</b>'}
    """

    __slots__ = ()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), **forms[type(self)](self)}
