"""SNS: each message carries a request.

https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from typing import Any

import msgspec

from adapters.aws.sources import messages
from adapters.triggers import Call, Environment, shaped
from core.errors import PolyfaasError


class Record(msgspec.Struct, rename={"sns": "Sns"}):
    """One message."""

    sns: messages.Envelope


class Event(msgspec.Struct, rename={"records": "Records"}):
    """The messages; SNS sends one at a time."""

    records: list[Record]


def answer(event: Any, call: Call, environment: Environment) -> None:
    """Run the messages' requests, all of them.

    Raises:
        PolyfaasError: One of them failed: Lambda tries again and keeps the event.
    """
    errors = []
    for record in shaped(event, Event, "notification of SNS").records:
        try:
            messages.run(record.sns.text, record.sns.traceparent(), call, environment)
        except PolyfaasError as error:
            errors.append(error)
    if errors:
        raise errors[0]
