"""Containers: nesting, order, sharing, cycles, depth."""

from __future__ import annotations

from .table import distinct, same

CASES = [
    distinct(
        "shapes of nesting",
        "[1, 2]", "(1, 2)", "[[1], [2]]", "[[1, 2]]", "[[1], 2]", "[1, [2]]", "[[], 1, 2]", "[1, 2, []]", "[[[1, 2]]]",
        "['a', 'b']", "'ab'", "['ab']", "['a', 'b', '']", "('ab', 'c')", "('a', 'bc')", "(('a', 'b'), 'c')",
        "[('a', 'b')]", "[b'a', 'b']", "['a', b'b']", "[None]", "[None, None]", "[[None]]", "[()]", "[[]]", "[{}]",
        "[set()]", "[frozenset()]", "[1, True]", "[True, 1]", "[1, 1]", "[1.0, 1]", "['1', 1]", "['[1, 2]']",
        "{1, 2}", "frozenset({1, 2})", "{1: 2}", "[(1, 2)]", "{(1, 2)}", "[{1: 2}]", "{'a': 1}", "[('a', 1)]",
        "{'a': '1'}", "{'a': [1]}", "{1: {2: 3}}", "{1: 2, 3: 4}", "{1: 3, 2: 4}", "{1: (2, 3), 4: ()}", "[1, 2, 3]",
    ),
    distinct("joined strings", "['a-b', 'c']", "['a', 'b-c']", "['a', 'b', 'c']", "['a-b-c']", "['x2R2y', 'z']",
             "['x', 'y2R2z']", "['x', 'y', '2R2z']"),
    distinct("a long list and its neighbours", "[1] * 70000", "[1] * 70001", "[1] * 69999 + [2]", "[True] * 70000",
             "[1.0] * 70000", "(1,) * 70000", "[2] + [1] * 69999", "[[1] * 70000]", "[1] * 35000 + [True] * 35000",
             "list(range(70000))", "list(range(1, 70001))", "[[1]] * 70000", "[[1]] * 69999 + [[2]]"),
    distinct("exactly a slice", "[1] * 65535", "[1] * 65536", "[1] * 65537", "[1] * 131072", "[1] * 131073"),
    same("a list however built", "[1, 2, 3]", "list(range(1, 4))", "[x for x in (1, 2, 3)]", "[1] + [2, 3]"),
    same("shared or equal immutable parts", "(lambda t: [t, t])((1, 2))", "[(1, 2), (1, 2)]", "[(1, 2), tuple([1, 2])]"),
    same("shared or equal mutable parts", "(lambda t: [t, t])([1, 2])", "[[1, 2], [1, 2]]"),
    same("copies", "[{'a': [1, (2, {3})]}]", "copy.deepcopy([{'a': [1, (2, {3})]}])",
         "pickle.loads(pickle.dumps([{'a': [1, (2, {3})]}]))"),
    same("a set in any order", "{'a', 'b', 'c', 1, 2.5, None}", "{None, 2.5, 1, 'c', 'b', 'a'}",
         "set(['c', 'a', 1, 'b', None, 2.5])"),
    same("a set with a past", "set(range(10))", "set(range(1000)) - set(range(10, 1000))"),
    same("nested frozen sets", "{frozenset({1, 2}), frozenset({2, 3}), frozenset({'a'})}",
         "{frozenset({'a'}), frozenset({3, 2}), frozenset({2, 1})}"),
    same("sets of tuples", "{(1, 'a'), (2, 'b'), (3, 'c')}", "{(3, 'c'), (2, 'b'), (1, 'a')}"),
    same("what cannot be sorted", "{1, 'a', None, (1,), 2j}", "{2j, (1,), None, 'a', 1}"),
    distinct("sets", "{1, 2}", "{1, 3}", "{1}", "{True}", "{1.0}", "{'1'}", "{b'1'}", "frozenset({1})", "{(1,)}",
             "{frozenset({1})}", "{1, 2, 3}", "{'a', 'b'}", "{'ab'}", "{'a', 'b', 1}", "{b'a', b'b'}"),
    distinct("order of a dict counts", "{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", "{'a': 2, 'b': 1}"),
    same("equal dicts", "{'a': 1, 'b': 2}", "dict(a=1, b=2)", "dict([('a', 1), ('b', 2)])"),
    distinct("kinds of dicts", "{'a': 1}", "collections.OrderedDict(a=1)", "collections.Counter(a=1)",
             "collections.defaultdict(int, a=1)", "collections.defaultdict(float, a=1)",
             "collections.defaultdict(None, a=1)", "types.MappingProxyType({'a': 1})", "collections.ChainMap({'a': 1})",
             "collections.UserDict(a=1)", "[('a', 1)]", "{'a': 1}.items()", "{'a': 1}.keys()", "{'a': 1}.values()"),
    distinct("order of an ordered dict", "collections.OrderedDict([(1, 2), (3, 4)])",
             "collections.OrderedDict([(3, 4), (1, 2)])"),
    distinct("keys that look alike", "{1: 0}", "{True: 0}", "{1.0: 0}", "{'1': 0}", "{None: 0}", "{'None': 0}",
             "{(1,): 0}", "{b'1': 0}"),
    distinct("attributes of an ordered dict", "collections.OrderedDict(a=1)", "f = collections.OrderedDict(a=1)\nf.b = 1",
             "f = collections.OrderedDict(a=1)\nf.b = 2", "collections.Counter(a=1)", "f = collections.Counter(a=1)\nf.b = 1"),
    same("rows of bytes", "[b'a', b'b']", "list(map(bytes, (b'a', b'b')))"),
    distinct("bytes in rows", "[b'a', b'b']", "[b'ab']", "[b'ab', b'']", "[b'a', b'b', b'']", "['a', 'b']", "(b'a', b'b')",
             "[bytearray(b'a'), b'b']", "[b'a' * 2_000_000, b'b']", "[b'a' * 2_000_000, b'c']", "[[b'a', b'b']]",
             "[(b'a',), (b'b',)]", "[b'<bytes>a', b'<bytes>b']"),
    distinct("queues", "collections.deque([1, 2])", "collections.deque([1, 2], 2)", "collections.deque([1, 2], 3)",
             "collections.deque([2, 1])", "[1, 2]"),
    distinct("named tuples", "collections.namedtuple('P', 'a b')(1, 2)", "collections.namedtuple('Q', 'a b')(1, 2)",
             "collections.namedtuple('P', 'a c')(1, 2)", "(1, 2)", "collections.namedtuple('P', 'a b')(2, 1)",
             "collections.namedtuple('P', 'a b')"),
    same("one named tuple made twice", "collections.namedtuple('P', 'a b')(1, 2)",
         "collections.namedtuple('P', ['a', 'b'])(b=2, a=1)"),
    distinct("views of memory", "memoryview(b'abcd')", "memoryview(b'abcd')[::2]", "memoryview(b'abcd').cast('H')",
             "memoryview(b'abce')", "b'abcd'"),
    same("a view of memory is its content", "memoryview(b'abcd')[1:3]", "memoryview(b'bc')"),
    same("a list that contains itself", "f = [1]\nf.append(f)", "f = [0, 1]\ndel f[0]\nf.append(f)"),
    distinct("cycles of different shape", "f = []\nf.append(f)", "f = [[]]\nf[0].append(f)", "f = [1]\nf.append(f)",
             "f = [[1]]\nf[0].append(f)", "f = []\nf += [f, f]", "f = {}\nf[1] = f", "f = {}\nf[2] = f",
             "f = {}\nf[1] = [f]", "f = [[[]]]\nf[0][0].append(f)", "f = []\nf.append((f,))", "f = [[]]",
             "g = []\ng.append(g)\nf = [g]", "g = []\ng.append(g)\nf = [g, g]", "g = []\ng.append(g)\nf = [g, [g]]"),
    same("cycles of one shape", "a, b = [1], [2]\na.append(b)\nb.append(a)\nf = a",
         "b, a = [2], [1]\nb.append(a)\na.append(b)\nf = a", "import copy\na, b = [1], [2]\na.append(b)\nb.append(a)\n"
         "f = copy.deepcopy(a)"),
    distinct("ways into a cycle", "a, b = [1], [2]\na.append(b)\nb.append(a)\nf = a",
             "a, b = [1], [2]\na.append(b)\nb.append(a)\nf = b", "a, b = [1], [2]\na.append(b)\nb.append(a)\nf = [a, b]",
             "a, b = [1], [2]\na.append(b)\nb.append(a)\nf = [b, a]"),
    distinct("rings", *(f"f = [{v}]\np = f\nfor i in range({n}):\n    p.append([0])\n    p = p[1]\np.append(f)"
                        for v in (0, 1) for n in (1, 2, 3, 50))),
    same("a doubly linked list",
         *("class N:\n    pass\nnodes = [N() for _ in range(3000)]\nfor a, b in zip(nodes, nodes[1:]):\n"
           f"    a.next, b.last = b, a\nf = nodes[0]{change}" for change in ("", "\nf.x = 1\ndel f.x"))),
    distinct("places in a doubly linked list",
             *("class N:\n    pass\nnodes = [N() for _ in range(50)]\nfor a, b in zip(nodes, nodes[1:]):\n"
               f"    a.next, b.last = b, a\nf = nodes[{i}]" for i in (0, 1, 2, 24, 25, 48, 49))),
    same("a tree with ways up", *(
        "class N:\n    def __init__(self, parent, v):\n        self.parent, self.v, self.children = parent, v, []\n"
        "        if parent: parent.children.append(self)\n"
        "f = N(None, 0)\nlevel = [f]\nfor d in range(8):\n    level = [N(p, d) for p in level for _ in '12']\n" + more
        for more in ("", "import copy\nf = copy.deepcopy(f)"))),
    distinct("depth of 5,000 and its neighbours", *(
        f"f = {core}\nfor i in range({n}): f = {wrap}"
        for core, n, wrap in [("1", 5000, "[f]"), ("1", 5001, "[f]"), ("2", 5000, "[f]"), ("1", 5000, "(f,)"),
                              ("1", 5000, "{1: f}"), ("1", 5000, "[f, f]"), ("1", 5000, "frozenset([f])")])),
    same("depth of 10,000", "f = 1\nfor i in range(10000): f = [f]", "f = 1\nfor i in range(10000): f = list((f,))"),
    distinct("60 levels of sharing", "f = 1\nfor i in range(60): f = [f, f]", "f = 1\nfor i in range(61): f = [f, f]",
             "f = 2\nfor i in range(60): f = [f, f]", "f = 1\nfor i in range(60): f = (f, f)"),
    same("20 levels, shared or not", "f = 1\nfor i in range(12): f = [f, f]",
         "import copy\nf = 1\nfor i in range(12): f = [f, copy.deepcopy(f)]"),
    same("a deep value beside a flat one", "g = 1\nfor i in range(3000): g = [g]\nf = [g, {'a': {1, 2}}, 'x']",
         "g = 1\nfor i in range(3000): g = [g]\nf = [g, {'a': {2, 1}}, 'x']"),
    same("a user mapping", "class M(dict):\n    pass\nf = M(a=1)", "class M(dict):\n    'doc'\nf = M({'a': 1})"),
]
