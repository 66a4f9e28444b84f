"""The records that cross the neutral entry: a request in, its context, a response out.

An adapter builds a `Request` and a `Context` from its provider's event and environment and turns the
`Response` back into what the provider wants. Nothing in here knows a provider.
"""

from collections.abc import Mapping

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP-like call.

    Attributes:
        method: Upper-case HTTP method.
        path: Path below the deployment's own prefix. Its last segment names the service;
            "/" leaves the choice to the switchboard.
        headers: Header names in lower case, one value each.
        query: Query parameters, the last value of each name.
        body: The body as sent, not decoded.
    """

    method: str = "POST"
    path: str = "/"
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    body: bytes = b""


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a call runs, as the provider's environment and event tell it.

    Attributes:
        platform: The provider's product, for example "AWS Lambda"; "local" in process.
        function: Name of the deployed function.
        region: The provider's name of the region.
        memory_mib: Memory configured for the function, in MiB.
        request_id: The provider's id of this call.
    """

    platform: str
    function: str | None = None
    region: str | None = None
    memory_mib: int | None = None
    request_id: str | None = None


LOCAL = Context(platform="local")
"""A call in process, outside every provider."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one call.

    Attributes:
        status: HTTP status code.
        headers: Header names in lower case.
        body: One JSON object, UTF-8.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
