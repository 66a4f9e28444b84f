"""What an instance does until its first call has ended: process, interpreter, runtime, imports, resources.

An entry point imports this module before anything else and says `watch()`; `adapters/xray` does so while the
interpreter still starts. From then on every import is timed, until `stop()` is said when the first call has
ended. Nothing is watched in a process that does not ask for it.

Module state is meant here: what is watched is the start of this process, and of those that it was forked from.
"""

from __future__ import annotations

import _frozen_importlib
import os
import time
from _thread import get_ident

from core.profiler import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TypeAlias

    # Name, begin and end as perf_counter_ns, thread.
    Import: TypeAlias = tuple[str, int, int, int]
    Part: TypeAlias = tuple[str, int, int]

INTERPRETER, RUNTIME, FUNCTION, WAIT, WORKER = "interpreter", "runtime", "function", "wait", "worker"
# What lies before the first watch when nothing told where the interpreter was up.
UNDIVIDED = "interpreter and runtime"
BESIDE = " (beside)"

# How AWS Lambda came to start the instance: on-demand, provisioned-concurrency or snap-start.
INITIALIZATION = "AWS_LAMBDA_INITIALIZATION_TYPE"
STAT = "/proc/self/stat"
LEAST_NS = 1_000_000
NS_PER_S = 1_000_000_000

# What the C code calls for every module that is not imported yet, and importlib.import_module too: Python 3.11 to 3.13.
HOOK = "_find_and_load"
# Tracebacks and the stack levels of warnings pass over the import system's own frames, which they know by this name.
IMPORT_SYSTEM = "<frozen importlib._bootstrap>"


class Timeline:
    """The start of one process, as it is told.

    Attributes:
        initialization: What AWS Lambda says of how it started the instance; None elsewhere.
        watching: Whether the start is being watched.
    """

    __slots__ = ("_events", "_import", "_imports", "_over", "_parts", "_reasons", "initialization", "watching")

    def __init__(self) -> None:
        self.initialization = os.environ.get(INITIALIZATION)
        self.watching = self._over = False
        # What begins, and when; each lasts until the next one begins.
        self._events: list[tuple[str, int]] = []
        self._imports: list[Import] = []
        self._parts: list[Part] = []
        self._reasons: dict[str, str] = {}
        self._import: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def watch(self, phase: str = FUNCTION) -> None:
        """Watch from now on, or, where that is done already, note that a phase begins; each phase begins once.

        Args:
            phase: What begins now; the interpreter is up when it is `RUNTIME`.
        """
        now_ns = time.perf_counter_ns()
        if self._over:
            return
        if not self.watching:
            self.watching = True
            self._begin(INTERPRETER if phase == RUNTIME else UNDIVIDED, now_ns)
        if all(phase != begun for begun, _ in self._events):
            self._events.append((phase, now_ns))

    def loaded(self) -> None:
        """Note that the function is loaded: what follows is the runtime's rest, and waiting for a call."""
        if self.watching:
            self.watch(WAIT)

    def part(self, name: str) -> Watched:
        """Measures the body of a `with` as a part of the start, such as setting up a resource."""
        return Watched(name, self._parts)

    def stop(self) -> None:
        """Watch no longer; imports are as they were before. Doing so twice is harmless."""
        if self._import is not None:
            ours, theirs = self._import
            if getattr(_frozen_importlib, HOOK) is ours:
                setattr(_frozen_importlib, HOOK, theirs)
            self._import = None
        self.watching, self._over = False, True

    def forked(self) -> None:
        """Note that this process was forked: what its parent did is its start too, until the parent took a call."""
        if self.watching:
            self._events.append((WORKER, time.perf_counter_ns()))
        else:
            self._events, self._imports, self._parts = [], [], []

    def spans(self, called_ns: int | None = None) -> list[Part]:
        """Name, begin and end as perf_counter_ns of each part of the start, in the order in which they began.

        The phases follow each other without a gap: "start/interpreter" since the process's start, "start/runtime",
        "start/function" (its imports), "start/wait", and "start/worker" since a fork. Within them lie
        "import NAME", those that took 1 ms or more with what they import themselves, and what `part` measured.
        An import during which another phase begins is left out: the phases divide it. One that ran while
        another thread was importing is called "import NAME (beside)". Nothing when nothing was watched.

        Args:
            called_ns: When the first call began; the last phase ends there. Later imports are the call's.
        """
        called_ns = time.perf_counter_ns() if called_ns is None else called_ns
        if not self._events:
            return []
        ends_ns = [*(at_ns for _, at_ns in self._events[1:]), called_ns]
        phases = [(f"start/{name}", at_ns, end_ns) for (name, at_ns), end_ns in zip(self._events, ends_ns, strict=True)]
        found = phases + self._parts + _named(self._imports, ends_ns)
        return sorted(found, key=lambda span: (span[1], -span[2]))

    def told(self, called_ns: int) -> list[Part]:
        """The spans, for the first call that ends, with which the watching ends too; nothing for the later ones.

        Args:
            called_ns: When that call began, see `spans`.
        """
        if not self.watching:
            return []
        self.stop()
        return self.spans(called_ns)

    def unavailable(self) -> dict[str, str]:
        """Why a part of the start is not known, by its name in `spans`."""
        return dict(self._reasons)

    def _begin(self, phase: str, now_ns: int) -> None:
        started_ns, reason = started(now_ns)
        if started_ns is None:
            self._reasons[f"start/{phase}"] = reason
        else:
            self._events.append((phase, started_ns))
        theirs = getattr(_frozen_importlib, HOOK, None)
        if theirs is None or theirs.__code__.co_argcount != len(("name", "import_")):
            self._reasons["import"] = f"this Python has no importlib._bootstrap.{HOOK}(name, import_) to watch"
        else:
            ours = timed(theirs, self._imports)
            self._import = (ours, theirs)
            setattr(_frozen_importlib, HOOK, ours)


class Watched:
    """A part of the start that is being measured."""

    __slots__ = ("_begin_ns", "_name", "_parts")

    def __init__(self, name: str, parts: list[Part]) -> None:
        self._name = name
        self._parts = parts

    def __enter__(self) -> None:
        self._begin_ns = time.perf_counter_ns()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._parts.append((f"start/{self._name}", self._begin_ns, time.perf_counter_ns()))


def timed(load: Callable[..., Any], imports: list[Import]) -> Callable[..., Any]:
    """An import function that notes what takes 1 ms or more; nothing is shared between threads but the list."""

    def _find_and_load(name: str, import_: Callable[..., Any]) -> Any:
        begin_ns = time.perf_counter_ns()
        try:
            return load(name, import_)
        finally:
            end_ns = time.perf_counter_ns()
            if end_ns - begin_ns >= LEAST_NS:
                imports.append((name, begin_ns, end_ns, get_ident()))

    _find_and_load.__code__ = _find_and_load.__code__.replace(co_filename=IMPORT_SYSTEM)
    return _find_and_load


def started(now_ns: int) -> tuple[int | None, str]:
    """When this process was started, as perf_counter_ns, or why that is not known.

    The kernel tells it in clock ticks of 10 ms, rounded down, and counts them with the time that the machine
    was suspended: field 22 of proc_pid_stat(5). A process has not used more CPU time than has gone by since,
    which tells how much later than the tick it was at the least to be so: the latest moment that both allow is
    given. It is late by the time that the process waited until now, at most by a tick.

    Args:
        now_ns: The present.
    """
    try:
        with open(STAT, "rb") as file:  # noqa: PTH123  (pathlib would take longer than all the rest)
            ticks = procfs.started_ticks(file.read())
        suspended_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.perf_counter_ns()
    except OSError as error:
        return None, f"{STAT} or CLOCK_BOOTTIME: {error.strerror}"
    if ticks is None:
        return None, f"{STAT} does not tell it"
    tick_ns = NS_PER_S // os.sysconf("SC_CLK_TCK")
    earliest_ns = ticks * tick_ns - suspended_ns
    latest_ns = min(now_ns, earliest_ns + tick_ns)
    return min(latest_ns, max(earliest_ns, now_ns - time.process_time_ns())), ""


def _named(imports: list[Import], ends_ns: list[int]) -> list[Part]:
    """The imports as parts of the start."""
    found, last_ns = [], dict[int, int]()
    for name, begin_ns, end_ns, thread in sorted(imports, key=lambda each: each[1]):
        beside = any(end > begin_ns for other, end in last_ns.items() if other != thread)
        last_ns[thread] = max(end_ns, last_ns.get(thread, 0))
        if not any(begin_ns < at_ns < end_ns for at_ns in ends_ns):
            found.append((f"import {name}{BESIDE if beside else ''}", begin_ns, end_ns))
    return found


_here = Timeline()
watch = _here.watch
loaded = _here.loaded
part = _here.part
spans = _here.spans
stop = _here.stop
told = _here.told
unavailable = _here.unavailable
initialization = _here.initialization
os.register_at_fork(after_in_child=_here.forked)
