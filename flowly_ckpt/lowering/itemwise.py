"""What works item by item: transforms of sequences that may be given any part of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import filterfalse, starmap
from typing import Any, NamedTuple

from ..checkpoint.bulk import each
from ..dispatch import Dispatch
from ..labels import label
from ..pipelines import each as each_of
from ..pipelines import kv_keymap, kv_map, kv_mapcat, kv_valmap
from ..pipelines.bases import OfOne
from ..pipelines.mapping import mapped_by
from ..pipelines.names import steps_of
from ..pipelines.pairs import pairs_of
from ..targets.materialise import materialise
from ..typing import Transform

__all__ = ["Form", "Read", "Through", "form_of", "forms", "listed", "of_items", "per_partition"]


Read = Callable[[Any], Iterable[Any]]


class Form(NamedTuple):
    """Say how a transform is applied to a list of items, what makes its result of a list, and what lists its items.

    >>> form_of(kv_valmap(abs)).apply(kv_valmap(abs), [("a", -1)])
    [('a', 1)]
    """

    apply: Callable[[Any, list[Any]], list[Any]]
    make: Callable[[list[Any]], Any]
    read: Read = iter


#: For a type of transform, its form; or a function that takes the transform and returns its form, or None.
forms: Dispatch[Form | Callable[[Any], Form | None] | None] = Dispatch(lambda kind: None)


def form_of(term: Transform) -> Form | None:
    """Return the form of a transform that works item by item, or None for one that does not.

    >>> form_of(partial(map, abs)).make, form_of(sorted)
    (<built-in function iter>, None)
    """
    found = forms[type(term)]
    return found(term) if callable(found) else found


class Through:
    """Apply transforms that work item by item, one after the other, to a list.

    :param notes: for each transform what to add to an exception of it, where nobody does who knows the pipeline.

    >>> through = Through([partial(map, abs), partial(filter, None)])
    >>> through([-1, 0]), through.__name__
    ([1], 'abs-filter')
    """

    def __init__(self, terms: Sequence[Transform], notes: Sequence[str] = ()) -> None:
        self.terms, self.notes = terms, notes

    @property
    def __name__(self) -> str:
        """The names of the steps."""
        return "-".join(steps_of(of_items(term) or term) for term in self.terms)

    def __call__(self, items: list[Any]) -> list[Any]:
        for place, term in enumerate(self.terms):
            form = form_of(term)
            assert form is not None
            try:
                items = form.apply(term, items)
            except Exception as error:
                for note in self.notes[place : place + 1]:
                    error.add_note(note)
                raise
        return items


def listed(obj: Any, read: Read = iter) -> list[Any]:
    """Return the items of a sequence; what never ends is refused.

    >>> listed({"a": 1}), listed({"a": 1}, pairs_of)
    (['a'], [('a', 1)])
    """
    return list(read(materialise(obj)))


def of_items(term: Any) -> Any:
    """Return what a transform applies to each item and gives as it is, or None.

    >>> of_items(partial(map, abs)), of_items(each_of(abs)), of_items(kv_valmap(abs))
    (<built-in function abs>, <built-in function abs>, None)
    """
    return term.func if isinstance(term, each_of) else getattr(term, "each", mapped_by(term))


class per_partition(OfOne):
    """Apply a function to a sequence, or to each of its parts where an engine has divided it.

    ``per_partition(f)(xs) == list(f(xs))``, and ``f`` keeps the law ``list(f(xs + ys)) == [*f(xs), *f(ys)]``

    >>> per_partition(lambda rows: (row for row in rows if row))([0, 1])
    [1]

    See also: :func:`map`, for a function of one item.
    """

    __slots__ = ()

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        return list(self.func(items))


def _itself(term: Any, items: list[Any]) -> list[Any]:
    return list(term(items))


def _values(term: kv_valmap, items: list[Any]) -> list[Any]:
    return [(key, value) for (key, _), value in zip(items, each(term.func, [value for _, value in items]))]


def _keys(term: kv_keymap, items: list[Any]) -> list[Any]:
    return list(zip(each(term.func, [key for key, _ in items]), [value for _, value in items]))


def _both(term: kv_map, items: list[Any]) -> list[Any]:
    keys, values = [key for key, _ in items], [value for _, value in items]
    return list(zip(each(term.key, keys), each(term.value, values)))


def _several(term: kv_mapcat, items: list[Any]) -> list[Any]:
    values = each(term.func, [value for _, value in items])
    return [(key, item) for (key, _), found in zip(items, values) for item in found]


def _each(term: Any, items: list[Any]) -> list[Any]:
    def told(error: Exception, item: Any) -> None:
        error.add_note(f"at item {label(item)} of each({steps_of(term.func)})")

    return each(term.func, items, told)


def _of_pairs(apply: Callable[[Any, list[Any]], list[Any]]) -> Form:
    def checked(term: Any, items: list[Any]) -> list[Any]:
        return apply(term, list(pairs_of(items)))

    return Form(checked, list, pairs_of)


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
forms.register(each_of)(Form(_each, list))
forms.register(kv_valmap)(_of_pairs(_values))
forms.register(kv_keymap)(_of_pairs(_keys))
forms.register(kv_map)(_of_pairs(_both))
forms.register(kv_mapcat)(_of_pairs(_several))
forms.register(partial)(_by_function)


def _load_toolz() -> None:
    import toolz

    forms.register(toolz.curry)(_by_function)


forms.register_lazy("toolz", _load_toolz)
