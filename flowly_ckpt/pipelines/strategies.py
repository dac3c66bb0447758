"""Where in a pipeline a rule is applied: small functions that make a pass from a rule.

A *rule* takes one transform and returns it, or another in its place. A rule that does not apply returns its
argument; so does every strategy, down to the very same object when nothing changed. The names and the idea
are those of strategic term rewriting (Visser, "A survey of strategies in rule-based program transformation", 2005).
"""

from __future__ import annotations

from collections.abc import Callable

from ..typing import Rewrite, Transform
from .term import children, map_children, role, with_children

__all__ = ["bottom_up", "leaves", "on", "top_down", "when"]


def bottom_up(rule: Rewrite) -> Rewrite:
    """Apply a rule to every part of a pipeline, the innermost first.

    ``bottom_up(rule)(s) == rule(map_children(bottom_up(rule), s))``

    >>> from flowly_ckpt.pipelines import chained
    >>> bottom_up(lambda f: int if f is float else f)(chained(abs, chained(float)))
    chained(abs, chained(int))

    See also: :func:`top_down`, :func:`leaves`.
    """

    def rewrite(transform: Transform) -> Transform:
        # An explicit stack: thousands of checkpoints nest thousands deep.
        done: list[Transform] = []
        waiting: list[tuple[Transform, bool]] = [(transform, False)]
        while waiting:
            term, ready = waiting.pop()
            parts = children(term)
            if ready:
                start = len(done) - len(parts)
                done[start:] = [rule(with_children(term, parts, done[start:]))]
            elif any(map(children, parts)):
                waiting.append((term, True))
                waiting.extend((part, False) for part in reversed(parts))
            else:
                done.append(rule(with_children(term, parts, list(map(rule, parts)))))
        return done[0]

    return rewrite


def top_down(rule: Rewrite) -> Rewrite:
    """Apply a rule to a pipeline, then to the parts of what came out.

    ``top_down(rule)(s) == map_children(top_down(rule), rule(s))``

    >>> from flowly_ckpt.pipelines import chained
    >>> top_down(lambda f: int if f is float else f)(chained(abs, float))
    chained(abs, int)

    See also: :func:`bottom_up`, which needs no recursion and is the one to prefer for deep pipelines.
    """

    def rewrite(transform: Transform) -> Transform:
        return map_children(rewrite, rule(transform))

    return rewrite


def leaves(rule: Rewrite) -> Rewrite:
    """Apply a rule to the leaves only; marks are signs for passes and stay bare.

    >>> from flowly_ckpt.pipelines import chained
    >>> leaves(lambda f: int)(chained(abs, float))
    chained(int, int)

    See also: :func:`when`.
    """
    return bottom_up(when(lambda term: not children(term) and role(term) != "mark", rule))


def when(predicate: Callable[[Transform], bool], rule: Rewrite) -> Rewrite:
    """Apply a rule only where a predicate holds.

    >>> when(callable, lambda f: int)(abs)
    <class 'int'>

    See also: :func:`on`.
    """
    return lambda term: rule(term) if predicate(term) else term


def on(kind: type | tuple[type, ...], rule: Rewrite) -> Rewrite:
    """Apply a rule only to transforms of a type.

    ``on(kind, rule) == when(lambda s: isinstance(s, kind), rule)``

    >>> from flowly_ckpt.pipelines import chained
    >>> on(chained, lambda s: chained(*s, str))(chained(abs))
    chained(abs, str)

    See also: :func:`when`.
    """
    return when(lambda term: isinstance(term, kind), rule)
