"""Which metrics cannot be measured here, and why."""

from __future__ import annotations

from core.profiler import growth, procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.profiler.files import ProcFile
    from core.profiler.growth import Metrics
    from core.profiler.sample import Sample, Wide
    from core.profiler.sources import Sources


def unavailable(sources: Sources, metrics: Metrics, ended: Sample, wide: Wide) -> dict[str, str]:
    """The reason for each metric that this platform lacks, by name.

    Args:
        sources: The files, which a call has read.
        metrics: What it gave.
        ended: Its reading of the process after it.
        wide: Its reading of what lies beyond after it.
    """
    # A counter may have fallen in this very call; between a reading and itself none does.
    counted = procfs.io_counts(ended.io)
    told = {name for name, key in growth.io_names(ended.process).items() if key in counted}
    told |= {*metrics, *growth.process(ended, ended), *growth.beyond(wide, wide)}
    reasons = dict.fromkeys(growth.EVENTS, "getrusage(2) does not count it here") | sources.cgroup.missing()
    for file, names in _files(sources):
        reasons |= dict.fromkeys(names, file.reason or f"{file.path} does not count it")
    return {name: reason for name, reason in reasons.items() if name not in told}


def _files(sources: Sources) -> Iterable[tuple[ProcFile, Iterable[str]]]:
    yield sources.statm, ("rss_mib", "rss_growth_mib", "heap_growth_mib")
    yield sources.status, ("peak_rss_mib",)
    yield sources.process, ("threads",)
    yield sources.io, growth.IO
    yield sources.network, ("net_received_bytes", "net_sent_bytes")
    yield sources.stat, (*(f"vm_cpu_{state}_ms" for state in procfs.CPU_STATES), growth.SWITCHES)
    yield sources.vmstat, growth.FAULTS
    yield sources.meminfo, growth.MEMINFO
    for name, file in sources.pressure.items():
        yield file, (f"vm_pressure_{name}_ms",)
