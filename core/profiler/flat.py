"""The flat SAAF view of a profile, so that the FaaS Runner and notebooks made for SAAF can read it.

Under SAAF's names stand SAAF's meanings: the `cpu...` numbers are the whole VM's, neighbours included, and
so are `pageFaults` and `contextSwitches`. What the call itself used stands beside them under our names.
Keys and units are those of SAAF's Python Inspector 0.7 (https://github.com/wlloyduw/SAAF); only durations
have more digits, and the clock behind them is monotonic.
"""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from core.message import Context
from core.profiler import cpu, machine, platforms, procfs, spelling
from core.profiler.growth import TICK_MS
from core.profiler.instance import instance
from core.profiler.meter import NS_PER_MS
from core.profiler.metrics import METRICS
from core.profiler.record import Profile

Outcome: TypeAlias = msgspec.Raw | Mapping[str, Any] | msgspec.UnsetType

_DELTAS = {metric.name: metric.saaf for metric in METRICS if metric.saaf is not None}

# All that a reader takes for measured, also where a view leaves it out: a user's value must not pass for it.
KEYS = frozenset(
    [
        *_DELTAS.values(),
        *spelling.STATES.values(),
        *spelling.OWN,
        *spelling.LABELS,
        *(f"{name}{suffix}" for name in spelling.TICKS.values() for suffix in ("", "Delta")),
        *("version", "lang", "startTime", "endTime", "runtime", "userRuntime"),
        *("uuid", "newcontainer", "invocations", "initializationTime", "bootTime", "vmuptime", "linuxVersion"),
        *("cpuType", "cpuModel", "cpuCores", "cpuInfo", "cpuPolls", "architecture"),
        *("totalMemory", "freeMemory", "pageFaults", "majorPageFaults", "contextSwitches"),
        *("pageFaultsDelta", "majorPageFaultsDelta", "contextSwitchesDelta"),
        *("platform", "functionName", "functionRegion", "functionMemory", "containerID", "vmID"),
        *("availableCPUs", "utilizedCPUs", "recommendedMemory", cpu.LOWER_BOUND),
    ]
)

# The metric that grows with each total: SAAF's key and the kernel's label.
_SWITCHES = "vm_context_switches"
_TOTALS = {
    _SWITCHES: ("contextSwitches", b"ctxt "),
    "vm_page_faults": ("pageFaults", b"pgfault "),
    "vm_page_faults_major": ("majorPageFaults", b"pgmajfault "),
}

_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*"|true|false|null')
_PYTHON = {b"true": b"1", b"false": b"0", b"null": b'"NONE"'}


def flat(profile: Profile, context: Context, outcome: Outcome, *, ticks: bool = False) -> dict[str, object]:
    """SAAF's keys with the user's own beside them, all in one object that the FaaS Runner reads.

    No key of SAAF's is ever the user's. When the user has one of that name, SAAF's stays (or stays absent)
    and the user's goes into an object under "result", together with the user's own "result" if there is
    one. An outcome that is no JSON object stands whole under "result".

    The FaaS Runner takes the answer for a Python literal and drops a run whose JSON says true, false or null:
    the user's are 1, 0 and "NONE" here, the last being the Runner's own word for what is missing.

    Args:
        profile: A call of this instance.
        context: Where it ran.
        outcome: The result's JSON, or the error's problem object.
        ticks: Give the older spelling too, see `core.profiler.spelling.with_ticks`.
    """
    known = {**_call(profile), **_times(profile), **_place(context), **_machine(), **_since_boot(profile)}
    known |= spelling.own({**dict.fromkeys(spelling.LABELS, False), **profile.metrics})
    known |= _cpus(profile, context)
    ours = {key: value for key, value in known.items() if value is not None}
    return spelling.beside(spelling.with_ticks(ours) if ticks else ours, _user(outcome), KEYS)


def _call(profile: Profile) -> dict[str, object]:
    return {
        "version": spelling.VERSION,
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
    memory, here = context.memory_mib, platforms.place(os.environ)
    return {
        "platform": context.platform,
        "containerID": here.get("containerID") if here["platform"] == context.platform else None,
        "functionName": context.function,
        "functionRegion": context.region,
        "functionMemory": None if memory is None else str(memory),
    }


def _machine() -> dict[str, object]:
    """The machine without the whole of /proc/cpuinfo, which would be most of the answer."""
    return {key: value for key, value in machine.facts().items() if key != "cpuInfo"}


def _since_boot(profile: Profile) -> dict[str, object]:
    """Totals as they were before the call, as SAAF has them: this view is made after it."""
    metrics, sources = profile.metrics, instance.sources
    stat, vmstat = sources.stat.read(), sources.vmstat.read()
    now = {
        metric: procfs.number(stat if metric == _SWITCHES else vmstat, label) for metric, (_, label) in _TOTALS.items()
    }
    counts: dict[str, object] = {"freeMemory": procfs.number(sources.meminfo.read(), b"MemFree:")}
    for metric, total in now.items():
        if total is not None:
            counts[_TOTALS[metric][0]] = total - int(metrics.get(metric, 0))
    for state, ticks in procfs.cpu_ticks(stat).items():
        delta = metrics.get(f"vm_cpu_{state}_ms")
        if delta is not None:
            counts[spelling.STATES[state]] = ticks * TICK_MS - float(delta)
    return counts


def _cpus(profile: Profile, context: Context) -> dict[str, object]:
    metrics = profile.metrics
    vm_cpus = cpu.vm_utilized_cpus(metrics, profile.duration_ms)
    memory_mib = context.memory_mib if context.platform == cpu.LAMBDA else None
    return cpu.accounts(metrics, vm_cpus, memory_mib)


def _user(outcome: Outcome) -> Mapping[str, Any]:
    if isinstance(outcome, msgspec.UnsetType):
        return {}
    text = bytes(outcome) if isinstance(outcome, msgspec.Raw) else msgspec.json.encode(outcome)
    text = _LITERAL.sub(lambda found: _PYTHON.get(found[0], found[0]), text)
    if not text.lstrip().startswith(b"{"):
        return {"result": msgspec.Raw(text)}
    # Values stay as they were written: a decimal keeps all its digits.
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
