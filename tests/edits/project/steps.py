# ruff: noqa
"""The steps of the project: each is a pipeline of its own, so that a test can tell which of them run again."""

import functools
import re

import config
import helpers
import plugins
import shapes
import tools.inner
import wrappers
from config import *  # noqa: F403
from deep import bottom as lowest
from flowly_ckpt import chained
from flowly_ckpt.hashing import depends_on, ignore_globals
from helpers import moved
from tools import reexported

try:
    import not_installed_anywhere as numbers
except ImportError:
    numbers = None

if numbers is None:

    def fallback(x):
        return x + 89
else:
    fallback = numbers.fallback

WORD = re.compile(r"[a-z]+")
DISPATCH = {"one": helpers.one, "two": helpers.two}
CALLS = [helpers.one, helpers.two]
DEBUG = False


def own_body(x):
    """Say nothing of it."""
    total = x + 97
    return total


def constant(x: int) -> int:
    return config.RATE * x


def a_list(x):
    return [x * level for level in config.LEVELS]


def a_dict(x):
    return config.TABLE["high"]["b"] * x


def starred(x):
    return STARRED + x  # noqa: F405


def class_attribute(x):
    return config.Options.depth + x


def helper(x):
    return helpers.middle(x)


def attribute_chain(x):
    return helpers.by_attribute(x)


def renamed_import(x):
    return lowest(x)


def default_of_helper(x):
    return helpers.with_default(x)


def keyword_of_helper(x):
    return helpers.with_keyword(x)


def own_default(x, shift=101):
    return x + shift


def imported_inside(x):
    from helpers import from_inside

    return from_inside(x)


def module_inside(x):
    import lately as inside

    return [inside.FACTOR * i for i in (x, x)]


def either_inside(x):
    try:
        from helpers import fast as quick
    except ImportError:
        from helpers import unrelated as quick
    return quick(x)


def comprehension(x):
    return [helpers.in_comprehension(i) for i in range(x)]


def key_function(x):
    return sorted(range(x), key=lambda i: -helpers.in_lambda(i))


def nested(x):
    def inner(y):
        return helpers.in_nested(y) + 103

    return inner(x)


def closure(factor):
    def times(x):
        return x * factor

    return times


def table(x):
    return DISPATCH["two"](x)


def several(x):
    return [call(x) for call in CALLS]


def recursive(x):
    return helpers.even(x)


def method(x):
    return shapes.Shape(x).area()


def a_property(x):
    return shapes.Shape(x).edge + shapes.Shape(x).volume


def class_methods(x):
    return shapes.Shape.unit() + shapes.Shape.fixed()


def operator(x):
    return shapes.Shape(x) + 1


def metaclass(x):
    return shapes.Stamped().stamp


def abstract(x):
    return shapes.Concrete().run(x)


def descriptor(x):
    return shapes.Described().value


def enumeration(x):
    return shapes.Color.BLUE.shade() + shapes.Color.RED.value


def data(x):
    return shapes.Point(x).norm()


def slots(x):
    return shapes.Slotted().value


def decorated(x):
    return wrappers.doubled(x)


def parametrised(x):
    return wrappers.raised(x)


def counted(x):
    return wrappers.counted(x)


def cached(x):
    return wrappers.cached(x)


def curried(x):
    return wrappers.curried(2)(x)


def managed(x):
    with wrappers.opened() as value:
        return value + x


def dispatched(x):
    return wrappers.shown(x)


def package(x):
    return reexported(x)


def package_module(x):
    return tools.inner.by_module(x)


def package_late(x):
    return tools.inner.lately(x)


def pattern(x):
    return WORD.findall(f"ab {x} CD")


def text(x):
    return f"<{x:>5}|{x!r}>"


def conditional(x):
    return fallback(x)


@depends_on(plugins.picked)
def by_name(x):
    return getattr(plugins, "pick" + "ed")(x)


@ignore_globals("DEBUG")
def verbose(x):
    if DEBUG:
        print(x)
    return x + 107


def elsewhere(x):
    return moved(x)


def generator(x):
    return list(produce(x))


def produce(x):
    for i in range(x):
        yield i + 109


def caught(x):
    try:
        return x // (x - 5)
    except ZeroDivisionError:
        return 113


STEPS = {
    function.__name__: function
    for function in (
        own_body,
        constant,
        a_list,
        a_dict,
        starred,
        class_attribute,
        helper,
        attribute_chain,
        renamed_import,
        default_of_helper,
        keyword_of_helper,
        own_default,
        imported_inside,
        module_inside,
        either_inside,
        comprehension,
        key_function,
        nested,
        table,
        several,
        recursive,
        method,
        a_property,
        class_methods,
        operator,
        metaclass,
        abstract,
        descriptor,
        enumeration,
        data,
        slots,
        decorated,
        parametrised,
        counted,
        cached,
        curried,
        managed,
        dispatched,
        package,
        package_module,
        package_late,
        pattern,
        text,
        conditional,
        by_name,
        verbose,
        elsewhere,
        generator,
        caught,
    )
}
STEPS["closed"] = closure(3)
STEPS["partial"] = functools.partial(helpers.for_partial, 4)
STEPS["instance"] = shapes.Adder(2)
STEPS["bound"] = shapes.Shape(6).__add__
STEPS["chain"] = chained(helpers.one, helpers.two)
STEPS["anonymous"] = lambda x: x + 127
STEPS["methods_of_builtins"] = chained(str, str.upper, "{}!".format)
