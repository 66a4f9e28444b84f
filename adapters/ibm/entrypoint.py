"""What IBM loads: `main`, as a Code Engine function or an OpenWhisk action."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os
from functools import partial
from typing import Any

from adapters.ibm import events
from core.runtime import handle


def main(args: dict[str, Any]) -> dict[str, Any]:
    """Answer one call.

    Args:
        args: The platform's arguments: the request's parts and, at the top, its parameters.

    Raises:
        PolyfaasError: The arguments are not of their documented form, or the deployment is wrong.
    """
    here = events.context(os.environ, args)
    return events.answer(args, partial(handle, context=here), os.environ)


boot.loaded()
