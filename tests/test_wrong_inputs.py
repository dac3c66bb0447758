"""Wrong inputs: each is an error that says what to write instead, and nothing is lost."""

from __future__ import annotations

import atexit
import copy
import inspect
import os
import pickle
from datetime import timedelta
from pathlib import Path
from threading import Lock

import pytest

from flowly_ckpt import (
    FileContent,
    Memory,
    UnhashableError,
    add_checkpoints,
    apply,
    chained,
    checkpoint,
    clear_checkpoints,
    drop_checkpoints,
    explain,
    flatten,
    functional_hash,
    hashing,
    ignore_globals,
    memo,
    pipe,
    pipelines,
    processes,
    resume,
    run,
    seq,
    threads,
    tz,
    with_checkpoint,
)
from flowly_ckpt.asynchronous import awaited
from flowly_ckpt.calls import IdError, LocalStorageCheckpoint, TargetCheckpoint, cache_with_checkpoint, init_checkpoint
from flowly_ckpt.checkpoint import clear_stale
from flowly_ckpt.draw import draw
from flowly_ckpt.errors import FlowlyError, FlowlyWarning, StoreWarning
from flowly_ckpt.hashing import depends_on
from flowly_ckpt.passes import Timings, auto_checkpoints, jsonl, log_to, observe, progress, retry
from flowly_ckpt.pipelines import FailedItemsError, aggregate, bottom_up, build_dict, leaves, on, top_down, when
from flowly_ckpt.plan import plan
from flowly_ckpt.pools import pmap, pool
from flowly_ckpt.recipes import (
    AlkymiConfig,
    CacheType,
    Recipe,
    arg,
    file,
    foreach,
    glob_files,
    recipe,
    statuses,
    zip_results,
)
from flowly_ckpt.report import report, reporting
from flowly_ckpt.targets import (
    Bounded,
    DiskTarget,
    Expiring,
    FileTarget,
    Hashed,
    Layered,
    ReadOnly,
    Refreshed,
    RemoteTarget,
    Serialized,
    Signed,
    Snapshots,
    as_target,
    check_target,
    codec_named,
    compressed,
    pickled,
    register_codec,
)
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.targets.single_flight import own_copy
from flowly_ckpt.tasks import Filestore, MissingPrefectError, ModeError, StaleError, TemplateError, flow, task
from flowly_ckpt.typing import Facts

SECONDS = "must be a number of seconds, 0 or more, or text such as '30d', '12h', '90s', got"
BYTES = "must be a number of bytes, 0 or more, or text such as '10GB', '512MiB', got"
CODEC = "must be a codec of flowly_ckpt.targets, such as pickled, compressed() or tree, got"
MAPPING = "target must be a mutable mapping, got"
KEY = "a key must be a tuple of three strings, (object, tag, transform), got"
K = ("object", "tag", "transform")


def five():
    return arg(5, "five", cache=CacheType.NoCache)


class Odd:
    pass


def area(w, h=4):
    return w * h


# What is done, the error, and words it must contain.
ROWS = [
    # a target that is none
    (lambda: checkpoint(5), TypeError, f"{MAPPING} int"),
    (lambda: checkpoint([]), TypeError, f"{MAPPING} list"),
    (lambda: checkpoint(None), TypeError, f"{MAPPING} NoneType"),
    (lambda: checkpoint(dict), TypeError, "got the class dict; make one: dict(…)"),
    (lambda: checkpoint(DiskTarget), TypeError, "got the class DiskTarget; make one: DiskTarget(…)"),
    (lambda: checkpoint("cache"), TypeError, "for a folder of results write DiskTarget('cache')"),
    (lambda: checkpoint(Path("cache")), TypeError, "for a folder of results write DiskTarget('cache')"),
    (lambda: checkpoint("s3://bucket/x"), TypeError, "for an address write RemoteTarget('s3://bucket/x')"),
    (lambda: checkpoint(len), TypeError, "not around it: chained(len, checkpoint(results))"),
    (lambda: checkpoint(lambda x: x), TypeError, "the decorator is @memo(results)"),
    (lambda: checkpoint({})(lambda x: x), TypeError, "the decorator is @memo(results)"),
    (lambda: with_checkpoint(checkpoint({})), TypeError, "the transform is missing: with_checkpoint("),
    (lambda: with_checkpoint(abs, checkpoint({})), TypeError, "the checkpoint comes first, then the transform"),
    (lambda: with_checkpoint({}, abs), TypeError, "write with_checkpoint(checkpoint(results), abs)"),
    (lambda: chained(abs, checkpoint), TypeError, "chained: step 2 of 2 is the class checkpoint; make one: "),
    (lambda: seq(checkpoint, abs), TypeError, "seq: step 1 of 2 is the class checkpoint; make one: "),
    (lambda: checkpoint({}, tag=3), TypeError, "tag must be a string, got int"),
    (lambda: as_target([]), TypeError, f"{MAPPING} list"),
    (lambda: as_target(dict), TypeError, "got the class dict; make one: dict(…)"),
    (lambda: Bounded([], 10), TypeError, f"{MAPPING} list"),
    (lambda: Expiring([], 10), TypeError, f"{MAPPING} list"),
    (lambda: Layered([], {}), TypeError, "fast must be a mutable mapping, got list"),
    (lambda: Layered({}, "results"), TypeError, "for a folder of results write DiskTarget('results')"),
    (lambda: ReadOnly([]), TypeError, f"{MAPPING} list"),
    (lambda: Refreshed(None), TypeError, f"{MAPPING} NoneType"),
    (lambda: Signed([], b"k" * 32), TypeError, f"{MAPPING} list"),
    (lambda: Serialized([]), TypeError, "mapping must be a mutable mapping, got list"),
    (lambda: check_target({}), TypeError, "make must be a function that makes a new target, got {}"),
    (lambda: check_target(dict, skip="nosuch"), ValueError, "unknown law nosuch"),
    # a place that is none
    (lambda: DiskTarget(5), TypeError, "path must be the path of a folder, got 5"),
    (lambda: DiskTarget(None), TypeError, "path must be the path of a folder, got None"),
    (lambda: DiskTarget({}), TypeError, "path must be the path of a folder, got {}"),
    (lambda: DiskTarget(""), ValueError, "path is empty; write '.' for the working directory"),
    (lambda: DiskTarget("s3://bucket/x"), ValueError, "write RemoteTarget('s3://bucket/x')"),
    (lambda: DiskTarget(Path("s3://bucket/x")), ValueError, "write RemoteTarget('s3://bucket/x')"),
    (lambda: FileTarget("gs://bucket/x"), ValueError, "write RemoteTarget('gs://bucket/x')"),
    (lambda: FileTarget(5), TypeError, "root must be the path of a folder, got 5"),
    (lambda: RemoteTarget("results"), ValueError, "write DiskTarget('results')"),
    (lambda: RemoteTarget(5), TypeError, "url must be a string, got 5"),
    # options of targets
    (lambda: DiskTarget("d", max_bytes=-1), ValueError, f"max_bytes {BYTES} -1"),
    (lambda: DiskTarget("d", max_bytes="many"), ValueError, f"max_bytes {BYTES} 'many'"),
    (lambda: DiskTarget("d", max_bytes="10 parsecs"), ValueError, f"max_bytes {BYTES} '10 parsecs'"),
    (lambda: DiskTarget("d", max_bytes=[]), TypeError, f"max_bytes {BYTES} []"),
    (lambda: DiskTarget("d", max_bytes=True), TypeError, f"max_bytes {BYTES} True"),
    (lambda: DiskTarget("d", max_bytes=timedelta(1)), TypeError, f"max_bytes {BYTES} datetime"),
    (lambda: DiskTarget("d", max_age="soon"), ValueError, f"max_age {SECONDS} 'soon'"),
    (lambda: DiskTarget("d", max_age="1M"), ValueError, f"max_age {SECONDS} '1M'"),
    (lambda: DiskTarget("d", max_age=-1), ValueError, f"max_age {SECONDS} -1"),
    (lambda: DiskTarget("d", max_age=timedelta(-1)), ValueError, f"max_age {SECONDS} datetime"),
    (lambda: DiskTarget("d", max_age=float("nan")), ValueError, f"max_age {SECONDS} nan"),
    (lambda: DiskTarget("d", inline_bytes=-1), ValueError, f"inline_bytes {BYTES} -1"),
    (lambda: DiskTarget("d", claim_timeout=None), TypeError, f"claim_timeout {SECONDS} None"),
    (lambda: DiskTarget("d", claim_timeout=-1), ValueError, f"claim_timeout {SECONDS} -1"),
    (lambda: DiskTarget("d", durable="no"), TypeError, "durable must be True or False, got 'no'"),
    (lambda: DiskTarget("d", shared=None), TypeError, "shared must be True or False, got None"),
    (lambda: DiskTarget("d", mapped="yes"), TypeError, "mapped must be True or False, got 'yes'"),
    (lambda: DiskTarget("d", verify="no"), ValueError, "verify must be True or 'lazy', got 'no'"),
    (lambda: DiskTarget("d", codec="zip"), TypeError, f"codec {CODEC} 'zip'"),
    (lambda: DiskTarget("d", codec="pickle"), TypeError, f"codec {CODEC} 'pickle'"),
    (lambda: DiskTarget("d", codec=compressed), TypeError, "got the class compressed; make one: compressed(…)"),
    (lambda: DiskTarget("d", codec=None), TypeError, f"codec {CODEC} None"),
    (lambda: DiskTarget("d", codec=pickle), TypeError, f"codec {CODEC} <module 'pickle'"),
    (lambda: FileTarget("d", codec="zip"), TypeError, f"codec {CODEC} 'zip'"),
    (lambda: Serialized({}, codec="zip"), TypeError, f"codec {CODEC} 'zip'"),
    (lambda: Signed({}, b"k" * 32, codec="zip"), TypeError, f"codec {CODEC} 'zip'"),
    (lambda: RemoteTarget("memory://x", codec="zip"), TypeError, f"codec {CODEC} 'zip'"),
    (lambda: register_codec("zip"), TypeError, f"codec {CODEC} 'zip'"),
    (lambda: codec_named("zip"), LookupError, "no codec 'zip' is registered"),
    (lambda: codec_named(5), TypeError, "name must be a string, got 5"),
    (lambda: compressed("9"), TypeError, "level must be a whole number from 0 to 22, got '9'"),
    (lambda: compressed(99), ValueError, "level must be a whole number from 0 to 22, got 99"),
    (lambda: compressed(6, 6), TypeError, f"inner {CODEC} 6"),
    (lambda: compressed(method="lzma"), ValueError, "method must be 'auto', 'zlib' or 'zstd', got 'lzma'"),
    (lambda: FileTarget("d", "name.pkl"), TypeError, "path_of must be a function of a key that returns a path"),
    (lambda: FileTarget("d", key_of=5), TypeError, "key_of must be a function of a path that returns a key, got 5"),
    (lambda: FileTarget("d", suffix=5), TypeError, "suffix must be a string, got 5"),
    (lambda: FileTarget("d", max_age="soon"), ValueError, f"max_age {SECONDS} 'soon'"),
    (lambda: FileTarget("d", lambda key: None)[K], TypeError, "path_of must return a path, got None for the key"),
    (lambda: Bounded({}, "lots"), ValueError, f"max_bytes {BYTES} 'lots'"),
    (lambda: Bounded({}, -1), ValueError, f"max_bytes {BYTES} -1"),
    (lambda: Bounded({}, 10, measure=5), TypeError, "measure must be a function of a value, got 5"),
    (lambda: Expiring({}, "soon"), ValueError, f"max_age {SECONDS} 'soon'"),
    (lambda: Expiring({}, None), TypeError, f"max_age {SECONDS} None"),
    (lambda: Snapshots({}, copy=5), TypeError, "copy must be a function of a value, got 5"),
    (lambda: Hashed({}, "sha256"), TypeError, "hasher must be a function of nothing, as hashlib.blake2b, got 'sha256'"),
    (lambda: Signed({}, "short"), ValueError, "a secret of 5 bytes is too short"),
    (lambda: Signed({}, None), TypeError, "key must be the secret, as bytes or text, got None"),
    (lambda: Serialized({}, pickled, "name"), TypeError, "name_of must be a function of a key, got 'name'"),
    # keys and criteria
    (lambda: DiskTarget("d")["abc"], TypeError, f"{KEY} 'abc'"),
    (lambda: DiskTarget("d")["a", "b"], TypeError, f"{KEY} ('a', 'b')"),
    (lambda: DiskTarget("d")["a", "b", 3], TypeError, f"{KEY} ('a', 'b', 3)"),
    (lambda: DiskTarget("d").__setitem__("abc", 1), TypeError, f"{KEY} 'abc'"),
    (lambda: DiskTarget("d").__delitem__("abc"), TypeError, f"{KEY} 'abc'"),
    (lambda: DiskTarget("d").get(5), TypeError, f"{KEY} 5"),
    (lambda: DiskTarget("d").entry("abc"), TypeError, f"{KEY} 'abc'"),
    (lambda: DiskTarget("d").entry(("a", "b")), TypeError, f"{KEY} ('a', 'b')"),
    (lambda: DiskTarget("d").claim("abc"), TypeError, f"{KEY} 'abc'"),
    (lambda: FileTarget("d").claim("abc"), TypeError, f"{KEY} 'abc'"),
    (lambda: FileTarget("d")["abc"], TypeError, f"{KEY} 'abc'"),
    (lambda: FileTarget("d").__setitem__("abc", 1), TypeError, f"{KEY} 'abc'"),
    (lambda: FileTarget("d").entry(5), TypeError, f"{KEY} 5"),
    (lambda: Serialized({})["abc"], TypeError, f"{KEY} 'abc'"),
    (lambda: Serialized({}).__setitem__("abc", 1), TypeError, f"{KEY} 'abc'"),
    (lambda: RemoteTarget("memory://wrong")["abc"], TypeError, f"{KEY} 'abc'"),
    (lambda: Signed({}, "a secret of mine").__setitem__(("a", 1, "b"), 1), TypeError, f"{KEY} ('a', 1, 'b')"),
    (lambda: DiskTarget("d").clear_where(tags="x"), TypeError, "not by 'tags'"),
    (lambda: DiskTarget("d").clear_where(tag=5), TypeError, "tag must be a string or several, got 5"),
    (lambda: DiskTarget("d").clear_where(older_than="soon"), ValueError, f"older_than {SECONDS} 'soon'"),
    (lambda: DiskTarget("d").clear_where(older_than=-1), ValueError, f"older_than {SECONDS} -1"),
    (lambda: DiskTarget("d").clear_where(unused_for=-1), ValueError, f"unused_for {SECONDS} -1"),
    (lambda: list(FileTarget("d").entries(older_than=-1)), ValueError, f"older_than {SECONDS} -1"),
    (lambda: DiskTarget("d").gc(older_than=-1), ValueError, f"older_than {SECONDS} -1"),
    (lambda: DiskTarget("d").gc(max_bytes="many"), ValueError, f"max_bytes {BYTES} 'many'"),
    (lambda: as_target({K: 1}).gc(max_bytes=0), ValueError, "dict does not know how large its entries are"),
    (lambda: clear_checkpoints("cache"), TypeError, "got str; for a folder of results write DiskTarget('cache')"),
    (lambda: clear_checkpoints(chained(abs)), TypeError, f"{MAPPING} chained"),
    (lambda: clear_checkpoints({}, tag=5), TypeError, "tag must be a string, got 5"),
    (lambda: clear_checkpoints({}, transform=5), TypeError, "transform must be a function of one argument, got 5"),
    (lambda: clear_checkpoints({}, older_than="30d"), ValueError, "dict keeps no times"),
    (lambda: clear_stale({}, 5), TypeError, "pipelines must be a function, got 5"),
    (lambda: clear_checkpoints({}, older_than=-1), ValueError, f"older_than {SECONDS} -1"),
    # a pipeline that is none
    (lambda: apply(5, abs), TypeError, "the pipeline comes first and must be callable, got int; pipeline and object"),
    (lambda: apply(None, 5), TypeError, "the pipeline comes first and must be callable, got NoneType"),
    (lambda: apply([abs, str], 5), TypeError, "a pipeline is made of its steps with chained(…), got a list"),
    (lambda: pipe(5, None), TypeError, "chained: step 1 of 1 is None, which cannot be called"),
    (lambda: chained(abs, 5), TypeError, "chained: step 2 of 2 is 5, which cannot be called"),
    (lambda: chained("abs"), TypeError, "chained: step 1 of 1 is 'abs', which cannot be called"),
    (lambda: tz.build_dict(["a"]), TypeError, "build_dict: transforms must be given by name, got ['a']"),
    (lambda: tz.build_dict(a=None), TypeError, "build_dict: 'a' is None, which cannot be called"),
    (lambda: tz.itemsetter(5), TypeError, "itemsetter: transforms must be given by name, got 5"),
    (lambda: tz.groupby("key"), TypeError, "groupby: key is 'key', which cannot be called"),
    (lambda: tz.groupby(None), TypeError, "groupby: key is None, which cannot be called"),
    (lambda: tz.reduction(None), TypeError, "reduction: aggregate is None, which cannot be called"),
    (lambda: tz.attempt(None), TypeError, "attempt: func is None, which cannot be called"),
    (lambda: tz.kv_valmap(len)(["ab"]), TypeError, "a sequence of (key, value) pairs is needed, got the item 'ab'"),
    (lambda: tz.reduction(5), TypeError, "reduction: aggregate is 5, which cannot be called"),
    (lambda: tz.kv_transform(sorted), ValueError, "kv_valmap(sorted) applies it to each value"),
    (lambda: tz.aggregate({"a": 5}), TypeError, "aggregate: 'a' is 5; give a function, or a list of them"),
    (lambda: tz.aggregate([min]), TypeError, "aggregate: give functions by key"),
    (lambda: add_checkpoints(5), TypeError, "a pipeline must be callable, got 5"),
    (lambda: drop_checkpoints(None), TypeError, "a pipeline must be callable, got None"),
    # passes, engines, hashing
    (lambda: run(abs, 5, rewrites=add_checkpoints), TypeError, "a list of passes: rewrites=[add_checkpoints]"),
    (lambda: run(abs, 5, 5), TypeError, "rewrites must be a list of passes, got int"),
    (lambda: run(5, abs), TypeError, "the pipeline comes first and must be callable, got int; pipeline and"),
    (lambda: apply(abs, 5, rewrites=add_checkpoints), TypeError, "a list of passes: rewrites=[add_checkpoints]"),
    (
        lambda: apply(abs, 5, rewrites=[None]),
        TypeError,
        "a pass must be a function of a pipeline, got None",
    ),
    (lambda: apply(abs, 5, rewrites="add_checkpoints"), TypeError, "rewrites must be a list of passes, got str"),
    (lambda: apply(abs, 5, rewrites=5), TypeError, "rewrites must be a list of passes, got int"),
    (lambda: apply(abs, 5, rewrites=[observe]), TypeError, "a pass with options must be called"),
    (lambda: apply(abs, 5, engine="plan"), TypeError, "a function of a pipeline and an object, got 'plan'"),
    (lambda: observe([]), TypeError, "sink must be a function of an event, got []; for a list write events.append"),
    (lambda: observe(None), TypeError, "sink must be a function of an event, got None"),
    (lambda: apply(KEPT, iter([1])), UnhashableError, "an iterator can be read only once; make it a list or a tuple"),
    (lambda: apply(KEPT, FILE), UnhashableError, "pass its path or what was read from it"),
    (
        lambda: functional_hash(5, hasher="md5"),
        TypeError,
        "hasher must be a function of nothing, as hashlib.blake2b, got 'md5'",
    ),
    (lambda: ignore_globals("nosuch")(lambda: ROWS), ValueError, "does not use 'nosuch'; it uses ROWS"),
    (lambda: ignore_globals(5), TypeError, "takes names, got 5; write @ignore_globals() to ignore all"),
    # memo
    (lambda: memo("cache"), TypeError, "for a folder of results write DiskTarget('cache')"),
    (lambda: memo(DiskTarget), TypeError, "got the class DiskTarget; make one: DiskTarget(…)"),
    (lambda: memo(lambda x: x), TypeError, "say where the results of <lambda> are kept: @memo(results)"),
    (lambda: memo({}, ["x"]), TypeError, "tag must be a string, got ['x']"),
    (lambda: memo({}, ignore=5), TypeError, "ignore must be names of parameters, got 5"),
    (lambda: memo({}, ignore=["y"])(lambda x: x), ValueError, "has no parameter 'y', only x"),
    (lambda: memo({}, ignore=[5])(lambda x: x), ValueError, "has no parameter 5, only x"),
    (lambda: memo({}, valid=3600), TypeError, "valid must be a function of an entry, got 3600"),
    (lambda: memo({})(5), TypeError, "memo decorates a function, got 5"),
    (lambda: memo({})(five)(1), TypeError, "five() too many positional arguments"),
    (lambda: memo({})(area)(), TypeError, "area() missing a required argument: 'w'"),
    (lambda: memo({})(area)(FILE), UnhashableError, "at argument 'w': pass its path or what was read from it"),
    (lambda: Memory("cache"), TypeError, "for a folder of results write DiskTarget('cache')"),
    (lambda: Memory(location="cache"), TypeError, "is joblib's; here write Memory(DiskTarget('cache'))"),
    (lambda: Memory({}, verbose=0), TypeError, "Memory has no option 'verbose'"),
    (lambda: Memory({}).cache(5), TypeError, "memo decorates a function, got 5"),
    (lambda: Memory({}).cache(abs, cache_validation_callback=5), TypeError, "must be a function, got 5"),
    # calls
    (lambda: init_checkpoint("index", "out"), TypeError, "config must be an object or a mapping, got 'out'"),
    (lambda: init_checkpoint(3), TypeError, "config must be an object or a mapping, got 3"),
    (lambda: init_checkpoint("index", [1]), TypeError, "config must be an object or a mapping, got [1]"),
    (lambda: init_checkpoint({"artifact_dir": "out"}), TypeError, "did you mean 'artifacts_dir'?"),
    (lambda: init_checkpoint({"use_checkpoint": False}), TypeError, "did you mean 'use_checkpoints'?"),
    (lambda: init_checkpoint({"artifacts_dir": 5}), TypeError, "artifacts_dir must be a path, got 5"),
    (lambda: init_checkpoint("index", target=[]), TypeError, f"{MAPPING} list"),
    (lambda: cache_with_checkpoint(id=5), TypeError, "id must be an expression in a string, or a function, got int"),
    (lambda: cache_with_checkpoint(id="nosuch")(len), ValueError, "id 'nosuch': there is no 'nosuch'; len takes obj"),
    (lambda: cache_with_checkpoint(id="chunk.id")(lambda chunks: 1), ValueError, "there is no 'chunk'; "),
    (lambda: cache_with_checkpoint(), ValueError, 'write @cache_with_checkpoint(id="…")'),
    (lambda: TargetCheckpoint("index", {}).load_or_run(7, len, "text"), TypeError, "method must be callable, got 7"),
    # tasks
    (lambda: task(target=3), TypeError, "target must be a template or a mutable mapping, got int"),
    (lambda: task(target=[])(abs), TypeError, "target must be a template or a mutable mapping, got list"),
    (lambda: task(store=dict), TypeError, "got the class dict; make one: dict(…)"),
    (lambda: task(store="cache"), TypeError, "store must be a Store class or a mutable mapping, got str"),
    (lambda: task(skip="name"), TypeError, "skip must be True or False, got 'name'"),
    (lambda: task(save="no"), TypeError, "save must be True or False, got 'no'"),
    (lambda: task(changed="never"), ValueError, "use warn, rerun, raise or ignore"),
    (lambda: task(name_template=5), TypeError, "name_template must be a template, got int"),
    (lambda: task(traget="x"), TypeError, "did you mean 'target'?"),
    (lambda: task(cache_polcy=None), TypeError, "did you mean 'cache_policy'?"),
    (lambda: task(nosuch=1), TypeError, "neither task nor Prefect has an option 'nosuch'"),
    (lambda: task(5), TypeError, "task decorates a function, got 5"),
    (lambda: flow(3), TypeError, "flow decorates a function, got 3"),
    (lambda: flow(retrys=3), TypeError, "did you mean 'retries'?"),
    # resume
    (lambda: resume.Checkpoint("x", rate="soon"), ValueError, f"rate {SECONDS} 'soon'"),
    (lambda: resume.Checkpoint("x", rate=-1), ValueError, f"rate {SECONDS} -1"),
    (lambda: resume.Checkpoint("x", max_age="soon"), ValueError, f"max_age {SECONDS} 'soon'"),
    (lambda: resume.Checkpoint("x", folder="f", target={}), TypeError, "give only one of them"),
    (lambda: resume.Checkpoint("x", target=[]), TypeError, f"{MAPPING} list"),
    (lambda: resume.Checkpoint(5), TypeError, "filename must be a name or a path, got 5"),
    (lambda: resume.Checkpoint("x", clean="no"), TypeError, "clean must be True or False, got 'no'"),
    (lambda: resume.Checkpoint("x", clock=5), TypeError, "clock must be a function, got 5"),
    # recipes
    (lambda: recipe(5), TypeError, "ingredients must be a list of recipes, got 5"),
    (lambda: recipe([abs]), TypeError, "an ingredient must be a recipe, got <built-in function abs>"),
    (
        lambda: recipe(target="cache")(lambda: 1),
        TypeError,
        "got str; for a folder of results write DiskTarget('cache')",
    ),
    (lambda: recipe(cache=True)(lambda: 1), TypeError, "cache must be CacheType.Cache, CacheType.NoCache"),
    (lambda: recipe(transient="yes")(lambda: 1), TypeError, "transient must be True or False, got 'yes'"),
    (lambda: recipe(name=5)(lambda: 1), TypeError, "name must be a string, got 5"),
    (lambda: foreach([1, 2]), TypeError, "an ingredient must be a recipe, got [1, 2]"),
    (lambda: Recipe(5), TypeError, "func must be a function, got 5"),
    (lambda: Recipe(abs, [5], "x"), TypeError, "an ingredient must be a recipe, got 5"),
    (lambda: five().brew(jobs="4"), TypeError, "jobs must be a whole number, got '4'"),
    (lambda: five().brew(jobs=None), TypeError, "jobs must be a whole number, got None"),
    (lambda: five().brew(rewrites=add_checkpoints), TypeError, "a list of passes: rewrites=[add_checkpoints]"),
    (lambda: five().brew(rewrites=[None]), TypeError, "a pass must be a function of a pipeline, got None"),
    (lambda: glob_files("texts", "d", 5), TypeError, "pattern must be a string, got 5"),
    (lambda: glob_files("texts", "s3://bucket", "*"), ValueError, "directory must be a folder of this machine"),
    (lambda: setattr(AlkymiConfig.get(), "cache", "no"), TypeError, "cache must be True or False, got 'no'"),
    (lambda: setattr(AlkymiConfig.get(), "target", []), TypeError, f"{MAPPING} list"),
    (lambda: setattr(AlkymiConfig.get(), "cache_path", 5), TypeError, "cache_path must be the path of a folder"),
    (lambda: setattr(AlkymiConfig.get(), "cache_path", "nosuch"), ValueError, "create it first"),
    (
        lambda: setattr(AlkymiConfig.get(), "file_checksum_method", "mtime"),
        TypeError,
        "FileChecksumMethod.HashContents",
    ),
    # what stands in a wrong place: a sink as a pass, a class as a sink, an engine or a pass that was not called
    (
        lambda: run(KEPT, 1, [Timings()]),
        TypeError,
        "is a sink, not a pass; write rewrites=[observe(Timings())]",
    ),
    (lambda: run(KEPT, 1, [progress()]), TypeError, "progress is a sink, not a pass"),
    (lambda: run(KEPT, 1, [retry]), TypeError, "a pass with options must be called: rewrites=[retry(on=OSError)]"),
    (lambda: run(KEPT, 1, [auto_checkpoints]), TypeError, "must be called: rewrites=[auto_checkpoints(results)]"),
    (lambda: apply(abs, 1, engine=threads), TypeError, "an engine with options must be called: engine=threads()"),
    (lambda: apply(abs, 1, engine=processes), TypeError, "must be called: engine=processes()"),
    (lambda: apply(abs, 1, [lambda pipeline: None]), TypeError, "the pass <lambda> returned None; a pass returns"),
    (lambda: run(abs, 1, [lambda pipeline: 5]), TypeError, "the pass <lambda> returned 5; a pass returns a pipeline"),
    (lambda: observe(Timings), TypeError, "got the class Timings; make one: Timings(…)"),
    (lambda: observe(print, progress), TypeError, "got the class progress; make one: progress(…)"),
    (lambda: observe(), TypeError, "observe: no sink is given; write observe(Timings())"),
    (lambda: plan(1, abs), TypeError, "the pipeline comes first and must be callable, got int; pipeline and"),
    (lambda: plan(None, 1), TypeError, "the pipeline comes first and must be callable, got NoneType"),
    (lambda: plan([abs, str], 1), TypeError, "a pipeline is made of its steps with chained(…), got a list"),
    (lambda: plan(abs, 1, add_checkpoints), TypeError, "a list of passes: rewrites=[add_checkpoints]"),
    (lambda: flatten(5), TypeError, "a pipeline must be callable, got 5"),
    (lambda: bottom_up(None), TypeError, "bottom_up: rule must be a function of a transform, got None"),
    (lambda: top_down(5), TypeError, "top_down: rule must be a function of a transform, got 5"),
    (lambda: leaves("x"), TypeError, "leaves: rule must be a function of a transform, got 'x'"),
    (lambda: when(5, abs), TypeError, "when: predicate must be a function of a transform, got 5"),
    (lambda: when(callable, 5), TypeError, "when: rule must be a function of a transform, got 5"),
    (lambda: on(5, abs), TypeError, "on: kind must be a type or several in a tuple, got 5"),
    (lambda: pipelines.register(5, abs, abs), TypeError, "kind must be a class, got 5"),
    (lambda: pipelines.register(Odd, 5, abs), TypeError, "children must be a function of a transform, got 5"),
    (lambda: pipelines.register(Odd, abs, abs, "twig"), ValueError, "role must be one of leaf, combinator, sequential"),
    (lambda: hashing.register(5, abs), TypeError, "kind must be a class, got 5"),
    (lambda: hashing.register("Odd", abs), TypeError, "kind must be a class, got 'Odd'"),
    (lambda: hashing.register(Odd, 5), TypeError, "parts must be a function of an object, got 5"),
    (lambda: hashing.register_lazy(5, abs), TypeError, "package must be a string, got 5"),
    (lambda: hashing.register_lazy("odd", 5), TypeError, "load must be a function, got 5"),
    (lambda: depends_on(), TypeError, "depends_on: give the objects that count"),
    (lambda: explain(abs, depth="1"), TypeError, "depth must be a whole number, 0 or more, got '1'"),
    (lambda: explain(abs, depth=-1), ValueError, "depth must be a whole number, 0 or more, got -1"),
    # places
    (lambda: FileContent(5), TypeError, "path must be the path of a file, got 5"),
    (lambda: FileContent(None), TypeError, "path must be the path of a file, got None"),
    (
        lambda: FileContent("s3://bucket/a.csv"),
        ValueError,
        "path must be a file of this machine, got 's3://bucket/a.csv'",
    ),
    (lambda: jsonl(5), TypeError, "path must be the path of a file, got 5"),
    (lambda: jsonl("."), ValueError, "path '.' is a folder; write the path of a file"),
    (lambda: jsonl("nosuch/run.jsonl"), ValueError, "there is no folder 'nosuch' for path; create it first"),
    (lambda: report(5), TypeError, "path must be the path of a file, got 5"),
    (lambda: report("nosuch/run.html"), ValueError, "there is no folder 'nosuch' for path; create it first"),
    (lambda: reporting("nosuch/run.html"), ValueError, "there is no folder 'nosuch' for path; create it first"),
    (lambda: log_to(5), TypeError, "logger must be a logger or its name, got 5"),
    (lambda: log_to(level="loud"), ValueError, "level must be a level of logging such as logging.INFO, got 'loud'"),
    (lambda: progress("bars"), TypeError, "file must be a text stream such as sys.stderr, got 'bars'"),
    (lambda: DiskTarget("/proc/nosuch/results").__setitem__(K, 1), OSError, "/proc"),
    (lambda: file("text", 5), TypeError, "path must be the path of a file, got 5"),
    (lambda: glob_files("x", ".", "*", recursive="no"), TypeError, "recursive must be True or False, got 'no'"),
    (lambda: Filestore(5), TypeError, "loc must be a path, got 5"),
    (lambda: Filestore("s3://bucket/x"), ValueError, "loc must be a file of this machine, got 's3://bucket/x'"),
    (
        lambda: task(target="s3://bucket/{x}.pkl"),
        ValueError,
        "must be a file of this machine, got 's3://bucket/{x}.pkl'",
    ),
    (lambda: LocalStorageCheckpoint("x", 5), TypeError, "must be the path of a folder, got 5"),
    # options and calls
    (lambda: retry(on=OSError, wait="soon"), ValueError, f"wait {SECONDS} 'soon'"),
    (lambda: retry(on=OSError, wait=None), TypeError, f"wait {SECONDS} None"),
    (lambda: auto_checkpoints({}, min_seconds="soon"), ValueError, f"min_seconds {SECONDS} 'soon'"),
    (lambda: DiskTarget("d").update({"abc": 1}), TypeError, f"{KEY} 'abc'"),
    (lambda: DiskTarget("d").put(("a", "b"), 1, Facts(0.0)), TypeError, f"{KEY} ('a', 'b')"),
    (lambda: DiskTarget("d").get_many(["abc"]), TypeError, f"{KEY} 'abc'"),
    (lambda: check_target(list), TypeError, f"{MAPPING} list"),
    (lambda: cache_with_checkpoint(id="x +")(abs), SyntaxError, "the id 'x +' of abs is no expression"),
    (lambda: cache_with_checkpoint(id="")(abs), SyntaxError, "the id '' of abs is no expression"),
    (lambda: resume.over(5), TypeError, "iterable must be something to loop over, got 5"),
    (lambda: recipe()(5), TypeError, "a recipe decorates a function, got 5"),
    (lambda: foreach(five())(5), TypeError, "a recipe decorates a function, got 5"),
    (lambda: zip_results("x", [5]), TypeError, "an ingredient must be a recipe, got 5"),
    (lambda: statuses(5), TypeError, "recipe must be a recipe, got 5"),
    (lambda: task(target="x.pkl")(area)(), TypeError, "area() missing a required argument: 'w'"),
    (lambda: task(target="x.pkl")(area)(1, 2, 3), TypeError, "area() too many positional arguments"),
    # what is taken for something else: an engine for a pass, a pass for an engine, a list for its steps
    (lambda: run(abs, 1, threads(2)), TypeError, "threads(…) is an engine, not a pass; write engine=threads(…)"),
    (lambda: run(abs, 1, [threads(2)]), TypeError, "threads(…) is an engine, not a pass; write engine=threads(…)"),
    (lambda: run(abs, 1, [plan]), TypeError, "plan is an engine, not a pass; write engine=plan"),
    (lambda: run(abs, 1, plan), TypeError, "plan is an engine, not a pass; write engine=plan"),
    (lambda: apply(abs, 1, [awaited]), TypeError, "awaited is an engine, not a pass; write engine=awaited"),
    (lambda: run(abs, 1, [Timings]), TypeError, "Timings is a sink, not a pass; write rewrites=[observe(Timings())]"),
    (
        lambda: run(abs, 1, [progress]),
        TypeError,
        "progress is a sink, not a pass; write rewrites=[observe(progre",
    ),
    (lambda: run(abs, 1, engine=observe(print)), TypeError, "is a pass, not an engine; write rewrites=[observe(…)]"),
    (lambda: apply(abs, 1, engine=add_checkpoints), TypeError, "not an engine; write rewrites=[add_checkpoints]"),
    (lambda: pipe(1, abs, engine=flatten), TypeError, "flatten is a pass, not an engine; write rewrites=[flatten]"),
    (lambda: pipe(1, abs, [add_checkpoints]), TypeError, "step 2 of 2 is [<function add_checkpoints"),
    (lambda: pipe(1, abs, [add_checkpoints]), TypeError, "*steps for the steps in a list, and rewrites=[…] for passes"),
    (lambda: chained(abs, [abs, len]), TypeError, "write *steps for the steps in a list"),
    (lambda: build_dict(a=[abs]), TypeError, "build_dict: 'a' is [<built-in function abs>], which cannot be called; w"),
    (lambda: pipe(abs, 1), TypeError, "pipe: the object comes first, then the steps, got <built-in function abs> as"),
    (lambda: add_checkpoints([abs]), TypeError, "a pipeline is made of its steps with chained(…)"),
    (lambda: drop_checkpoints([abs]), TypeError, "a pipeline is made of its steps with chained(…)"),
    (lambda: flatten([abs, len]), TypeError, "a pipeline is made of its steps with chained(…), got a list"),
    (lambda: draw((abs, len)), TypeError, "a pipeline is made of its steps with chained(…), got a tuple"),
    (lambda: draw("abs"), TypeError, "a pipeline must be callable, got 'abs'"),
    (lambda: report("run.html", [abs]), TypeError, "a pipeline is made of its steps with chained(…), got a l"),
    (lambda: report("run.html", 5), TypeError, "a pipeline must be callable, got 5"),
    (lambda: draw(abs).save("nosuch/a.svg"), ValueError, "there is no folder 'nosuch' for path; create it first"),
    (lambda: draw(abs).save("a.bmp"), ValueError, "a drawing is saved as .svg or .mmd, got 'a.bmp'"),
    (lambda: pmap(abs, 4), TypeError, "pmap: engine must be an engine such as threads(4), got 4"),
    (lambda: observe("run.jsonl"), TypeError, "for a file write jsonl('run.jsonl')"),
    (lambda: observe(Path("run.jsonl")), TypeError, "for a file write jsonl('run.jsonl')"),
    (lambda: retry(on=[OSError]), TypeError, "must be an exception such as OSError, a tuple of them, or a function of"),
    (lambda: memo({}, "rows")(area).clear(tag="x"), TypeError, "the tag is that of the function, 'rows'; leave it out"),
    (lambda: memo({})(area).clear(older="1d"), TypeError, "entries are selected by object, tag, transform, older_than"),
    # places of databases, which are no folders
    (lambda: DiskTarget("sqlite:///x.db"), ValueError, "write SqlTarget('sqlite:///x.db')"),
    (lambda: checkpoint("postgresql+psycopg://host/x"), TypeError, "write SqlTarget('postgresql+psycopg://host/x')"),
    (lambda: FileTarget(Path("mysql://host/x")), ValueError, "write SqlTarget('mysql://host/x')"),
    (lambda: Memory("sqlite:///x.db"), TypeError, "write SqlTarget('sqlite:///x.db')"),
    (lambda: task(target="x", store="cache"), TypeError, "for a folder of results write DiskTarget('cache')"),
    (lambda: task(target="x", store=Path("cache")), TypeError, "for a folder of results write DiskTarget('cache')"),
    (lambda: task(target="x", store="s3://bucket/x"), TypeError, "for an address write RemoteTarget('s3://bucket/x')"),
    (lambda: task(target=DiskTarget), TypeError, "got the class DiskTarget; make one: DiskTarget(…)"),
    (lambda: task(target=5), TypeError, "target must be a template or a mutable mapping, got int"),
]

FILE = open(os.devnull)  # noqa: SIM115
atexit.register(FILE.close)
KEPT = add_checkpoints(chained(len, checkpoint({})))


@pytest.mark.parametrize(("act", "kind", "words"), ROWS, ids=[f"{n}: {row[2]}" for n, row in enumerate(ROWS)])
def test_a_wrong_input_says_what_to_write(act, kind, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "RemoteTarget" in act.__code__.co_names:
        pytest.importorskip("fsspec")
    with pytest.raises(kind) as caught:
        act()
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir()), "a refusal leaves nothing behind"


def test_ages_and_sizes_are_taken_as_people_write_them(tmp_path):
    with DiskTarget(tmp_path / "d", max_bytes="10GB", max_age="30d", claim_timeout=timedelta(minutes=1)) as target:
        assert target.options["max_bytes"] == 10**10
        assert target.options["max_age"] == 30 * 86_400
        target[K] = 1
        assert target.clear_where(older_than="30d") == target.clear_where(unused_for=timedelta(1)) == 0
        assert clear_checkpoints(target, older_than="12h") == 0
        assert target.gc(older_than="1h").evicted == 0
    assert Bounded({}, "1.5 kB").max_bytes == 1500
    assert Expiring({}, timedelta(hours=1)).max_age == Expiring({}, "60 minutes").max_age == 3600
    assert resume.Checkpoint("x", rate="30s", target={}).rate == 30


def test_advice_fits_where_the_object_was_met():
    """What a function refers to can be left out of its hash; an input cannot."""
    with pytest.raises(UnhashableError) as caught:
        apply(KEPT, {"log": [FILE]})
    assert "ignore_globals" not in str(caught.value)
    with pytest.raises(UnhashableError, match="ignore_globals"):
        functional_hash(lambda: FILE)


def test_an_object_that_is_a_tag_is_pointed_out():
    with pytest.warns(FlowlyWarning, match="for what has this tag write tag='tag'") as caught:
        clear_checkpoints({K: 1}, "tag")
    assert caught[0].filename == __file__


def test_what_is_not_there_is_pointed_out_when_it_is_asked_for(tmp_path):
    folder = glob_files("texts", tmp_path / "nosuch", "*.txt", cache=CacheType.NoCache)
    with pytest.warns(StoreWarning, match="there is no folder") as caught:
        assert folder.brew() == []
    assert caught[0].filename == __file__
    with pytest.warns(StoreWarning, match="there is no file"):
        file("text", tmp_path / "nosuch.txt", cache=CacheType.NoCache).brew()


def test_the_options_of_prefect_are_known():
    prefect = pytest.importorskip("prefect")
    for made, door in ((prefect.Task, task), (prefect.Flow, flow)):
        names = set(inspect.signature(made.__init__).parameters) - {"self", "fn"}
        assert callable(door(**dict.fromkeys(names - {"name_template"})))


def test_an_error_within_a_pass_is_its_own():
    def broken(transform):
        raise TypeError("of the pass")

    with pytest.raises(TypeError, match="of the pass"):
        apply(abs, 5, rewrites=[broken])


def test_a_misspelt_setting_is_refused():
    with pytest.raises(AttributeError, match="cache_pth"):
        AlkymiConfig.get().cache_pth = "results"


def test_a_plan_says_that_the_pass_was_forgotten():
    pipeline = chained(abs, checkpoint({}, "rows"), str)
    (row,) = apply(pipeline, -1, engine=plan)
    assert row.why.startswith("checkpoint(tag='rows') is only a mark here: pass rewrites=[add_checkpoints]")
    assert [row.why for row in apply(pipeline, -1, (), engine=plan)] == ["no checkpoint follows"], "said on purpose"
    assert [row.why for row in apply(chained(abs, str), -1, engine=plan)] == ["no checkpoint follows"]


def test_a_task_takes_a_path_as_template(tmp_path):
    assert str(task(target=tmp_path / "size.pkl")(len)("abc")) == str(tmp_path / "size.pkl")


def changed_in_place(target):
    apply(chained(list, checkpoint(target)), "ab", rewrites=[add_checkpoints]).append("c")
    return apply(chained(list, checkpoint(target)), "ab", rewrites=[add_checkpoints])


def changed_argument(target):
    init_checkpoint("index", target=target)
    return cache_with_checkpoint(id="1")(lambda rows: rows.append(1))([])


def unstorable(target):
    return recall(ReadOnlyAfterAll(), K, lambda: [1])


def failing_sink(target):
    return observe(fail_at_steps)(len)([])


def fail_at_steps(event):
    if (event.of, event.kind) == ("step", "run"):
        raise OSError("no space left")


def unwritable_page(target):
    return apply(len, [], engine=reporting("/proc/run.html"))


class ReadOnlyAfterAll(dict):
    def __setitem__(self, key, value):
        raise OSError("no space left")


@pytest.mark.parametrize("act", [changed_in_place, changed_argument, unstorable, failing_sink, unwritable_page])
def test_a_warning_shows_the_users_line(act):
    with pytest.warns(FlowlyWarning) as caught:
        act({})
    assert [warning.filename for warning in caught] == [__file__]
    first = act.__code__.co_firstlineno
    assert first < caught[0].lineno < first + 4


ERRORS = [
    FailedItemsError("parse", [], {0: 1}),
    IdError("arg.id", "embed"),
    MissingPrefectError("prefect"),
    ModeError("bad"),
    StaleError("working/a", ("code", "argument 'n'")),
    TemplateError("{a}/{b}", "b", "it is not known"),
    UnhashableError(None, ("step 2", "closure 'conn'"), "leave it out"),
    resume.ChangedError(2, "'b.txt'", None),
    resume.frames.FrameError(),
]


def sent(error):
    return pickle.loads(pickle.dumps(error))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, own_copy], ids=["sent", "", "own"]
)
def test_an_error_keeps_its_text_and_its_facts_wherever_it_goes(error, again):
    error.add_note("in step 2")
    found = again(error)
    assert found is not error
    assert isinstance(found, FlowlyError)
    assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))


def test_an_error_about_what_cannot_be_pickled_is_sent_without_it():
    error = UnhashableError(Lock(), ("step 2", "closure 'conn'"), "leave it out")
    assert (str(sent(error)), sent(error).path, sent(error).obj) == (str(error), error.path, None)
    assert own_copy(error).obj is error.obj


MUCH = [["x" * 1000]] * 1000
GIVEN_MUCH = {
    "a task": lambda: task(target="a")(MUCH),
    "a flow": lambda: flow()(MUCH),
    "memo": lambda: memo({})(MUCH),
    "a sink": lambda: observe(MUCH),
    "an executor": lambda: pool(MUCH),
    "pmap": lambda: pmap(MUCH),
    "a step": lambda: chained(abs, MUCH),
    "steps by name": lambda: build_dict(MUCH),
    "reductions": lambda: aggregate({"a": MUCH}),
    "a pass": lambda: apply(abs, 1, [MUCH]),
    "an engine": lambda: apply(abs, 1, engine=MUCH),
    "a configuration": lambda: init_checkpoint("index", MUCH),
    "a kind of cache": lambda: recipe(cache=MUCH)(lambda: 1),
    "a target": lambda: checkpoint(MUCH),
}


@pytest.mark.parametrize("act", GIVEN_MUCH.values(), ids=GIVEN_MUCH)
def test_an_error_shows_the_beginning_of_what_is_large(act):
    with pytest.raises(TypeError) as caught:
        act()
    assert len(str(caught.value)) < 400
