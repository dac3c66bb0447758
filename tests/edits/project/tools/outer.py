# ruff: noqa
LIMIT = 73


def relative(x):
    return x + 79


def late(x):
    return x + 83
