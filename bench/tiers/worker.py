"""One client of a database: a process of its own that calls `handle`, told what to do over its standard streams."""

import hashlib
import os
import signal
import sys
import time
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from types import FrameType
from typing import Any

import msgspec

from adapters.lab.pipe import receive, send
from bench.tiers.experiment import mix
from bench.tiers.messages import Answered, Call, Loop, Looped, Sample, Seen
from core.message import LOCAL, Request
from core.profiler import Profile
from core.runtime import handle

# After a query that failed, a client waits, so that those that a server refuses do not keep the processors busy.
PAUSE_S = 0.1


class Envelope(msgspec.Struct, frozen=True):
    """The parts of an answer's body that matter here."""

    profile: Profile
    result: msgspec.Raw = msgspec.Raw()
    error: dict[str, Any] = {}


def main() -> None:
    """Do what is asked until standard input ends."""
    signal.signal(signal.SIGTERM, _end)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a service prints belongs in the log
    send(out, None)
    decoder = msgspec.msgpack.Decoder(Call | Loop)
    while (payload := receive(sys.stdin.buffer)) is not None:
        asked = decoder.decode(payload)
        send(out, call(asked) if isinstance(asked, Call) else loop(asked))


def call(asked: Call) -> Answered:
    """Call a service once."""
    request = Request(path=f"/{asked.service}", body=asked.body)
    before_ms, started_ns = cpu_ms(), time.perf_counter_ns()
    response = handle(request, LOCAL)
    elapsed_ms, spent_ms = (time.perf_counter_ns() - started_ns) / 1e6, cpu_ms() - before_ms
    envelope = msgspec.json.decode(response.body, type=Envelope)
    return Answered(
        status=response.status,
        elapsed_ms=elapsed_ms,
        cpu_ms=spent_ms,
        # Not ru_maxrss: that begins, after fork and exec, at what the parent had resident.
        peak_mib=_peak(envelope.profile),
        result=bytes(envelope.result),
        error=_error(envelope),
    )


def loop(asked: Loop) -> Looped:
    """Ask one question after the other."""
    requests = [Request(path="/query", body=body) for body in asked.bodies]
    samples: list[Sample] = []
    seen: dict[tuple[int, str], Seen] = {}
    errors: list[str] = []
    before_ms, started_ns = cpu_ms(), time.perf_counter_ns()
    ended_ns, peak_mib = started_ns, None
    for question in mix(asked.order, len(requests)):
        if ended_ns - started_ns >= asked.seconds * 1e9 and len(samples) >= asked.at_least:
            break
        begun_ns = time.perf_counter_ns()
        response = handle(requests[question], LOCAL)
        ended_ns = time.perf_counter_ns()
        times_ms = ((begun_ns - started_ns) / 1e6, (ended_ns - begun_ns) / 1e6)
        samples.append(Sample(question, *times_ms, response.status))
        envelope = msgspec.json.decode(response.body, type=Envelope)
        peak_mib = _peak(envelope.profile)
        if error := _error(envelope):
            errors.append(error)
            time.sleep(PAUSE_S)
        else:
            _keep(seen, question, envelope.result)
    return Looped(
        started_ns=started_ns,
        ended_ns=ended_ns,
        cpu_ms=cpu_ms() - before_ms,
        peak_mib=peak_mib,
        samples=samples,
        seen=list(seen.values()),
        error=errors[0] if errors else None,
    )


def _keep(seen: dict[tuple[int, str], Seen], question: int, result: msgspec.Raw) -> None:
    """Keep an answer that was not seen before."""
    digest = hashlib.sha256(result).hexdigest()
    if (question, digest) not in seen:
        # A copy of the slice: the raw result would keep the whole body alive.
        seen[question, digest] = Seen(question, digest, bytes(result))


def cpu_ms() -> float:
    """CPU time of this process and of its children that have ended, user and system."""
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used) * 1000


def _peak(profile: Profile) -> float | None:
    peak = profile.metrics.get("peak_rss_mib")
    return None if peak is None else float(peak)


def _error(envelope: Envelope) -> str | None:
    return None if envelope.result else str(envelope.error.get("detail", "the answer has no result and no error"))


def _end(_number: int, _frame: FrameType | None) -> None:
    """End as if by sys.exit: a load that is under way takes back what it has begun."""
    raise SystemExit


if __name__ == "__main__":
    main()
