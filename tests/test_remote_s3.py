"""RemoteTarget on a real server of the S3 protocol, on loopback."""

from __future__ import annotations

import itertools
import logging
from functools import partial

import pytest

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, clear_checkpoints
from flowly_ckpt.targets import RemoteTarget, check_target

boto3 = pytest.importorskip("boto3", reason="boto3, s3fs and moto are installed on one version of Python only")
pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

# boto3, aiobotocore and moto are not held to our rule that a warning is an error.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def at():
    """Make targets in a bucket of a server of our own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="results")
        yield lambda folder: RemoteTarget(f"s3://results/{folder}", client_kwargs={"endpoint_url": endpoint})
        server.stop()


def test_it_holds_the_laws_of_every_target(at):
    number = itertools.count()
    check_target(lambda: at(f"law{next(number)}"))


def test_another_process_s_results_are_found_and_cleared(at):
    run = partial(apply, chained(sorted, checkpoint(at("shared"), "sorted"), sum), rewrites=[add_checkpoints])
    assert [run([3, 1, 2]), run([3, 1, 2])] == [6, 6]
    other = at("shared")
    assert list(other.values()) == [[1, 2, 3]]
    assert (clear_checkpoints(other, tag="sorted"), len(other)) == (1, 0)
