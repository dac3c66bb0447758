# ruff: noqa
"""What is picked by name."""


def picked(x):
    return x + 77
