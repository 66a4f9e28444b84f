"""Google's CloudEvents: what each asks for, and what its failure does."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from cloudevents.http import CloudEvent

from adapters.gcp import cloud_events
from adapters.triggers import DeploymentError, EventError
from core.errors import NotFoundError
from core.message import Context, Request
from core.profiler import trace
from core.runtime import handle
from tests.sample_events import sample

TO_OUT = {"POLYFAAS_ON_OBJECT": '{"service": "transform", "target": "gs://out/{name}"}'}
NEW_OBJECT = Request(
    body=b'{"service":"transform","target":"gs://out/file.csv","source":"gs://sample-bucket/folder/file.csv"}'
)


def cloud_event(name: str, **changes: Any) -> CloudEvent:
    """A documented sample, with some of its members changed."""
    said = {**sample(name), **changes}
    data = said.pop("data")
    return CloudEvent(said, data)


def published(body: bytes, **attributes: str) -> CloudEvent:
    """A message of Pub/Sub."""
    data = {"message": {"data": base64.b64encode(body).decode(), "attributes": attributes}}
    return cloud_event("gcp_pubsub", data=data)


def asked(event: CloudEvent, environment: Mapping[str, str] | None = None) -> Request | None:
    """The request that an event asks for."""
    return cloud_events.request(event, environment or {})


def answered(event: CloudEvent, environment: Mapping[str, str] | None = None) -> None:
    """Run an event."""
    cloud_events.answer(event, lambda request: handle(request, Context(platform="local")), environment or {})


def test_a_finalized_object_starts_the_request_on_it() -> None:
    assert asked(cloud_event("gcp_storage"), TO_OUT) == NEW_OBJECT


def test_a_notification_by_pubsub_starts_the_request_on_the_object() -> None:
    assert asked(cloud_event("gcp_pubsub_storage"), TO_OUT) == NEW_OBJECT


def test_a_notification_of_a_deleted_object_is_an_error() -> None:
    event = published(b"", eventType="OBJECT_DELETE", bucketId="b", objectId="o")
    with pytest.raises(EventError, match="Cloud Storage tells of 'OBJECT_DELETE'"):
        asked(event, TO_OUT)


def test_a_published_message_is_the_request_with_its_traceparent() -> None:
    body = b'{"service": "probe", "kind": "idle"}'
    assert asked(cloud_event("gcp_pubsub")) == Request(headers={"traceparent": trace.EXAMPLE}, body=body)


def test_a_traceparent_may_be_the_events_extension() -> None:
    event = published(b"{}")
    event["traceparent"] = trace.EXAMPLE
    assert asked(event) == Request(headers={"traceparent": trace.EXAMPLE}, body=b"{}")


@pytest.mark.parametrize("name", ["gcp_pubsub", "gcp_storage"])
def test_any_event_is_a_timer_where_the_deployment_says_so(name: str) -> None:
    environment = {"POLYFAAS_TRIGGER": "timer", "POLYFAAS_ON_TIMER": '{"service": "query"}'}
    assert asked(cloud_event(name), environment) == Request(body=b'{"service":"query"}')


@pytest.mark.parametrize("kind", ["google.cloud.storage.object.v1.deleted", ["a list"]])
def test_an_event_of_another_type_is_an_error(kind: Any) -> None:
    event = cloud_event("gcp_storage")
    event["type"] = kind
    with pytest.raises(EventError, match=r"an event of type .* starts nothing here"):
        asked(event, TO_OUT)


@pytest.mark.parametrize("data", [None, 7, "text", [], {}, {"bucket": 1}, {"message": {"data": "no base64"}}, b"bytes"])
@pytest.mark.parametrize("name", ["gcp_storage", "gcp_pubsub"])
def test_data_of_another_shape_is_a_clear_error(name: str, data: Any) -> None:
    with pytest.raises(EventError, match=r"the event is no|not base64"):
        asked(cloud_event(name, data=data), TO_OUT)


def test_a_message_that_stays_wrong_is_dropped_since_google_would_deliver_it_for_days(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answered(published(b"no JSON"))
    assert "an event is dropped, since it would fail again: the body is not JSON" in caplog.text


def test_a_message_that_stays_wrong_fails_where_the_environment_says_so() -> None:
    with pytest.raises(ValueError, match="the body is not JSON"):
        answered(published(b"no JSON"), {"POLYFAAS_ON_BAD_EVENT": "fail"})


def test_a_message_that_may_go_well_the_next_time_fails() -> None:
    with pytest.raises(NotFoundError):
        answered(published(b'{"service": "nope"}'))


def test_an_unknown_trigger_is_its_operators_error() -> None:
    with pytest.raises(DeploymentError, match="is 'sqs': use one of storage, pubsub, timer"):
        asked(cloud_event("gcp_storage"), {"POLYFAAS_TRIGGER": "sqs"})
