"""A deployed function, called at its URL."""

import click

from adapters.refusal import presented
from core import access
from core.message import Request, Response

TIMEOUT_S = 900


def post(endpoint: str, request: Request) -> Response:
    """The answer of an endpoint; what its platform answers in the function's place comes back as an error object.

    Args:
        endpoint: Its URL; the request's path is added to it.
        request: What is asked.

    Raises:
        ClickException: It is no URL, or could not be reached.
    """
    import urllib.error
    import urllib.request

    if not endpoint.startswith(("http://", "https://")):
        raise click.BadParameter(f"{access.shown(endpoint)!r} is no http:// or https:// URL", param_hint="--endpoint")
    url = endpoint.rstrip("/") + request.path
    message = urllib.request.Request(url, request.body, {"content-type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(message, timeout=TIMEOUT_S) as answer:  # noqa: S310
            found = Response(status=answer.status, headers={}, body=answer.read())
    except urllib.error.HTTPError as error:
        with error:
            found = Response(status=error.code, headers={}, body=error.read())
    except OSError as error:
        raise click.ClickException(f"{access.shown(endpoint)} could not be reached: {error}") from error
    return presented(request, found, endpoint)
