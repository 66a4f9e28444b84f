"""A storage event starts transform on the new object, in each provider's store (emulators, see tests/store_rigs.py)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cloudevents.http import CloudEvent

from adapters import triggers
from adapters.aws import events as aws
from adapters.azure import triggers as azure
from adapters.gcp import cloud_events
from core.message import Context, Request, Response
from core.runtime import handle
from tests.conftest import row
from tests.reference import written
from tests.sample_events import sample
from tests.store_rigs import Servers, bucket, get, put

Answer = Callable[[str, str, dict[str, str]], None]
KEY = "in/Größe 1.csv"


def call(request: Request) -> Response:
    return handle(request, Context(platform="local"))


def s3(bucket: str, key: str, environment: dict[str, str]) -> None:
    event = sample("aws_eventbridge_s3")
    event["detail"] |= {"bucket": {"name": bucket}, "object": {"key": key}}
    aws.answer(event, call, environment)


def s3_by_a_queue(bucket: str, key: str, environment: dict[str, str]) -> None:
    from urllib.parse import quote_plus

    event, batch = sample("aws_s3"), sample("aws_sqs")
    event["Records"][0]["s3"] |= {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}}
    batch["Records"] = [{**batch["Records"][0], "body": json.dumps(event)}]
    assert aws.answer(batch, call, environment) == {"batchItemFailures": []}


def google(bucket: str, key: str, environment: dict[str, str]) -> None:
    said = sample("gcp_storage")
    data = said.pop("data") | {"bucket": bucket, "name": key}
    cloud_events.answer(CloudEvent(said, data), call, environment)


def azure_blob(container: str, name: str, environment: dict[str, str]) -> None:
    triggers.run(lambda: azure.blob(f"{container}/{name}", None, environment), call, environment)


def event_grid(container: str, name: str, environment: dict[str, str]) -> None:
    said: dict[str, Any] = sample("azure_event_grid")
    subject = f"/blobServices/default/containers/{container}/blobs/{name}"
    event = {"type": said["eventType"], "topic": "", "subject": subject, "data": said["data"]}
    triggers.run(lambda: azure.event_grid(event, environment), call, environment)


@pytest.mark.parametrize(
    ("rig", "answer"),
    [("s3", s3), ("s3", s3_by_a_queue), ("gs", google), ("az", azure_blob), ("az", event_grid)],
    ids=["s3-eventbridge", "s3-sqs", "gcs", "blob", "event-grid"],
)
def test_a_new_object_is_transformed(
    rig: str, answer: Answer, store_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = bucket(rig, store_servers.endpoint(rig), monkeypatch)
    monkeypatch.setenv("POLYFAAS_ALLOW", root)
    put(f"{root}/{KEY}", written([row(), row()]))
    environment = {"POLYFAAS_ON_OBJECT": f'{{"service": "transform", "target": "{root}/out/{{key}}"}}'}
    name = root.partition("://")[2]
    answer(name, KEY, environment)
    clean = get(f"{root}/out/{KEY}").decode().splitlines()
    assert (len(clean), "Order Processing Time" in clean[0]) == (2, True)
    before = get(f"{root}/out/{KEY}")
    answer(name, f"out/{KEY}", environment)  # its own output: not transformed again
    assert get(f"{root}/out/{KEY}") == before
