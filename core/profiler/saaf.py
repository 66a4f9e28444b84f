"""The flat SAAF view of a profile, so that the FaaS Runner and notebooks made for SAAF can read it.

Under SAAF's names stand SAAF's meanings: the `cpu...` numbers are the whole VM's, neighbours included, and
so are `pageFaults` and `contextSwitches`. What a call itself used is in the full profile, under other names.
Keys and units are those of SAAF's Python Inspector 0.7 (https://github.com/wlloyduw/SAAF); only durations
have more digits, and the clock behind them is monotonic.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

import msgspec

from core.message import Context
from core.profiler import procfs
from core.profiler.instance import instance
from core.profiler.metrics import METRICS, SAAF_STATES
from core.profiler.profiler import NS_PER_MS, Profile
from core.profiler.sample import TICK_MS

Outcome: TypeAlias = msgspec.Raw | Mapping[str, Any] | msgspec.UnsetType

# The FaaS Runner leaves out a run that does not say a version.
VERSION = 0.7

_ARCHITECTURES = {"x86_64": "x86", "aarch64": "arm64"}
_DELTAS = {metric.name: metric.saaf for metric in METRICS if metric.saaf is not None}

# All that a reader takes for SAAF's, also where this view leaves it out: a user's value must not pass for it.
KEYS = frozenset(
    [
        *_DELTAS.values(),
        *SAAF_STATES.values(),
        *("version", "lang", "startTime", "endTime", "runtime", "userRuntime"),
        *("uuid", "newcontainer", "invocations", "initializationTime", "bootTime", "linuxVersion"),
        *("cpuType", "cpuModel", "cpuCores", "cpuInfo", "cpuPolls", "architecture"),
        *("totalMemory", "freeMemory", "pageFaults", "majorPageFaults", "contextSwitches"),
        *("pageFaultsDelta", "majorPageFaultsDelta", "contextSwitchesDelta"),
        *("platform", "functionName", "functionRegion", "functionMemory", "containerID", "vmID"),
        *("availableCPUs", "utilizedCPUs", "recommendedMemory"),
    ]
)


def flat(profile: Profile, context: Context, outcome: Outcome) -> dict[str, object]:
    """SAAF's keys with the user's own beside them, all in one object.

    No key of SAAF's is ever the user's. When the user has one of that name, SAAF's stays (or stays absent)
    and the user's goes into an object under "result", together with the user's own "result" if there is
    one. An outcome that is no JSON object stands whole under "result".

    Args:
        profile: A call of this instance.
        context: Where it ran.
        outcome: The result's JSON, or the error's problem object.
    """
    known = {**_call(profile), **_times(profile), **_place(context), **machine(), **_since_boot(profile)}
    ours = {key: value for key, value in known.items() if value is not None}
    theirs = _user(outcome)
    hidden = KEYS & theirs.keys()
    if not hidden:
        return {**ours, **theirs}
    hidden |= {"result"}
    beside = {key: value for key, value in theirs.items() if key not in hidden}
    return {**ours, **beside, "result": {key: theirs[key] for key in theirs if key in hidden}}


@cache
def machine() -> Mapping[str, object]:
    """What does not change while the instance lives: processors, kernel, boot. Read once, without a fork."""
    processors = procfs.processors(_text("/proc/cpuinfo").decode(errors="replace"))
    first = processors[0] if processors else {}
    uname = os.uname()
    return {
        "cpuType": first.get("model name"),
        "cpuModel": first.get("model"),
        "cpuCores": len(processors) or None,
        "architecture": _ARCHITECTURES.get(uname.machine, uname.machine),
        "linuxVersion": " ".join(uname),
        "bootTime": procfs.number(_text("/proc/stat"), b"btime "),
        "totalMemory": procfs.number(_text("/proc/meminfo"), b"MemTotal:"),
    }


def _call(profile: Profile) -> dict[str, object]:
    return {
        "version": VERSION,
        "lang": "python",
        "uuid": profile.instance_id,
        "newcontainer": int(profile.cold),
        "invocations": profile.invocation,
        "initializationTime": instance.started_ns // NS_PER_MS,
    }


def _times(profile: Profile) -> dict[str, object]:
    metrics = profile.metrics
    probes_ms = sum(float(metrics[name]) for name in ("profiler_begin_ms", "profiler_end_ms") if name in metrics)
    runtime_ms = profile.duration_ms + probes_ms
    started_ms = datetime.fromisoformat(profile.started_at).timestamp() * 1000
    return {
        "startTime": round(started_ms),
        "endTime": round(started_ms + runtime_ms),
        "runtime": round(runtime_ms, 6),
        "userRuntime": profile.duration_ms,
        **{saaf: metrics[name] for name, saaf in _DELTAS.items() if name in metrics},
    }


def _place(context: Context) -> dict[str, object]:
    memory = context.memory_mib
    return {
        "platform": context.platform,
        "functionName": context.function,
        "functionRegion": context.region,
        "functionMemory": None if memory is None else str(memory),
    }


def _since_boot(profile: Profile) -> dict[str, object]:
    stat, vmstat = _text("/proc/stat"), _text("/proc/vmstat")
    counts: dict[str, object] = {
        "contextSwitches": procfs.number(stat, b"ctxt "),
        "pageFaults": procfs.number(vmstat, b"pgfault "),
        "majorPageFaults": procfs.number(vmstat, b"pgmajfault "),
        "freeMemory": procfs.number(_text("/proc/meminfo"), b"MemFree:"),
    }
    for state, ticks in procfs.cpu_ticks(stat).items():
        # SAAF reads before the call, this view is made after it.
        delta = profile.metrics.get(f"vm_cpu_{state}_ms")
        if delta is not None:
            counts[SAAF_STATES[state]] = ticks * TICK_MS - float(delta)
    return counts


def _user(outcome: Outcome) -> Mapping[str, Any]:
    if isinstance(outcome, msgspec.UnsetType):
        return {}
    if not isinstance(outcome, msgspec.Raw):
        return outcome
    if not bytes(outcome).lstrip().startswith(b"{"):
        return {"result": outcome}
    # Values stay as they were written: a decimal keeps all its digits.
    return msgspec.json.decode(outcome, type=dict[str, msgspec.Raw])


def _text(path: str) -> bytes:
    from pathlib import Path  # 3 ms that a cold start without this view need not pay

    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
