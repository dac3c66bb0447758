# ruff: noqa
"""Helpers of the steps."""

import deep
from deep import bottom


def middle(x):
    # calls two levels down
    return bottom(x) + 1


def by_attribute(x):
    return deep.bottom(x) * 2


def with_default(x, weight=4):
    return x * weight


def with_keyword(x, *, base=100):
    return x + base


def from_inside(x):
    return x - 7


def in_comprehension(x):
    return x + 0.5


def in_lambda(x):
    return x + 0.25


def in_nested(x):
    return x + 0.125


def for_partial(x, y):
    return x * 10 + y


def one(x):
    return x + 1


def two(x):
    return x + 2


def fast(x):
    return x * 6


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def moved(x):
    return x + 55


def unrelated(x):
    return x
