"""Arrays, their scalars and dtypes."""

from __future__ import annotations

from .table import distinct, same

MEMMAP = "import numpy as np, tempfile, os\np = os.path.join(tempfile.mkdtemp(), 'a')\nf = np.memmap(p, 'i4', 'w+', shape=(3,))\nf[:] = [1, 2, 3]"
CASES = [
    distinct(
        "dtype and shape and values",
        *(f"np.array([0, 1], '{t}')" for t in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g", "c8", "c16", "G", "?", ">i4", ">f8", ">i8", "M8[s]", "M8[ms]", "M8[ns]", "M8[D]",
                                               "m8[s]", "m8[ms]", "U1", "U2", "S1", "S2", ">U1", "O", "i8,i8")),
        "np.array([0, 2])", "np.array([[0, 1]])", "np.array([[0], [1]])", "np.array([1, 0])", "[0, 1]", "np.array([0, 1, 0])", "np.array(0)", "np.array([0])", "np.array([[0]])", "0", "np.int64(0)",
        "np.array([])", "np.zeros((0, 3))", "np.zeros((3, 0))", "np.zeros((0,), 'i8')", "np.zeros(6)", "np.zeros((2, 3))", "np.zeros((3, 2))", "np.zeros((1, 6))", "-np.zeros(6)", "np.ma.array([0, 1])", "np.matrix([0, 1])", "np.rec.array([(0, 1)])",
        "np.array(['0', '1'], np.dtypes.StringDType())",
    ),
    distinct("transposition", "np.arange(9).reshape(3, 3)", "np.arange(9).reshape(3, 3).T", "np.arange(9).reshape(3, 3)[::-1]", "np.arange(9).reshape(3, 3)[:, ::-1]", "np.arange(9)"),
    same("layout in memory", "np.arange(24.).reshape(2, 3, 4)", "np.asfortranarray(np.arange(24.).reshape(2, 3, 4))", "np.arange(48.).reshape(2, 3, 8)[:, :, ::2] / 2", "np.arange(24.)[::-1].reshape(2, 3, 4)[::-1, ::-1, ::-1]",
         "np.arange(24.).reshape(2, 3, 4).T.copy().T", "np.arange(24.).reshape(2, 3, 4).swapaxes(0, 1).copy().swapaxes(0, 1)", "pickle.loads(pickle.dumps(np.arange(24.).reshape(2, 3, 4)))"),
    same("layout of a large array", "np.arange(3_000_000.).reshape(1000, 3000)", "np.asfortranarray(np.arange(3_000_000.).reshape(1000, 3000))", "np.arange(6_000_000.).reshape(1000, 6000)[:, ::2] / 2"),
    same("layout of an image", "np.arange(2_400_000.).reshape(3, 800, 1000)", "np.arange(2_400_000.).reshape(3, 800, 1000).transpose(1, 2, 0).copy().transpose(2, 0, 1)", "np.arange(2_400_000.).reshape(3, 800, 1000)[::-1].copy()[::-1]",
         "np.pad(np.arange(2_400_000.).reshape(3, 800, 1000), 2)[2:-2, 2:-2, 2:-2]"),
    same("layout of a wide array", "np.arange(3_000_000.).reshape(2, -1)", "np.asfortranarray(np.arange(3_000_000.).reshape(2, -1))"),
    same("a view is its content", "np.arange(10)[2:4]", "np.array([2, 3])", "np.arange(2, 4)"),
    same("broadcast or copied", "np.broadcast_to(np.arange(3), (2, 3))", "np.array([[0, 1, 2], [0, 1, 2]])"),
    same("flags do not matter", "np.arange(3)", "(lambda a: (a.setflags(write=False), a)[1])(np.arange(3))", "np.frombuffer(b'x' + np.arange(3).tobytes(), 'u1')[1:].view('i8')"),
    same("a memory map", MEMMAP, "import numpy as np\nf = np.array([1, 2, 3], 'i4')"),
    distinct("object arrays", "np.array(['a-b', 'c'], object)", "np.array(['a', 'b-c'], object)", "np.array([None, 'a'], object)", "np.array([math.nan, 'a'], object)", "np.array(['None', 'a'], object)", "np.array([1, 'a'], object)",
             "np.array([True, 'a'], object)", "np.array([[1], 'a'], object)", "np.array(['ac', 'b'], object)", "np.array([b'a', 'a'], object)"),
    same("object arrays by element", "np.array(['a', [1, {2, 3}], None], object)", "np.array([''.join(['a']), [1, {3, 2}], None], object)"),
    distinct("structured arrays", "np.zeros(2, 'i4,f8')", "np.zeros(2, [('a', 'i4'), ('b', 'f8')])", "np.zeros(2, [('b', 'i4'), ('a', 'f8')])", "np.zeros(2, [('a', 'f8'), ('b', 'i4')])", "np.ones(2, 'i4,f8')", "np.zeros(2, [('a', 'i4')])",
             "np.zeros(2, [('a', 'i4', 2)])", "np.zeros(2, [('a', [('b', 'i4')])])", "np.zeros(2, [('a', 'O')])", "np.zeros(2, 'i4,f8')[0]", "np.rec.array([(0, 0.0)] * 2, dtype='i4,f8')"),
    same("padding", "np.zeros(2, np.dtype('i1,f8', align=True))", "import numpy as np\nf = np.frombuffer(b'\\x00' + b'x' * 7 + bytes(8) + b'\\x00' + b'y' * 7 + bytes(8), np.dtype('i1,f8', align=True))"),
    same("padding of a long double", "np.ones(3, 'g')", "import numpy as np\nf = np.frombuffer(b'\\xff' * 48, 'g').copy()\nf[:] = 1"),
    distinct("masked arrays", "np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[1, 0])", "np.ma.array([1, 2])", "np.ma.array([2, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[0, 1], fill_value=7)", "np.array([1, 2])", "np.ma.masked"),
    same("what lies under a mask", "np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 3], mask=[0, 1])"),
    same("no mask or an empty one", "np.ma.array([1, 2])", "np.ma.array([1, 2], mask=[0, 0])"),
    distinct("scalars", "np.float64(1)", "1.0", "np.array(1.0)", "np.float32(1)", "np.float16(1)", "np.longdouble(1)", "np.int8(1)", "np.uint8(1)", "np.bool_(1)", "np.complex64(1)", "np.str_('1')", "'1'", "np.bytes_(b'1')", "np.datetime64(1, 's')",
             "np.datetime64(1, 'ms')", "np.timedelta64(1, 's')", "np.void(b'1')", "np.datetime64('NaT')", "np.longdouble(2)"),
    same("scalars by value", "np.float64(0.5)", "np.array([0.5])[0]", "np.arange(3.).mean() / 2"),
    distinct("dtypes", "np.dtype('i4')", "np.dtype('>i4')", "np.dtype('f4')", "np.dtype('M8[s]')", "np.dtype('M8[ms]')", "np.dtype('U1')", "np.dtype('U2')", "np.dtype('i4,f8')", "np.dtype([('a', 'i4')])", "np.dtype([('b', 'i4')])", "np.dtype('O')",
             "np.dtypes.StringDType()", "np.int32", "'i4'", "np.dtype(('i4', 2))", "np.dtypes.StringDType(na_object=None)"),
    distinct("strings of numpy", "np.array(['a', 'bc'], np.dtypes.StringDType())", "np.array(['ab', 'c'], np.dtypes.StringDType())", "np.array(['a', 'bc'])", "np.array(['a', 'bc'], object)"),
    distinct("one element in a million", "np.zeros(10**6)", "import numpy as np\nf = np.zeros(10**6)\nf[777777] = 1e-300"),
    distinct("arrays in containers", "[np.zeros(2), np.ones(2)]", "[np.ones(2), np.zeros(2)]", "np.stack([np.zeros(2), np.ones(2)])", "{'a': np.zeros(2)}", "[np.zeros(2)]", "(np.zeros(2),)"),
    same("a shared array", "(lambda a: [a, a])(np.arange(3))", "[np.arange(3), np.arange(3)]"),
    distinct("arrays in functions", *(f"import numpy as np\nA = np.array({v})\ndef f(x): return x @ A" for v in ("[1, 2]", "[1, 3]", "[1.0, 2.0]", "[[1, 2]]"))),
    distinct("polynomials", "np.poly1d([1, 2])", "np.poly1d([1, 3])", "np.polynomial.Polynomial([1, 2])", "np.polynomial.Polynomial([1, 3])"),
]
