"""The result of a recipe: its digest at once, its value on request; and the targets that keep such results."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from ..targets.codecs.tree import tree
from ..targets.materialise import handed_out, materialise
from ..targets.wrappers import Wrapper
from ..typing import Key
from .outside import Outside, digest_of, unchanged

__all__ = ["Current", "Output", "assembled", "computed", "given"]

Load = Callable[[], Any]


class Output:
    """The digest of a result, the outside files it names, and a function that returns its value.

    :param digest: of the value.
    :param files: the outside files that the value names, in the state they were in.
    :param load: returns the value.
    :param keys: returns the keys of a dict whose values can be loaded one by one.
    :param items: the items of a list or dict as outputs; None where the value is one piece.
    :param written: what the cache folder wrote of the value, once it did.

    Any target can keep it; pickled, it holds its value.

    >>> import pickle
    >>> pickle.loads(pickle.dumps(computed([1, 2], "/work"))).value()
    [1, 2]

    See also: :class:`flowly_ckpt.recipes.CacheTarget`, from which values are read when they are asked for.
    """

    __slots__ = ("_once", "digest", "files", "items", "keys", "load", "written")

    def __init__(
        self,
        digest: str,
        files: tuple[Outside, ...],
        load: Load,
        keys: Load | None = None,
        items: Sequence[Output] | None = None,
        written: tuple[Any, list[Any]] | None = None,
    ) -> None:
        self.digest = digest
        self.files = files
        self.load = load
        self.keys = keys
        self.items = items
        self.written = written
        self._once: list[Load] = []

    def value(self) -> Any:
        """Return the value as it is stored; from the cache folder, a new copy for each call."""
        try:
            load = self._once.pop()
        except IndexError:
            load = self.load
        return load()

    def read_from(self, stored: Output) -> None:
        """Read the value from where it is stored now; the one in memory is returned once and then released."""
        self._once.append(self.load)
        self.load, self.written = stored.load, stored.written

    def release(self) -> None:
        """Release the value in memory, if it is stored."""
        self._once.clear()

    def is_changed(self, base: str) -> bool:
        """Return whether a value that is only in memory has been changed by a caller."""
        if self.written is not None or self.digest.startswith("unlike-"):
            return False
        if self.items is not None:
            return any(item.is_changed(base) for item in self.items)
        return digest_of(self.load(), base).text != self.digest

    def __flowly_hash__(self) -> Any:
        """Count by the value, so that changes made in place are noticed where outputs are kept in memory."""
        return self.load()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, _plain(self))

    def __repr__(self) -> str:
        return f"<output {self.digest}>"


def _plain(output: Output) -> tuple[Any, ...]:
    return (output.digest, tuple(map(tuple, output.files)), output.load())


def _restored(digest: str, files: Sequence[Any], value: Any) -> Output:
    return Output(digest, tuple(Outside(*file) for file in files), lambda: value)


tree.register(Output, _plain, lambda plain: _restored(*plain))


def computed(value: Any, base: str) -> Output:
    """Make an output of a value; an iterator's items are read first.

    :raises UnstorableError: for an open file, an endless iterator, an awaitable.

    >>> computed(iter([1, 2]), "/work").value()
    Materialised((1, 2))
    """
    value = materialise(value)
    digest = digest_of(value, base)
    return Output(digest.text, digest.files, lambda: value)


def given(value: Any, of_items: bool) -> Any:
    """Return a stored value as it was returned: a new iterator where the function, for an item or alone, gave one.

    >>> list(given(computed(iter([1, 2]), "/work").value(), False))
    [1, 2]
    """
    if not of_items:
        return handed_out(value)
    if type(value) is dict:
        return {key: handed_out(item) for key, item in value.items()}
    return [handed_out(item) for item in value]


def assembled(keys: Sequence[Any] | None, items: Sequence[Output], base: str) -> Output:
    """Make one output of those of the items: a list, or a dict where there are keys.

    >>> assembled(["a"], [computed(1, "/work")], "/work").value()
    {'a': 1}
    """
    shape = digest_of(None if keys is None else list(keys), base)
    digest = digest_of(["items", shape.text, *(item.digest for item in items)], base)
    files = dict([*shape.files, *(outside for item in items for outside in item.files)])

    def load() -> Any:
        values = [item.value() for item in items]
        return values if keys is None else dict(zip(keys, values))

    outside = tuple(Outside(path, state) for path, state in sorted(files.items()))
    return Output(digest.text, outside, load, None if keys is None else lambda: keys, items)


class Current(Wrapper):
    """Keep outputs in any target; one counts as absent once an outside file that it names has changed.

    :param target: any mutable mapping.
    :param base: the project's folder.

    >>> target = Current({}, "/work")
    >>> target["0a", "steps:load", "1b"] = computed(5, "/work")
    >>> target["0a", "steps:load", "1b"].value()
    5

    See also: :class:`flowly_ckpt.targets.Layered`, another mapping around a mapping.
    """

    def __init__(self, target: Any, base: str) -> None:
        super().__init__(target)
        self.base = base

    @property
    def place(self) -> Hashable:
        """The place of the target inside, and the folder that paths are relative to."""
        return (Current, self.full.place, self.base)

    def unwrapped(self, key: Key, stored: Any) -> Any:
        """Return an output that is up to date."""
        if type(stored) is not Output or not unchanged(stored.files, self.base):
            raise KeyError(key)
        return stored
