"""Calls a Code Engine function: the neutral request is its HTTP request.

The platform parses a JSON body before the function sees it, and answers 400 itself when it is none. A body
that is no JSON is therefore sent as bytes, so that the function gives the same error here as everywhere.
"""

import msgspec

from core.message import Request, Response


def wrap(request: Request) -> Request:
    """The request with the content type of its body, unless it names one."""
    content_type = "application/json" if _is_json(request.body) else "application/octet-stream"
    return msgspec.structs.replace(request, headers={"content-type": content_type, **request.headers})


def unwrap(response: Response) -> Response:
    """The response itself."""
    return response


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
