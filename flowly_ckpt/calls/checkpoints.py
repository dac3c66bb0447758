"""The checkpoints of cached calls: how a call gets its result, and where results are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

from ..checkpoint.hashed import warn_of_arguments, watching_steps
from ..checkpoint.sources import of_function
from ..given import folder
from ..hashing import functional_hash
from ..labels import label
from ..pipelines import name_of
from ..pipelines.awaiting import is_async
from ..targets.facts import Entry
from ..targets.files import FileTarget
from ..targets.made_from import MadeFrom
from ..targets.mutation import IMMUTABLE
from ..targets.protocol import BaseTarget, as_target, checked, described
from ..targets.recall import recall, recall_async
from ..targets.wrappers.simple import Null
from ..typing import Age, Key, Target
from .keys import code_in, key_of_path, path_of_key, qualified_name, undecorated

__all__ = ["Checkpoint", "LocalStorageCheckpoint", "NullCheckpoint", "TargetCheckpoint"]

P = ParamSpec("P")
R = TypeVar("R")


class Checkpoint:
    """Base class of the checkpoints of cached calls; a subclass defines ``_has_data``, ``_load`` and ``_save``.

    :ivar checkpoint_name: the tag in every key: one checkpoint for each step and index name.
    :ivar code: make the code of every method part of its key.

    >>> class InMemory(Checkpoint):
    ...     def __init__(self): self.data = {}
    ...     def _has_data(self, id, method): return (id, method.__name__) in self.data
    ...     def _load(self, id, method): return self.data[id, method.__name__]
    ...     def _save(self, data, id, method): self.data[id, method.__name__] = data
    >>> checkpoint = InMemory()
    >>> checkpoint.load_or_run(len, "some id", "text"), checkpoint.load_or_run(len, "some id", "other text")
    (4, 4)

    See also: :class:`TargetCheckpoint`, which needs no subclass; :class:`flowly_ckpt.resume.Checkpoint` is another
    thing, the saved state of a running function.
    """

    checkpoint_name: str = ""
    code: bool = False
    _target: Target | None = None

    @property
    def target(self) -> Target:
        """The mapping in which results are looked up and stored: here, the three hooks."""
        if self._target is None:
            self._target = _Hooked(self)
        return self._target

    def key(self, id: Any, method: Callable[..., Any], /) -> Key:
        """Return the key of a call: hash of the id, checkpoint name, name of the method.

        >>> Checkpoint().key("some id", len)[1:]
        ('', 'builtins.len')
        """
        return _Call((functional_hash(id), self.checkpoint_name, qualified_name(method, self.code)), id, method)

    def made_from(self, key: Key, id: Any, method: Callable[..., Any], *, fresh: bool = False) -> MadeFrom:
        """Return what the result of a call is made from; the method's parts are told where its code is in the key.

        >>> sorted(Checkpoint().made_from(Checkpoint().key("some id", len), "some id", len))
        ['id', 'input', 'method']
        """
        function = undecorated(method)
        function = getattr(function, "__func__", function)
        made = of_function(function, name_of(function), code_in(key), self.target, self.checkpoint_name, fresh)
        made.update({"id": key[0], "method": key[2], "input": label(id)})
        return made

    def load_or_run(self, method: Callable[P, R], id: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result of an earlier call of the method with this id, else call it and keep the result.

        :param method: what to call; a decorated function and the function itself share their entries.
        :param id: identifies the call uniquely, the arguments do not count; any value that can be hashed by content.
        :raises UnhashableError: for an id that cannot; what the method raises passes unchanged, and nothing is kept.

        >>> TargetCheckpoint("index_a", {}).load_or_run(divmod, "some id", 7, 2)
        (3, 1)
        """
        if not callable(method):
            raise TypeError(f"load_or_run: method must be callable, got {method!r:.40}; the id comes second")
        function = undecorated(method)
        key = self.key(id, method)
        made_from = partial(self.made_from, key, id, method)

        misfiled: list[Key] = []

        def compute() -> Any:
            with _watched(key, function, args, kwargs, misfiled):
                return function(*args, **kwargs)

        async def compute_async() -> Any:
            with _watched(key, function, args, kwargs, misfiled):
                return await function(*args, **kwargs)

        async def found_async() -> Any:
            value = await recall_async(self.target, key, compute_async, made_from)
            _remove(self.target, misfiled)
            return value

        if is_async(function):
            return cast("R", found_async())
        value = recall(self.target, key, compute, made_from)
        _remove(self.target, misfiled)
        return cast("R", value)

    def clear(self, method: Callable[..., Any] | None = None, **selection: Any) -> int:
        """Delete the results kept under this checkpoint's name; return how many.

        :param method: only those of this method.
        :param selection: ``id`` for those of one id, ``older_than``, an age such as ``30d``; ``dry_run`` to count only.
        :raises ValueError: for ``older_than``, when the target keeps no times.
        :raises TypeError: for a subclass that only has the three hooks, which cannot list what they keep.

        >>> checkpoint = TargetCheckpoint("index_a", {})
        >>> checkpoint.load_or_run(len, "some id", "text")
        4
        >>> checkpoint.clear(repr), checkpoint.clear(len, id="some id")
        (0, 1)
        """
        if method is not None:
            selection["transform"] = self.key("", method)[2]
        if "id" in selection:
            selection["object"] = functional_hash(selection.pop("id"))
        return as_target(self.target).clear_where(tag=self.checkpoint_name, **selection)

    def _has_data(self, id: Any, method: Callable[..., Any]) -> bool:
        raise NotImplementedError(
            f"{type(self).__name__} must define _has_data(id, method), which returns whether a result is kept"
        )

    def _load(self, id: Any, method: Callable[..., Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _load(id, method), which returns a kept result")

    def _save(self, data: Any, id: Any, method: Callable[..., Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define _save(data, id, method), which keeps a result")


class _Call(tuple[str, str, str]):
    """A key that remembers the id and the method it was made from, for hooks that ask for them."""

    id: Any
    method: Callable[..., Any]

    def __new__(cls, key: Key, id: Any, method: Callable[..., Any]) -> _Call:
        call = super().__new__(cls, key)
        call.id = id
        call.method = method
        return call


class _Hooked(BaseTarget):
    """Look up and store by the hooks of a checkpoint; what is deleted is only hidden."""

    def __init__(self, hooks: Checkpoint) -> None:
        self.hooks = hooks
        self._gone: set[Key] = set()

    def __repr__(self) -> str:
        return repr(self.hooks)

    @property
    def place(self) -> Hashable:
        return id(self.hooks)  # threads may each have made one of these at the first call

    def __contains__(self, key: object) -> bool:
        return isinstance(key, _Call) and key not in self._gone and self.hooks._has_data(key.id, key.method)

    def __getitem__(self, key: Key) -> Any:
        if not isinstance(key, _Call) or key not in self:
            raise KeyError(key)
        return self.hooks._load(key.id, key.method)

    def __setitem__(self, key: Key, value: Any) -> None:
        if not isinstance(key, _Call):
            raise KeyError(key)
        self.hooks._save(value, key.id, key.method)
        self._gone.discard(key)

    def __delitem__(self, key: Key) -> None:
        if key not in self:
            raise KeyError(key)
        self._gone.add(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def entries(self, **selection: Any) -> Iterator[Entry]:
        """Refuse: hooks do not list."""
        raise TypeError(f"{type(self.hooks).__name__} cannot list its results; delete them in its own store")


class TargetCheckpoint(Checkpoint):
    """Keep the results of calls in a target, any mutable mapping.

    :param checkpoint_name: keeps the results of one step and index apart from all others.
    :param target: where results are kept.
    :param code: make the code of every method part of its key.
    :raises TypeError: when the target is not a mutable mapping.

    >>> results = {}
    >>> TargetCheckpoint("index_a", results).load_or_run(len, "some id", "text"), len(results)
    (4, 1)

    See also: :mod:`flowly_ckpt.targets`.
    """

    def __init__(self, checkpoint_name: str, target: Target, *, code: bool = False) -> None:
        self.checkpoint_name = str(checkpoint_name)
        self.code = code
        self._target = checked(target)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.checkpoint_name!r}, {described(self.target)})"

    def key(self, id: Any, method: Callable[..., Any], /) -> Key:
        """Return the key of a call: hash of the id, checkpoint name, name of the method.

        >>> TargetCheckpoint("index_a", {}).key("some id", len)[1:]
        ('index_a', 'builtins.len')
        """
        obj, tag, transform = super().key(id, method)
        return obj, tag, transform

    def _has_data(self, id: Any, method: Callable[..., Any]) -> bool:
        return self.key(id, method) in self.target

    def _load(self, id: Any, method: Callable[..., Any]) -> Any:
        return self.target[self.key(id, method)]

    def _save(self, data: Any, id: Any, method: Callable[..., Any]) -> None:
        self.target[self.key(id, method)] = data


class LocalStorageCheckpoint(TargetCheckpoint):
    """Keep results as pickles in local files, ``<directory>/checkpoint/<name>/<method>___<id>.pkl``.

    :param checkpoint_name: keeps the results of one step and index apart from all others.
    :param directory: contains the folder ``checkpoint``, which is made when the first result is kept.
    :param code: make the code of every method part of its key.
    :param max_age: seconds (also a timedelta, or ``"30d"``) after which a result no longer counts; None for never.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = LocalStorageCheckpoint("index_a", folder)
    ...     checkpoint.load_or_run(len, "some id", "text"), checkpoint.load_or_run(len, "some id", "other text")
    (4, 4)

    See also: :func:`flowly_ckpt.calls.init_checkpoint`, which makes one from a configuration.
    """

    def __init__(
        self,
        checkpoint_name: str = "",
        directory: str | os.PathLike[str] = "artifacts",
        *,
        code: bool = False,
        max_age: Age | None = None,
    ) -> None:
        directory = folder("directory", directory)
        files = FileTarget(os.path.join(directory, "checkpoint"), path_of_key, key_of_path, max_age=max_age)
        super().__init__(checkpoint_name, files, code=code)
        self.directory = os.path.dirname(files.root)

    def __repr__(self) -> str:
        return f"LocalStorageCheckpoint({self.checkpoint_name!r}, {self.directory!r})"


class NullCheckpoint(TargetCheckpoint):
    """Keep nothing: every call runs.

    >>> NullCheckpoint().load_or_run(len, "some id", "text")
    4
    """

    def __init__(self) -> None:
        super().__init__("", Null())

    def __repr__(self) -> str:
        return "NullCheckpoint()"

    def load_or_run(self, method: Callable[P, R], id: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the method.

        >>> NullCheckpoint().load_or_run(divmod, "some id", 7, 2)
        (3, 1)
        """
        return cast("R", undecorated(method)(*args, **kwargs))


@contextmanager
def _watched(
    key: Key, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], misfiled: list[Key]
) -> Iterator[None]:
    """Warn of arguments that the call within changes, and of its code, where the key counts it and it changes."""
    before = _digests_of(args, kwargs)
    code = code_in(key)
    watched: AbstractContextManager[list[Any]] = nullcontext([])
    if code:
        watched = watching_steps(getattr(function, "__func__", function), is_kept=False)
    with watched as redefined:
        yield
    if redefined:
        misfiled.append(key)
    after = _digests_of(args, kwargs)
    name = key[2].removesuffix(f"-{code}")
    warn_of_arguments(name, [place for place, digest in before.items() if after.get(place) != digest])


def _remove(target: Target, keys: Sequence[Key]) -> None:
    for key in keys:
        as_target(target).pop(key, None)


def _digests_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[int | str, str]:
    """Return the digests of the arguments that can change, by position or name."""
    places: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
    found: dict[int | str, str] = {}
    for place, value in places:
        if type(value) in IMMUTABLE:
            continue
        try:
            found[place] = functional_hash(value)
        except Exception:  # noqa: BLE001  an argument that cannot be hashed (a client, a file) is not watched
            continue
    return found
