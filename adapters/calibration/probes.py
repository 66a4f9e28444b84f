"""What is asked of a runtime, and which figures it is about."""

import msgspec

from core.message import Request

SERVICE = "probe"
NOTHING = "idle"

_CPU = ("cpu_ms", "thread_cpu_ms", "process_cpu_ms")
_WIDE = ("cgroup_cpu_ms", "vm_cpu_ms")


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One probe.

    Attributes:
        name: In a few words.
        parameters: Of the service `probe`.
        figures: What it is about; `adapters.calibration.figures` has them.
    """

    name: str
    parameters: dict[str, str | int]
    figures: tuple[str, ...]

    def request(self) -> Request:
        """The request to send."""
        body = msgspec.json.encode(self.parameters)
        return Request(path=f"/{SERVICE}", headers={"content-type": "application/json"}, body=body)


def _probe(name: str, figures: tuple[str, ...], kind: str, **amounts: int) -> Probe:
    return Probe(name=name, parameters={"kind": kind, **amounts}, figures=figures)


# Half a second for all of them. A scheduler tick is mostly 4 or 10 ms: what is asked for is several of them.
PROBES = (
    _probe(NOTHING, _CPU, "idle"),
    _probe("burn 50 ms", (*_CPU, *_WIDE), "burn", ms=50),
    _probe("burn 2 x 50 ms", (*_CPU, *_WIDE), "burn", ms=50, threads=2),
    _probe("sleep 50 ms", (*_CPU, "duration_ms"), "sleep", ms=50),
    _probe("hold 32 MiB", ("peak_rss_mib", "rss_growth_mib", "page_faults_minor"), "hold", mib=32),
    _probe(
        *("file of 8 MiB", ("syscall_write_bytes", "syscall_read_bytes", "disk_write_bytes", "disk_read_bytes")),
        *("file",),
        mib=8,
    ),
    _probe("child 50 ms", ("cpu_ms", "process_cpu_ms", "children_cpu_ms"), "child", ms=50),
    _probe("neighbour", (*_CPU, "children_cpu_ms", *_WIDE), "neighbour", ms=100),
)
