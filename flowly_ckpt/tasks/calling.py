"""A task as plain data, and one call of it: its arguments bound, and the place of its result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from ..pipelines import name_of
from ..typing import Target
from .arguments import name_from, settled
from .context import gcontext
from .stores import Filestore, Store, TargetStore
from .template import Template

__all__ = ["Call", "Definition"]

StoreOf = Callable[[str], Store]


class Call(NamedTuple):
    """Hold one call of a task: the store of its result, its arguments, and these by name with defaults.

    >>> Call(Store("working/load/a"), (2,), {}, {"n": 2}).store
    Store(working/load/a)
    """

    store: Store
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    arguments: dict[str, Any]


@dataclass(eq=False, repr=False)
class Definition:
    """Hold what a task is made of; :func:`flowly_ckpt.tasks.task` explains the parameters.

    >>> Definition(abs, Template("{path}/{x}.pkl")).call((-3,), {}).store
    Filestore(working/-3.pkl)
    """

    fn: Callable[..., Any]
    target: Template
    store: StoreOf | Target | None = Filestore
    save: bool = True
    changed: str = "warn"
    name_template: Template | None = None
    skip: bool = True
    fixed: dict[str, Any] = field(default_factory=dict)  # what templates know beside the arguments, here alone
    options: dict[str, Any] = field(default_factory=dict)  # Prefect's own
    first: tuple[Any, ...] = ()  # the instance, where the function is a method
    scheduled: dict[str, Any] = field(default_factory=dict)  # by mode: the Prefect task made of this one

    def __post_init__(self) -> None:
        self.name: str = getattr(self.fn, "__name__", None) or name_of(self.fn)
        self.signature = _signature_of(self.fn)

    def call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
        """Bind the arguments of a call and fill the template; where that ends in a folder, the arguments make the name.

        :raises TypeError: for arguments that the function does not take, and for a task without stores.
        """
        args, words = settled((*self.first, *args)), settled(dict(kwargs))
        arguments, names = self._named(args, words)
        values = self.known(names)
        if not values["path"]:
            values["path"] = "."  # an empty path is this folder, not the root of the disk
        loc = self.target.fill(values)
        if loc.endswith("/"):
            # The instance of a method is in the name of its result only where the template says so.
            instance = tuple(self.signature.parameters)[: len(self.first)]
            loc += name_from(self.name, {name: value for name, value in arguments.items() if name not in instance})
        return Call(self._store_at(loc), args, words, arguments)

    def _named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments with defaults, and the names that templates know them by."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}() {error}") from None
        bound.apply_defaults()
        words = [p.name for p in self.signature.parameters.values() if p.kind is p.VAR_KEYWORD]
        extra = {key: value for name in words for key, value in bound.arguments[name].items()}
        return bound.arguments, {**extra, **bound.arguments}

    def known(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what templates may name: arguments come before what the task sets, and that before the context."""
        return {**gcontext.values(), "gcontext": gcontext, "funcname": self.name, **self.fixed, **arguments}

    def _store_at(self, loc: str) -> Store:
        if self.store is None:
            raise TypeError(f"task {self.name} has store=None, so its results have no location; give it a store")
        return TargetStore(loc, self.store, self.name) if isinstance(self.store, MutableMapping) else self.store(loc)

    def copy(self, **changes: Any) -> Self:
        """Return a task that is the same but for some attributes."""
        made: Self = made_of(type(self), {**self.__dict__, **changes})
        return made


def made_of(kind: type[Any], state: dict[str, Any]) -> Any:
    """Return a task of a type, with these attributes."""
    made = object.__new__(kind)
    made.__dict__.update(state)
    return made


def _signature_of(fn: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function; a builtin without one takes any arguments."""
    try:
        return inspect.signature(fn)
    except ValueError:
        return inspect.signature(lambda *args, **kwargs: None)
