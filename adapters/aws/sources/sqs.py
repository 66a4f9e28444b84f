"""SQS: each message carries a request, and those that failed go back to the queue, alone.

The event source mapping must say ReportBatchItemFailures; without it Lambda takes a batch that had an answer as done:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from typing import Any

import msgspec

from adapters.aws.sources import messages
from adapters.triggers import TRACEPARENT, Call, Environment, shaped
from core.errors import PolyfaasError

# In a queue of this name order counts: nothing is done after a failure, and all that is left goes back.
FIFO = ".fifo"


class Attribute(msgspec.Struct, rename="camel"):
    """A message attribute as SQS spells it."""

    string_value: str | None = None


class Record(msgspec.Struct, rename={"id": "messageId", "queue": "eventSourceARN", "given": "messageAttributes"}):
    """One message."""

    id: str
    body: str
    queue: str = ""
    given: dict[str, Attribute] | None = None

    def traceparent(self) -> str | None:
        """The attribute of that name."""
        attribute = (self.given or {}).get(TRACEPARENT)
        return None if attribute is None else attribute.string_value


class Event(msgspec.Struct, rename={"records": "Records"}):
    """A batch of messages."""

    records: list[Record]


def answer(event: Any, call: Call, environment: Environment) -> dict[str, Any]:
    """Run the messages' requests, and say which messages failed.

    Raises:
        EventError: The event is of another shape: the whole batch goes back.
    """
    failed: list[str] = []
    for record in shaped(event, Event, "batch of SQS").records:
        if (failed and record.queue.endswith(FIFO)) or not _is_done(record, call, environment):
            failed.append(record.id)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _is_done(record: Record, call: Call, environment: Environment) -> bool:
    try:
        messages.run(record.body, record.traceparent(), call, environment)
    except PolyfaasError:  # the log has it
        return False
    return True
