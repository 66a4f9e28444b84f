"""The profile as a JSON Schema: its fields, every metric with its unit, and what came with each version."""

from typing import Any

from core.contract.schema import DIALECT, Schema, component, referenced, schemas
from core.profiler.metrics import METRICS, SCOPES, Metric
from core.profiler.record import HISTORY, VERSION, Profile

NAME = "profile"

_KINDS = {"counter": "Its growth over the call", "gauge": "Its state when the call ends", "label": "True or absent"}
_NUMBER: Schema = {"type": "number"}
_LABEL: Schema = {"const": True}
# What the record's types cannot say.
_EXACT: dict[str, dict[str, Schema]] = {
    "Profile": {
        "version": {"minimum": 1},
        "instance_id": {"pattern": "^[0-9a-f]{32}$"},
        "invocation": {"minimum": 1},
        "started_at": {"format": "date-time"},
        "duration_ms": {"minimum": 0},
    },
    "Span": {"duration_ms": {"minimum": 0}},
    "Trace": {
        "trace_id": {"pattern": "^[0-9a-f]{32}$"},
        "span_id": {"pattern": "^[0-9a-f]{16}$"},
        "parent_id": {"pattern": "^[0-9a-f]{16}$"},
        "flags": {"pattern": "^[0-9a-f]{2}$"},
    },
}


def json_schema() -> Schema:
    """A JSON Schema (2020-12) of the profile; documents of every version so far are valid.

    What a newer version adds is allowed: fields and metrics that the schema does not name. Its own keywords are
    `x-history`, and `x-unit`, `x-kind` and `x-scope` of a metric.
    """
    (found,), components = schemas([Profile], "#/$defs/")
    for name, fields in _EXACT.items():
        for field, more in fields.items():
            components[name]["properties"][field] |= more
    profile = component(found, components)
    profile["properties"]["metrics"] |= _metrics()
    return {
        "$schema": DIALECT,
        "$id": f"urn:polyfaas:profile:{VERSION}",
        **profile,
        "title": f"Profile of a call, version {VERSION}",
        "x-history": {str(version): came for version, came in HISTORY.items()},
        "$defs": referenced(components, profile),
    }


def _metrics() -> dict[str, Any]:
    return {
        "properties": {metric.name: _metric(metric) for metric in METRICS},
        "additionalProperties": {"type": ["boolean", "number"]},
    }


def _metric(metric: Metric) -> Schema:
    note = f"; {metric.note}" if metric.note else ""
    return {
        **(_NUMBER if metric.unit else _LABEL),
        **({"minimum": 0} if metric.kind == "counter" else {}),
        "description": f"{metric.source}{note}. {_KINDS[metric.kind]}. Of {SCOPES[metric.scope]}.",
        "x-unit": metric.unit,
        "x-kind": metric.kind,
        "x-scope": metric.scope,
    }
