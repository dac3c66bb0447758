"""The target of recipes that keep nothing on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..targets.recall import MISSING, lookup
from ..typing import Key
from .external import unchanged
from .outputs import Output

__all__ = ["MemoryTarget"]


class MemoryTarget(dict[Key, Output]):
    """Keep the last result of one recipe in memory; it is absent once an outside file that it names has changed.

    >>> from flowly_ckpt.recipes.outputs import computed
    >>> target = MemoryTarget("/work")
    >>> target["0a", "steps:load", "1b"] = computed(5, "/work")
    >>> target["0a", "steps:load", "1b"].value()
    5

    See also: :class:`flowly_ckpt.recipes.CacheTarget`.
    """

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def __getitem__(self, key: Key) -> Output:
        output = super().__getitem__(key)
        if not unchanged(output.files, self.base):
            raise KeyError(key)
        return output

    def peek(self, key: Key) -> tuple[bool, str | None]:
        """Tell whether there is an entry, and the digest of its value where it can be used."""
        if key not in self:
            return False, None
        output = lookup(self, key)
        return True, None if output is MISSING else output.digest

    def siblings(self, tag: str) -> Iterator[tuple[str, str]]:
        """List the digests of inputs and function of the results."""
        return iter([(obj, code) for obj, name, code in list(self) if name == tag])

    def condemn(self, key: Key, what: object) -> None:
        """Forget an entry."""
        self.pop(key, None)

    def keep_only(self, keys: Collection[Key]) -> None:
        """Let go of what an earlier run left."""
        for key in list(self):
            if key not in keys:
                self.pop(key, None)
