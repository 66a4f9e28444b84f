"""Starts fresh instances and calls each twice, with and without the X-ray in turn."""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from adapters import lab, xray
from adapters.base import Reply
from adapters.coldstart.record import ColdStart, Start
from adapters.lab.instance import Instance
from adapters.lab.process import ROOT
from core.errors import PolyfaasError
from core.message import Request
from core.profiler import Profile

PATH = "PYTHONPATH"
WAYS = (True, False)
NS_PER_MS = 1_000_000


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is started.

    Attributes:
        provider: Whose runtime.
        work: Its working directory.
        allow: What its calls may touch.
        environment: Variables that it gets.
    """

    provider: str
    work: Path
    allow: Sequence[str]
    environment: Mapping[str, str]


class Answer(msgspec.Struct, frozen=True):
    """What is read of an answer."""

    profile: Profile | None = None
    error: dict[str, Any] | None = None


def measure(subject: Subject, request: Request, runs: int) -> ColdStart:
    """The cold starts of so many fresh instances with the X-ray, and as many without, in turn.

    One of each is started before and not counted: it may have to compile the modules, or find them on the disk.

    Raises:
        RuntimeUnavailableError: The runtime is missing or did not start.
        PolyfaasError: A call failed, or its answer has no profile.
    """
    about, substitute = "", None
    starts = []
    for run in range(runs + 1):
        for watched in WAYS:
            with TemporaryDirectory(prefix="polyfaas-") as folder, _started(subject, Path(folder), watched) as instance:
                start = _called(instance, request, watched)
                about, substitute = instance.about, instance.substitute
            if run:
                starts.append(start)
    asked = f"{request.path} {request.body.decode(errors='replace')}"
    return ColdStart(provider=subject.provider, about=about, substitute=substitute, request=asked, starts=starts)


def _started(subject: Subject, folder: Path, watched: bool) -> Instance:
    environment = dict(subject.environment)
    if watched:
        environment[PATH] = os.pathsep.join([str(xray.FOLDER), environment.get(PATH, str(ROOT))])
    return lab.start(subject.provider, folder, subject.work, subject.allow, environment)


def _called(instance: Instance, request: Request, watched: bool) -> Start:
    spawned_ns = instance.spawned_ns
    times_ms = []
    answers = []
    for _ in range(2):
        times_ms.append((time.perf_counter_ns() - spawned_ns) / NS_PER_MS)
        answers.append(instance.call(request))
        times_ms.append((time.perf_counter_ns() - spawned_ns) / NS_PER_MS)
    first, second = map(_profile, answers)
    return Start(
        watched=watched,
        first_sent_ms=times_ms[0],
        first_answered_ms=times_ms[1],
        second_sent_ms=times_ms[2],
        second_answered_ms=times_ms[3],
        first_began_ms=_began_ms(first, spawned_ns),
        second_began_ms=_began_ms(second, spawned_ns),
        first=first,
        second=second,
    )


def _profile(reply: Reply) -> Profile:
    try:
        answer = msgspec.json.decode(reply.response.body, type=Answer)
    except msgspec.DecodeError as error:
        raise PolyfaasError(f"the answer has no profile ({error}): call a service that answers with one") from error
    if answer.error is not None:
        detail = answer.error.get("detail", answer.error)
        raise PolyfaasError(f"the call failed: {detail}: a cold start is measured with a call that works")
    if answer.profile is None:
        raise PolyfaasError('the answer has no profile: leave "profile" out of the parameters')
    return answer.profile


def _began_ms(profile: Profile, spawned_ns: int) -> float:
    """When the call's body began.

    The profile tells it by the wall clock, which is this machine's: the one clock that a profile and its reader
    share.
    """
    now_ns, now_wall_ns = time.perf_counter_ns(), time.time_ns()
    ago_ns = now_wall_ns - datetime.fromisoformat(profile.started_at).timestamp() * 1e9
    return (now_ns - ago_ns - spawned_ns) / NS_PER_MS + float(profile.metrics.get("profiler_begin_ms", 0.0))
