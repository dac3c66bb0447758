# ruff: noqa
from . import outer
from .outer import relative


def reexported(x):
    return relative(x) + 2


def by_module(x):
    return outer.LIMIT + x


def lately(x):
    from .outer import late

    return late(x)
