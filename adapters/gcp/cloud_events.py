"""Google's CloudEvents: a new object in Cloud Storage, a message of Pub/Sub, a schedule.

Types and data: https://github.com/googleapis/google-cloudevents. Cloud Storage's own notifications by Pub/Sub:
https://cloud.google.com/storage/docs/pubsub-notifications
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapters.triggers import (
    DROP,
    TRACEPARENT,
    Call,
    Environment,
    EventError,
    message,
    named,
    on_object,
    on_timer,
    run,
    shaped,
)
from core.message import Request

FINALIZED = "OBJECT_FINALIZE"


class Object(msgspec.Struct):
    """The object that an event of Cloud Storage is about; its name is as it is."""

    bucket: str
    name: str


class Message(msgspec.Struct):
    """A message of Pub/Sub.

    Attributes:
        data: Its body, in base64.
        attributes: What was sent with it.
    """

    data: str = ""
    attributes: dict[str, str] | None = None


class Published(msgspec.Struct):
    """What an event of Pub/Sub holds."""

    message: Message


def answer(event: Any, call: Call, environment: Environment) -> None:
    """Run what an event starts.

    An event that stays wrong is dropped unless POLYFAAS_ON_BAD_EVENT says otherwise: with retries on, Google would
    deliver it for a day or a week: https://cloud.google.com/functions/docs/bestpractices/retries

    Args:
        event: A `cloudevents.http.CloudEvent`.
        call: Answers a request; `handle`.
        environment: The deployment's variables.

    Raises:
        PolyfaasError: It failed: with retries on, Google delivers it again.
    """
    run(lambda: request(event, environment), call, environment, DROP)


def request(event: Any, environment: Environment) -> Request | None:
    """The request that an event starts; None where there is nothing to do.

    Raises:
        DeploymentError: The environment does not name the request.
        EventError: The event is of another shape or type.
    """
    kind = named(environment, KINDS) or TYPES.get(str(event["type"]))
    if kind is None:
        known = ", ".join(TYPES)
        raise EventError(f"an event of type {event['type']!r} starts nothing here: trigger this function by {known}")
    return KINDS[kind](event, environment)


def _storage(event: Any, environment: Environment) -> Request | None:
    found = shaped(event.data, Object, "event of Cloud Storage")
    return on_object(f"gs://{found.bucket}/{found.name}", environment)


def _pubsub(event: Any, environment: Environment) -> Request | None:
    found = shaped(event.data, Published, "message of Pub/Sub").message
    attributes = found.attributes or {}
    if "eventType" in attributes and "objectId" in attributes:
        return _notified(attributes, environment)
    try:
        body = base64.b64decode(found.data, validate=True)
    except ValueError as error:
        raise EventError(f"the message's data is not base64 ({error}): publish it through Pub/Sub") from error
    traceparent = attributes.get(TRACEPARENT) or event.get(TRACEPARENT)
    return message(body, traceparent if isinstance(traceparent, str) else None)


def _notified(attributes: Mapping[str, str], environment: Environment) -> Request | None:
    """What a notification of Cloud Storage starts, which came as a message."""
    if attributes["eventType"] != FINALIZED:
        cure = f"have the bucket notify only of {FINALIZED}"
        raise EventError(f"Cloud Storage tells of {attributes['eventType']!r}, and only a new object counts: {cure}")
    return on_object(f"gs://{attributes.get('bucketId', '')}/{attributes['objectId']}", environment)


def _timer(_: Any, environment: Environment) -> Request | None:
    return on_timer(environment)


# By the names that POLYFAAS_TRIGGER takes.
KINDS: Mapping[str, Callable[[Any, Environment], Request | None]] = {
    "storage": _storage,
    "pubsub": _pubsub,
    "timer": _timer,
}
TYPES = {
    "google.cloud.storage.object.v1.finalized": "storage",
    "google.cloud.pubsub.topic.v1.messagePublished": "pubsub",
    "google.cloud.scheduler.job.v1.executed": "timer",
}
