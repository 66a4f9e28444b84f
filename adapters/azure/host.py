"""A stand-in for the Functions host: `python -m adapters.azure.host APP PORT`.

Microsoft's worker library does the loading, the bindings and the invocation, called with the host's own
messages in their own order (init, metadata, load, invocation). The stand-in is the HTTP side: routes below
host.json's prefix, one invocation per request, 500 with no body when the function raised. There is no gRPC
and there are no keys.
"""

import asyncio
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as worker
import msgspec

from adapters.azure.messages import PROTOS, ParameterBinding, TypedData
from adapters.lab.front import serve
from core.message import Request, Response

Ask = Callable[[Coroutine[Any, Any, Any]], Any]


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """The one HTTP function of an app, as the worker indexed it.

    Attributes:
        id: The worker's id of it.
        parameter: Name of its trigger's parameter.
        catch_all: Name of the route's catch-all parameter.
        prefix: Route prefix, such as "/api".
    """

    id: str
    parameter: str
    catch_all: str
    prefix: str


def main(app: Path, port: int) -> None:
    """Load the app and serve it, until the process is ended."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def ask(message: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(message, loop).result()

    function = load(app, ask)
    serve(port, lambda request: answer(function, request, ask))


def load(app: Path, ask: Ask) -> Function:
    """Have the worker index and load the app's function.

    Raises:
        RuntimeError: The worker refused; the message is the worker's.
    """
    sys.path.insert(0, str(app))
    worker.start_threadpool_executor()
    init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
    request = SimpleNamespace(
        request=SimpleNamespace(worker_init_request=init), properties={"protos": PROTOS, "host": "127.0.0.1"}
    )
    _check(ask(worker.worker_init_request(request)))
    (metadata,) = _check(ask(worker.functions_metadata_request(None))).function_metadata_results
    _check(ask(worker.function_load_request(_message("function_load_request", metadata))))
    prefix = _prefix(app)
    bindings = [msgspec.json.decode(binding) for binding in metadata.raw_bindings]
    (trigger,) = (binding for binding in bindings if binding["type"] == "httpTrigger")
    return Function(
        id=metadata.function_id,
        parameter=trigger["name"],
        catch_all=trigger["route"].strip("{*}"),
        prefix=prefix,
    )


def _message(name: str, body: Any) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**{name: body}))


def _check(response: Any) -> Any:
    if response.result.status != PROTOS.StatusResult.Success:
        exception = response.result.exception
        raise RuntimeError(f"{exception.message}\n{exception.stack_trace}")
    return response


def _prefix(app: Path) -> str:
    host = msgspec.json.decode((app / "host.json").read_bytes())
    prefix = host.get("extensions", {}).get("http", {}).get("routePrefix", "api")
    return f"/{prefix}" if prefix else ""


def answer(function: Function, request: Request, ask: Ask) -> Response:
    """What the host answers to an HTTP request."""
    if not f"{request.path}/".startswith(f"{function.prefix}/"):
        return Response(status=404, headers={}, body=b"")
    path = request.path.removeprefix(function.prefix)
    response = ask(worker.invocation_request(_invocation(function, request, path)))
    if response.result.status != PROTOS.StatusResult.Success:
        sys.stderr.write(response.result.exception.stack_trace)
        return Response(status=500, headers={}, body=b"")
    http = response.return_value.http
    return Response(status=int(http.status_code), headers=http.headers, body=http.body.bytes)


def _invocation(function: Function, request: Request, path: str) -> SimpleNamespace:
    http = SimpleNamespace(
        method=request.method,
        url=f"http://127.0.0.1{request.path}",
        headers=request.headers,
        params={function.catch_all: path.lstrip("/")},
        query=request.query,
        body=TypedData(bytes=request.body),
    )
    invocation = SimpleNamespace(
        invocation_id=str(uuid.uuid4()),
        function_id=function.id,
        input_data=[ParameterBinding(name=function.parameter, data=TypedData(http=http))],
        trigger_metadata={},
        trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    return _message("invocation_request", invocation)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
