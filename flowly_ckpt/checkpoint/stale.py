"""Entries that today's pipelines do not find any more."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..given import function
from ..pipelines import walk
from ..targets.facts import Entry
from ..targets.protocol import as_target, checked
from ..typing import Target, Transform
from .clearing import keys_in
from .placing import add_checkpoints

__all__ = ["clear_stale"]

_UNTAGGED = "<untagged>"


def clear_stale(target: Target, *pipelines: Transform, dry_run: bool = False, **selection: Any) -> int:
    """Remove the entries that the pipelines would not find for any input, since their code has changed.

    An entry is stale when its tag is that of a checkpoint or a remembered function in one of the pipelines, and none of
    these has the code it was made by. What has another tag, or none, is left alone, as it may be of another program; so
    are results of methods, as their code counts the instance. Name all pipelines that share a tag, and run it with the
    version of Python that computes the results: another one compiles other code.

    :param pipelines: all that store under these tags.
    :param dry_run: only count.
    :param selection: further criteria, as of :meth:`flowly_ckpt.targets.BaseTarget.clear_where`.
    :return: the number of entries removed.

    >>> from flowly_ckpt import apply, chained, checkpoint
    >>> target = {}
    >>> before, now = (chained(step, checkpoint(target, "size")) for step in (abs, float))
    >>> for pipeline in (before, now):
    ...     _ = apply(pipeline, -5, rewrites=[add_checkpoints])
    >>> clear_stale(target, now), list(target.values())
    (1, [-5.0])

    See also: :func:`flowly_ckpt.checkpoint.clear_checkpoints`.
    """
    full = as_target(checked(target))
    known: dict[str, set[str]] = {}
    for pipeline in pipelines:
        function("pipelines", pipeline)
        for tag, code in _found_by(pipeline):
            known.setdefault(tag, set()).add(code)
    known.pop(_UNTAGGED, None)

    def is_stale(entry: Entry) -> bool:
        _, tag, code = entry.key
        return tag in known and code not in known[tag]

    stale = list(filter(is_stale, full.entries(**selection)))
    return len(stale) if dry_run else sum(full._removed(entry.key) for entry in stale)


def _found_by(pipeline: Transform) -> Iterator[tuple[str, str]]:
    """Yield the tags and the hashes of code under which a pipeline looks for results."""
    for place in (add_checkpoints, partial(add_checkpoints, early_cutoff=True)):
        yield from ((tag, code) for _, tag, code in keys_in(place(pipeline)))
    for term in walk(pipeline):
        if (codes := getattr(term, "__flowly_codes__", None)) is not None:
            yield from codes()
