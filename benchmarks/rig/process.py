"""One contender, run once as a whole process: its time, its processor time, its peak memory, what it said."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter_ns

import msgspec

from benchmarks.rig.memory import Caps, capped

ROOT = Path(__file__).resolve().parents[2]
# The shell puts itself into the group and then becomes the contender, which so starts inside.
INTO_GROUP = 'echo 0 > "$1" && shift && exec "$@"'
DIGEST_TIMEOUT_S = 1800.0


class Command(msgspec.Struct, frozen=True):
    """A program to run in the data's folder.

    Attributes:
        name: What the tables call it.
        argv: The program and its arguments.
        makes: File that it makes anew; it is deleted before.
        digest: Program that prints, as JSON, what to compare of what was made; without one, the command's own output.
        environment: Variables of its own.
    """

    name: str
    argv: tuple[str, ...]
    makes: str = ""
    digest: tuple[str, ...] = ()
    environment: dict[str, str] = {}


class Said(msgspec.Struct, frozen=True):
    """What a contender prints that measures itself: milliseconds, if it does, and its answer."""

    answer: object = None
    ms: float = 0.0


class Setting(msgspec.Struct, frozen=True):
    """What a run may use.

    Attributes:
        threads: Processors that it may run on.
        memory_mib: Cap on its memory, page cache included; None for none.
        timeout_s: When to give it up.
    """

    threads: int = 1
    memory_mib: int | None = None
    timeout_s: float = 600.0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One finished run.

    Attributes:
        wall_ms: From the start of the process to its end.
        cpu_ms: Of the process and the children it waited for, user and system.
        peak_mib: Largest resident set.
        said: Its standard output.
        failure: Why it gave no result; None when it gave one.
    """

    wall_ms: float
    cpu_ms: float
    peak_mib: float
    said: str = ""
    failure: str | None = None


def run(command: Command, folder: Path, setting: Setting, caps: Caps | None = None) -> Run:
    """Run a command once; a failure is told in the run, not raised."""
    if command.makes:
        (folder / command.makes).unlink(missing_ok=True)
    os.sync()  # so that nobody pays for the file that the one before him wrote
    with placed(setting, caps) as prefix:
        try:
            found = timed(command, (*prefix, *command.argv), folder, setting)
        except FileNotFoundError as error:
            return Run(wall_ms=0, cpu_ms=0, peak_mib=0, failure=f"there is no {error.filename} here")
    if found.failure is None and command.makes and not (folder / command.makes).exists():
        return msgspec.structs.replace(found, failure=f"it made no {command.makes}")
    return found


@contextmanager
def placed(setting: Setting, caps: Caps | None) -> Iterator[tuple[str, ...]]:
    """What to put before a command so that it runs on so many processors and, capped, in a group of its own."""
    mine = os.sched_getaffinity(0)
    group = capped(caps, setting.memory_mib) if caps and setting.memory_mib else nullcontext()
    with group as procs:
        os.sched_setaffinity(0, processors(setting.threads))
        try:
            yield ("sh", "-c", INTO_GROUP, "sh", str(procs)) if procs else ()
        finally:
            os.sched_setaffinity(0, mine)


def processors(threads: int) -> set[int]:
    """The last so many of ours: the first one is where a machine's interrupts mostly go."""
    return set(sorted(os.sched_getaffinity(0))[-threads:])


def timed(command: Command, argv: tuple[str, ...], folder: Path, setting: Setting) -> Run:
    with (folder / "stdout").open("w+") as out, (folder / "stderr").open("w+") as err:
        started_ns = perf_counter_ns()
        process = subprocess.Popen(argv, cwd=folder, env=environment(command, setting), stdout=out, stderr=err)
        watch = threading.Timer(setting.timeout_s, process.kill)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall_ms = (perf_counter_ns() - started_ns) / 1e6
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            watch.cancel()
            if process.returncode is None:
                process.kill()
                process.wait()
        out.seek(0)
        err.seek(0)
        failure = why(process.returncode, err.read(), wall_ms, setting)
        cpu_ms = (usage.ru_utime + usage.ru_stime) * 1e3
        return Run(wall_ms=wall_ms, cpu_ms=cpu_ms, peak_mib=usage.ru_maxrss / 1024, said=out.read(), failure=failure)


def environment(command: Command, setting: Setting) -> dict[str, str]:
    threads = str(setting.threads)
    limits = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_IO_THREADS"), threads)
    if setting.memory_mib:
        limits["POLYFAAS_MEMORY_MIB"] = str(setting.memory_mib)
    return {**os.environ, "PYTHONPATH": str(ROOT), **limits, **command.environment}


def why(code: int, complaint: str, wall_ms: float, setting: Setting) -> str | None:
    if code == 0:
        return None
    if code == -signal.SIGKILL:
        if wall_ms >= setting.timeout_s * 1000:
            return f"not done in {setting.timeout_s:g} s"
        return f"killed in {setting.memory_mib} MiB" if setting.memory_mib else "killed"
    lines = complaint.strip().splitlines()
    return lines[-1] if lines else f"exit code {code}"


def answer(command: Command, found: Run, folder: Path) -> object:
    """What to compare of a run: what its digest prints, or else the "answer" that it printed itself.

    Raises:
        ValueError: There is none to read.
    """
    if not command.digest:
        return msgspec.json.decode(found.said, type=Said).answer if found.said else None
    digest = run(Command(f"digest of {command.name}", command.digest), folder, Setting(timeout_s=DIGEST_TIMEOUT_S))
    if digest.failure:
        raise ValueError(digest.failure)
    return msgspec.json.decode(digest.said)


def python(*arguments: str) -> tuple[str, ...]:
    """The command of this Python that takes no module from the program's own folder."""
    return (sys.executable, "-P", *arguments)
