"""Calls a function app: the neutral request below the route prefix."""

import msgspec

from core.message import Request, Response

# What the Functions host puts before every route when host.json does not say otherwise.
PREFIX = "/api"


def wrap(request: Request) -> Request:
    """The request with its path below the route prefix."""
    return msgspec.structs.replace(request, path=PREFIX + request.path)


def unwrap(response: Response) -> Response:
    """The response itself."""
    return response
