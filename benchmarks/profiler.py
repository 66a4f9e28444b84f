"""What the profiler itself costs: per call, per scope and at import.

Every contender runs once in every round, so a machine that slows down slows all of them.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from core.message import Context
from core.profiler import Call, procfs, saaf, sample, span
from core.profiler.instance import instance

ROUNDS = 60
CALLS = 100
PROCESSES = 15

IMPORT = """
import importlib.util, sys, time
import msgspec
# The package without what its own __init__ imports, which is the whole library.
sys.modules["core"] = importlib.util.module_from_spec(importlib.util.find_spec("core"))
begin = time.perf_counter_ns()
import core.profiler
imported = time.perf_counter_ns()
with core.profiler.Call():
    pass
first = time.perf_counter_ns()
print(imported - begin, first - imported)
"""


def empty_with() -> None:
    with nullcontext():
        pass


def empty_call() -> None:
    with Call():
        pass


def call_with_five_spans() -> None:
    with Call():
        for name in ("decode", "read", "transform", "write", "encode"):
            with span(name):
                pass


def thread_and_process() -> None:
    sample.rusage()
    sample.rusage()


def memory() -> None:
    sample.memory(instance.status.read())


def vm() -> None:
    procfs.cpu_ticks(instance.stat.read())
    procfs.cpu_ticks(instance.stat.read())


def flat_view() -> None:
    saaf.flat(PROFILE, Context(platform="local"), msgspec.UNSET)


with Call() as _call:
    pass
PROFILE = _call.profile

CONTENDERS: Mapping[str, Callable[[], None]] = {
    "empty with": empty_with,
    "Call": empty_call,
    "Call and 5 spans": call_with_five_spans,
    "of it: thread and process (getrusage, 4x)": thread_and_process,
    "of it: memory (/proc/self/status, 1x)": memory,
    "of it: VM (/proc/stat, 2x)": vm,
    "SAAF view, only when asked for": flat_view,
}


def time_us(contender: Callable[[], None]) -> float:
    """Microseconds a call, mean of one batch."""
    begin = time.perf_counter_ns()
    for _ in range(CALLS):
        contender()
    return (time.perf_counter_ns() - begin) / CALLS / 1000


def per_call() -> dict[str, list[float]]:
    """Microseconds a call by contender, one value a round."""
    found: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(ROUNDS):
        for name, contender in CONTENDERS.items():
            found[name].append(time_us(contender))
    return found


def per_instance() -> dict[str, list[float]]:
    """Microseconds of the import and of the first call, one value a fresh process.

    The modules are compiled beforehand, as an installed package's are: the first process does it.
    """
    found: dict[str, list[float]] = {"import, after msgspec": [], "first Call of an instance": []}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", IMPORT]
    with TemporaryDirectory() as compiled:
        environment["PYTHONPYCACHEPREFIX"] = compiled
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        for _ in range(PROCESSES):
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            for values, ns in zip(found.values(), done.stdout.split(), strict=True):
                values.append(int(ns) / 1000)
    return found


def table(found: Mapping[str, list[float]]) -> str:
    """One line a contender."""
    lines = [
        f"{name:<44}{median(values):>10.2f}{min(values):>10.2f}{max(values):>10.2f}{len(values):>6}"
        for name, values in found.items()
    ]
    return "\n".join(lines)


def main() -> None:
    size = len(msgspec.json.encode(PROFILE))
    python, kernel = platform.python_version(), platform.release()
    print(f"Python {python}, msgspec {msgspec.__version__}, Linux {kernel}, {os.cpu_count()} CPUs")
    print(f"n: rounds of {CALLS} calls, or fresh processes; profile of an empty call: {size} bytes of JSON\n")
    print(f"{'microseconds':<44}{'median':>10}{'min':>10}{'max':>10}{'n':>6}")
    print(table(per_call()))
    print(table(per_instance()))


if __name__ == "__main__":
    main()
