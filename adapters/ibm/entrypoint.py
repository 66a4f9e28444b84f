"""What IBM loads: `main`, as a Code Engine function or an OpenWhisk action."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os
from typing import Any

from adapters.ibm import events
from core.runtime import handle


def main(args: dict[str, Any]) -> dict[str, Any]:
    """Answer one call.

    Args:
        args: The platform's arguments: the request's parts and, at the top, its parameters.
    """
    kind = events.kind(args)
    return kind.reply(handle(kind.request(args), events.context(os.environ, args)))


boot.loaded()
