# ruff: noqa
"""What is imported inside a function only."""

FACTOR = 131
