"""Remove stored results from a target, all or by what they were made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import FlowlyWarning, warn
from ..given import function, text
from ..hashing import functional_hash
from ..pipelines import walk
from ..targets.facts import is_key
from ..targets.protocol import as_target, checked
from ..typing import Age, Key, Target, Transform
from .placing import add_checkpoints
from .stages import hashed_for, keys_of, stages_of
from .wrapper import with_checkpoint

__all__ = ["clear_checkpoints", "keys_in"]

_ANY: Any = type("_Any", (), {"__repr__": lambda self: "..."})()


def clear_checkpoints(
    target: Target,
    object: Any = _ANY,
    tag: str = _ANY,
    transform: Transform = _ANY,
    *,
    older_than: Age | None = None,
    unused_for: Age | None = None,
) -> int:
    """Remove the entries that meet all the given criteria, or everything where none is given.

    :param target: where the results are.
    :param object: only what was computed from an equal object; ``None`` is an object like any other.
    :param tag: only what was stored under this tag.
    :param transform: only what this transform computed: its own results, and those at its checkpoints.
    :param older_than: only what was stored more than so many seconds ago (also a timedelta, or ``"30d"``); for targets
        that keep times.
    :param unused_for: only what has not been used for so many seconds; for targets that keep times.
    :return: the number of entries removed.
    :raises TypeError: when the target is not a mutable mapping.
    :raises ValueError: for a negative age, and for ages where the target keeps no times.

    >>> target = {("a", "clean", "f"): 1, ("a", "fit", "g"): 2}
    >>> clear_checkpoints(target, tag="fit"), list(target)
    (1, [('a', 'clean', 'f')])

    See also: :func:`add_checkpoints`.
    """
    full = as_target(checked(target))
    transforms: set[str] | None = None
    if tag is not _ANY:
        text("tag", tag)
    if transform is not _ANY:
        function("transform", transform, "one argument")
        own = functional_hash(transform, hasher=full.hasher)
        transforms = {own, *(code for _, _, code in keys_in(add_checkpoints(transform)))}
    objects = None if object is _ANY else {functional_hash(object, hasher=full.hasher)}
    tags = None if tag is _ANY else {tag}
    if all(criterion is None for criterion in (objects, tags, transforms, older_than, unused_for)):
        count = len(target)
        target.clear()
        return count
    count = full.clear_where(
        object=objects, tag=tags, transform=transforms, older_than=older_than, unused_for=unused_for
    )
    if not count and isinstance(object, str) and any(is_key(key) and key[1] == object for key in target):
        warn(f"nothing is stored for the object {object!r}; for what has this tag write tag={object!r}", FlowlyWarning)
    return count


def keys_in(transform: Transform) -> Iterator[Key]:
    """Yield the keys under which the wrappers in a pipeline look for the results of ``None``.

    >>> from flowly_ckpt import chained, checkpoint
    >>> [tag for _, tag, _ in keys_in(add_checkpoints(chained(abs, checkpoint({}, "size"), float)))]
    ['size']
    """
    inner: set[int] = set()
    for term in walk(transform):
        if isinstance(term, with_checkpoint) and id(term) not in inner:
            stages = stages_of(term)
            inner.update(id(stage.wrapper) for stage in stages)
            yield from (keyed.key for keyed in keys_of(stages, hashed_for(stages, None)))
