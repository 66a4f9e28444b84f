"""This instance: the one process that answers calls, from its start to its end.

Module state is meant here: the instance IS the process. A forked child is an instance of its own.
"""

from __future__ import annotations

import gc
import os
import time
from _thread import RLock, get_native_id

from core.profiler.flights import Flight
from core.profiler.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from core.profiler.meter import Scope

# "process" leaves out what lies beyond the process: its cgroup, network and VM.
VARIABLE = "POLYFAAS_PROFILE"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Instance:
    """The identity of a process and the calls that it answers.

    Attributes:
        id: Random, 32 hexadecimal digits; no file is asked, so two processes never share one.
        pid: Number of the process.
        boot_id: The kernel's id of this boot of the machine, None where it does not tell (gVisor).
        started_ns: Wall clock at the start, in ns since the epoch; a label only.
        sources: The files of the kernel.
        scope: How far a call's readings go unless it says so itself.
        unavailable: Why a metric cannot be read here, by name; filled in by the first call that goes as far.
        gc_ns: Time that Python's garbage collector has taken since the start.
        gc_collections: How often it ran.
    """

    __slots__ = (
        "_flights",
        "_gc_began_ns",
        "_invocations",
        "_lock",
        "_snapshot_age_ms",
        "boot_id",
        "gc_collections",
        "gc_ns",
        "id",
        "pid",
        "scope",
        "sources",
        "started_ns",
        "unavailable",
    )

    def __init__(self) -> None:
        self.sources = Sources()
        self.scope = _scope()
        self.boot_id = _boot_id()
        self.renew()

    def renew(self) -> None:
        """Become a new instance that has answered no call: what a fork makes of the child."""
        self.pid = os.getpid()
        self.gc_ns = self.gc_collections = self._gc_began_ns = 0
        # Entered again by the same thread where a signal's handler or a finalizer makes a call.
        self._lock = RLock()
        self._anew(None)
        self._flights: set[Flight] = set()
        # "self" was resolved when a file was opened: a child would go on reading its parent's.
        self.sources.renew()

    def restored(self, snapshot_age_ms: float) -> None:
        """Become a new instance, and say so: the snapshot may have been restored elsewhere too, under the same id.

        Calls under way go on as they were, since a clock that was set looks as a restore does.
        """
        with self._lock:
            self._anew(snapshot_age_ms)
            if not self._flights:
                self.sources.renew()

    def _anew(self, snapshot_age_ms: float | None) -> None:
        self.id = os.urandom(16).hex()
        self.started_ns = time.time_ns()
        self.unavailable: dict[str, str] | None = None
        self._invocations = 0
        self._snapshot_age_ms = snapshot_age_ms

    def begin(self, thread: int | None = None, *, stepped: bool = False) -> Flight:
        """Count a call in.

        Args:
            thread: The kernel's number of the thread that it runs in; this one when left out.
            stepped: Its CPU time is taken step by step.
        """
        with self._lock:
            self._invocations += 1
            here = get_native_id() if thread is None else thread
            flight = Flight(self._invocations, here, stepped, self._snapshot_age_ms)
            self._snapshot_age_ms = None
            if self._flights:
                for other in tuple(self._flights):
                    flight.meets(other)
            self._flights.add(flight)
            return flight

    def end(self, flight: Flight) -> None:
        """Count a call out."""
        with self._lock:
            flights = self._flights
            if flight in flights:
                flights.discard(flight)
                for other in tuple(flights) if flights else ():
                    flight.parts(other)

    def collected(self, phase: str, _: object) -> None:
        """What the garbage collector calls at the begin and the end of each collection."""
        if phase == "start":
            self._gc_began_ns = time.perf_counter_ns()
        elif self._gc_began_ns:
            self.gc_ns += time.perf_counter_ns() - self._gc_began_ns
            self.gc_collections += 1
            self._gc_began_ns = 0


def _scope() -> Scope:
    value = os.environ.get(VARIABLE) or "vm"
    if value == "process":
        return "process"
    if value != "vm":
        import logging  # only a mistake has to pay for it

        message = f"{VARIABLE} is {value!r}: use process or vm; all scopes are read"
        logging.getLogger("polyfaas.core").warning(message)
    return "vm"


def _boot_id() -> str | None:
    try:
        with open(BOOT_ID, "rb") as file:  # noqa: PTH123  (pathlib would be half of the import)
            return file.read().strip().decode() or None
    except (OSError, UnicodeDecodeError):
        return None


instance = Instance()
gc.callbacks.append(instance.collected)
os.register_at_fork(after_in_child=instance.renew)
