"""A Google Cloud Functions HTTP request (Flask's) as a neutral request, and back.

Variables: https://cloud.google.com/functions/docs/configuring/env-var
"""

from collections.abc import Mapping
from typing import Any

from adapters.base import header_names_in_lower_case, mebibytes
from core.message import Context, Request, Response


def request(flask_request: Any) -> Request:
    """The neutral request in a `flask.Request`."""
    return Request(
        method=flask_request.method,
        path=flask_request.path,
        headers=header_names_in_lower_case(dict(flask_request.headers)),
        query={name: values[-1] for name, values in flask_request.args.lists()},
        body=flask_request.get_data(),
    )


def context(environment: Mapping[str, str], request_id: str | None) -> Context:
    """Where a call runs: the first generation tells region and memory, the second only the name."""
    return Context(
        platform="Google Cloud Functions",
        function=environment.get("K_SERVICE") or environment.get("FUNCTION_NAME"),
        region=environment.get("FUNCTION_REGION"),
        memory_mib=mebibytes(environment.get("FUNCTION_MEMORY_MB")),
        request_id=request_id,
    )


def reply(response: Response) -> tuple[bytes, int, dict[str, str]]:
    """What an HTTP function returns to the framework: body, status, headers."""
    return response.body, response.status, dict(response.headers)
