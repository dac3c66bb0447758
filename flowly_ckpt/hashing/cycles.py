"""The general engine: objects of any depth, and objects that contain themselves.

It walks without recursion (Tarjan's strongly connected components). What is not on a cycle gets the very encoding
the fast engine gives. The members of a cycle are told apart by refining a partition: first by what they are apart
from the cycle, then by what their children are, until nothing changes (as in minimising an automaton; the largest
part keeps its name, so each member is renamed O(log n) times). The encoding of a member is its own name and the
sorted names of all members: the same for isomorphic cycles, whatever the way in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from marshal import dumps
from typing import Any

from ..errors import UnhashableError
from ..pipelines import effective_steps
from .encode import UNORDERED, Walk
from .objects import is_run
from .plain import ATOMS
from .rows import Blob

__all__ = ["solve"]

DEEP = 100_000


class Node:
    """Hold an object on the stack: its tag, its parts, and how far down a cycle reaches.

    >>> Node([], b"<list>", [], 0).low
    0
    """

    __slots__ = ("at", "index", "low", "obj", "parts", "tag")

    def __init__(self, obj: Any, tag: bytes, parts: list[Any], index: int) -> None:
        self.obj, self.tag, self.parts = obj, tag, parts
        self.index = self.low = index
        self.at = 0


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
    nodes: dict[int, Node] = {}
    waiting: list[Node] = []
    path: list[Node] = []
    child = root if not known(walk, root) else None
    while True:
        if child is not None:
            path.append(enter(walk, child, len(nodes), nodes))
            waiting.append(path[-1])
            if len(path) % DEEP == 0:
                refuse_endless(path)
        elif path:
            leave(walk, path, nodes, waiting)
        if not path:
            return walk.enc(root)
        child = next_child(walk, path[-1], nodes)


def refuse_endless(path: list[Node]) -> None:
    """Refuse what reduces to an object that reduces to an object, and so on: pickle would not end, either."""
    if sum(node.tag == b"<object>" for node in path[-DEEP:]) > DEEP // 10:
        raise UnhashableError(path[0].obj, ("…",), "its reduction does not end; look at its __reduce__")


def only_step(obj: Any) -> Any:
    """A run of one step is that step."""
    while is_run(obj):
        steps = effective_steps(obj)
        if len(steps) != 1:
            break
        obj = steps[0]
    return obj


def known(walk: Walk, obj: Any) -> bool:
    kind = type(obj)
    if kind is Blob and id(obj) not in walk.memo:
        walk.enc(obj)
    return kind in ATOMS or kind is bytes or id(obj) in walk.memo


def enter(walk: Walk, obj: Any, index: int, nodes: dict[int, Node]) -> Node:
    tag, parts = walk.expand(obj)
    node = nodes[id(obj)] = Node(obj, tag, [only_step(part) for part in parts], index)
    walk.kept.append([obj, parts, node.parts])
    return node


def next_child(walk: Walk, node: Node, nodes: dict[int, Node]) -> Any:
    """Return the next part that has not been entered; note the parts that lead back."""
    while node.at < len(node.parts):
        part = node.parts[node.at]
        node.at += 1
        if known(walk, part):
            continue
        if id(part) not in nodes:
            return part
        node.low = min(node.low, nodes[id(part)].index)
    return None


def leave(walk: Walk, path: list[Node], nodes: dict[int, Node], waiting: list[Node]) -> None:
    """Close a node all of whose parts are done; with it its component, if it was the way in."""
    node = path.pop()
    if path:
        path[-1].low = min(path[-1].low, node.low)
    if node.low != node.index:
        return
    component = [waiting.pop()]
    while component[-1] is not node:
        component.append(waiting.pop())
    for member in component:
        del nodes[id(member.obj)]
    if len(component) == 1 and all(known(walk, part) for part in node.parts):
        walk.memo[id(node.obj)] = (walk.close(node.tag, node.parts),)
    else:
        close_cycle(walk, component)


def close_cycle(walk: Walk, component: list[Node]) -> None:
    """Encode the members of a cycle by their colours in the coarsest stable partition."""
    place = {id(node.obj): i for i, node in enumerate(component)}
    children = [[place[id(part)] for part in node.parts if not known(walk, part)] for node in component]
    partition = Partition(walk.fold, [label(walk, node) for node in component], children)
    partition.ordered = [node.tag not in UNORDERED for node in component]
    partition.refine()
    named = [walk.fold(colour + partition.signature(i)) for i, colour in enumerate(partition.colours)]
    whole = walk.fold(b"".join(sorted(named)))
    for node, name in zip(component, named):
        walk.memo[id(node.obj)] = (b"<cycle>" + walk.fold(name + whole),)


def label(walk: Walk, node: Node) -> bytes:
    """Say what a node is apart from the members of its cycle, which leave an empty place."""
    parts = [walk.part(part) if known(walk, part) else () for part in node.parts]
    if node.tag in UNORDERED:
        parts = sorted(walk.enc(part) if known(walk, part) else b"" for part in node.parts)
    return walk.fold(node.tag + dumps(parts, 2))


class Partition:
    """Refine colours until nodes of one colour have children of the same colours.

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
            renamed = [move for colour, some in self.by_colour(changed) for move in self.split(members[colour], some)]
            changed = set()
            for group, signature in renamed:
                old = self.colours[next(iter(group))]
                new = self.fold(old + turn.to_bytes(8, "big") + signature)
                members[old] -= group
                members[new] |= group
                for i in group:
                    self.colours[i] = new
                    changed |= self.parents[i]

    def by_colour(self, nodes: set[int]) -> Iterable[tuple[bytes, list[int]]]:
        groups: dict[bytes, list[int]] = defaultdict(list)
        for i in nodes:
            groups[self.colours[i]].append(i)
        return groups.items()

    def split(self, members: set[int], changed: list[int]) -> list[tuple[set[int], bytes]]:
        """Return the groups that need a new name; the largest keeps the old one."""
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
