"""What AWS Lambda loads: `adapters.aws.entrypoint.handler`."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os
from typing import Any

from adapters.aws import events, snapshot
from core.runtime import handle

snapshot.hooked()


def handler(event: Any, context: Any) -> Any:
    """Answer one invocation, direct or through a gateway or function URL.

    Args:
        event: The decoded JSON of the invocation.
        context: Lambda's context object.
    """
    kind = events.kind(event)
    here = events.context(os.environ, context.aws_request_id)
    return kind.reply(handle(kind.request(event), here))


boot.loaded()
