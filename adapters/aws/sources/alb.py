"""Application Load Balancer, its target group with or without multi-value headers.

Path and query come as they were sent, percent-encoded. A target group with multi-value headers wants its answer's in
the same form: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, unquote_plus

from adapters.aws.sources import web
from adapters.base import header_names_in_lower_case
from adapters.triggers import Call, Environment, shaped
from core.message import Request, Response


def answer(event: Any, call: Call, _: Environment) -> Any:
    """Answer the HTTP request."""
    return reply(call(request(event)), several="multiValueHeaders" in event)


def request(event: Any) -> Request:
    """The neutral request in an event.

    Raises:
        EventError: It is of another shape.
    """
    found = shaped(event, web.Listed, "event of a load balancer")
    query = web.last(found.multi_value_query_string_parameters) or found.query_string_parameters or {}
    return Request(
        method=found.http_method.upper(),
        path=unquote(found.path) or "/",
        headers=header_names_in_lower_case(web.joined(found.multi_value_headers) or found.headers or {}),
        query={unquote_plus(name): unquote_plus(value) for name, value in query.items()},
        body=web.body(found),
    )


def reply(response: Response, *, several: bool) -> dict[str, Any]:
    """What the handler returns for a response.

    Args:
        response: The answer.
        several: Whether the target group has multi-value headers.
    """
    found = {
        **web.reply(response),
        "statusDescription": f"{response.status} {_phrase(response.status)}".strip(),
    }
    if several:
        found["multiValueHeaders"] = {name: [value] for name, value in found.pop("headers").items()}
    return found


def _phrase(status: int) -> str:
    """The words that go with a status; none for one that a service made up."""
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
