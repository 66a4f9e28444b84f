"""S3's event notifications: a new object starts a request.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from functools import partial
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from adapters.triggers import Call, Environment, EventError, on_object, run, shaped
from core.errors import PolyfaasError
from core.message import Request

CREATED = "ObjectCreated:"
# What S3 sends when a notification is set up.
TEST = "s3:TestEvent"


class Bucket(msgspec.Struct):
    """Where the object is."""

    name: str


class Object(msgspec.Struct):
    """The object; its key is URL-encoded, blanks as plus."""

    key: str


class Where(msgspec.Struct):
    """What happened to what."""

    bucket: Bucket
    object: Object


class Record(msgspec.Struct, rename={"name": "eventName"}):
    """One event."""

    name: str
    s3: Where


class Event(msgspec.Struct, rename={"records": "Records"}):
    """The events of one notification."""

    records: list[Any]


def answer(event: Any, call: Call, environment: Environment) -> None:
    """Run what the objects start, all of them.

    Raises:
        PolyfaasError: One of them failed: Lambda tries again and keeps the event.
    """
    errors = []
    for each in records(event):
        try:
            run(partial(request, each, environment), call, environment)
        except PolyfaasError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def records(event: Any) -> list[Any]:
    """The records of a notification; none in S3's own test.

    Raises:
        EventError: It is of another shape.
    """
    if isinstance(event, dict) and event.get("Event") == TEST:
        return []
    return shaped(event, Event, "notification of S3").records


def is_notification(body: Any) -> bool:
    """Whether a message's body is a notification of S3, which came through a queue or topic."""
    if not isinstance(body, dict):
        return False
    found = body.get("Records")
    first = found[0] if isinstance(found, list) and found else None
    return body.get("Event") == TEST or (isinstance(first, dict) and first.get("eventSource") == "aws:s3")


def request(record: Any, environment: Environment) -> Request | None:
    """The request that a record starts; None where there is nothing to do.

    Raises:
        EventError: The record is of another shape, or tells of no new object.
    """
    found = shaped(record, Record, "record of S3")
    if not found.name.removeprefix("s3:").startswith(CREATED):
        cure = "have the bucket notify only of s3:ObjectCreated:*"
        raise EventError(f"S3 tells of {found.name!r}, and only a new object starts a service: {cure}")
    return on_object(f"s3://{found.s3.bucket.name}/{unquote_plus(found.s3.object.key)}", environment)
