"""What a result is made from, beside its key: what is stored with it and explains a later miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..hashing.parts import Parts

__all__ = ["MadeFrom"]


class MadeFrom(dict[str, Any]):
    """What a result is made from, as it is stored, and what is known only in the process that has the code.

    Stored are ``python``, the hash of the steps before as ``after``, the parts of the input as ``parts``, and as
    ``steps`` the name, the hash and the parts of each step.

    :param stored: what is stored.
    :param known: what has the ``hashes`` of all steps, stage by stage.
    :param tables: the parts of each of the steps.
    :param count: of the stages up to here; taken out of all only when asked for, since a chain may be long.

    >>> MadeFrom({"after": None, "steps": []})["after"] is None
    True
    """

    def __init__(
        self, stored: Mapping[str, Any], known: Sequence[Any] = (), tables: Sequence[Parts] = (), count: int = 0
    ) -> None:
        super().__init__(stored)
        self.all_known = known
        self.tables = tables
        self.count = count

    @property
    def known(self) -> Sequence[Any]:
        """What has the hashes of all steps up to here, stage by stage."""
        return self.all_known[: self.count]
