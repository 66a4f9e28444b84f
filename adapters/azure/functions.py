"""The functions of an app besides the HTTP one, in the v2 programming model.

A function that raises is run again by the host, which then keeps the message as a poison message (queue, blob) or dead
letter (Event Grid), or waits for the next time (timer).
"""

import os
from functools import partial

import azure.functions as func

from adapters.azure import events, triggers
from adapters.triggers import Call, Start, message, on_timer, run
from core.runtime import handle

CONNECTION = "POLYFAAS_CONNECTION"
STORAGE = "AzureWebJobsStorage"


def register(app: func.FunctionApp, names: tuple[str, ...]) -> None:
    """Add the functions of these names to an app.

    Raises:
        DeploymentError: A setting that one of them needs is missing.
    """
    for name, add in ADDED.items():
        if name in names:
            add(app)


def _run(start: Start, context: func.Context) -> None:
    here = events.context(os.environ, context.invocation_id)
    call: Call = partial(handle, context=here)
    run(start, call, os.environ)


def _traceparent(context: func.Context) -> str | None:
    return context.trace_context.trace_parent or None


def on_queue(msg: func.QueueMessage, context: func.Context) -> None:
    """Run the request that a message is."""
    _run(lambda: message(msg.get_body(), _traceparent(context)), context)


def on_blob(blob: func.InputStream, context: func.Context) -> None:
    """Run what a new blob starts; its content, which the host has sent along, is not looked at."""
    _run(lambda: triggers.blob(blob.name, blob.uri, os.environ), context)


def on_schedule(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001  (the binding's name)
    """Run the request that the environment names."""
    _run(lambda: on_timer(os.environ), context)


def on_event_grid(event: func.EventGridEvent, context: func.Context) -> None:
    """Run what an event starts, in Event Grid's schema or as a CloudEvent."""
    said = events.grid_event(event)
    said["traceparent"] = said["traceparent"] or _traceparent(context)
    _run(lambda: triggers.event_grid(said, os.environ), context)


def _queue(app: func.FunctionApp) -> None:
    name = triggers.setting(os.environ, "POLYFAAS_QUEUE", "requests")
    app.queue_trigger(arg_name="msg", queue_name=name, connection=os.environ.get(CONNECTION, STORAGE))(on_queue)


def _blob(app: func.FunctionApp) -> None:
    path = triggers.setting(os.environ, "POLYFAAS_BLOB_PATH", "in/{name}")
    app.blob_trigger(arg_name="blob", path=path, connection=os.environ.get(CONNECTION, STORAGE))(on_blob)


def _timer(app: func.FunctionApp) -> None:
    schedule = triggers.setting(os.environ, "POLYFAAS_SCHEDULE", "0 0 3 * * *")
    app.timer_trigger(arg_name="timer", schedule=schedule)(on_schedule)


def _event_grid(app: func.FunctionApp) -> None:
    app.event_grid_trigger(arg_name="event")(on_event_grid)


ADDED = {"queue": _queue, "blob": _blob, "timer": _timer, "event-grid": _event_grid}
