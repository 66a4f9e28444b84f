"""Calls a function through Lambda's Invoke API, as a function URL would; the emulator has the same path."""

import base64
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from core.message import Request, Response

INVOKE = "/2015-03-31/functions/function/invocations"

# What a function URL answers when the function failed or returned no HTTP answer.
BAD_GATEWAY = 502


class Answer(msgspec.Struct, rename="camel"):
    """What the function returned for a function URL's event."""

    status_code: int
    headers: dict[str, str] = {}
    body: str = ""
    is_base64_encoded: bool = False


def wrap(request: Request) -> Request:
    """An invocation with the function URL event (payload format 2.0) of the request."""
    return Request(path=INVOKE, body=msgspec.json.encode(event(request)))


def event(request: Request) -> dict[str, Any]:
    """The function URL event of a request; the body goes as text where it is text, like a function URL's."""
    text, is_base64 = _text(request.body)
    path = quote(request.path)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(request.query),
        "headers": dict(request.headers),
        "requestContext": {"stage": "$default", "http": {"method": request.method, "path": path}},
        "body": text,
        "isBase64Encoded": is_base64,
    }


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def unwrap(response: Response) -> Response:
    """The HTTP answer that the function returned; what is none, such as a time-out's text, becomes 502."""
    try:
        answer = msgspec.json.decode(response.body, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Response(status=BAD_GATEWAY, headers=response.headers, body=response.body)
    body = base64.b64decode(answer.body) if answer.is_base64_encoded else answer.body.encode()
    return Response(status=answer.status_code, headers=answer.headers, body=body)


def wrap_direct(body: bytes) -> Request:
    """A direct invocation, whose event is the JSON body itself; its "service" names the service."""
    return Request(path=INVOKE, body=body)


def unwrap_direct(response: Response) -> Response:
    """The answer to a direct invocation: the JSON object itself, whose "status" is the response's."""
    try:
        status = msgspec.json.decode(response.body, type=dict[str, msgspec.Raw])["status"]
        return Response(status=msgspec.json.decode(status, type=int), headers=response.headers, body=response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
        return Response(status=BAD_GATEWAY, headers=response.headers, body=response.body)
