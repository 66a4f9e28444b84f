"""What a run and its client processes say to each other, over `adapters.lab.pipe`."""

import msgspec


class Call(msgspec.Struct, frozen=True, tag=True):
    """Call a service once.

    Attributes:
        service: Its name.
        body: The JSON body.
    """

    service: str
    body: bytes


class Loop(msgspec.Struct, frozen=True, tag=True):
    """Ask again and again, each time as soon as the answer before is there.

    Attributes:
        bodies: The JSON bodies of the questions.
        order: Fixes the order in which they are asked.
        seconds: No question is begun later than this.
        at_least: But so many are asked in any case.
    """

    bodies: list[bytes]
    order: str
    seconds: float
    at_least: int


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a call.

    Attributes:
        status: HTTP status.
        elapsed_ms: Of `handle`.
        cpu_ms: CPU time of the client's process and its children over the call, user and system.
        peak_mib: Peak memory of the client's process in its life so far; absent where the kernel does not tell.
        result: The result's bytes; empty when there is none.
        error: Why there is none.
    """

    status: int
    elapsed_ms: float
    cpu_ms: float
    peak_mib: float | None
    result: bytes
    error: str | None


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One query of a loop.

    Attributes:
        question: Its number.
        start_ms: From the loop's start.
        elapsed_ms: Of `handle`.
        status: HTTP status.
    """

    question: int
    start_ms: float
    elapsed_ms: float
    status: int


class Seen(msgspec.Struct, frozen=True):
    """An answer that a loop got.

    Attributes:
        question: Its number.
        digest: SHA-256 of the result's bytes.
        result: The bytes.
    """

    question: int
    digest: str
    result: bytes


class Looped(msgspec.Struct, frozen=True, kw_only=True):
    """What a loop gave.

    Attributes:
        started_ns: `perf_counter_ns` when it began; all processes of a machine share that clock.
        ended_ns: When its last answer was there.
        cpu_ms: CPU time of the client's process and its children meanwhile.
        peak_mib: Peak memory of the client's process in its life so far.
        samples: Every query.
        seen: Every different answer, each once.
        error: Why the first query without a result has none; absent when all have one.
    """

    started_ns: int
    ended_ns: int
    cpu_ms: float
    peak_mib: float | None
    samples: list[Sample]
    seen: list[Seen]
    error: str | None
