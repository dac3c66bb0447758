"""What a function or class says of types, without failing on names that are not defined (yet)."""

from __future__ import annotations

from typing import Any

__all__ = ["annotations_of"]


def annotations_of(obj: Any) -> Any:
    """Return the annotations of a function or class, not those of its bases; None if there are none.

    Since Python 3.14 they are evaluated when somebody asks; a name that is not defined is a forward reference then.

    >>> class Point:
    ...     x: "int"
    >>> class Named(Point):
    ...     pass
    >>> list(annotations_of(Point)), annotations_of(Named)
    (['x'], None)
    """
    own = vars(obj) if isinstance(obj, type) else None
    if own is not None and "__annotations__" in own:
        said = own["__annotations__"]
        return None if hasattr(type(said), "__set__") else said or None  # compiled types have those of their instances
    if own is not None and "__annotate_func__" not in own and "__annotations_cache__" not in own:
        return None
    try:
        return getattr(obj, "__annotations__", None) or None
    except Exception:  # noqa: BLE001  whatever an annotation raises
        pass
    try:
        from annotationlib import Format, get_annotations

        return get_annotations(obj, format=Format.FORWARDREF)
    except Exception as error:  # noqa: BLE001  so will it for whoever reads them
        return f"annotations that raise {type(error).__name__}"
