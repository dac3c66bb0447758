# ruff: noqa
from .inner import reexported
