"""Invokes the functions of our app in Microsoft's worker library: `python -m tests.azure_worker APP < invocations`.

Each line of standard input is an invocation: the function's name, the value of its trigger as the host sends it, and
the host's trigger metadata. Each line of standard output says "ok", or what the worker told the host.
The Functions host itself is stood in for, as it is in adapters/azure/host.py.
"""

import asyncio
import json
import sys
import uuid
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as worker

from adapters.azure.messages import PROTOS, ParameterBinding, TypedData

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def message(name: str, body: Any) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**{name: body}))


async def main(app: str) -> None:
    sys.path.insert(0, app)
    worker.start_threadpool_executor()
    init = SimpleNamespace(capabilities={}, function_app_directory=app)
    request = SimpleNamespace(
        request=SimpleNamespace(worker_init_request=init), properties={"protos": PROTOS, "host": "127.0.0.1"}
    )
    await worker.worker_init_request(request)
    found = await worker.functions_metadata_request(None)
    functions = {each.name: each for each in found.function_metadata_results}
    for function in functions.values():
        loaded = await worker.function_load_request(message("function_load_request", function))
        assert loaded.result.status == PROTOS.StatusResult.Success, loaded.result.exception
    for line in sys.stdin:
        print(await invoke(functions, json.loads(line)), flush=True)


async def invoke(functions: dict[str, Any], asked: dict[str, Any]) -> str:
    function = functions[asked["function"]]
    (trigger,) = (each for each in map(json.loads, function.raw_bindings) if each["type"].endswith("Trigger"))
    invocation = SimpleNamespace(
        invocation_id=str(uuid.uuid4()),
        function_id=function.function_id,
        input_data=[ParameterBinding(name=trigger["name"], data=TypedData(**asked["value"]))],
        trigger_metadata={name: TypedData(**value) for name, value in asked.get("metadata", {}).items()},
        trace_context=SimpleNamespace(trace_parent=TRACEPARENT, trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    response = await worker.invocation_request(message("invocation_request", invocation))
    if response.result.status == PROTOS.StatusResult.Success:
        return "ok"
    return str(response.result.exception.message).replace("\n", " ")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
