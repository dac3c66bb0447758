"""Rows of classes, of what stands in them, and of modules."""

__all__: list[str] = []
