"""What AWS Lambda loads: `adapters.aws.entrypoint.handler`."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os
from functools import partial
from typing import Any

from adapters.aws import events, snapshot
from core.runtime import handle

snapshot.hooked()
events.prepare(os.environ)


def handler(event: Any, context: Any) -> Any:
    """Answer one invocation: direct, of a gateway or load balancer, or by an event.

    Args:
        event: The decoded JSON of the invocation.
        context: Lambda's context object.

    Raises:
        PolyfaasError: The invocation is to fail, so that Lambda tries again and keeps the event.
    """
    here = events.context(os.environ, context.aws_request_id)
    return events.answer(event, partial(handle, context=here), os.environ)


boot.loaded()
