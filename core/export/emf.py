"""The profile as one line of CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.export import exporters, line
from core.export.record import Finished
from core.profiler.metrics import METRICS

NAMESPACE = "polyfaas"
VARIABLE = "POLYFAAS_EMF_METRICS"
ALL = "all"
# Each metric is billed for each combination of dimensions: these few, unless others are asked for.
CHOSEN = ("duration_ms", "invocations", "cold_starts", "errors", "cpu_ms", "peak_rss_bytes", "cgroup_throttled_ms")
LIMIT = 100

_MIB = 1 << 20
# CloudWatch has no MiB, and its megabyte is not said to be one: bytes are exact.
_UNITS = {
    "ms": ("Milliseconds", 1),
    "MiB": ("Bytes", _MIB),
    "byte": ("Bytes", 1),
    "vCPU": ("None", 1),
    "1": ("Count", 1),
}
_OWN = {"duration_ms": "Milliseconds", "invocations": "Count", "cold_starts": "Count", "errors": "Count"}


def _renamed(name: str, unit: str) -> str:
    return f"{name.removesuffix('_mib')}_bytes" if unit == "MiB" else name


# Name in a profile: name and unit in CloudWatch, and how many of its unit make one of ours. Labels are no numbers.
_SPELLED = {each.name: (_renamed(each.name, each.unit), *_UNITS[each.unit]) for each in METRICS if each.unit}
UNITS = _OWN | {name: unit for name, unit, _ in _SPELLED.values()}


def send(finished: Finished) -> None:
    """Write the call as one line.

    Raises:
        ExportError: Standard output takes no more.
    """
    line.write(document(finished, _chosen(os.environ.get(VARIABLE))))


def document(finished: Finished, chosen: tuple[str, ...] = CHOSEN) -> dict[str, Any]:
    """The line: what is chosen becomes metrics, the rest stays beside it to be searched.

    Args:
        finished: The call.
        chosen: Names of metrics, as CloudWatch gets them.
    """
    values, dimensions = _values(finished), _dimensions(finished)
    names = [name for name in chosen if name in values]
    directives = [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in names[first : first + LIMIT]],
        }
        for first in range(0, len(names), LIMIT)
    ]
    started_ms = int(datetime.fromisoformat(finished.profile.started_at).timestamp() * 1000)
    about = {"Timestamp": started_ms, "CloudWatchMetrics": directives}
    return {"_aws": about, **dimensions, **_properties(finished), **values}


def _values(finished: Finished) -> dict[str, float]:
    profile = finished.profile
    own = {
        "duration_ms": profile.duration_ms,
        "invocations": 1,
        "cold_starts": int(profile.cold),
        "errors": int(profile.error is not None),
    }
    spelled = {_SPELLED[name]: value for name, value in profile.metrics.items() if name in _SPELLED}
    # Whole bytes: a profile's MiB have been rounded already.
    return own | {name: value if factor == 1 else round(value * factor) for (name, _, factor), value in spelled.items()}


def _dimensions(finished: Finished) -> dict[str, str]:
    """A dimension's value is a text, and not an empty one."""
    told = {"function": finished.context.function, "service": finished.service}
    cold = "true" if finished.profile.cold else "false"
    return {**{name: value for name, value in told.items() if value}, "cold": cold}


def _properties(finished: Finished) -> Mapping[str, Any]:
    """What CloudWatch Logs Insights can search."""
    profile = finished.profile
    told = {
        "status": finished.status,
        "request_id": finished.context.request_id,
        "instance_id": profile.instance_id,
        "invocation": profile.invocation,
        "trace_id": finished.trace.trace_id,
        "span_id": finished.trace.span_id,
        "error": profile.error,
        "phase": profile.phase,
        **{name: value for name, value in profile.metrics.items() if name not in _SPELLED},
    }
    return {name: value for name, value in told.items() if value is not None}


def _chosen(listed: str | None) -> tuple[str, ...]:
    """What POLYFAAS_EMF_METRICS asks for; a name that is no metric's is told once in the log."""
    if not listed:
        return CHOSEN
    if listed.strip() == ALL:
        return tuple(UNITS)
    names = [name.strip() for name in listed.split(",") if name.strip()]
    for name in names:
        if name not in UNITS:
            exporters.tell(
                name, f"{VARIABLE} names {name!r}, which is no metric: docs/export.md says how they are named"
            )
    return tuple(dict.fromkeys(name for name in names if name in UNITS))
