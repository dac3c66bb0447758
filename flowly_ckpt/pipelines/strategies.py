"""Strategies: small functions that make a pass from a rule, by where in a pipeline they apply it.

A *rule* takes one transform and returns it, or another in its place. A rule that does not apply returns its
argument; so does every strategy, down to the very same object when nothing changed. The names and the idea
are those of strategic term rewriting (Visser, "A survey of strategies in rule-based program transformation", 2005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..given import function, wrong
from .bases import no_pipeline
from .term import children, flat, map_children, role, shapes, with_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..typing import Rewrite, Transform

__all__ = ["bottom_up", "flatten", "fold", "leaves", "on", "top_down", "when"]


def bottom_up(rule: Rewrite) -> Rewrite:
    """Apply a rule to every part of a pipeline, the innermost first.

    ``bottom_up(rule)(s) == rule(map_children(bottom_up(rule), s))``

    >>> from flowly_ckpt.pipelines import chained
    >>> bottom_up(lambda f: int if f is float else f)(chained(abs, chained(float)))
    chained(abs, chained(int))

    See also: :func:`top_down`, :func:`leaves`.
    """
    _check(bottom_up, rule=rule)
    return lambda transform: fold(rule, lambda term, old, new: rule(with_children(term, old, new)), transform)


def fold(
    leaf: Callable[[Transform], Any],
    make: Callable[[Transform, Sequence[Transform], Sequence[Any]], Any],
    transform: Transform,
    parts_of: Callable[[Transform], Sequence[Transform]] = children,
) -> Any:
    """Compute a value for each part of a pipeline from those of its own parts, innermost first.

    ``fold(leaf, make, s) == make(s, children(s), [fold(leaf, make, part) for part in children(s)])``

    Each transform is asked once for its parts. There is no recursion: thousands of checkpoints nest thousands deep.

    :param leaf: applied to a transform that has no parts.
    :param make: applied to any other, with its parts, and with what was made of them.
    :param parts_of: how a transform comes apart.

    >>> from flowly_ckpt.pipelines import chained
    >>> fold(lambda leaf: 1, lambda term, parts, depths: 1 + max(depths), chained(abs, chained(float)))
    3

    See also: :func:`bottom_up`, the fold that makes transforms.
    """
    above: list[tuple[Any, Sequence[Transform], Iterator[Transform], list[Any]]] = [((), (), iter([transform]), [])]
    while True:
        term, parts, rest, made = above[-1]
        for part in rest:
            if shapes[type(part)].children is None or not (below := parts_of(part)):
                made.append(leaf(part))
            else:
                above.append((part, below, iter(below), []))
                break
        else:
            above.pop()
            if not above:
                return made[0]
            above[-1][3].append(make(term, parts, made))


def flatten(transform: Transform) -> Transform:
    """Join nested chains.

    ``flatten(chained(f, chained(g, h))) == chained(f, g, h)``

    >>> from flowly_ckpt.pipelines import chained
    >>> flatten(chained(abs, chained(float, chained(str))))
    chained(abs, float, str)

    See also: :func:`flowly_ckpt.pipelines.effective_steps`, which also looks through what does not change the result.
    """

    if not callable(transform):
        raise no_pipeline(transform)

    def join(term: Transform, parts: Sequence[Transform] = (), new: Sequence[Transform] = ()) -> Transform:
        return with_children(term, children(term) if role(term) == "sequential" else parts, new)

    made: Transform = fold(join, join, transform, joined)
    return made


def joined(transform: Transform) -> Sequence[Transform]:
    """Return the children of a transform; of a chain, those of the chains in it too."""
    shape = shapes[type(transform)]
    parts = () if shape.children is None else shape.children(transform)
    return flat(parts, ("sequential",)) if shape.role == "sequential" else parts


def top_down(rule: Rewrite) -> Rewrite:
    """Apply a rule to a pipeline, then to the parts of what came out.

    ``top_down(rule)(s) == map_children(top_down(rule), rule(s))``

    >>> from flowly_ckpt.pipelines import chained
    >>> top_down(lambda f: int if f is float else f)(chained(abs, float))
    chained(abs, int)

    See also: :func:`bottom_up`, which needs no recursion and is the one to prefer for deep pipelines.
    """
    _check(top_down, rule=rule)

    def rewrite(transform: Transform) -> Transform:
        return map_children(rewrite, rule(transform))

    return rewrite


def leaves(rule: Rewrite) -> Rewrite:
    """Apply a rule to the leaves only; marks, which are signs for passes, stay as they are.

    >>> from flowly_ckpt.pipelines import chained
    >>> leaves(lambda f: int)(chained(abs, float))
    chained(int, int)

    See also: :func:`when`.
    """
    _check(leaves, rule=rule)
    unmarked = when(lambda term: role(term) != "mark", rule)
    return lambda transform: fold(unmarked, with_children, transform)


def when(predicate: Callable[[Transform], bool], rule: Rewrite) -> Rewrite:
    """Apply a rule only where a predicate holds.

    >>> when(callable, lambda f: int)(abs)
    <class 'int'>

    See also: :func:`on`.
    """
    _check(when, predicate=predicate, rule=rule)
    return lambda term: rule(term) if predicate(term) else term


def on(kind: type | tuple[type, ...], rule: Rewrite) -> Rewrite:
    """Apply a rule only to transforms of a type.

    ``on(kind, rule) == when(lambda s: isinstance(s, kind), rule)``

    >>> from flowly_ckpt.pipelines import chained
    >>> on(chained, lambda s: chained(*s, str))(chained(abs))
    chained(abs, str)

    See also: :func:`when`.
    """
    if not isinstance(kind, type) and not (isinstance(kind, tuple) and all(isinstance(one, type) for one in kind)):
        raise wrong("on: kind", "a type or several in a tuple", kind)
    return when(lambda term: isinstance(term, kind), rule)


def _check(strategy: Callable[..., Rewrite], **given: Any) -> None:
    for name, func in given.items():
        function(f"{strategy.__name__}: {name}", func, "a transform")
