"""What Google Cloud Functions loads: target `main`, signature type http."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os
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


boot.loaded()
