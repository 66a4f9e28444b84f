"""What Google Cloud Functions loads: `main`, signature type http, or `cloud_event`, signature type cloudevent."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os
from functools import partial
from typing import Any

from adapters.gcp import events
from core.runtime import handle


def main(request: Any) -> tuple[bytes, int, dict[str, str]]:
    """Answer one HTTP request.

    Args:
        request: A `flask.Request`.
    """
    here = events.context(os.environ, request.headers.get("Function-Execution-Id"))
    return events.reply(handle(events.request(request), here))


def cloud_event(event: Any) -> None:
    """Run what one event starts.

    Args:
        event: A `cloudevents.http.CloudEvent`.

    Raises:
        PolyfaasError: It failed: with retries on, Google delivers it again.
    """
    from adapters.gcp import cloud_events

    here = events.context(os.environ, event["id"])
    cloud_events.answer(event, partial(handle, context=here), os.environ)


boot.loaded()
