"""The general engine: objects of any depth, and objects that contain themselves.

It finds strongly connected components without recursion (Tarjan, *Depth-first search and linear graph algorithms*,
1972). What is not on a cycle gets the same encoding as from the fast engine. The members of a cycle are distinguished
by partition refinement (Hopcroft, *An n log n algorithm for minimizing states in a finite automaton*, 1971): first by
what they are apart from the cycle, then by their children, until nothing changes; the largest part keeps its colour,
so each member changes its own O(log n) times. The encoding of a member is its own colour and the sorted colours of
all members: the same for isomorphic cycles, whichever member is reached first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from marshal import dumps
from typing import Any

from ..errors import UnhashableError
from .code.references import imports
from .plain import ATOMS
from .rows import Blob, Reads
from .values.objects import only_step
from .walk import NAMED, NAMED_IN, UNORDERED, Cycle, Walk

__all__ = ["solve"]

DEEP = 100_000
LOOK = 50  # vertices: some of them stand for parts of an object, as its state


class Vertex:
    """Hold an object on the stack: its tag, its parts, and the lowest vertex that these lead back to."""

    __slots__ = ("index", "low", "obj", "parts", "rest", "tag")

    def __init__(self, obj: Any, tag: bytes, parts: list[Any], index: int) -> None:
        self.obj, self.tag, self.parts, self.rest = obj, tag, parts, iter(parts)
        self.index = self.low = index


def encode(walk: Walk, obj: Any) -> bytes:
    """Encode an object by the fast engine, or by the general one if it is deep or contains itself.

    A module that is imported for it may add to what was encoded before, as plugins do, so that it is done again.
    """
    walk.kept.append(obj)
    while True:
        before = len(imports)
        try:
            done = walk.enc(obj)
        except (Cycle, RecursionError):
            done = solve(walk, obj)
        if len(imports) == before:
            return done
        walk.memo.clear()


def solve(walk: Walk, root: Any) -> bytes:
    """Encode an object whatever its depth and its cycles.

    >>> loop = []
    >>> loop.append(loop)
    >>> other = []
    >>> other.append(other)
    >>> solve(Walk(), loop) == solve(Walk(), other)
    True
    """
    memo = walk.memo
    for key in [key for key, done in memo.items() if not done]:
        del memo[key]  # where the fast engine gave up
    root = only_step(root)
    entered: dict[int, Vertex] = {}
    waiting: list[Vertex] = []
    path: list[Vertex] = []
    child = root if not known(walk, root) else None
    while True:
        if child is not None:
            path.append(enter(walk, child, len(entered), entered))
            waiting.append(path[-1])
            if len(path) % DEEP == 0 and is_endless(walk, path[-LOOK:]):
                raise UnhashableError(path[0].obj, ("…",), "its reduction does not end; check its __reduce__")
        elif path:
            leave(walk, path, entered, waiting)
        if not path:
            return walk.enc(root)
        child = next_child(walk, path[-1], entered)


def is_endless(walk: Walk, path: list[Vertex]) -> bool:
    """Return whether each object on a path is made only when the one above is reduced: pickle would not end, either.

    What holds its parts, as a list linked by attributes does, gives the same part each time it is asked.
    """
    obj = path[0].obj
    for above, below in pairwise(path):
        place = next(i for i, part in enumerate(above.parts) if part is below.obj)
        obj = only_step(walk.expand(obj)[1][place])
        if obj is below.obj:
            return False
    return True


def known(walk: Walk, obj: Any) -> bool:
    kind = type(obj)
    if kind is Blob and id(obj) not in walk.memo:
        walk.enc(obj)
    return kind in ATOMS or kind is bytes or id(obj) in walk.memo


def enter(walk: Walk, obj: Any, index: int, entered: dict[int, Vertex]) -> Vertex:
    try:
        tag, parts = walk.expand(obj)
    except RecursionError as error:  # its own, as the stack is flat here
        raise UnhashableError(obj) from error
    walk.reads = walk.reads or type(obj) is Reads
    vertex = entered[id(obj)] = Vertex(obj, tag, [only_step(part) for part in parts], index)
    walk.kept.append(vertex.parts)
    walk.expanded += (obj, tag, parts)
    return vertex


def next_child(walk: Walk, vertex: Vertex, entered: dict[int, Vertex]) -> Any:
    """Return the next part that has not been entered; note the parts that lead back."""
    for part in vertex.rest:
        if known(walk, part):
            continue
        if id(part) not in entered:
            return part
        vertex.low = min(vertex.low, entered[id(part)].index)
    return None


def leave(walk: Walk, path: list[Vertex], entered: dict[int, Vertex], waiting: list[Vertex]) -> None:
    """Close a vertex all of whose parts are done, and its component if it is the root of that."""
    vertex = path.pop()
    if path:
        path[-1].low = min(path[-1].low, vertex.low)
    if vertex.low != vertex.index:
        return
    component = [waiting.pop()]
    while component[-1] is not vertex:
        component.append(waiting.pop())
    for member in component:
        del entered[id(member.obj)]
    if len(component) == 1 and all(known(walk, part) for part in vertex.parts):
        walk.memo[id(vertex.obj)] = (walk.close(vertex.tag, vertex.parts),)
    else:
        close_cycle(walk, component)


def close_cycle(walk: Walk, component: list[Vertex]) -> None:
    """Encode the members of a cycle by their colours in the coarsest stable partition."""
    place = {id(vertex.obj): i for i, vertex in enumerate(component)}
    children = [[place[id(part)] for part in vertex.parts if not known(walk, part)] for vertex in component]
    partition = Partition(walk.fold, [label(walk, vertex) for vertex in component], children)
    partition.ordered = [vertex.tag not in UNORDERED for vertex in component]
    partition.refine()
    final = [walk.fold(colour + partition.signature(i)) for i, colour in enumerate(partition.colours)]
    whole = walk.fold(b"".join(sorted(final)))
    for vertex, colour in zip(component, final):
        walk.memo[id(vertex.obj)] = (b"<cycle>" + walk.fold(colour + whole),)


def label(walk: Walk, vertex: Vertex) -> bytes:
    """Return what a vertex is apart from the members of its cycle, which leave an empty place."""
    named = vertex.tag in NAMED_IN
    write = walk.item if named else walk.part
    parts = [write(part) if known(walk, part) else empty(part, named) for part in vertex.parts]
    if vertex.tag in UNORDERED:
        parts = sorted(walk.enc_item(part) if known(walk, part) else dumps(empty(part, named)) for part in vertex.parts)
    return walk.fold(vertex.tag + dumps(parts, 2))


def empty(part: Any, named: bool) -> tuple[Any, ...]:
    """Return what stands for a member of a cycle in another: nothing, or its name where that can be read."""
    return (part.__name__,) if named and type(part) in NAMED else ()


class Partition:
    """Refine colours until vertices of one colour have children of the same colours.

    >>> p = Partition(lambda data: data, [b"a", b"a", b"b"], [[1], [2], [0]])
    >>> p.refine()
    >>> len(set(p.colours))
    3
    """

    def __init__(self, fold: Callable[[bytes], bytes], colours: list[bytes], children: list[list[int]]) -> None:
        self.fold, self.colours, self.children = fold, colours, children
        self.ordered = [True] * len(colours)
        self.parents: list[set[int]] = [set() for _ in colours]
        for i, below in enumerate(children):
            for child in below:
                self.parents[child].add(i)

    def signature(self, i: int) -> bytes:
        below = [self.colours[child] for child in self.children[i]]
        return dumps(below if self.ordered[i] else sorted(below), 2)

    def refine(self) -> None:
        members: dict[bytes, set[int]] = defaultdict(set)
        for i, colour in enumerate(self.colours):
            members[colour].add(i)
        changed: set[int] = set(range(len(self.colours)))
        turn = 0
        while changed:
            turn += 1
            recoloured = [
                move for colour, some in self.by_colour(changed) for move in self.split(members[colour], some)
            ]
            changed = set()
            for group, signature in recoloured:
                old = self.colours[next(iter(group))]
                new = self.fold(old + turn.to_bytes(8, "big") + signature)
                members[old] -= group
                members[new] |= group
                for i in group:
                    self.colours[i] = new
                    changed |= self.parents[i]

    def by_colour(self, vertices: set[int]) -> Iterable[tuple[bytes, list[int]]]:
        groups: dict[bytes, list[int]] = defaultdict(list)
        for i in vertices:
            groups[self.colours[i]].append(i)
        return groups.items()

    def split(self, members: set[int], changed: list[int]) -> list[tuple[set[int], bytes]]:
        """Return the groups that need a new colour; the largest keeps the old one."""
        groups: dict[bytes, set[int]] = defaultdict(set)
        for i in changed:
            groups[self.signature(i)].add(i)
        rest = members.difference(changed)
        if rest:  # none of their children changed, so they are still alike
            groups[self.signature(next(iter(rest)))] |= rest
        if len(groups) == 1:
            return []
        keeper = max(groups, key=lambda signature: (len(groups[signature]), signature))
        return [(group, signature) for signature, group in groups.items() if signature != keeper]
