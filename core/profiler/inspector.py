"""SAAF's Inspector, dropped in: its methods, keys and units, right where SAAF is wrong, and without a fork.

    from core.profiler.saaf import Inspector

A function that was written for SAAF's Python Inspector (0.7, and before: 0.5) runs unchanged. docs/saaf.md has
each key with what SAAF means by it and what differs here.
"""
# ruff: noqa: N802, N803  (the names are SAAF's)

from __future__ import annotations

import os
import time
from contextvars import ContextVar
from itertools import count

from core.profiler import cpu, machine, platforms, procfs, spelling
from core.profiler.growth import TICK_MS
from core.profiler.instance import instance
from core.profiler.meter import NS_PER_MS
from core.profiler.usage import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any, Self

# "ticks" gives the keys of SAAF 0.5 too, for functions and notebooks that were made for it.
VARIABLE = "POLYFAAS_SAAF"

# What SAAF reads from variables that may not be set.
_NULLS = ("functionName", "functionRegion", "functionMemory", "containerID")
_STAMPS = ("frameworkRuntime", "userRuntime", "frameworkRuntimeDeltas")
_FAULTS = {"pageFaults": b"pgfault ", "majorPageFaults": b"pgmajfault "}

# The Inspectors that the function under way has made, where `answer` runs it.
_made: ContextVar[list[Inspector] | None] = ContextVar("inspectors", default=None)
# Their numbers, by the id of the instance: a fork makes another one.
_numbers: dict[str, count[int]] = {}


class Inspector:
    """Measures one call of a function; make it first, `finish` it last.

    In a `with` it keeps what it has measured of a call that fails: `finish` then gives the error's kind too.
    """

    def __init__(self) -> None:
        self._started_ms = time.time_ns() / NS_PER_MS
        self._began_ns = time.perf_counter_ns()
        self._invocation = next(_numbers.setdefault(instance.id, count(1)))
        self._older = os.environ.get(VARIABLE, "").lower() == "ticks"
        self._polls: list[tuple[int, bytes]] = []
        self._metrics: dict[str, Any] | None = None
        self._theirs: dict[str, Any] = {}
        self._ours: dict[str, Any] = {
            "version": spelling.VERSION,
            "lang": "python",
            "startTime": round(self._started_ms),
            "invocations": self._invocation,
            "initializationTime": instance.started_ns // NS_PER_MS,
        }
        inspectors = _made.get()
        if inspectors is not None:
            inspectors.append(self)
        self._usage = Usage()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.failed(error)

    def inspectAll(self) -> None:
        """All that there is before the function's own work; what this takes is `frameworkRuntime`."""
        self.inspectContainer()
        self.inspectCPUInfo()
        self.inspectPlatform()
        self.inspectLinux()
        self.inspectMemory()
        self.inspectCPU()
        self._ours["frameworkRuntime"] = self._elapsed_ms()
        self._usage.start()

    def inspectAllDeltas(self) -> None:
        """All that there is after the function's own work, which took `userRuntime`."""
        began_ms = self._elapsed_ms()
        self._measured()
        if "frameworkRuntime" in self._ours:
            self._ours["userRuntime"] = round(began_ms - self._ours["frameworkRuntime"], 3)
        self.inspectCPUDelta()
        self.inspectMemoryDelta()
        self._account()
        self._ours["frameworkRuntimeDeltas"] = round(self._elapsed_ms() - began_ms, 3)

    def inspectContainer(self) -> None:
        """`uuid` and `newcontainer`: this process, and whether this is its first call."""
        self._ours |= {"uuid": instance.id, "newcontainer": int(self._invocation == 1)}

    def inspectCPUInfo(self) -> None:
        """`cpuType`, `cpuModel`, `cpuCores`, `architecture` and `cpuInfo`."""
        self._take("cpuType", "cpuModel", "cpuCores", "architecture", "cpuInfo")
        if self._ours["cpuInfo"] is None:
            self._ours["SAAFCPUInfoError"] = "/proc/cpuinfo tells of no processor"

    def inspectLinux(self) -> None:
        """`linuxVersion`, as `uname -a` prints it."""
        self._take("linuxVersion")

    def inspectPlatform(self) -> None:
        """`platform` and, where it tells, `functionName`, `functionMemory`, `functionRegion`, `containerID`, `vmID`."""
        self._ours |= platforms.place(os.environ)
        self._take("vmID")

    def pollCPUStats(self) -> None:
        """Read /proc/stat; the first reading is what CPU deltas begin at."""
        self._polls.append((round(self._now_ms()), instance.sources.stat.read()))

    def processCPUPolls(self) -> None:
        """`cpuPolls`: all readings of /proc/stat, in milliseconds since boot by processor."""
        self._ours["cpuPolls"] = [_poll(time_ms, stat) for time_ms, stat in self._polls]

    def inspectCPU(self) -> None:
        """The VM's CPU times since boot in milliseconds, `contextSwitches` and `bootTime`."""
        self.pollCPUStats()
        totals = _totals(self._polls[0][1])
        self._ours |= totals
        self._take("bootTime")
        if not totals:
            self._ours["SAAFCPUError"] = f"no CPU times: {instance.sources.stat.reason or 'not in /proc/stat'}"

    def inspectCPUDelta(self) -> None:
        """How the VM's CPU times have grown since the first reading, neighbours included."""
        if not self._polls:
            self._ours["SAAFCPUDeltaError"] = "there is no CPU reading to compare with: call inspectCPU first"
            return
        self.pollCPUStats()
        before, after = (_totals(self._polls[place][1]) for place in (0, -1))
        self._ours |= {f"{key}Delta": value - before[key] for key, value in after.items() if key in before}

    def inspectMemory(self) -> None:
        """`totalMemory` and `freeMemory` of the VM in kB, `pageFaults` and `majorPageFaults` since its boot."""
        self._take("totalMemory")
        self._ours["freeMemory"] = procfs.number(instance.sources.meminfo.read(), b"MemFree:")
        self._ours |= _faults()
        if "pageFaults" not in self._ours:
            self._ours["SAAFMemoryError"] = f"no page faults: {_why_no_faults()}"

    def inspectMemoryDelta(self) -> None:
        """How the VM's page faults have grown since `inspectMemory`."""
        if "freeMemory" not in self._ours:
            self._ours["SAAFMemoryDeltaError"] = "there is no memory reading to compare with: call inspectMemory first"
            return
        before, after = self._ours, _faults()
        self._ours |= {f"{key}Delta": value - before[key] for key, value in after.items() if key in before}
        if not after:
            self._ours["SAAFMemoryDeltaError"] = f"no page faults: {_why_no_faults()}"

    def addAttribute(self, key: str, value: Any) -> None:
        """Add a value of the function's own to the answer.

        One under a key that the Inspector has measured does not replace it: it stands in the answer's "result".
        """
        self._theirs[key] = value

    def getAttribute(self, key: str) -> Any:
        """What the function has added under this key, else what the Inspector has measured.

        What SAAF has as null where the platform does not tell it is None.

        Raises:
            KeyError: There is none of it.
        """
        if key in self._theirs:
            return self._theirs[key]
        view = self._view()
        return view.get(key) if key in _NULLS and "platform" in view else view[key]

    def addTimeStamp(self, key: str, timeSince: float | None = None) -> None:
        """Add the milliseconds since the Inspector was made to the answer, by a clock that nobody sets.

        Args:
            key: Its name; one of SAAF's own stamps, where it has not been taken yet, is taken for that.
            timeSince: Milliseconds since 1970 to count from instead.
        """
        elapsed_ms = self._elapsed_ms() if timeSince is None else round(self._now_ms() - timeSince, 3)
        own = key in _STAMPS and key not in self._ours
        (self._ours if own else self._theirs)[key] = elapsed_ms

    def failed(self, error: BaseException) -> None:
        """Say that the call fails: `error` in the answer is the error's kind."""
        self._ours["error"] = type(error).__name__

    def finish(self) -> dict[str, Any]:
        """All that was measured and added, with `runtime` and `endTime`; what cannot be known here is absent."""
        self._measured()
        runtime_ms = self._elapsed_ms()
        self._ours |= {"runtime": runtime_ms, "endTime": round(self._started_ms + runtime_ms)}
        ours = {key: value for key, value in self._view().items() if value is not None}
        return spelling.beside(ours, self._theirs, ours)

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter_ns() - self._began_ns) / NS_PER_MS, 3)

    def _now_ms(self) -> float:
        return self._started_ms + self._elapsed_ms()

    def _take(self, *keys: str) -> None:
        facts = machine.facts()
        self._ours |= {key: facts[key] for key in keys}

    def _view(self) -> Mapping[str, Any]:
        return spelling.with_ticks(self._ours) if self._older else self._ours

    def _measured(self) -> None:
        """Measure the call itself, once."""
        if self._metrics is None:
            self._metrics = self._usage.stop()
            self._ours |= spelling.own(self._metrics)

    def _account(self) -> None:
        """What it used in vCPUs and which memory that asks for, once CPU and platform are known."""
        ours = self._ours
        if "platform" not in ours or "cpuUserDelta" not in ours or "userRuntime" not in ours:
            ours["SAAFRecommendConfigurationError"] = "CPU, platform or run time are not known: call inspectAll first"
            return
        vm = {"vm_cpu_user_ms": ours["cpuUserDelta"], "vm_cpu_system_ms": ours["cpuKernelDelta"]}
        memory = ours.get("functionMemory") if ours["platform"] == cpu.LAMBDA else None
        memory_mib = int(memory) if memory and memory.isdecimal() else None
        ours |= cpu.accounts(self._metrics or {}, cpu.vm_utilized_cpus(vm, ours["userRuntime"]), memory_mib)


def answer(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns; where it raises after it made an Inspector, what that had measured.

    That answer has the error's kind under `error`, and the log has its traceback. To the platform the call
    then did not fail: it is for the caller to look at `error`.

    Args:
        function: One with an Inspector in it.
        arguments: What it is called with.
    """
    with _Kept() as kept:
        kept.answer = function(*arguments)
    return kept.answer


class _Kept:
    """Swallows an error for which there is an Inspector's answer."""

    def __enter__(self) -> Self:
        self.answer: Any = None
        self._inspectors: list[Inspector] = []
        self._token = _made.set(self._inspectors)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        _made.reset(self._token)
        if not isinstance(error, Exception) or not self._inspectors:
            return False
        import logging  # 6 ms that only a failure has to pay

        logging.getLogger("polyfaas.profiler").error("the function failed", exc_info=error)
        inspector = self._inspectors[-1]
        inspector.failed(error)
        inspector.inspectAllDeltas()
        self.answer = inspector.finish()
        return True


def _totals(stat: bytes) -> dict[str, float]:
    found: dict[str, float] = {
        spelling.STATES[state]: ticks * TICK_MS for state, ticks in procfs.cpu_ticks(stat).items()
    }
    switches = procfs.number(stat, b"ctxt ")
    return found if switches is None else found | {"contextSwitches": switches}


def _poll(time_ms: int, stat: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"time": time_ms}
    for line in stat.decode(errors="replace").split("\n"):
        title, *words = line.split()[: 1 + len(spelling.STATES)] or [""]
        numbers = [int(word) for word in words if word.isdecimal()]
        if title.startswith("cpu"):
            times = zip(spelling.STATES.values(), numbers, strict=False)
            found["cpuTotal" if title == "cpu" else title] = {name: ticks * TICK_MS for name, ticks in times}
        elif numbers:
            found[title] = numbers[0]
    return found


def _faults() -> dict[str, int]:
    vmstat = instance.sources.vmstat.read()
    found = {key: procfs.number(vmstat, label) for key, label in _FAULTS.items()}
    return {key: value for key, value in found.items() if value is not None}


def _why_no_faults() -> str:
    return instance.sources.vmstat.reason or "not in /proc/vmstat"
