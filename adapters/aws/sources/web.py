"""What the events of gateways and load balancers have in common: one HTTP request."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from adapters.triggers import EventError
from core.message import Response


class Web(msgspec.Struct, kw_only=True, rename="camel"):
    """The members that these events share.

    Attributes:
        headers: One value a name.
        path_parameters: What a route's template matched.
        body: Text, or base64.
        is_base64_encoded: Whether it is base64.
    """

    headers: dict[str, str] | None = None
    path_parameters: dict[str, str] | None = None
    body: str | None = None
    is_base64_encoded: bool | None = False


class Listed(Web, kw_only=True, rename="camel"):
    """The older events, which may have several values for a name.

    Attributes:
        http_method: As it was sent.
        path: As it was sent.
        resource: The route's template.
        multi_value_headers: All values of each name.
        query_string_parameters: One value a name.
        multi_value_query_string_parameters: All values of each name.
    """

    http_method: str
    path: str = "/"
    resource: str | None = None
    multi_value_headers: dict[str, list[str]] | None = None
    query_string_parameters: dict[str, str] | None = None
    multi_value_query_string_parameters: dict[str, list[str]] | None = None


def body(event: Web) -> bytes:
    """The body as it was sent.

    Raises:
        EventError: It is not what the event says.
    """
    text = event.body or ""
    try:
        return base64.b64decode(text) if event.is_base64_encoded else text.encode()
    except ValueError as error:
        raise EventError(f"the event's body is neither base64 nor text ({error}): check what sends it") from error


def template_filled(template: str, event: Web) -> str:
    """The path below stage and custom domain: the route's template with the values that it matched."""
    for name, value in (event.path_parameters or {}).items():
        template = template.replace(f"{{{name}+}}", value.lstrip("/")).replace(f"{{{name}}}", value)
    return unquote(template)


def joined(headers: Mapping[str, list[str]] | None) -> dict[str, str]:
    """One value a name, as HTTP writes several."""
    return {name: ", ".join(values) for name, values in (headers or {}).items()}


def last(parameters: Mapping[str, list[str]] | None) -> dict[str, str]:
    """The last value of each name."""
    return {name: values[-1] for name, values in (parameters or {}).items() if values}


def reply(response: Response) -> dict[str, Any]:
    """What the handler returns for a response."""
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": response.body.decode(),
        "isBase64Encoded": False,
    }
