"""How each peer remembers what a function returned, and how plain stores do: ``remember(folder)(step)`` is the step."""

from __future__ import annotations

import logging
import os
import pickle
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from row import OURS

from flowly_ckpt import add_checkpoints, chained, checkpoint
from flowly_ckpt.targets import DiskTarget

Step = Callable[[int], Any]
Remember = Callable[[Path], Callable[[Step], Step]]


def ours(folder: Path) -> Callable[[Step], Step]:
    target = DiskTarget(folder / "store")
    return lambda step: add_checkpoints(chained(step, checkpoint(target, tag="step")))


def ours_in_a_dict(folder: Path) -> Callable[[Step], Step]:
    target: dict[Any, Any] = {}
    return lambda step: add_checkpoints(chained(step, checkpoint(target, tag="step")))


def joblib_memory(folder: Path) -> Callable[[Step], Step]:
    import joblib

    return joblib.Memory(folder, verbose=0).cache


def diskcache_memoize(folder: Path) -> Callable[[Step], Step]:
    import diskcache

    return diskcache.Cache(str(folder)).memoize()


def cachier_on_disk(folder: Path) -> Callable[[Step], Step]:
    from cachier import cachier

    return cachier(cache_dir=folder, separate_files=True)


def cachier_in_memory(folder: Path) -> Callable[[Step], Step]:
    from cachier import cachier

    return cachier(backend="memory")


def toolz_memoize(folder: Path) -> Callable[[Step], Step]:
    from toolz import memoize

    return memoize


def streamlit_cache(folder: Path) -> Callable[[Step], Step]:
    import streamlit

    return streamlit.cache_data(show_spinner=False)


def hamilton_driver(folder: Path) -> Callable[[Step], Step]:
    from hamilton import driver
    from hamilton.ad_hoc_utils import create_temporary_module

    def remembered(step: Step) -> Step:
        def result(number: int) -> object:
            return step(number)

        result.__annotations__ = {"number": int, "return": object}  # not as text

        module = create_temporary_module(result)
        built = driver.Builder().with_modules(module).with_cache(path=str(folder)).build()
        return lambda number: built.execute(["result"], inputs={"number": number})["result"]

    return remembered


def pipefunc_pipeline(cache_type: str) -> Remember:
    def remember(folder: Path) -> Callable[[Step], Step]:
        from pipefunc import Pipeline, pipefunc

        more = {"cache_dir": str(folder)} if cache_type == "disk" else {}

        def remembered(step: Step) -> Step:
            part = pipefunc(output_name="result", cache=True)(step)
            pipeline = Pipeline([part], cache_type=cache_type, cache_kwargs=more)
            name = next(iter(part.parameters))
            return lambda number: pipeline("result", **{name: number})

        return remembered

    return remember


class Sqlite:
    """A table of pickles, in the mode in which SQLite writes fastest without losing whole tables."""

    def __init__(self, folder: Path) -> None:
        self.connection = sqlite3.connect(folder / "table.sqlite", isolation_level=None, timeout=60)
        for statement in ("pragma journal_mode = wal", "pragma synchronous = normal",
                          "create table if not exists e (k text primary key, v blob)"):  # fmt: skip
            self.connection.execute(statement)

    def __getitem__(self, key: str) -> Any:
        found = self.connection.execute("select v from e where k = ?", (key,)).fetchone()
        if found is None:
            raise KeyError(key)
        return pickle.loads(found[0])

    def __setitem__(self, key: str, value: Any) -> None:
        self.connection.execute("insert or replace into e values (?, ?)", (key, pickle.dumps(value, 5)))

    def fill(self, pairs: Iterable[tuple[str, Any]]) -> None:
        self.connection.execute("begin")
        for key, value in pairs:
            self[key] = value
        self.connection.execute("commit")


class Lmdb:
    """A map of pickles that is synchronised when the system likes, as SQLite's above."""

    def __init__(self, folder: Path) -> None:
        import lmdb

        self.environment = lmdb.open(str(folder / "map"), map_size=1 << 34, sync=False)

    def __getitem__(self, key: str) -> Any:
        with self.environment.begin(buffers=True) as transaction:
            found = transaction.get(key.encode())
            if found is None:
                raise KeyError(key)
            return pickle.loads(found)

    def __setitem__(self, key: str, value: Any) -> None:
        with self.environment.begin(write=True) as transaction:
            transaction.put(key.encode(), pickle.dumps(value, 5))

    def fill(self, pairs: Iterable[tuple[str, Any]]) -> None:
        with self.environment.begin(write=True) as transaction:
            for key, value in pairs:
                transaction.put(key.encode(), pickle.dumps(value, 5))


class OpenFile:
    """Pickles one behind the other in a file that stays open: the least that a store does."""

    def __init__(self, folder: Path) -> None:
        self.file = open(folder / "pickles", "w+b", buffering=0)  # noqa: SIM115
        self.places: dict[str, tuple[int, int]] = {}
        self.end = 0

    def __getitem__(self, key: str) -> Any:
        place, size = self.places[key]
        return pickle.loads(os.pread(self.file.fileno(), size, place))

    def __setitem__(self, key: str, value: Any) -> None:
        data = pickle.dumps(value, 5)
        self.file.write(data)
        self.places[key] = self.end, len(data)
        self.end += len(data)


class Files:
    """A new file for each pickle, under its key."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __getitem__(self, key: str) -> Any:
        try:
            with open(f"{self.folder}/{key}", "rb", buffering=0) as file:
                return pickle.loads(file.read())
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: Any) -> None:
        place = f"{self.folder}/{key}"
        with open(f"{place}.{os.getpid()}", "wb", buffering=0) as file:
            file.write(pickle.dumps(value, 5))
        os.rename(file.name, place)

    def fill(self, pairs: Iterable[tuple[str, Any]]) -> None:
        for key, value in pairs:
            self[key] = value


def zict_file(folder: Path) -> Any:
    import zict

    return zict.Func(lambda value: pickle.dumps(value, 5), pickle.loads, zict.File(str(folder)))


def redun_scheduler(folder: Path) -> Callable[[Step], Step]:
    from redun import Scheduler, task
    from redun.config import Config

    logging.getLogger("redun").setLevel(logging.ERROR)
    scheduler = Scheduler(config=Config({"backend": {"db_uri": f"sqlite:///{folder / 'redun.db'}"}}))
    scheduler.load()

    def remembered(step: Step) -> Step:
        made = task(name="step", namespace="bench")(step)
        return lambda number: scheduler.run(made(number))

    return remembered


def diskcache_cache(folder: Path) -> Any:
    import diskcache

    return diskcache.Cache(str(folder))


def kept_in(make: Callable[[Path], Any]) -> Remember:
    """Remember in a mapping, under the number alone."""

    def remember(folder: Path) -> Callable[[Step], Step]:
        store = make(folder)

        def remembered(step: Step) -> Step:
            def call(number: int) -> Any:
                try:
                    return store[str(number)]
                except KeyError:
                    value = store[str(number)] = step(number)
                    return value

            return call

        return remembered

    return remember


IN_MEMORY: dict[str, Remember] = {
    OURS: ours_in_a_dict, "a dict": kept_in(lambda folder: {}), "toolz.memoize": toolz_memoize,
    "streamlit": streamlit_cache, "pipefunc": pipefunc_pipeline("simple"), "cachier": cachier_in_memory,
}  # fmt: skip
#: Those that make keys of their own of function and argument.
ON_DISK: dict[str, Remember] = {
    OURS: ours, "joblib": joblib_memory, "diskcache": diskcache_memoize, "cachier": cachier_on_disk,
    "Hamilton": hamilton_driver, "pipefunc": pipefunc_pipeline("disk"),
}  # fmt: skip
#: Those that are told the key, and know nothing of the function.
PLAIN: dict[str, Remember] = {
    "SQLite": kept_in(Sqlite), "lmdb": kept_in(Lmdb), "zict": kept_in(zict_file), "plain files": kept_in(Files),
}  # fmt: skip
