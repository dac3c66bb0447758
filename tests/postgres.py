"""A PostgreSQL server of the tests' own, where its programs are installed; it listens on a socket in its folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")


def programs():
    """Return the folder of the newest initdb, or None."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql@*/bin")]
    found = sorted((folder for folder in folders if (folder / "initdb").exists()), key=lambda f: float(f.parent.name))
    if found:
        return found[-1]
    single = shutil.which("initdb")
    return None if single is None else Path(single).resolve().parent


class Server:
    """A server that is started, stopped and started again."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.user = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            import pwd

            owner = next(user for user in pwd.getpwall() if user.pw_name in ("postgres", "nobody"))
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            self.user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.run(
            "initdb", "-D", f"{folder}/data", "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"
        )
        self.start()

    @property
    def url(self):
        return f"postgresql+psycopg://tests:hidden-word@/postgres?host={self.folder}"

    def run(self, program, *arguments):
        line = [str(programs() / program), *arguments]
        done = subprocess.run(
            line, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=60, check=False, **self.user,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout

    def start(self):
        options = f"-c listen_addresses= -c fsync=off -c max_connections=60 -k {self.folder}"
        log = f"{self.folder}/log"
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", log, "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")


@contextlib.contextmanager
def server():
    """Run a server while the tests of a module need it."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    folder = tempfile.mkdtemp(prefix="pg", dir="/tmp")  # short: the path of a socket is limited
    started = Server(folder)
    try:
        yield started
    finally:
        with contextlib.suppress(AssertionError):
            started.stop()
        shutil.rmtree(folder, ignore_errors=True)
