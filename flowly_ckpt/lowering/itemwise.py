"""What works item by item: transforms of sequences that may be given any part of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import filterfalse, starmap
from typing import Any, NamedTuple

from ..checkpoint.bulk import each
from ..dispatch import Dispatch
from ..pipelines import kv_keymap, kv_transform, kv_valmap
from ..pipelines.bases import Fields
from ..typing import Transform

__all__ = ["Form", "form_of", "forms", "per_partition", "through"]


class Form(NamedTuple):
    """Say how a transform is applied to a list of items, and what makes its result of a list.

    >>> form_of(kv_valmap(abs)).apply(kv_valmap(abs), [("a", -1)])
    [('a', 1)]
    """

    apply: Callable[[Any, list[Any]], list[Any]]
    make: Callable[[list[Any]], Any]


#: For a type of transform, its form; or a function that takes the transform and returns its form, or None.
forms: Dispatch[Form | Callable[[Any], Form | None] | None] = Dispatch(lambda kind: None)


def form_of(term: Transform) -> Form | None:
    """Return the form of a transform that works item by item, or None for one that does not.

    >>> form_of(partial(map, abs)).make, form_of(sorted)
    (<built-in function iter>, None)
    """
    found = forms[type(term)]
    return found(term) if callable(found) else found


def through(terms: Sequence[Transform], items: list[Any]) -> list[Any]:
    """Apply transforms that work item by item, one after the other, to a list.

    >>> through([partial(map, abs), partial(filter, None)], [-1, 0])
    [1]
    """
    for term in terms:
        form = form_of(term)
        assert form is not None
        items = form.apply(term, items)
    return items


class per_partition(Fields):
    """Apply a function to a sequence, or to each of its parts where an engine has divided it.

    ``per_partition(f)(xs) == list(f(xs))``, and ``f`` keeps the law ``list(f(xs + ys)) == [*f(xs), *f(ys)]``

    >>> per_partition(lambda rows: (row for row in rows if row))([0, 1])
    [1]

    See also: :func:`map`, for a function of one item.
    """

    __slots__ = _transforms = ("func",)

    def __init__(self, func: Transform) -> None:
        self.func = func
        self._check()

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        return list(self.func(items))


def _itself(term: Any, items: list[Any]) -> list[Any]:
    return list(term(items))


def _values(term: kv_valmap, items: list[Any]) -> list[Any]:
    return list(zip([key for key, _ in items], each(term.func, [value for _, value in items])))


def _keys(term: kv_keymap, items: list[Any]) -> list[Any]:
    return list(zip(each(term.func, [key for key, _ in items]), [value for _, value in items]))


def _both(term: kv_transform, items: list[Any]) -> list[Any]:
    keys, values = [key for key, _ in items], [value for _, value in items]
    return list(zip(each(term.key, keys), each(term.value, values)))


def _mapped(term: Any, items: list[Any]) -> list[Any]:
    return each(term.args[0], items)


def _by_function(term: Any) -> Form | None:
    """Return the form of ``partial(map, f)`` and its like."""
    if len(term.args) != 1 or (term.keywords and not _is_of_toolz(term.func)):
        return None
    if term.func is map:
        return Form(_mapped, iter)
    return Form(_itself, iter) if term.func in _BUILTIN or _is_of_toolz(term.func) else None


def _is_of_toolz(function: Any) -> bool:
    return getattr(function, "__module__", None) == "toolz.itertoolz" and function.__name__ in _OF_TOOLZ


_BUILTIN = (filter, filterfalse, starmap)
_OF_TOOLZ = ("remove", "mapcat", "pluck")

forms.register(per_partition)(Form(_itself, list))
forms.register(kv_valmap)(Form(_values, list))
forms.register(kv_keymap)(Form(_keys, list))
forms.register(kv_transform)(Form(_both, list))
forms.register(partial)(_by_function)


def _load_toolz() -> None:
    import toolz

    forms.register(toolz.curry)(_by_function)


forms.register_lazy("toolz", _load_toolz)
