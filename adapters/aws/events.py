"""Lambda's events as neutral requests: HTTP API v2 and function URL, REST API v1, and direct invocation.

Formats, both under https://docs.aws.amazon.com/apigateway/latest/developerguide/:
http-api-develop-integrations-lambda.html and set-up-lambda-proxy-integrations.html
"""

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

import msgspec

from adapters.base import header_names_in_lower_case, mebibytes
from core.message import Context, Request, Response

Event: TypeAlias = Any

# awslambdaric writes a Decimal with all its digits, where a float would lose some.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of event and how to answer it.

    Attributes:
        name: What sends it.
        matches: Whether an event has this kind's documented shape.
        request: The neutral request in such an event.
        reply: What the handler must return for a response.
    """

    name: str
    matches: Callable[[Event], bool]
    request: Callable[[Event], Request]
    reply: Callable[[Response], Any]


def kind(event: Event) -> Kind:
    """The kind of an event, by its documented shape; what is no gateway's event is a direct invocation."""
    return next(kind for kind in KINDS if kind.matches(event))


def context(environment: Mapping[str, str], request_id: str | None) -> Context:
    """Where a call runs, from the variables that Lambda sets."""
    return Context(
        platform="AWS Lambda",
        function=environment.get("AWS_LAMBDA_FUNCTION_NAME"),
        region=environment.get("AWS_REGION"),
        memory_mib=mebibytes(environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")),
        request_id=request_id,
    )


def _is_v2(event: Event) -> bool:
    return _is_gateway(event) and event.get("version") == "2.0" and "http" in event["requestContext"]


def _is_v1(event: Event) -> bool:
    return _is_gateway(event) and "httpMethod" in event


def _is_gateway(event: Event) -> bool:
    return isinstance(event, dict) and isinstance(event.get("requestContext"), dict)


def _request_v2(event: Event) -> Request:
    return Request(
        method=event["requestContext"]["http"]["method"].upper(),
        path=_path_v2(event),
        headers=header_names_in_lower_case(event.get("headers") or {}),
        query=dict(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)),
        body=_body(event),
    )


def _path_v2(event: Event) -> str:
    route = event.get("routeKey") or "$default"
    if route != "$default":
        return _filled(route.partition(" ")[2], event)
    path = unquote(event["rawPath"])
    # A named stage is the first part of rawPath; "$default" is none.
    stage = f"/{event['requestContext'].get('stage')}"
    return (path.removeprefix(stage) if f"{path}/".startswith(f"{stage}/") else path) or "/"


def _request_v1(event: Event) -> Request:
    return Request(
        method=event["httpMethod"].upper(),
        path=_filled(event.get("resource") or event["path"], event),
        headers=header_names_in_lower_case(_joined(event.get("multiValueHeaders")) or event.get("headers") or {}),
        query=_last(event.get("multiValueQueryStringParameters")) or event.get("queryStringParameters") or {},
        body=_body(event),
    )


def _filled(template: str, event: Event) -> str:
    """The path below stage and custom domain: the route's template with the values that it matched."""
    for name, value in (event.get("pathParameters") or {}).items():
        template = template.replace(f"{{{name}+}}", value.lstrip("/")).replace(f"{{{name}}}", value)
    return unquote(template)


def _joined(headers: Mapping[str, list[str]] | None) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in (headers or {}).items()}


def _last(parameters: Mapping[str, list[str]] | None) -> dict[str, str]:
    return {name: values[-1] for name, values in (parameters or {}).items()}


def _body(event: Event) -> bytes:
    body: str = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _reply_http(response: Response) -> dict[str, Any]:
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": response.body.decode(),
        "isBase64Encoded": False,
    }


def _request_direct(event: Event) -> Request:
    return Request(body=msgspec.json.encode(event))


def _reply_direct(response: Response) -> Any:
    return _decode(response.body)


# First match wins; the last one takes what is left.
KINDS = (
    Kind(name="HTTP API or function URL", matches=_is_v2, request=_request_v2, reply=_reply_http),
    Kind(name="REST API", matches=_is_v1, request=_request_v1, reply=_reply_http),
    Kind(name="direct", matches=lambda _: True, request=_request_direct, reply=_reply_direct),
)
