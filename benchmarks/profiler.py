"""What the profiler itself costs: per call, at import, in the answer and in processes started.

    python benchmarks/profiler.py [--saaf FOLDER] [--rounds N] [--processes N]

FOLDER holds the Inspector.py of SAAF (https://github.com/wlloyduw/SAAF, python_template/src), fetched for this
measurement only; without it only ours is measured. Every contender runs once in every round, in an order of the
round's own, so a machine that slows down slows all of them.
"""

import argparse
import importlib.util
import json
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from core.message import Context
from core.profiler import Call, saaf, span

ROOT = Path(__file__).resolve().parents[1]
SEED = 1

# What Lambda sets and the Inspectors read.
AWS = {
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/24/[$LATEST]0123456789abcdef",
    "AWS_LAMBDA_FUNCTION_NAME": "hello",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_REGION": "eu-central-1",
}
STARTS = ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen")

OURS = "from core.profiler.saaf import Inspector"
IMPORTS = {
    "bare Python": "pass",
    "import core.profiler": "import core.profiler",
    "from core.profiler import Call": "from core.profiler import Call",
    "the same, and a first call": "from core.profiler import Call\nwith Call():\n    pass",
    "the same, and its record (msgspec)": "from core.profiler import Call\nwith Call() as c:\n    pass\nc.profile",
    "our Inspector": OURS,
    "our Inspector, and a first call": f"{OURS}\ni = Inspector()\ni.inspectAll()\ni.inspectAllDeltas()\ni.finish()",
}


class Contender(msgspec.Struct, frozen=True):
    """Something whose calls are timed.

    Attributes:
        call: What is done.
        calls: How often in a round.
        environment: Variables that are set meanwhile.
    """

    call: Callable[[], Any]
    calls: int = 100
    environment: Mapping[str, str] = {}


def empty_with() -> None:
    with nullcontext():
        pass


def process_scope() -> None:
    with Call("process"):
        pass


def everything() -> None:
    with Call("vm"):
        pass


def everything_with_five_spans() -> None:
    with Call("vm"):
        for name in ("decode", "read", "transform", "write", "encode"):
            with span(name):
                pass


def everything_as_json() -> bytes:
    with Call("vm") as call:
        pass
    return msgspec.json.encode(call.profile)


def flat_view() -> None:
    saaf.flat(PROFILE, Context(platform="local"), msgspec.UNSET)


def hello(inspector_class: Callable[[], Any]) -> dict[str, Any]:
    """A function as SAAF's documentation has it."""
    inspector = inspector_class()
    inspector.inspectAll()
    inspector.addAttribute("message", "Hello World!")
    inspector.inspectAllDeltas()
    found: dict[str, Any] = inspector.finish()
    return found


with Call("vm") as _call:
    pass
PROFILE = _call.profile


def contenders(theirs: Callable[[], Any] | None) -> dict[str, Contender]:
    found = {
        "empty with": Contender(empty_with),
        "Call, process scope": Contender(process_scope),
        "Call, everything": Contender(everything),
        "Call, everything, 5 spans": Contender(everything_with_five_spans),
        "Call, everything, record and JSON": Contender(everything_as_json),
        "SAAF view of a profile": Contender(flat_view),
    }
    for name, environment in (("", {}), (", AWS environment", AWS)):
        found[f"our Inspector{name}"] = Contender(lambda: hello(saaf.Inspector), 100, environment)
        if theirs is not None:
            found[f"SAAF's Inspector{name}"] = Contender(lambda: hello(theirs), 3, environment)
    return found


def inspector_of(folder: Path) -> Callable[[], Any]:
    """SAAF's class from its file."""
    spec = importlib.util.spec_from_file_location("saafs_inspector", folder / "Inspector.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"there is no Inspector.py in {folder}: give the folder that holds SAAF's")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[], Any] = module.Inspector
    return found


@contextmanager
def variables(environment: Mapping[str, str]) -> Iterator[None]:
    os.environ.update(environment)
    yield
    for name in environment:
        del os.environ[name]


def time_us(contender: Contender) -> float:
    """Microseconds a call, mean of one batch."""
    with variables(contender.environment):
        begin_ns = time.perf_counter_ns()
        for _ in range(contender.calls):
            contender.call()
        return (time.perf_counter_ns() - begin_ns) / contender.calls / 1000


def import_ms(code: str, environment: Mapping[str, str]) -> float:
    """Milliseconds of a whole process."""
    begin_ns = time.perf_counter_ns()
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True)
    return (time.perf_counter_ns() - begin_ns) / 1e6


def rounds(subjects: Mapping[str, Callable[[], float]], n: int) -> dict[str, list[float]]:
    """Each subject n times, after once that does not count."""
    order, chance = list(subjects), random.Random(SEED)
    for name in order:
        subjects[name]()
    found: dict[str, list[float]] = {name: [] for name in order}
    for _ in range(n):
        chance.shuffle(order)
        for name in order:
            found[name].append(subjects[name]())
    return found


def imports(folder: Path | None, n: int) -> dict[str, list[float]]:
    """Whole processes; the modules are compiled by the round that does not count, as an installed package's are."""
    codes = dict(IMPORTS)
    if folder is not None:
        codes["SAAF's Inspector"] = f"import sys; sys.path.insert(0, {str(folder)!r}); from Inspector import *"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with TemporaryDirectory() as compiled:
        environment["PYTHONPYCACHEPREFIX"] = compiled
        return rounds({name: partial(import_ms, code, environment) for name, code in codes.items()}, n)


def starts(call: Callable[[], Any]) -> int:
    """Processes that a call starts itself; what a shell of them starts comes on top."""
    call()
    COUNTED.clear()
    call()
    return len(COUNTED)


COUNTED: list[str] = []


def watch(event: str, _: object) -> None:
    if event in STARTS:
        COUNTED.append(event)


def print_calls(found: Mapping[str, list[float]], subjects: Mapping[str, Contender]) -> None:
    print(f"\n{'a call, microseconds':<40}{'median':>10}{'min':>10}{'max':>10}{'n':>6}{'starts':>8}")
    for name, values in found.items():
        with variables(subjects[name].environment):
            started = starts(subjects[name].call)
        print(f"{name:<40}{median(values):>10.2f}{min(values):>10.2f}{max(values):>10.2f}{len(values):>6}{started:>8}")
    for name in ("", ", AWS environment"):
        if f"SAAF's Inspector{name}" in found:
            pairs = zip(found[f"SAAF's Inspector{name}"], found[f"our Inspector{name}"], strict=True)
            ratios = [theirs / ours for theirs, ours in pairs]
            spread = f"{median(ratios):.1f} (min {min(ratios):.1f}, max {max(ratios):.1f}, n = {len(ratios)})"
            print(f"SAAF's over ours{name}, by round: {spread}")


def print_imports(found: Mapping[str, list[float]]) -> None:
    print(f"\n{'a whole process, milliseconds':<40}{'median':>10}{'min':>10}{'max':>10}{'n':>6}{'over bare':>11}")
    base = median(found["bare Python"])
    for name, values in found.items():
        over = f"{median(values) - base:+.2f}"
        print(f"{name:<40}{median(values):>10.2f}{min(values):>10.2f}{max(values):>10.2f}{len(values):>6}{over:>11}")


def print_sizes(theirs: Callable[[], Any] | None) -> None:
    """How much an answer grows; a profile says little more of a long call than of an empty one."""
    print("\nbytes of JSON that an answer grows by")
    shortest = len(json.dumps({"message": "Hello World!"}))
    short = msgspec.structs.replace(PROFILE, unavailable={})
    sizes = {
        "profile": len(msgspec.json.encode(PROFILE)) + len(',"profile":'),
        "of it: reasons of what is unavailable": len(msgspec.json.encode(PROFILE)) - len(msgspec.json.encode(short)),
        "SAAF view": len(msgspec.json.encode(saaf.flat(PROFILE, Context(platform="local"), msgspec.UNSET))),
        "our Inspector": len(json.dumps(hello(saaf.Inspector))) - shortest,
    }
    if theirs is not None:
        sizes["SAAF's Inspector"] = len(json.dumps(hello(theirs))) - shortest
    for name, size in sizes.items():
        print(f"{name:<40}{size:>10}")


def main() -> None:
    parser = argparse.ArgumentParser(description="what the profiler costs")
    parser.add_argument("--saaf", type=Path, help="folder with SAAF's Inspector.py")
    parser.add_argument("--rounds", type=int, default=60, help="of calls")
    parser.add_argument("--processes", type=int, default=30, help="rounds of imports")
    options = parser.parse_args()
    theirs = inspector_of(options.saaf) if options.saaf else None
    python, kernel = platform.python_version(), platform.release()
    print(f"Python {python}, msgspec {msgspec.__version__}, Linux {kernel}, {os.cpu_count()} CPUs, seed {SEED}")
    subjects = contenders(theirs)
    found = rounds({name: partial(time_us, each) for name, each in subjects.items()}, options.rounds)
    sys.addaudithook(watch)  # not before: it slows all of them
    print_calls(found, subjects)
    print_imports(imports(options.saaf, options.processes))
    print_sizes(theirs)


if __name__ == "__main__":
    main()
