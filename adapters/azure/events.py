"""An Azure Functions HTTP trigger's request as a neutral request, and back.

Variables: https://learn.microsoft.com/azure/app-service/reference-app-settings
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from core.message import Context, Request

# The catch-all parameter of the route: the path below the route prefix of host.json.
PATH = "path"
ROUTE = f"{{*{PATH}}}"


def request(http_request: Any) -> Request:
    """The neutral request in an `azure.functions.HttpRequest` that came through `ROUTE`."""
    return Request(
        method=http_request.method,
        path="/" + unquote(http_request.route_params.get(PATH) or "").lstrip("/"),
        headers={name.lower(): value for name, value in http_request.headers.items()},
        query=dict(http_request.params),
        body=http_request.get_body(),
    )


def grid_event(event: Any) -> dict[str, Any]:
    """What an `azure.functions.EventGridEvent` says, or a `CloudEvent`, whose source is its topic."""
    if hasattr(event, "specversion"):
        kind, topic, traceparent = event.type, event.source, event.extension_attrs.get("traceparent")
    else:
        kind, topic, traceparent = event.event_type, event.topic, None
    said = {"type": kind, "topic": topic, "subject": event.subject, "data": event.get_json()}
    return said | {"traceparent": traceparent}


def context(environment: Mapping[str, str], request_id: str | None) -> Context:
    """Where a call runs; no documented variable tells the memory."""
    return Context(
        platform="Azure Functions",
        function=environment.get("WEBSITE_SITE_NAME"),
        region=environment.get("REGION_NAME"),
        request_id=request_id,
    )
