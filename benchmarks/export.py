"""What sending the profile costs a call: each exporter warm, the first call of an instance, a collector that is gone.

    python benchmarks/export.py [CALLS] [PROCESSES]

The collector is Rotel, in a process of its own on this machine: a network's delay comes on top. Contenders take turns
in random order. The lines go to /dev/null, as a runtime's log would take them.
"""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from adapters.lab.ports import free_port  # noqa: E402
from bench.machine import describe  # noqa: E402
from core.message import LOCAL, Request  # noqa: E402
from core.runtime import handle  # noqa: E402
from tests.servers import server  # noqa: E402
from tests.services import program  # noqa: E402

REQUEST = Request(path="/probe", body=b'{"kind": "idle"}')
WARM_UPS = 20
SEED = 1
EXPORTERS = ("", "log", "emf", "otlp")
Value = TypeVar("Value")
NOBODY = "http://127.0.0.1:9"
FIRST = """
import os, sys, time
from core.message import LOCAL, Request
from core.runtime import handle
request = Request(path="/probe", body=b'{"kind": "idle"}')
took = []
for _ in range(3):
    began_ns = time.perf_counter_ns()
    handle(request, LOCAL)
    took.append((time.perf_counter_ns() - began_ns) / 1e6)
print(*took, file=sys.stderr)
"""


def main(calls: int = 300, processes: int = 20) -> None:
    machine = describe()
    sdk = version("opentelemetry-sdk")
    print(f"{machine.cpu}, {machine.cores} cores, {machine.kernel}, Python {machine.python}, OpenTelemetry {sdk}")
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as endpoint:
        os.environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        print(f"\nA warm call, n = {calls} each; ms: median (min - max)\n")
        rows(rounds({name or "none": warm(name) for name in EXPORTERS}, calls, WARM_UPS))
        starts: dict[str, Callable[[], list[float]]] = {name or "none": first(name, endpoint) for name in EXPORTERS}
        starts["otlp, nobody listens"] = first("otlp", NOBODY)
        print(f"\nThe first three calls of a process, n = {processes} each; ms: median (min - max)\n")
        found = rounds(starts, processes, 0)
        for index in range(3):
            rows({f"{name}, call {index + 1}": [took[index] for took in values] for name, values in found.items()})


@contextmanager
def collector(folder: Path) -> Iterator[str]:
    """Rotel, which throws away what it takes."""
    port = free_port()
    listen = ("--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}")
    with server([str(program("rotel-agent")), "start", *listen, "--exporter", "blackhole"], port, folder) as url:
        yield url


def warm(exporter: str) -> Callable[[], float]:
    """A call in this process."""

    def call() -> float:
        os.environ["POLYFAAS_EXPORT"] = exporter
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            began_ns = perf_counter_ns()
            handle(REQUEST, LOCAL)
            return (perf_counter_ns() - began_ns) / 1e6

    return call


def first(exporter: str, endpoint: str) -> Callable[[], list[float]]:
    """The first calls of a process of its own."""
    variables = {"POLYFAAS_EXPORT": exporter, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "PYTHONPATH": str(ROOT)}

    def start() -> list[float]:
        argv = [sys.executable, "-c", FIRST]
        done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=True)
        return [float(word) for word in done.stderr.splitlines()[-1].split()]

    return start


def rounds(contenders: dict[str, Callable[[], Value]], count: int, warm_ups: int) -> dict[str, list[Value]]:
    """What each gave, in the order of the rounds."""
    shuffled = random.Random(SEED)
    found: dict[str, list[Value]] = {name: [] for name in contenders}
    for number in range(warm_ups + count):
        for name in shuffled.sample(list(contenders), len(contenders)):
            value = contenders[name]()
            if number >= warm_ups:
                found[name].append(value)
    return found


def rows(found: dict[str, list[float]]) -> None:
    for name, values in found.items():
        print(f"  {name:28}{median(values):9.3f} ({min(values):.3f} - {max(values):.3f})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
