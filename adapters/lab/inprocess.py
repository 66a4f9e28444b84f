"""The call without a provider: a worker that calls `handle` straight, spoken to over its standard streams."""

import os
import sys
from time import perf_counter_ns

import msgspec

from adapters.base import Reply
from adapters.lab.pipe import receive, send
from core.message import LOCAL, Request
from core.runtime import handle


def main() -> None:
    """Answer requests until standard input ends."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a service prints belongs in the log
    send(out, None)
    while (payload := receive(sys.stdin.buffer)) is not None:
        send(out, _answer(msgspec.msgpack.decode(payload, type=Request)))


def _answer(request: Request) -> Reply:
    started_ns = perf_counter_ns()
    response = handle(request, LOCAL)
    return Reply(response=response, elapsed_ms=(perf_counter_ns() - started_ns) / 1e6)


if __name__ == "__main__":
    main()
