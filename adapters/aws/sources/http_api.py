"""HTTP API and function URL: payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from adapters.aws.sources import web
from adapters.base import header_names_in_lower_case
from adapters.triggers import Call, Environment, shaped
from core.message import Request


class Http(msgspec.Struct):
    """What the gateway says of the HTTP request."""

    method: str


class Gateway(msgspec.Struct):
    """What the gateway says of itself."""

    http: Http
    stage: str | None = None


class Event(web.Web, kw_only=True, rename="camel"):
    """One HTTP request."""

    request_context: Gateway
    raw_path: str
    route_key: str | None = None
    raw_query_string: str | None = None


def answer(event: Any, call: Call, _: Environment) -> Any:
    """Answer the HTTP request."""
    return web.reply(call(request(event)))


def request(event: Any) -> Request:
    """The neutral request in an event.

    Raises:
        EventError: It is of another shape.
    """
    found = shaped(event, Event, "event of an HTTP API or function URL")
    return Request(
        method=found.request_context.http.method.upper(),
        path=_path(found),
        headers=header_names_in_lower_case(found.headers or {}),
        query=dict(parse_qsl(found.raw_query_string or "", keep_blank_values=True)),
        body=web.body(found),
    )


def _path(event: Event) -> str:
    route = event.route_key or "$default"
    if route != "$default":
        return web.template_filled(route.partition(" ")[2], event)
    path = unquote(event.raw_path)
    # A named stage is the first part of rawPath; "$default" is none.
    stage = f"/{event.request_context.stage}"
    return (path.removeprefix(stage) if f"{path}/".startswith(f"{stage}/") else path) or "/"
