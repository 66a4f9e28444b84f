"""The Code Engine functions contract as a server: `python -m adapters.ibm.host MODULE:FUNCTION PORT`.

https://cloud.ibm.com/docs/codeengine?topic=codeengine-fun-exchanging-data, read 2026-11.
"""

import base64
import functools
import importlib
import sys
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import msgspec

from adapters.ibm.events import is_text
from adapters.lab.front import serve
from core.message import Request, Response

Function: TypeAlias = Callable[[dict[str, Any]], Any]

BAD_REQUEST, UNPROCESSABLE = 400, 422
STATUSES = range(100, 600)


def main(function: str, port: int) -> None:
    """Load the function and serve it, until the process is ended."""
    module, _, name = function.partition(":")
    serve(port, functools.partial(answer, getattr(importlib.import_module(module), name)))


def answer(function: Function, request: Request) -> Response:
    """What the platform answers to an HTTP request."""
    request_id = request.headers.get("x-request-id") or str(uuid.uuid4())
    response = _answer(function, request, request_id)
    headers = {
        **response.headers,
        "x-request-id": request_id,
        "x-faas-activation-id": str(uuid.uuid4()),
        "x-faas-actionstatus": str(response.status),
    }
    return msgspec.structs.replace(response, headers=headers)


def _answer(function: Function, request: Request, request_id: str) -> Response:
    try:
        args = arguments(request, request_id)
    except ValueError as error:
        return _refusal(BAD_REQUEST, str(error))
    return reply(function(args))


def _refusal(status: int, text: str) -> Response:
    return Response(status=status, headers={"content-type": "text/plain"}, body=text.encode())


def arguments(request: Request, request_id: str) -> dict[str, Any]:
    """The function's argument for a request.

    Raises:
        ValueError: The body is not the JSON that it says to be, or the caller sets a reserved name.
    """
    content_type = request.headers.get("content-type", "application/json")
    given = {**request.query, **_parameters(request.body, content_type)}
    reserved = [name for name in given if name.startswith("__ce_")]
    if reserved:
        raise ValueError(f"the parameter {reserved[0]} is reserved")
    args = {
        **given,
        "__ce_method": request.method,
        "__ce_path": quote(request.path),
        "__ce_query": urlencode(request.query),
        "__ce_headers": {
            name.title(): value for name, value in {**request.headers, "x-request-id": request_id}.items()
        },
    }
    if request.body:
        args["__ce_body"] = _body(request.body, content_type)
    return args


def _parameters(body: bytes, content_type: str) -> Mapping[str, Any]:
    if not body or content_type.partition(";")[0].strip().lower() != "application/json":
        return {}
    parameters = msgspec.json.decode(body)
    return parameters if isinstance(parameters, dict) else {}


def _body(body: bytes, content_type: str) -> str:
    return body.decode() if is_text(content_type) else base64.b64encode(body).decode()


def reply(result: Any) -> Response:
    """The HTTP answer for what the function returned."""
    result = result if isinstance(result, dict) else {"body": result}
    status = result.get("statusCode", 200)
    if type(status) is not int or status not in STATUSES:
        return _refusal(UNPROCESSABLE, f"the function returned the status code {status!r}")
    headers = {name.lower(): str(value) for name, value in result.get("headers", {}).items()}
    body = result.get("body", "")
    if not isinstance(body, str):
        headers.setdefault("content-type", "application/json")
        return Response(status=status, headers=headers, body=msgspec.json.encode(body))
    content_type = headers.get("content-type", "text/plain")
    return Response(status=status, headers=headers, body=_bytes(body, content_type))


def _bytes(body: str, content_type: str) -> bytes:
    if is_text(content_type) or content_type.startswith("application/json"):
        return body.encode()
    return base64.b64decode(body)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
