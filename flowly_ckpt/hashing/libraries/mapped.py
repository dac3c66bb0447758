"""SQLAlchemy: statements, tables, and what the relationships, computed columns and listeners of mapped classes do.

Configuring the mappers, which the first query does, resolves texts to columns and adds listeners of SQLAlchemy's own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from ...errors import UnhashableError
from ..code.origin import of_globals
from ..rows import ROWS, Attrs, Parts

__all__ = ["mapping"]

OF_RELATIONSHIP = (
    *("argument", "post_update", "viewonly", "sync_backref", "lazy", "single_parent", "collection_class", "join_depth"),
    *("passive_deletes", "passive_updates", "innerjoin", "active_history", "omit_join", "load_on_pending", "_cascade"),
)


def load_sqlalchemy() -> None:
    import sqlalchemy as sa
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.sql.elements import ClauseElement

    ROWS.register(ClauseElement)(statement)
    if mapper := sys.modules.get("sqlalchemy.orm.mapper"):
        ROWS.register(mapper.Mapper)(lambda obj: (b"<mapper>", [obj.class_]))
    ROWS.register(SchemaItem)(lambda obj: (b"<schema item>", [type(obj), Attrs(told(obj))]))
    ROWS.register(sa.Table)(table)
    ROWS.register(sa.Column)(column)
    ROWS.register(sa.types.TypeEngine)(lambda obj: (b"<sql type>", [type(obj), repr(obj)]))


def statement(obj: Any) -> Parts:
    """A statement counts by its text, its parameters, and the classes it gives back."""
    try:
        compiled = obj.compile()
        entities = [(each.get("entity"), each.get("type")) for each in getattr(obj, "column_descriptions", ())]
    except Exception as error:  # whatever a dialect raises
        raise UnhashableError(obj, (), "it cannot be compiled to SQL") from error
    options = dict(getattr(obj, "_execution_options", None) or {}) or None
    return b"<statement>", [type(obj), str(compiled), dict(compiled.params), entities, options]


def table(obj: Any) -> Parts:
    """A table counts by its columns, constraints and indexes; not by what its use leaves in it."""
    rest = {*obj.constraints, *obj.indexes}
    return b"<table>", [type(obj), obj.fullname, obj.comment, dict(obj.dialect_kwargs), set(rest), *obj.columns]


OF_COLUMN = ("name", "key", "type", "primary_key", "nullable", "index", "unique", "comment", "autoincrement", "system")


def column(obj: Any) -> Parts:
    about = [getattr(obj, name, None) for name in OF_COLUMN]
    made = [obj.default, obj.onupdate, obj.server_default, obj.server_onupdate, obj.computed, obj.identity]
    return b"<column>", [type(obj), *about, *made, dict(obj.info) or None, set(obj.foreign_keys)]


OF_ITEM = (
    *("name", "arg", "ondelete", "onupdate", "deferrable", "initially", "match", "use_alter", "persisted", "unique"),
    *("always", "on_null", "start", "increment", "minvalue", "maxvalue", "cycle", "cache", "target_fullname"),
)


def told(obj: Any) -> dict[str, Any]:
    """Return what a default, key, constraint or index was given, and the names of its columns."""
    found = {name: getattr(obj, name, None) for name in OF_ITEM}
    for name in ("sqltext", "expressions"):
        given = getattr(obj, name, None)
        found[name] = [str(each) for each in given] if isinstance(given, list) else given
    columns = getattr(obj, "columns", None)
    found["columns"] = [each.name for each in columns] if columns is not None else None
    return {name: value for name, value in found.items() if value is not None}


def load_sqlalchemy_orm() -> None:
    from sqlalchemy.orm import CascadeOptions, ColumnProperty, RelationshipProperty
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
    """Return what a mapped class has beside its table: relationships, computed columns, and the user's listeners.

    >>> mapping(int) is None
    True
    """
    mapper = vars(cls).get("__mapper__")
    if mapper is None:
        return None
    from sqlalchemy import Column

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
