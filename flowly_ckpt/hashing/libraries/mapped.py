"""Classes mapped by SQLAlchemy: what their relationships, computed columns and listeners do; as the user gave it.

Configuring the mappers, which the first query does, resolves texts to columns and adds listeners of SQLAlchemy's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from ..code.origin import of_globals
from ..rows import ROWS, Attrs, Parts

__all__ = ["mapping"]

OF_RELATIONSHIP = (
    *("argument", "post_update", "viewonly", "sync_backref", "lazy", "single_parent", "collection_class", "join_depth"),
    *("passive_deletes", "passive_updates", "innerjoin", "active_history", "omit_join", "load_on_pending", "_cascade"),
)


def load_sqlalchemy_orm() -> None:
    from sqlalchemy.orm import CascadeOptions, ColumnProperty, RelationshipProperty  # type: ignore[attr-defined]
    from sqlalchemy.orm.attributes import QueryableAttribute

    ROWS.register(RelationshipProperty)(relationship)
    ROWS.register(ColumnProperty)(lambda obj: (b"<mapped column>", [obj.key, *map(unlabelled, obj.columns)]))
    ROWS.register(QueryableAttribute)(lambda obj: (b"<mapped attribute>", [obj.class_, obj.key]))
    ROWS.register(CascadeOptions)(lambda obj: (b"<cascade>", sorted(obj)))


def unlabelled(column: Any) -> Any:
    """Return what a label without a name of its own stands for: its own contains an address."""
    return column.element if type(column).__name__ == "Label" else column


def relationship(obj: Any) -> Parts:
    given = Attrs({each.name: each.argument for each in obj._init_args if each.argument is not None})
    state = vars(obj)
    return b"<relationship>", [*(state.get(name) for name in OF_RELATIONSHIP), given]


def mapping(cls: Any) -> list[Any] | None:
    """Return what a mapped class has beside its table: relationships, computed columns, and the user's listeners."""
    from sqlalchemy import Column

    mapper = vars(cls).get("__mapper__")
    if mapper is None:
        return None
    computed = {
        name: prop
        for name, prop in mapper._props.items()
        if not all(type(column) is Column for column in getattr(prop, "columns", (prop,)))
    }
    heard = {name: found for name in vars(cls) if (found := listeners(getattr(vars(cls)[name], "dispatch", None)))}
    return [Attrs(computed), listeners(mapper.dispatch), listeners(cls._sa_class_manager.dispatch), Attrs(heard)]


def listeners(dispatch: Any) -> list[Any]:
    names = sorted(getattr(dispatch, "_event_names", ()))
    return [[name, found] for name in names if (found := list(of_user(getattr(dispatch, name))))]


def of_user(found: Any) -> Iterator[Any]:
    """Yield the user's functions among listeners, most of which are wrapped by SQLAlchemy."""
    for each in found:
        inside = [cell.cell_contents for cell in getattr(each, "__closure__", None) or ()]
        yield from (
            fn for fn in (each, *inside) if type(fn) is FunctionType and of_globals(fn.__globals__).kind == "user"
        )
