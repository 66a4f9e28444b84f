"""Events in the providers' own runtimes: they reach the service, and a failure reaches the platform.

Azure's host is a substitute (tests/azure_worker.py); its worker library is Microsoft's.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import PROVIDERS
from adapters.aws import client as aws_client
from adapters.connection import Connection
from adapters.gcp import runtime as gcp_runtime
from adapters.lab import start
from adapters.lab.instance import Instance, run
from core.message import Request, Response
from core.profiler import trace
from tests.conftest import row
from tests.reference import written
from tests.sample_events import EVENTS, sample

ROOT = Path(__file__).parents[1]
TRANSFORM = b'{"service": "transform", "source": "sales.csv", "target": "out.csv"}'
IDLE = '{"service": "probe", "kind": "idle"}'


def sent(instance: Instance, request: Request) -> Response:
    """What the runtime itself answers."""
    connection = instance._channel
    assert isinstance(connection, Connection)
    return connection.exchange(request).response


def invoked(instance: Instance, event: Any) -> Any:
    """What a Lambda invocation gives."""
    return json.loads(sent(instance, aws_client.wrap_direct(json.dumps(event).encode())).body)


def profiles(log: Path) -> list[dict[str, Any]]:
    """What the calls in a log, exported as lines, were."""
    lines = [line[line.index("{") :] for line in log.read_text(errors="replace").splitlines() if '"severity"' in line]
    return [json.JSONDecoder().raw_decode(line)[0] for line in lines]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("aws")
    (folder / "work").mkdir()
    (folder / "work" / "sales.csv").write_bytes(written([row()]))
    environment = {
        "POLYFAAS_EXPORT": "log",
        "POLYFAAS_ON_TIMER": IDLE,
        "POLYFAAS_ON_OBJECT": '{"service": "transform", "target": "s3://out/{name}"}',
    }
    with start("aws", folder, allow=["."], environment=environment) as started:
        yield started


def test_lambda_takes_a_batch_of_sqs_and_says_which_messages_failed(aws: Instance) -> None:
    event = sample("aws_sqs")
    event["Records"][0]["body"] = TRANSFORM.decode()
    assert invoked(aws, event) == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert (aws.log.parent / "work" / "out.csv").read_text().count("\n") == 2
    first = profiles(aws.log)[0]["profile"]["trace"]
    assert (first["trace_id"], first["parent_id"]) == tuple(trace.EXAMPLE.split("-")[1:3])


@pytest.mark.parametrize("name", ["aws_sns", "aws_eventbridge_scheduled"])
def test_lambda_gives_nothing_back_for_an_event_that_went_well(aws: Instance, name: str) -> None:
    assert invoked(aws, sample(name)) is None


@pytest.mark.parametrize("name", ["aws_s3", "aws_eventbridge_s3"])
def test_an_object_that_may_not_be_touched_fails_the_lambda_invocation(aws: Instance, name: str) -> None:
    found = invoked(aws, sample(name))
    assert (found["errorType"], "lies outside what this deployment may touch" in found["errorMessage"]) == (
        "AccessError",
        True,
    )


def test_lambda_answers_a_load_balancer_in_its_form(aws: Instance) -> None:
    found = invoked(aws, {**sample("aws_alb_multi_value"), "path": "/probe", "body": IDLE, "isBase64Encoded": False})
    assert (found["statusDescription"], found["multiValueHeaders"]["content-type"]) == ("200 OK", ["application/json"])


def test_step_functions_sees_the_errors_own_name(tmp_path: Path) -> None:
    with start("aws", tmp_path, environment={"POLYFAAS_TRIGGER": "step-functions"}) as task:
        good, bad = invoked(task, json.loads(IDLE)), invoked(task, {"service": "probe", "kind": 7})
    assert (good["status"], "result" in good) == (200, True)
    assert (bad["errorType"], "the request to probe is wrong at $.kind" in bad["errorMessage"]) == (
        "RequestError",
        True,
    )


@pytest.fixture(scope="module")
def gcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("gcp")
    (folder / "work").mkdir()
    (folder / "work" / "sales.csv").write_bytes(written([row()]))
    launch = gcp_runtime.launch(folder)
    swapped = {"main": "cloud_event", "http": "cloudevent"}
    told = {
        **launch.environment,
        "FUNCTION_TARGET": "cloud_event",
        "FUNCTION_SIGNATURE_TYPE": "cloudevent",
        "POLYFAAS_EXPORT": "log",
        "POLYFAAS_ON_OBJECT": '{"service": "transform", "target": "gs://out/{name}"}',
    }
    argv = [swapped.get(each, each) for each in launch.argv]
    launch = msgspec.structs.replace(launch, argv=argv, environment=told)
    with run(PROVIDERS["gcp"], launch, folder, allow=["."]) as started:
        yield started


def delivered(event: dict[str, Any]) -> Request:
    """A CloudEvent as Google's Eventarc posts it: in binary mode, its attributes as headers."""
    headers = {f"ce-{name}": value for name, value in event.items() if name not in ("data", "datacontenttype")}
    return Request(headers={**headers, "content-type": "application/json"}, body=json.dumps(event["data"]).encode())


def test_googles_framework_delivers_a_message_with_its_traceparent(gcp: Instance) -> None:
    assert sent(gcp, delivered(sample("gcp_pubsub"))).status == 200
    place = profiles(gcp.log)[-1]["profile"]["trace"]
    assert (place["trace_id"], place["parent_id"]) == tuple(trace.EXAMPLE.split("-")[1:3])


def test_googles_framework_delivers_a_cloud_event_of_one_piece(gcp: Instance) -> None:
    body = json.dumps(sample("gcp_pubsub")).encode()
    assert sent(gcp, Request(headers={"content-type": "application/cloudevents+json"}, body=body)).status == 200


def test_googles_framework_delivers_a_pushed_message(gcp: Instance) -> None:
    body = json.dumps(sample("gcp_pubsub")["data"]).encode()
    request = Request(path="/projects/p/topics/t", headers={"content-type": "application/json"}, body=body)
    assert sent(gcp, request).status == 200


def test_an_object_that_may_not_be_touched_fails_googles_delivery(gcp: Instance) -> None:
    assert sent(gcp, delivered(sample("gcp_storage"))).status == 500
    assert "gs://sample-bucket/folder/file.csv lies outside" in gcp.log.read_text()


def test_a_message_that_stays_wrong_is_acknowledged(gcp: Instance) -> None:
    event = sample("gcp_pubsub")
    event["data"]["message"]["data"] = "bm8gSlNPTg=="
    assert sent(gcp, delivered(event)).status == 200
    assert "an event is dropped, since it would fail again" in gcp.log.read_text()


APP = "from adapters.azure.entrypoint import app\n\n__all__ = ['app']\n"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Worker"]:
    folder = tmp_path_factory.mktemp("azure")
    (folder / "function_app.py").write_text(APP)
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder / "sales.csv").write_bytes(written([row()]))
    worker = Worker(folder)
    yield worker
    worker.stop()


class Worker:
    """Our app in Microsoft's worker library."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "POLYFAAS_ALLOW": str(folder),
            "POLYFAAS_TRIGGER": "http,queue,blob,timer,event-grid",
            "POLYFAAS_QUEUE": "requests",
            "POLYFAAS_BLOB_PATH": "in/{name}",
            "POLYFAAS_SCHEDULE": "0 0 3 * * *",
            "POLYFAAS_ON_TIMER": IDLE,
            "POLYFAAS_ON_OBJECT": '{"service": "transform", "target": "az://out/{name}"}',
            "POLYFAAS_EXPORT": "log",
        }
        self.log = (folder / "worker.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.azure_worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            cwd=folder,
            env=environment,
        )

    def invoke(self, function: str, value: dict[str, Any], **metadata: Any) -> str:
        """What the worker tells the host of an invocation; what our functions print goes before it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        sent = {name: {"json": json.dumps(each)} for name, each in metadata.items()}
        print(json.dumps({"function": function, "value": value, "metadata": sent}), file=self.process.stdin, flush=True)
        self.printed: list[str] = []
        for line in self.process.stdout:
            if not line.startswith("{"):
                return line.strip()
            self.printed.append(line)
        self.log.seek(0)
        raise AssertionError(f"the worker ended: {self.log.read()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        for each in (self.process.stdin, self.process.stdout, self.log):
            if each is not None:
                each.close()


def test_azures_worker_runs_the_request_in_a_queues_message(azure: Worker) -> None:
    told = {"source": str(azure.folder / "sales.csv"), "target": str(azure.folder / "out.csv")}
    body = json.dumps({"service": "transform", **told})
    assert azure.invoke("on_queue", {"string": body}, Id="1", DequeueCount=1, PopReceipt="p") == "ok"
    place = json.loads(azure.printed[-1])["profile"]["trace"]
    assert (place["trace_id"], place["parent_id"]) == tuple(trace.EXAMPLE.split("-")[1:3])
    assert (azure.folder / "out.csv").read_text().count("\n") == 2


def test_a_queues_message_that_stays_wrong_fails_so_that_the_host_makes_it_a_poison_message(azure: Worker) -> None:
    found = azure.invoke("on_queue", {"string": "no JSON"}, Id="1", DequeueCount=1, PopReceipt="p")
    assert "RequestError: the body is not JSON" in found


def test_azures_worker_runs_the_timers_request(azure: Worker) -> None:
    assert azure.invoke("on_schedule", {"json": (EVENTS / "azure_timer.json").read_text()}) == "ok"


def test_azures_worker_starts_a_request_on_a_new_blob(azure: Worker) -> None:
    found = azure.invoke(
        "on_blob", {"string": ""}, BlobTrigger="in/2020/a.csv", Uri="https://x.blob.core.windows.net/in/2020/a.csv"
    )
    assert "AccessError: az://in/2020/a.csv lies outside" in found


@pytest.mark.parametrize("name", ["azure_event_grid", "azure_event_grid_cloud_event"])
def test_azures_worker_starts_a_request_on_an_event_of_event_grid(azure: Worker, name: str) -> None:
    found = azure.invoke("on_event_grid", {"json": (EVENTS / f"{name}.json").read_text()})
    assert "AccessError: az://test-container/in/new-file.txt lies outside" in found
