"""The figures that a probe tells the truth about, where a profile has them, and how near is right."""

from collections.abc import Mapping

import msgspec

from core.profiler import Profile
from core.profiler.metrics import METRICS

_BY_NAME = {metric.name: metric for metric in METRICS}
_DURATION = "duration_ms"
# What a neighbour's work is in, too; in a container the cgroup is the container's alone.
_WIDE = frozenset({"cgroup", "vm"})


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number.

    Attributes:
        name: As the probe's truth calls it.
        parts: The metrics of which it is the sum; none for the profile's own duration.
        within: How far from the truth it may be, in its unit.
        share: How much of the truth it may be off besides.
        why: What the two are for.
    """

    name: str
    parts: tuple[str, ...]
    within: float
    share: float = 0.0
    why: str

    @property
    def unit(self) -> str:
        """Of its value."""
        return _BY_NAME[self.parts[0]].unit if self.parts else "ms"

    @property
    def scope(self) -> str:
        """Whose it is."""
        return _BY_NAME[self.parts[0]].scope if self.parts else "call"

    @property
    def is_wide(self) -> bool:
        """What others do is in it."""
        return self.scope in _WIDE

    @property
    def is_own_cpu(self) -> bool:
        """It is CPU time, and nobody else's: what may not be wrong."""
        return self.name.endswith("cpu_ms") and not self.is_wide

    def tolerance(self, truth: float) -> float:
        """How far from this truth is right."""
        return self.within + self.share * abs(truth)

    def measured(self, profile: Profile) -> float | None:
        """What a profile says; None where it does not tell all of it."""
        if self.name == _DURATION:
            return profile.duration_ms
        found = [profile.metrics[name] for name in self.parts if name in profile.metrics]
        return float(sum(found)) if len(found) == len(self.parts) else None

    def missing(self, reasons: Mapping[str, str]) -> str:
        """Why a profile does not tell it, from its reasons by metric."""
        return next((reasons[name] for name in self.parts if name in reasons), "the profile does not say it, nor why")


def _cpu(scope: str, *states: str) -> tuple[str, ...]:
    return tuple(f"{scope}_cpu_{state}_ms" for state in states or ("user", "system"))


_AROUND = "reading and answering the request, which every call does, is in it and no part of the truth; idle shows it"
_ROUNDED = "the kernel counts whole pages, and Python's own memory comes and goes"

FIGURES = {
    figure.name: figure
    for figure in (
        Figure(name="cpu_ms", parts=("cpu_ms",), within=1, share=0.02, why=_AROUND),
        Figure(name="thread_cpu_ms", parts=_cpu("thread"), within=1, share=0.02, why=_AROUND),
        Figure(
            *(),
            name="process_cpu_ms",
            parts=_cpu("process"),
            within=1,
            share=0.02,
            why=f"{_AROUND}; so is what the runtime's other threads do",
        ),
        Figure(
            name="children_cpu_ms",
            parts=_cpu("children"),
            within=0.5,
            share=0.01,
            why="exact: the kernel adds a child's time up when it is waited for",
        ),
        Figure(
            name="cgroup_cpu_ms",
            parts=("cgroup_cpu_ms",),
            within=10,
            share=0.02,
            why="a running task is counted up to its last scheduler tick, mostly 4 or 10 ms",
        ),
        Figure(
            name="vm_cpu_ms",
            parts=_cpu("vm", "user", "nice", "system"),
            within=20,
            share=0.05,
            why="whole clock ticks, mostly 10 ms: one may be missing or too many on each of two processors",
        ),
        Figure(
            name=_DURATION,
            parts=(),
            within=5,
            share=0.02,
            why="wall time: whoever else wants the processor makes it longer",
        ),
        Figure(name="peak_rss_mib", parts=("peak_rss_mib",), within=2, share=0.01, why=_ROUNDED),
        Figure(name="rss_growth_mib", parts=("rss_growth_mib",), within=2, why=_ROUNDED),
        Figure(
            name="page_faults_minor",
            parts=("page_faults_minor",),
            within=300,
            share=0.02,
            why="one a page; the call's other work touches new pages too",
        ),
        *(
            Figure(
                name=f"syscall_{way}_bytes",
                parts=(f"syscall_{way}_bytes",),
                within=65_536,
                why="the request and the answer are read and written too",
            )
            for way in ("read", "write")
        ),
        *(
            Figure(
                name=f"disk_{way}_bytes",
                parts=(f"disk_{way}_bytes",),
                within=262_144,
                share=0.02,
                why="the file system's own blocks are read and written too",
            )
            for way in ("read", "write")
        ),
    )
}
