# ruff: noqa
"""Two levels below the steps."""

OFFSET = 10


def bottom(x):
    return x + OFFSET


def other_bottom(x):
    return x * 1000
