"""The kernel's files that a call reads, each opened once in the life of an instance."""

from __future__ import annotations

from _thread import RLock
from resource import RUSAGE_SELF, getrusage

from core.profiler import procfs
from core.profiler.files import ProcFile, ProcFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from core.profiler.cgroup import Cgroup

PAGE = 1 << 12
SMALL = 1 << 9


class Sources:
    """The files, and what is known about them in this process.

    Attributes:
        statm: /proc/self/statm.
        process: /proc/self/stat.
        status: /proc/self/status.
        io: /proc/self/io.
        network: /proc/self/net/dev, of this process's network namespace.
        stat: /proc/stat.
        vmstat: /proc/vmstat; its page faults may be on its second page.
        meminfo: /proc/meminfo.
        pressure: /proc/pressure/cpu, memory and io.
        peak_is_own: Whether the peak of getrusage(2) is this process's.
    """

    __slots__ = (
        "_cgroup",
        "_counting",
        "_lock",
        "_state",
        "io",
        "meminfo",
        "network",
        "peak_is_own",
        "pressure",
        "process",
        "stat",
        "statm",
        "status",
        "vmstat",
    )

    def __init__(self) -> None:
        self.statm = ProcFile("/proc/self/statm", SMALL)
        self.process = ProcFile("/proc/self/stat", SMALL * 2)
        self.status = ProcFile("/proc/self/status", PAGE)
        self.io = ProcFile("/proc/self/io", SMALL)
        self.network = ProcFile("/proc/self/net/dev", PAGE)
        # Hundreds of interrupts stand before the context switches, and the kernel cuts where a page ends.
        self.stat = ProcFile("/proc/stat", PAGE, until=b"\nprocesses ")
        self.vmstat = ProcFile("/proc/vmstat", PAGE, until=b"\npgmajfault ")
        self.meminfo = ProcFile("/proc/meminfo", PAGE)
        self.pressure = {name: ProcFile(f"/proc/pressure/{name}", SMALL) for name in ("cpu", "memory", "io")}
        self.peak_is_own = _peak_is_own(self.status)
        self._forget()

    def check(self) -> None:
        """Have the files opened anew if somebody has closed them, as programs do that close all descriptors."""
        if self.statm.lost():
            self.renew()

    def renew(self) -> None:
        """Have each file opened anew."""
        own = (self.statm, self.process, self.status, self.io)
        for file in (*own, self.network, self.stat, self.vmstat, self.meminfo, *self.pressure.values()):
            file.close()
        if self._cgroup is not None:
            self._cgroup.close()
        self.peak_is_own = _peak_is_own(self.status)
        self._forget()

    def _forget(self) -> None:
        self._lock = RLock()
        self._cgroup: Cgroup | None = None
        self._counting: ProcFiles | None = None
        self._state: ProcFiles | None = None

    @property
    def cgroup(self) -> Cgroup:
        """The files of this process's cgroup, looked for at the first use."""
        if self._cgroup is None:
            from core.profiler.cgroup import own

            with self._lock:  # two calls that are first at once would open its files twice
                if self._cgroup is None:
                    self._cgroup = own()
        return self._cgroup

    @property
    def counting(self) -> ProcFiles:
        """What is read before a call and after it: vmstat, stat, network, pressure, and what the cgroup counts."""
        if self._counting is None:
            files = (self.vmstat, self.stat, self.network, *self.pressure.values(), *self.cgroup.counting())
            self._counting = ProcFiles(files)
        return self._counting

    @property
    def state(self) -> ProcFiles:
        """What is read after a call alone: meminfo, /proc/self/stat, and the memory that the cgroup holds."""
        if self._state is None:
            self._state = ProcFiles((self.meminfo, self.process, *self.cgroup.holding()))
        return self._state


def _peak_is_own(status: ProcFile) -> bool:
    """Whether `ru_maxrss` is of this process: after fork and exec it begins at what the parent had resident."""
    peak_kib = procfs.number(status.read(), b"VmHWM:")
    return peak_kib is not None and getrusage(RUSAGE_SELF).ru_maxrss <= peak_kib
