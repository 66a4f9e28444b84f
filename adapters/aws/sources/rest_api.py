"""REST API, and HTTP API with payload format 1.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from typing import Any

from adapters.aws.sources import web
from adapters.base import header_names_in_lower_case
from adapters.triggers import Call, Environment, shaped
from core.message import Request


def answer(event: Any, call: Call, _: Environment) -> Any:
    """Answer the HTTP request."""
    return web.reply(call(request(event)))


def request(event: Any) -> Request:
    """The neutral request in an event.

    Raises:
        EventError: It is of another shape.
    """
    found = shaped(event, web.Listed, "event of a REST API")
    return Request(
        method=found.http_method.upper(),
        path=web.template_filled(found.resource or found.path, found),
        headers=header_names_in_lower_case(web.joined(found.multi_value_headers) or found.headers or {}),
        query=web.last(found.multi_value_query_string_parameters) or found.query_string_parameters or {},
        body=web.body(found),
    )
