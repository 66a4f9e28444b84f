"""Azure's functions besides the HTTP one: what each asks for, and which an app has."""

import json
import subprocess
import sys
from typing import Any

import pytest
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum

from adapters.azure import events, triggers
from adapters.triggers import DeploymentError, EventError
from core.message import Request
from core.profiler import trace
from tests.sample_events import EVENTS

TO_OUT = {"POLYFAAS_ON_OBJECT": '{"service": "transform", "target": "az://out/{name}"}'}
NEW_BLOB = Request(
    body=b'{"service":"transform","target":"az://out/new-file.txt","source":"az://test-container/in/new-file.txt"}'
)


def grid(text: str) -> dict[str, Any]:
    """What an event says after Microsoft's own library has read it."""
    event = EventGridEventInConverter.decode(Datum(text, "json"), trigger_metadata=None)
    return events.grid_event(event)


@pytest.mark.parametrize("name", ["azure_event_grid", "azure_event_grid_cloud_event"])
def test_a_new_blob_starts_the_request_on_it_in_either_schema(name: str) -> None:
    assert triggers.event_grid(grid((EVENTS / f"{name}.json").read_text()), TO_OUT) == NEW_BLOB


def test_an_event_of_ones_own_has_the_request_as_its_data() -> None:
    said = {"specversion": "1.0", "type": "sold", "source": "/shop", "id": "1", "data": {"service": "query"}}
    text = json.dumps({**said, "traceparent": trace.EXAMPLE})
    expected = Request(headers={"traceparent": trace.EXAMPLE}, body=b'{"service":"query"}')
    assert triggers.event_grid(grid(text), {}) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "Microsoft.Storage.BlobDeleted"}, "'Microsoft.Storage.BlobDeleted' starts nothing here"),
        ({"subject": "/blobServices/default/containers/c"}, "names none"),
        ({"subject": None}, "names none"),
        ({"subject": 7}, "names none"),
    ],
)
def test_an_event_that_can_start_nothing_is_a_clear_error(changes: dict[str, Any], message: str) -> None:
    said = {"type": triggers.CREATED, "topic": "", "subject": "", "data": {}, **changes}
    with pytest.raises(EventError, match=message):
        triggers.event_grid(said, TO_OUT)


def test_a_blob_starts_the_request_on_it() -> None:
    uri = "https://my-storage-account.blob.core.windows.net/test-container/in/new-file.txt"
    assert triggers.blob("test-container/in/new-file.txt", uri, TO_OUT) == NEW_BLOB


@pytest.mark.parametrize("path", [None, "", "test-container"])
def test_a_blob_without_a_name_is_a_clear_error(path: str | None) -> None:
    with pytest.raises(EventError, match="without container and name"):
        triggers.blob(path, None, TO_OUT)


def test_a_blob_of_another_account_than_the_urls_is_an_error() -> None:
    environment = {**TO_OUT, "AZURE_STORAGE_ACCOUNT_NAME": "ours"}
    uri = "https://theirs.blob.core.windows.net/c/a.csv"
    with pytest.raises(EventError, match="in the account theirs, and az:// URLs are in ours"):
        triggers.blob("c/a.csv", uri, environment)
    with pytest.raises(EventError, match="in the account my-storage-account"):
        triggers.event_grid(grid((EVENTS / "azure_event_grid.json").read_text()), environment)


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ({}, ("http",)),
        ({"POLYFAAS_TRIGGER": "queue, timer"}, ("queue", "timer")),
        ({"POLYFAAS_TRIGGER": ""}, ("http",)),
    ],
)
def test_an_app_has_the_functions_that_the_environment_lists(told: dict[str, str], names: tuple[str, ...]) -> None:
    assert triggers.wanted(told) == names


def test_an_unknown_function_is_its_operators_error() -> None:
    with pytest.raises(DeploymentError, match="POLYFAAS_TRIGGER has 'sqs': list some of http, queue, blob"):
        triggers.wanted({"POLYFAAS_TRIGGER": "http,sqs"})


ENTRYPOINT = (
    "from adapters.azure.entrypoint import app; print(*(each.get_function_name() for each in app.get_functions()))"
)


def loaded(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The entry point loaded with some variables, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", ENTRYPOINT], env=environment, capture_output=True, text=True, check=False
    )


def test_the_entry_point_has_no_http_function_where_only_others_are_listed() -> None:
    done = loaded({"POLYFAAS_TRIGGER": "event-grid,queue", "POLYFAAS_QUEUE": "requests"})
    assert (done.stdout.split(), done.returncode) == (["on_queue", "on_event_grid"], 0)


@pytest.mark.parametrize(
    ("name", "setting"), [("queue", "POLYFAAS_QUEUE"), ("blob", "POLYFAAS_BLOB_PATH"), ("timer", "POLYFAAS_SCHEDULE")]
)
def test_a_setting_that_is_missing_is_named_when_the_app_is_loaded(name: str, setting: str) -> None:
    assert f"needs {setting}: set it" in loaded({"POLYFAAS_TRIGGER": name}).stderr
