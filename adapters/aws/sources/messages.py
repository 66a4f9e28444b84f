"""What a message of SQS or SNS carries: a request, a notification of S3, or a notification of SNS with either.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from typing import Any

import msgspec

from adapters.aws.sources import s3
from adapters.triggers import TRACEPARENT, Call, Environment, message
from adapters.triggers import run as run_one


class Attribute(msgspec.Struct, rename={"value": "Value"}):
    """A message attribute as SNS spells it."""

    value: Any = None


class Envelope(
    msgspec.Struct, rename={"type": "Type", "topic": "TopicArn", "text": "Message", "given": "MessageAttributes"}
):
    """What SNS wraps round a message, to a function always and to a queue unless raw delivery is on."""

    type: str
    topic: str
    text: str
    given: dict[str, Attribute] | None = None

    def traceparent(self) -> str | None:
        """The attribute of that name."""
        attribute = (self.given or {}).get(TRACEPARENT)
        return attribute.value if attribute is not None and isinstance(attribute.value, str) else None


def run(text: str, traceparent: str | None, call: Call, environment: Environment) -> None:
    """Run what a message carries.

    Args:
        text: The message.
        traceparent: What came with it.
        call: Answers a request.
        environment: The deployment's variables.

    Raises:
        PolyfaasError: It failed, and the platform is to be told.
    """
    envelope = _envelope(text)
    if envelope is not None:
        text, traceparent = envelope.text, envelope.traceparent() or traceparent
    body = _decoded(text)
    if s3.is_notification(body):
        s3.answer(body, call, environment)
    else:
        # What is no Unicode is no JSON either, as the answer will say.
        run_one(lambda: message(text.encode(errors="surrogatepass"), traceparent), call, environment)


def _envelope(text: str) -> Envelope | None:
    try:
        found = msgspec.convert(_decoded(text), Envelope)
    except msgspec.ValidationError:
        return None
    return found if found.type == "Notification" else None


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
