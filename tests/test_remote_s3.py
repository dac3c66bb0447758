"""RemoteTarget on a real server of the S3 protocol, on loopback, through a proxy that breaks what it passes on."""

from __future__ import annotations

import http.client
import http.server
import itertools
import logging
import os
import pickle
import threading
import traceback
import warnings
from contextlib import suppress
from functools import partial

import pytest
from runs import start_script

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, clear_checkpoints
from flowly_ckpt.errors import StoreError, StoreWarning
from flowly_ckpt.targets import DiskTarget, Layered, ReadOnly, RemoteTarget, check_target
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.typing import Facts

boto3 = pytest.importorskip("boto3", reason="boto3, s3fs and moto are installed on one version of Python only")
s3fs = pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

# boto3, aiobotocore and moto are not held to our rule that a warning is an error.
pytestmark = pytest.mark.filterwarnings("default")

A, B = ("0a", "tag", "1b"), ("2c", "other", "3d")
run = partial(apply, rewrites=[add_checkpoints])
numbers = itertools.count()
# Neither botocore nor s3fs hides a fault from us.
BARE = {"config_kwargs": {"retries": {"max_attempts": 0}}}


class Proxy(http.server.ThreadingHTTPServer):
    """Pass requests on to a server; ``faults`` says what becomes of the next ones."""

    daemon_threads = True

    def __init__(self, host, port):
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = (host, port)
        self.faults = []  # drop, 503, cut
        self.seen = []  # methods and paths
        self.meeting = None  # a barrier that requests for an object wait at
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # it is the client who must cope


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if self.server.meeting is not None and self.command == "GET":
            self.server.meeting.wait()
        if fault == "drop":
            self.close_connection = True
            return
        if fault == "503":
            self.answer(
                503, [], b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
            )
            return
        connection = http.client.HTTPConnection(*self.server.behind)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        self.answer(answer.status, answer.getheaders(), content, len(content) // 2 if fault == "cut" else None)
        connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def answer(self, status, headers, content, size=None):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), len(content))
        self.send_header("Content-Length", length if self.command == "HEAD" else len(content))
        self.end_headers()
        self.wfile.write(content[:size])
        self.close_connection = size is not None


@pytest.fixture(scope="module")
def behind():
    """Run a server of our own, with a bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="results")
        yield host, port
        server.stop()


@pytest.fixture(scope="module")
def at(behind):
    """Make targets in the bucket."""
    endpoint = "http://{}:{}".format(*behind)
    return lambda folder, **options: RemoteTarget(
        f"s3://results/{folder}", client_kwargs={"endpoint_url": endpoint}, **options
    )


@pytest.fixture
def proxy(behind):
    made = Proxy(*behind)
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def through(proxy, monkeypatch):
    """Make targets in a folder of their own, through the proxy."""
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    folder = f"through{next(numbers)}"

    def make(**options):
        settings = {"client_kwargs": {"endpoint_url": proxy.endpoint}, **BARE, **options}
        return RemoteTarget(f"s3://results/{folder}", **settings)

    return make


def test_it_holds_the_laws_of_every_target(at):
    check_target(lambda: at(f"law{next(numbers)}"))


def test_another_process_s_results_are_found_and_cleared(at):
    run_here = partial(run, chained(sorted, checkpoint(at("shared"), "sorted"), sum))
    assert [run_here([3, 1, 2]), run_here([3, 1, 2])] == [6, 6]
    other = at("shared")
    assert list(other.values()) == [[1, 2, 3]]
    assert (clear_checkpoints(other, tag="sorted"), len(other)) == (1, 0)


def items(count, tag="tag"):
    return [((f"{number:x}", tag, "f"), [number], Facts(1.5, {"input": "0a"})) for number in range(count)]


def test_many_are_asked_for_at_the_same_time(through, proxy):
    target = through()
    target.put_many(items(8))
    proxy.meeting = threading.Barrier(8, timeout=60)  # no answer comes before all have asked
    assert target.get_many([key for key, _, _ in items(8)]) == {key: value for key, value, _ in items(8)}


def test_a_hit_and_a_miss_are_one_request_each(through, proxy):
    target = through()
    target[A] = [1]
    del proxy.seen[:]
    assert (target[A], target.get(B)) == ([1], None)
    assert [method for method, _ in proxy.seen] == ["GET", "GET"]


def test_listing_and_clearing_take_few_requests(through, proxy):
    target = through()
    target.put_many(items(50))
    target.put_many(items(50, "another tag"))
    del proxy.seen[:]
    assert len(target) == 100
    assert len(proxy.seen) == 1
    assert target.clear_where(tag="tag") == 50
    assert len(proxy.seen) <= 4
    assert {key[1] for key in target} == {"another tag"}


def test_what_is_known_of_large_entries_is_read_without_them(through, proxy):
    target = through()
    target.put(A, b"x" * 1_000_000, Facts(1.5, {"input": "0a"}))
    target.put(B, b"small", Facts(0.5, {"long": "y" * 10_000}))
    assert {entry.key: entry.seconds for entry in target.entries()} == {A: 1.5, B: 0.5}
    assert target.entry(A).size > 1_000_000
    assert target.entry(B).made_from == {"long": "y" * 10_000}
    assert target.entry(("no", "such", "key")) is None
    assert target.clear_where(older_than=3600) == 0


FAULTS = {
    "dropped connections": ["drop"] * 3,
    "503": ["503"] * 3,
    "both": ["drop", "503"] * 2,
    "answers that end too early": ["cut"] * 2,
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_what_passes_is_tried_again(through, proxy, faults):
    target = through()
    target[A] = [1]
    proxy.faults[:] = faults
    assert target[A] == [1]
    assert not proxy.faults
    proxy.faults[:] = faults
    target[B] = [2]
    proxy.faults[:] = faults
    assert target.get_many([A, B]) == {A: [1], B: [2]}
    proxy.faults[:] = faults
    assert sorted(target) == [A, B]
    proxy.faults[:] = faults
    del target[A]
    proxy.faults.clear()
    assert list(target) == [B]


def test_a_store_that_stays_away_costs_no_result(through, proxy):
    target = through(patience=0.5)
    target[A] = [1]
    proxy.faults[:] = ["503"] * 1000
    for least, most in ((2, 100), (1, 1)):  # it holds up once
        del proxy.seen[:]
        with pytest.raises(StoreError, match="s3://results/through"):
            target.get(A)
        assert least <= len(proxy.seen) <= most
    with pytest.warns(StoreWarning, match="could not restore|did not store"):
        assert recall(target, A, lambda: "computed anyway") == "computed anyway"
    proxy.faults.clear()
    assert target[A] == [1]


def test_half_an_object_is_not_taken_for_a_whole_one(through, proxy):
    target = through(patience=0.0)
    target[A] = list(range(1000))
    proxy.faults[:] = ["cut"] * 100
    with suppress(StoreError), warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        assert target.get(A) is None


def test_slow_answers_are_waited_for(through, proxy):
    target = through()
    target[A] = [1]
    proxy.meeting = threading.Barrier(2, timeout=60)
    found = []
    reader = threading.Thread(target=lambda: found.append(target[A]))
    reader.start()
    proxy.meeting.wait()  # now it is answered
    reader.join()
    assert found == [[1]]


def test_a_slow_answer_is_asked_for_again_where_the_user_wants_it(through, proxy):
    target = through(config_kwargs={"retries": {"max_attempts": 0}, "read_timeout": 0.2})
    target[A] = [1]
    proxy.meeting = threading.Barrier(2, timeout=60)  # the first answer comes when it is asked for again
    assert target[A] == [1]
    assert len([seen for seen in proxy.seen if seen[0] == "GET"]) >= 2


def test_a_bucket_that_is_not_there(behind):
    target = RemoteTarget("s3://missing/a", client_kwargs={"endpoint_url": "http://{}:{}".format(*behind)})
    assert (target.get(A), len(target), A in target) == (None, 0, False)
    with pytest.raises(StoreError, match=r"s3://missing/a: there is no such place to write to .*bucket"):
        target[A] = 1
    with pytest.warns(StoreWarning, match="no such place"):
        assert recall(target, A, lambda: 7) == 7


def test_no_credentials_are_shown(proxy, caplog):
    caplog.set_level(logging.INFO, "flowly_ckpt")
    target = RemoteTarget(
        "s3://results/a", secret="hidden-word", key="shown", client_kwargs={"endpoint_url": "http://127.0.0.1:9"},
        patience=0.3, **BARE,
    )  # fmt: skip
    with pytest.raises(StoreError) as caught:
        target.get(A)
    shown = ["".join(traceback.format_exception(caught.value)), caplog.text, repr(target)]
    assert not [text for text in shown if "hidden-word" in text]
    assert "trying again" in caplog.text


def test_the_team_s_set_up(through, proxy, tmp_path):
    """The first machine computes; the second reads from the bucket once; CI only reads."""
    first = Layered(DiskTarget(tmp_path / "first"), through())
    assert recall(first, A, lambda: [1]) == [1]
    second = Layered(DiskTarget(tmp_path / "second"), through())
    assert recall(second, A, lambda: 1 / 0) == [1]
    asked = len(proxy.seen)
    assert recall(second, A, lambda: 1 / 0) == [1]
    assert len(proxy.seen) == asked
    in_ci = Layered({}, ReadOnly(through()))
    assert (recall(in_ci, A, lambda: 1 / 0), recall(in_ci, B, lambda: [2])) == ([1], [2])
    assert list(through()) == [A]
    for target in (first, second):
        target.close()


def test_a_forked_child_reads_and_writes(at):
    target = at(f"forked{next(numbers)}")
    target[A] = [1]
    child = os.fork()
    if child == 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target[B] = target[A]
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert target[B] == [1]


# leases


HOLDING = """
import sys
from flowly_ckpt.targets import RemoteTarget
from flowly_ckpt.targets.recall import recall

settings = {"endpoint_url": sys.argv[2], "region_name": "us-east-1"}
target = RemoteTarget(sys.argv[1], lease=1.0, key="testing", secret="testing", client_kwargs=settings)
def compute():
    print("computing", flush=True)
    sys.stdin.readline()
    return "theirs"
recall(target, ("0a", "tag", "1b"), compute)
"""


@pytest.fixture
def holder(behind, tmp_path):
    endpoint = "http://{}:{}".format(*behind)
    url = f"s3://results/leased{next(numbers)}"
    script = HOLDING.replace("import sys\n", "import sys, warnings\nwarnings.simplefilter('ignore')\n", 1)
    process = start_script(tmp_path, script, url, endpoint, stdin=-1)
    assert process.stdout.readline() == "computing\n"
    yield process, RemoteTarget(url, lease=1.0, client_kwargs={"endpoint_url": endpoint})
    process.kill()
    process.communicate()


def test_one_machine_computes_while_the_others_wait(holder):
    process, target = holder
    waits = target.claim(A).waits()
    assert [next(waits, None) is not None for _ in range(3)] == [True] * 3
    process.stdin.write("\n")
    process.stdin.flush()
    assert recall(target, A, lambda: "ours") == "theirs"
    assert list(target) == [A]


def test_a_dead_machine_s_lease_ends(holder):
    process, target = holder
    process.kill()
    process.wait()
    assert recall(target, A, lambda: "ours") == "ours"
    with target.claim(A) as claim:
        assert claim.is_mine()
        assert [next(pickle.loads(pickle.dumps(target)).claim(A).waits(), None) is not None] == [True]


def test_a_lease_whose_answer_was_lost_is_one_s_own(through, proxy):
    target = through(lease=60.0)
    target[B] = 1
    claim = target.claim(A)
    assert claim.leases.objects.create(claim.name, claim.content())
    with claim:
        assert claim.is_mine()
    assert list(target) == [B]
