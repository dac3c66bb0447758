# ruff: noqa
"""Decorators, and what they decorate."""

import contextlib
import functools

from toolz import curry


def twice(function):
    @functools.wraps(function)
    def wrapper(x):
        return function(function(x))

    return wrapper


def plus(amount):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(x):
            return function(x) + amount

        return wrapper

    return decorate


class Counted:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, x):
        return self.function(x) + 61


@twice
def doubled(x):
    """Double."""
    return x * 2


@plus(13)
def raised(x):
    return x


@Counted
def counted(x):
    """Count."""
    return x + 1


@functools.lru_cache(maxsize=None)
def cached(x):
    return x + 17


@curry
def curried(y, x):
    return x * y + 67


@contextlib.contextmanager
def opened():
    yield 71


@functools.singledispatch
def shown(x):
    return "any"


@shown.register
def _(x: int):
    return "int"


@shown.register
def _(x: str):
    return "str"
