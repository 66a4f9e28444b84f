"""Azure Functions here: Microsoft's Python worker library behind a stand-in for the Functions host."""

import sys
from pathlib import Path

from adapters.base import Launch
from adapters.lab.packages import installed
from adapters.lab.ports import free_port

SUBSTITUTE = (
    "the Functions host is stood in for by a small HTTP front in the worker's process, without gRPC and "
    "without keys; loading, bindings and invocation are Microsoft's worker library"
)
# It declares Python 3.13 and libraries that an HTTP function does not need.
WORKER = "--no-deps --ignore-requires-python azure-functions-runtime"
FUNCTION_APP = "from adapters.azure.entrypoint import app\n\n__all__ = ['app']\n"
HOST_JSON = '{"version": "2.0", "extensions": {"http": {"routePrefix": "api"}}}\n'


def launch(folder: Path) -> Launch:
    """How to start the worker library on a function app, which is written to `folder/app`."""
    port = free_port()
    worker = installed("azure-functions-runtime", "azure_functions_runtime", WORKER)
    library = installed("azure-functions", "azure.functions")
    app = folder / "app"
    app.mkdir(parents=True, exist_ok=True)
    (app / "function_app.py").write_text(FUNCTION_APP)
    (app / "host.json").write_text(HOST_JSON)
    return Launch(
        argv=(sys.executable, "-m", "adapters.azure.host", str(app), str(port)),
        environment={
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "WEBSITE_SITE_NAME": "polyfaas",
            "REGION_NAME": "West Europe",
        },
        port=port,
        about=f"{worker} with {library}",
        substitute=SUBSTITUTE,
    )
