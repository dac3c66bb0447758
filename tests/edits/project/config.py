# ruff: noqa
"""Constants, read as attributes and by star-import."""

RATE = 3
LEVELS = [1, 2, 3]
TABLE = {"low": 1, "high": {"a": 5, "b": 6}}
STARRED = 12
UNUSED = "nobody reads this"


class Options:
    depth = 2
    limits = (1, 9)
