"""The checkpoints that are shipped: one keeps results in local files, one keeps nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from ..hashing import functional_hash
from ..targets.files import FileTarget
from .cached import uncached
from .checkpoints import Checkpoint
from .naming import key_of_path, path_of_key

__all__ = ["LocalStorageCheckpoint", "NullCheckpoint"]

P = ParamSpec("P")
R = TypeVar("R")


class LocalStorageCheckpoint(Checkpoint):
    """Keep results as pickles in local files, ``<directory>/checkpoint/<name>/<method>___<id>.pkl``.

    :param checkpoint_name: keeps the results of one step and index apart from all others.
    :param directory: where the folder ``checkpoint`` lies; made when the first result is kept.
    :param code: make the code of every method part of its key.
    :param max_age: seconds after which a result no longer counts; None for never.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = LocalStorageCheckpoint("index_a", folder)
    ...     checkpoint.load_or_run(len, "some id", "text"), checkpoint.load_or_run(len, "some id", "other text")
    (4, 4)

    See also: :func:`flowly_ckpt.calls.init_checkpoint`, which makes one as a configuration says.
    """

    def __init__(
        self,
        checkpoint_name: str = "",
        directory: str | os.PathLike[str] = "artifacts",
        *,
        code: bool = False,
        max_age: float | None = None,
    ) -> None:
        self.checkpoint_name = str(checkpoint_name)
        self.code = code
        self.files = FileTarget(os.path.join(directory, "checkpoint"), path_of_key, key_of_path, max_age=max_age)

    def __repr__(self) -> str:
        return f"LocalStorageCheckpoint({self.checkpoint_name!r}, {os.path.dirname(self.files.root)!r})"

    @property
    def target(self) -> FileTarget:
        """The folder of files in which results are looked up and stored."""
        return self.files

    def clear(self, method: Callable[..., Any] | None = None, **selection: Any) -> int:
        """Delete the results kept under this checkpoint's name; return how many.

        :param method: only those of this method.
        :param selection: ``id`` for those of one id, ``older_than`` in seconds, ``dry_run`` to count only.

        >>> LocalStorageCheckpoint("index_a", "/no/such/folder").clear(len, id="some id")
        0
        """
        if method is not None:
            selection["transform"] = self.key("", method)[2]
        if "id" in selection:
            selection["object"] = functional_hash(selection.pop("id"))
        return self.files.clear_where(tag=self.checkpoint_name, **selection)

    def _has_data(self, id: Any, method: Callable[..., Any]) -> bool:
        return self.key(id, method) in self.files

    def _load(self, id: Any, method: Callable[..., Any]) -> Any:
        return self.files[self.key(id, method)]

    def _save(self, data: Any, id: Any, method: Callable[..., Any]) -> None:
        self.files[self.key(id, method)] = data


class NullCheckpoint(Checkpoint):
    """Keep nothing: every call runs.

    >>> NullCheckpoint().load_or_run(len, "some id", "text")
    4
    """

    def __repr__(self) -> str:
        return "NullCheckpoint()"

    def load_or_run(self, method: Callable[P, R], id: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the method.

        >>> NullCheckpoint().load_or_run(divmod, "some id", 7, 2)
        (3, 1)
        """
        return uncached(method)(*args, **kwargs)

    def _has_data(self, id: Any, method: Callable[..., Any]) -> bool:
        return False

    def _save(self, data: Any, id: Any, method: Callable[..., Any]) -> None:
        """Forget the result."""
