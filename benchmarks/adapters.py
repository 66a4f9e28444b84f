"""What an adapter costs: per call over a bare handler in the same runtime, and at import over bare Python.

    python benchmarks/adapters.py [CALLS] [PROCESSES]

A polyfaas call does what `handle` does as well (decode, profile, encode), so the in-process call of the same request
is measured in the same rounds and taken off: what is left is the adapter's own.
"""

import importlib
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import cast

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the namespace package of the bare handlers

from adapters import PROVIDERS  # noqa: E402
from adapters.base import Launch, Runtime  # noqa: E402
from adapters.lab import LOCAL, start  # noqa: E402
from adapters.lab.instance import Instance, run  # noqa: E402
from core.message import Request  # noqa: E402

REQUEST = Request(path="/", body=b'{"service": "none of that name"}')
WARM_UPS = 20
SEED = 1

# What to put in place of the adapter's entry point, in the command or in the app's file.
BARE = {
    "adapters.aws.entrypoint.handler": "benchmarks.bare.aws.handler",
    str(ROOT / "adapters" / "gcp" / "entrypoint.py"): str(ROOT / "benchmarks" / "bare" / "gcp.py"),
    "adapters.ibm.entrypoint:main": "benchmarks.bare.ibm:main",
}
IMPORTS = {
    "bare Python": "pass",
    "aws": "import adapters.aws.entrypoint",
    "gcp": "import adapters.gcp.entrypoint",
    "ibm": "import adapters.ibm.entrypoint",
    "azure.functions alone": "import azure.functions",
    "azure": "import adapters.azure.entrypoint",
}


def main(calls: int = 300, processes: int = 30) -> None:
    print(f"{machine()}, Python {platform.python_version()}, seed {SEED}")
    print(f"\nA call, n = {calls} each, interleaved in random order; ms: median (min - max)\n")
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        instances = started(Path(folder), stack)
        for instance in instances.values():
            print(f"  {instance.provider}: {instance.about}")
        print()
        print_calls(rounds({name: timed_call(each) for name, each in instances.items()}, calls))
        stack.close()
    print(f"\nImport, whole processes, n = {processes} each, interleaved; ms: median (min - max)\n")
    print_imports(rounds({name: timed_import(code) for name, code in IMPORTS.items()}, processes))


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0] if models else platform.machine()}, Linux {platform.release()}"


def started(folder: Path, stack: ExitStack) -> dict[str, Instance]:
    """The local worker, and each provider's runtime twice: with the adapter and with a bare handler."""
    instances = {LOCAL: stack.enter_context(start(LOCAL, folder / LOCAL))}
    for name, provider in PROVIDERS.items():
        instances[name] = stack.enter_context(start(name, folder / name))
        home = folder / f"bare-{name}"
        runtime = cast("Runtime", importlib.import_module(provider.runtime))
        launch = bare(runtime.launch(home), home)
        instances[f"bare {name}"] = stack.enter_context(run(provider, launch, home))
    return instances


def bare(launch: Launch, home: Path) -> Launch:
    home.mkdir(exist_ok=True)
    app = home / "app" / "function_app.py"
    if app.exists():
        app.write_text("from benchmarks.bare.azure import app\n\n__all__ = ['app']\n")
    return msgspec.structs.replace(launch, argv=[BARE.get(word, word) for word in launch.argv])


def timed_call(instance: Instance) -> Callable[[], float]:
    for _ in range(WARM_UPS):
        instance.call(REQUEST)
    return lambda: instance.call(REQUEST).elapsed_ms


def timed_import(code: str) -> Callable[[], float]:
    def once() -> float:
        started_ns = perf_counter_ns()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        return (perf_counter_ns() - started_ns) / 1e6

    once()  # compiles
    return once


def rounds(subjects: Mapping[str, Callable[[], float]], n: int) -> dict[str, list[float]]:
    """Each subject n times; every round has all of them, in an order of its own."""
    order, chance = list(subjects), random.Random(SEED)
    taken: dict[str, list[float]] = {name: [] for name in order}
    for _ in range(n):
        chance.shuffle(order)
        for name in order:
            taken[name].append(subjects[name]())
    return taken


def print_calls(taken: Mapping[str, list[float]]) -> None:
    handled = median(taken[LOCAL])
    print(f"  handle in process: {spread(taken[LOCAL])}\n")
    print(f"  {'':6} {'bare handler':>22} {'polyfaas':>22} {'difference':>11} {'less handle':>12}")
    for name in PROVIDERS:
        over = median(taken[name]) - median(taken[f"bare {name}"])
        columns = f"{spread(taken[f'bare {name}']):>22} {spread(taken[name]):>22}"
        print(f"  {name:6} {columns} {over:11.3f} {over - handled:12.3f}")


def print_imports(taken: Mapping[str, list[float]]) -> None:
    base = median(taken["bare Python"])
    for name, times in taken.items():
        print(f"  {name:22} {spread(times):>22} {median(times) - base:+8.1f} over bare Python")
    own = median(taken["azure"]) - median(taken["azure.functions alone"])
    print(f"  azure over azure.functions, which the worker imports anyway: {own:+.1f}")


def spread(times: list[float]) -> str:
    return f"{median(times):.3f} ({min(times):.2f} - {max(times):.2f})"


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
