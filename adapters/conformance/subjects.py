"""What can be examined: a provider's runtime in the lab, or a function that is deployed somewhere."""

import http.client
import importlib
from collections.abc import Callable
from contextlib import closing
from typing import cast
from urllib.parse import quote, urlencode, urlsplit

import click

from adapters import PROVIDERS
from adapters.base import Client, RuntimeUnavailableError
from adapters.conformance import curl
from adapters.conformance.record import Subject
from adapters.connection import Connection
from adapters.endpoint import TIMEOUT_S
from adapters.lab.instance import Instance
from adapters.refusal import presented
from core import access
from core.message import Request, Response

# Lambda gives an instance one call at a time, and so does Code Engine with CE_ALLOW_CONCURRENT=false, the lab's.
ONE_AT_A_TIME = frozenset({"aws", "ibm"})


def in_lab(instance: Instance) -> Subject:
    """An instance of a provider's runtime."""
    client = cast("Client", importlib.import_module(PROVIDERS[instance.provider].client))

    def call(request: Request) -> Response:
        return instance.call(request).response

    return Subject(
        name=instance.provider,
        about=instance.about,
        substitute=instance.substitute,
        call=call,
        beside=call if instance.provider in ONE_AT_A_TIME else _beside(instance, client),
        curl=lambda request: curl.command(client.wrap(request), "$URL"),
    )


def _beside(instance: Instance, client: Client) -> Callable[[Request], Response]:
    """A call on a connection of its own."""
    title = PROVIDERS[instance.provider].title
    port = urlsplit(instance.url).port or 0

    def call(request: Request) -> Response:
        try:
            with closing(Connection(port)) as connection:
                answer = connection.exchange(client.wrap(request)).response
        except OSError as error:
            raise RuntimeUnavailableError(f"{instance.provider} broke off ({error}): its log says why") from error
        return presented(request, client.unwrap(answer), title)

    return call


def deployed(endpoint: str) -> Subject:
    """A function at a URL, called as HTTP calls it, a connection a call.

    Raises:
        BadParameter: It is no URL.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise click.BadParameter(f"{endpoint!r} is no http:// or https:// URL", param_hint="--endpoint")

    def call(request: Request) -> Response:
        try:
            answer = _post(endpoint, request)
        except (OSError, http.client.HTTPException) as error:
            raise RuntimeUnavailableError(f"{access.shown(endpoint)} could not be reached: {error!r}") from error
        return presented(request, answer, access.shown(endpoint))

    return Subject(
        name=access.shown(endpoint),
        about="deployed",
        substitute=None,
        call=call,
        beside=call,
        curl=lambda request: curl.command(request, access.shown(endpoint).rstrip("/")),
    )


def _post(endpoint: str, request: Request) -> Response:
    place = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    target = place.path.rstrip("/") + quote(request.path)
    query = "&".join(filter(None, (place.query, urlencode(request.query))))
    with closing(kind(place.netloc.rpartition("@")[2], timeout=TIMEOUT_S)) as connection:
        headers = {"content-type": "application/json", **request.headers}
        connection.request(request.method, f"{target}?{query}" if query else target, request.body, headers)
        with connection.getresponse() as answer:
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Response(status=answer.status, headers=received, body=answer.read())
