"""EventBridge: a new object in S3, a schedule, or an event of one's own, whose detail is a request.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from typing import Any

import msgspec

from adapters.aws.sources import s3
from adapters.triggers import Call, Environment, EventError, encoded, message, on_object, on_timer, run, shaped
from core.message import Request

CREATED = ("aws.s3", "Object Created")
SCHEDULED = ("aws.events", "Scheduled Event")
# Events of AWS's own services; nobody else may use such a source.
AMAZON = "aws."


class Event(msgspec.Struct, rename={"type": "detail-type"}):
    """One event."""

    source: str
    type: str
    detail: Any


class Created(msgspec.Struct):
    """The detail of a new object; unlike in S3's own notifications the key is not encoded."""

    bucket: s3.Bucket
    object: s3.Object


def answer(event: Any, call: Call, environment: Environment) -> None:
    """Run what the event starts.

    Raises:
        PolyfaasError: It failed: Lambda tries again and keeps the event.
    """
    run(lambda: request(event, environment), call, environment)


def request(event: Any, environment: Environment) -> Request | None:
    """The request that an event starts; None where there is nothing to do.

    Raises:
        EventError: The event is of another shape, or of an Amazon service that starts nothing here.
    """
    found = shaped(event, Event, "event of EventBridge")
    kind = (found.source, found.type)
    if kind == CREATED:
        detail = shaped(found.detail, Created, "detail of a new object")
        return on_object(f"s3://{detail.bucket.name}/{detail.object.key}", environment)
    if kind == SCHEDULED:
        return on_timer(environment)
    if found.source.startswith(AMAZON):
        cure = 'have the rule match "Object Created" of aws.s3, a schedule, or events of your own'
        raise EventError(f"{found.type!r} of {found.source} starts nothing here: {cure}")
    return message(encoded(found.detail))
