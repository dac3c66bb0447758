# ruff: noqa
"""Classes of the steps."""

import enum
import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, field


class Meta(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.stamp = 31
        return made


class Stamped(metaclass=Meta):
    pass


class Base:
    scale = 2

    def size(self):
        return 5


class Shape(Base):
    """A shape."""

    sides = 4

    def __init__(self, width):
        self.width = width

    def area(self):
        return self.width * self.size() * self.scale

    @property
    def edge(self):
        return self.width + 3

    @functools.cached_property
    def volume(self):
        return self.width * 11

    @classmethod
    def unit(cls):
        return cls.sides + 1

    @staticmethod
    def fixed():
        return 19

    def __add__(self, other):
        return self.width + other + 23


class Abstract(ABC):
    @abstractmethod
    def run(self, x): ...


class Concrete(Abstract):
    def run(self, x):
        return x + 29


class Positive:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, obj, owner=None):
        return 37


class Described:
    value = Positive()


class Color(enum.Enum):
    RED = 1
    BLUE = 2

    def shade(self):
        return self.value * 41


@dataclass
class Point:
    x: int = 1
    y: int = 43
    tags: list = field(default_factory=lambda: [47])

    def norm(self):
        return self.x + self.y + self.tags[0]


class Adder:
    def __init__(self, amount):
        self.amount = amount

    def __call__(self, x):
        return x + self.amount + 53


class Slotted:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 59


def never_used():
    return 0
