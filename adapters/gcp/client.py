"""Calls an HTTP function: the neutral request is its HTTP request."""

from core.message import Request, Response


def wrap(request: Request) -> Request:
    """The request itself."""
    return request


def unwrap(response: Response) -> Response:
    """The response itself."""
    return response
