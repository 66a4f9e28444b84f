"""Direct invocation: the event is the request, and the answer is what comes back."""

from decimal import Decimal
from typing import Any

import msgspec

from adapters.triggers import Call, Environment, encoded
from core.message import Request, Response

# awslambdaric writes a Decimal with all its digits, where a float would lose some.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def answer(event: Any, call: Call, _: Environment) -> Any:
    """Answer the request with an object, an error too."""
    return reply(call(request(event)))


def request(event: Any) -> Request:
    """The neutral request that an event is."""
    return Request(body=encoded(event))


def reply(response: Response) -> Any:
    """What the handler returns for a response."""
    return _decode(response.body)
