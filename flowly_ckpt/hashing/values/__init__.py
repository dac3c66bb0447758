"""Rows of Python's own values: containers, objects by reduction, other values of the standard library, refusals."""

__all__: list[str] = []
