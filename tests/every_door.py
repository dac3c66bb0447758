"""One function for each way to keep what a step gives: it takes the step, the target and the object."""

from __future__ import annotations

import asyncio
from collections import UserDict

from every_store import STORES as IN_FILES

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, memo, resume, run, threads
from flowly_ckpt.asynchronous import aapply
from flowly_ckpt.calls import TargetCheckpoint
from flowly_ckpt.pipelines import each
from flowly_ckpt.recipes import CacheType, arg, foreach, recipe
from flowly_ckpt.tasks import task

TAG = "kept"


def itself(obj):
    return obj


def marked(step, target):
    return chained(step, checkpoint(target, TAG))


def pipeline(step, target, obj):
    return run(marked(step, target), obj)


def inner(step, target, obj):
    return run(chained(marked(step, target), itself), obj)


def awaited(step, target, obj):
    return asyncio.run(aapply(marked(step, target), obj, [add_checkpoints]))


def in_threads(step, target, obj):
    return apply(marked(step, target), obj, [add_checkpoints], threads(2))


def items(step, target, obj):
    return run(chained(each(marked(step, target)), list), [obj])[0]


def remembered(step, target, obj):
    return memo(target, TAG)(step)(obj)


def call(step, target, obj):
    return TargetCheckpoint(TAG, target).load_or_run(step, obj, obj)


def call_by_code(step, target, obj):
    return TargetCheckpoint(TAG, target, code=True).load_or_run(step, obj, obj)


def stored_task(step, target, obj):
    return task(store=target, target=f"{TAG}/", changed="rerun")(_named(step))(obj).load()


def task_in_a_pipeline(step, target, obj):
    return run(chained(task(store=target, target=f"{TAG}/", changed="rerun")(_named(step)).transform), obj)


def _named(step):
    def named(obj):
        return step(obj)

    return named


def brewed(step, target, obj):
    given = arg((obj,), "given", cache=CacheType.NoCache)

    def unpacked(given):
        return step(given[0])

    return recipe([given], TAG, target=target)(unpacked).brew()


def brewed_items(step, target, obj):
    given = arg([obj], "given", cache=CacheType.NoCache)
    return foreach(given, name=TAG, target=target)(step).brew()[0]


def resumed(step, target, obj):
    state = resume.state(TAG, target=target)
    if "value" not in vars(state):
        state.value = step(obj)
        state.save()
    return state.value


DOORS = {
    "pipeline": pipeline,
    "inner checkpoint": inner,
    "aapply": awaited,
    "threads": in_threads,
    "each": items,
    "memo": remembered,
    "call": call,
    "call, by code": call_by_code,
    "task": stored_task,
    "task.transform": task_in_a_pipeline,
    "recipe": brewed,
    "foreach": brewed_items,
    "resume": resumed,
}
FILES = ("DiskTarget", "FileTarget", "SqlTarget", "RemoteTarget")
STORES = {"dict": lambda folder: {}, "a mapping": lambda folder: UserDict(), **{name: IN_FILES[name] for name in FILES}}
BY_CODE = [name for name in DOORS if name not in ("call", "resume")]
BY_INPUT = [name for name in DOORS if name != "resume"]
