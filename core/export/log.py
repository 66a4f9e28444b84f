"""The profile as a structured log line, with the trace where each provider's log looks for it."""

import os
from collections.abc import Callable
from typing import Any

from core.export import line
from core.export.record import Finished
from core.profiler.record import Trace

_SAMPLED = 1
_SERVER_ERROR = 500
_CLIENT_ERROR = 400


def send(finished: Finished) -> None:
    """Write the call as one line.

    Raises:
        ExportError: Standard output takes no more.
    """
    line.write(document(finished))


def document(finished: Finished) -> dict[str, Any]:
    """The line: severity, message, timestamp, the trace, and the whole profile."""
    profile, context, trace = finished.profile, finished.context, finished.trace
    severity = _severity(finished.status)
    named = _TRACES.get(context.platform)
    return {
        "severity": severity,
        "message": _message(finished),
        "timestamp": profile.started_at,
        # As OpenTelemetry's "Trace Context in non-OTLP Log Formats" names them.
        "trace_id": trace.trace_id,
        "span_id": trace.span_id,
        "trace_flags": trace.flags,
        **(named(trace, severity) if named else {}),
        "service": finished.service,
        "status": finished.status,
        "context": context,
        "profile": profile,
    }


def _severity(status: int) -> str:
    """As Google's LogSeverity names it."""
    if status >= _SERVER_ERROR:
        return "ERROR"
    return "WARNING" if status >= _CLIENT_ERROR else "INFO"


def _message(finished: Finished) -> str:
    profile = finished.profile
    said = f"{finished.service or 'no service'} answered {finished.status} in {profile.duration_ms:.1f} ms"
    if profile.error is None:
        return said
    return f"{said}: {profile.error} in {profile.phase}" if profile.phase else f"{said}: {profile.error}"


def _google(trace: Trace, _: str) -> dict[str, Any]:
    """https://cloud.google.com/logging/docs/structured-logging#special-payload-fields."""
    project = os.environ.get("GOOGLE_CLOUD_PROJECT")
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{trace.trace_id}" if project else trace.trace_id,
        "logging.googleapis.com/spanId": trace.span_id,
        "logging.googleapis.com/trace_sampled": bool(int(trace.flags, 16) & _SAMPLED),
    }


def _aws(trace: Trace, severity: str) -> dict[str, Any]:
    """Lambda filters JSON lines by `level`; X-Ray spells a W3C trace id in three parts."""
    level = "WARN" if severity == "WARNING" else severity
    return {"level": level, "xray_trace_id": f"1-{trace.trace_id[:8]}-{trace.trace_id[8:]}"}


def _azure(trace: Trace, _: str) -> dict[str, Any]:
    """Application Insights' names of the two (azure-monitor/app/data-model-complete)."""
    return {"operation_Id": trace.trace_id, "operation_ParentId": trace.span_id}


# By `Context.platform`.
_TRACES: dict[str, Callable[[Trace, str], dict[str, Any]]] = {
    "Google Cloud Functions": _google,
    "AWS Lambda": _aws,
    "Azure Functions": _azure,
}
