"""Service 5: a known amount of work, so that what a profile says can be held against the truth.

Whoever may call an endpoint may ask for this too, so it is bounded. A call uses at most 2 s of CPU time in each of 4
threads, 64 MiB of memory, 64 MiB of a file without a name in the temporary folder, or two processes of this Python, of
which one lives for 2 s and its start. All of it is given back before the answer. A request holds numbers only: no
file, host or program can be named, and nothing that was there before is read.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Literal

import msgspec

from core.errors import Fault, PolyfaasError, RequestError, StorageError
from core.profiler import procfs, span
from core.profiler.files import ProcFile
from core.service import Service

LONGEST_MS, LARGEST_MIB, MOST_THREADS = 2000, 64, 4
NS_PER_MS = 1_000_000
MIB = 1 << 20
KIB_PER_MIB = 1024
STATUS_BYTES = 1 << 14

Kind = Literal["idle", "burn", "sleep", "hold", "file", "child", "neighbour"]
Milliseconds = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_MS)]
Mebibytes = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_MIB)]
Threads = Annotated[int, msgspec.Meta(ge=1, le=MOST_THREADS)]

# What each kind takes, and what it is when left out.
TAKES: dict[Kind, dict[str, int]] = {
    "idle": {},
    "burn": {"ms": 50, "threads": 1},
    "sleep": {"ms": 50},
    "hold": {"mib": 32},
    "file": {"mib": 8},
    "child": {"ms": 50},
    "neighbour": {"ms": 100},
}

_STEP = "sum(range(1000))"  # some 10 microseconds
_BURN = f"""
import sys, time
while time.process_time_ns() < int(sys.argv[1]) * 10**6: {_STEP}
"""
_STARTER = """
import os, sys
os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", *sys.argv[1:]], os.environ)
"""
# The alarm ends it also where it gets no CPU time to see its own end.
_NEIGHBOUR = f"""
import os, signal, sys, time
signal.alarm(60)
print(os.getpid(), flush=True)
end_ns = time.perf_counter_ns() + int(sys.argv[1]) * 10**6
while time.perf_counter_ns() < end_ns: {_STEP}
print(time.process_time_ns(), flush=True)
"""


class ProbeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do, and how much of it.

    Attributes:
        kind: "idle" does nothing; "burn" uses `ms` of CPU time in each of `threads`; "sleep" waits for `ms`; "hold"
            touches `mib` of memory and gives it back; "file" writes `mib` to a temporary file and reads them again;
            "child" has a process use `ms` of CPU time, its start included, and waits for it; "neighbour" waits for
            `ms` beside a busy process that is no child of this one.
        ms: Milliseconds, 1 to 2000; 50 when left out, 100 of "neighbour".
        mib: MiB, 1 to 64; 32 of "hold" and 8 of "file" when left out.
        threads: 1 to 4, the calling one among them; 1 when left out.
    """

    kind: Kind
    ms: Milliseconds | None = None
    mib: Mebibytes | None = None
    threads: Threads | None = None


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was done.

    Attributes:
        truth: What the call itself did, by the metric of its profile that should say so. `thread_cpu_ms`,
            `process_cpu_ms`, `children_cpu_ms` and `vm_cpu_ms` stand for the sums of user and system (and nice)
            time, `duration_ms` for the profile's own. The wider metrics hold what others did meanwhile besides.
        neighbour_cpu_ms: What the neighbour used in its life; null without one.
    """

    truth: dict[str, float]
    neighbour_cpu_ms: float | None = None


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe did besides using this thread's CPU time.

    Attributes:
        elsewhere_ns: CPU time of other threads.
        children_ms: CPU time of children, from their start to their end.
        truth: Other metrics.
        neighbour_cpu_ms: CPU time of the neighbour.
    """

    elsewhere_ns: int = 0
    children_ms: float = 0.0
    truth: dict[str, float] = {}
    neighbour_cpu_ms: float | None = None


def run(request: ProbeRequest) -> ProbeResult:
    """Do a known amount of work, and say how much it was: what the call's profile says can be held against it.

    Raises:
        RequestError: Something is given that this kind does not take.
        StorageError: The temporary folder takes no file of this size.
    """
    amounts = _amounts(request)
    begin_ns = time.thread_time_ns()
    work = _PROBES[request.kind](*amounts)
    here_ms = (time.thread_time_ns() - begin_ns) / NS_PER_MS
    process_ms = here_ms + work.elsewhere_ns / NS_PER_MS
    all_ms = process_ms + work.children_ms
    cpu = {"thread_cpu_ms": here_ms, "process_cpu_ms": process_ms, "children_cpu_ms": work.children_ms}
    truth = {"cpu_ms": all_ms, **cpu, "cgroup_cpu_ms": all_ms, "vm_cpu_ms": all_ms, **work.truth}
    return ProbeResult(truth=truth, neighbour_cpu_ms=work.neighbour_cpu_ms)


def _amounts(request: ProbeRequest) -> list[int]:
    takes = TAKES[request.kind]
    given = {name: getattr(request, name) for name in ("ms", "mib", "threads")}
    for name, value in given.items():
        if value is not None and name not in takes:
            detail = f'"{request.kind}" takes {" and ".join(takes) or "nothing else"}: leave out "{name}"'
            raise RequestError(
                f"the request to probe is wrong at $.{name}: {detail}", [Fault(path=f"$.{name}", detail=detail)]
            )
    return [given[name] or default for name, default in takes.items()]


def _burn(ms: int, threads: int) -> Work:
    from contextvars import copy_context
    from threading import Thread

    used_ns: list[int] = []

    def beside() -> None:
        with span("burn"):  # that makes it the call's own, also where calls overlap
            used_ns.append(_use(ms))

    others = [Thread(target=copy_context().run, args=(beside,)) for _ in range(threads - 1)]
    for other in others:
        other.start()
    _use(ms)
    for other in others:
        other.join()
    return Work(elsewhere_ns=sum(used_ns))


def _use(ms: int) -> int:
    """Use CPU time in this thread; gives how much it has used in its life, in ns: its start is the call's work too."""
    end_ns = time.thread_time_ns() + ms * NS_PER_MS
    while (now_ns := time.thread_time_ns()) < end_ns:
        sum(range(1000))
    return now_ns


def _sleep(ms: int) -> Work:
    begin_ns = time.perf_counter_ns()
    time.sleep(ms / 1000)
    return Work(truth={"duration_ms": (time.perf_counter_ns() - begin_ns) / NS_PER_MS})


def _hold(mib: int) -> Work:
    import mmap

    peak_mib, resident_mib = _memory_mib()
    with mmap.mmap(-1, mib * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        with suppress(OSError):  # a kernel without huge pages knows no such advice, and needs none
            memory.madvise(mmap.MADV_NOHUGEPAGE)  # each page is then one fault
        pages = range(0, mib * MIB, mmap.PAGESIZE)
        for page in pages:
            memory[page] = 1
    truth = {"page_faults_minor": float(len(pages)), "rss_growth_mib": 0.0, "heap_growth_mib": 0.0}
    if peak_mib is not None and resident_mib is not None:
        truth["peak_rss_mib"] = max(peak_mib, resident_mib + mib)
    return Work(truth=truth)


def _memory_mib() -> tuple[float | None, float | None]:
    """The most that was resident so far, and what is; None where the kernel does not say."""
    file = ProcFile("/proc/self/status", STATUS_BYTES)
    status = file.read()
    file.close()
    peak, resident = (procfs.number(status, label) for label in (b"VmHWM:", b"VmRSS:"))
    return peak and peak / KIB_PER_MIB, resident and resident / KIB_PER_MIB


def _file(mib: int) -> Work:
    import tempfile

    try:
        # It has no name, so that nothing can leave it behind.
        with tempfile.TemporaryFile(buffering=0) as file:
            return Work(truth=_through(file.fileno(), mib))
    except OSError as error:
        detail = f"the temporary folder takes no file of {mib} MiB ({error}): ask for less, or set TMPDIR to another"
        raise StorageError(detail) from error


def _through(file: int, mib: int) -> dict[str, float]:
    """Write to a file and read it again, from below the page cache; gives what that is in metrics."""
    block = os.urandom(MIB)  # so that nothing below can make it smaller
    for _ in range(mib):
        _whole(os.write(file, block))
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    for at in range(mib):
        _whole(len(os.pread(file, MIB, at * MIB)))
    size = float(mib * MIB)
    truth = {"syscall_read_bytes": size, "syscall_write_bytes": size}
    # A file system without a device may lie in memory, or on a disk: what reached it is not known.
    on_disk = os.major(os.fstat(file).st_dev) != 0
    return truth | ({"disk_read_bytes": size, "disk_write_bytes": size} if on_disk else {})


def _whole(count: int) -> None:
    if count != MIB:
        raise OSError(f"only {count} of {MIB} bytes went through")


def _child(ms: int) -> Work:
    with _processes():
        return Work(children_ms=_ended(_spawned(_BURN, str(ms))))


def _neighbour(ms: int) -> Work:
    with _processes():
        reading, writing = os.pipe()
        with os.fdopen(reading) as told:
            try:
                # Its parent ends at once, so that it is nobody's child here.
                starter = _spawned(_STARTER, _NEIGHBOUR, str(ms), writes_to=writing)
            finally:
                os.close(writing)
            children_ms = _ended(starter)
            neighbour = told.readline()
            time.sleep(ms / 1000)
            used_ns = told.read()
        if not used_ns:
            raise ChildProcessError("the neighbour ended too early")
        return Work(children_ms=children_ms + _adopted(int(neighbour)), neighbour_cpu_ms=int(used_ns) / NS_PER_MS)


@contextmanager
def _processes() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PolyfaasError(f"no process can be started and waited for here ({error}): use the other probes") from error


def _spawned(*arguments: str, writes_to: int | None = None) -> int:
    """The process of a Python program; there is no fork, which other threads would make dangerous."""
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    if writes_to is not None:
        actions.append((os.POSIX_SPAWN_DUP2, writes_to, 1))
    python = sys.executable or ""
    return os.posix_spawn(python, [python, "-I", "-S", "-c", *arguments], os.environ, file_actions=actions)


def _ended(process: int) -> float:
    """Wait for a child; gives the CPU time of its life, in ms."""
    _, _, usage = os.wait4(process, 0)
    return (usage.ru_utime + usage.ru_stime) * 1000


def _adopted(process: int) -> float:
    """The CPU time of a neighbour that became a child: the first process of a container inherits all orphans."""
    try:
        return _ended(process)
    except ChildProcessError:
        return 0.0


_PROBES: dict[Kind, Callable[..., Work]] = {
    "idle": Work,
    "burn": _burn,
    "sleep": _sleep,
    "hold": _hold,
    "file": _file,
    "child": _child,
    "neighbour": _neighbour,
}

SERVICE = Service(name="probe", request=ProbeRequest, run=run)
