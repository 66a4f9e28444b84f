"""Google Cloud Functions here: Google's functions-framework under gunicorn, as in production."""

import sys
from pathlib import Path

from adapters.base import Launch
from adapters.lab.packages import installed
from adapters.lab.ports import free_port

# One instance is one gunicorn worker with this many threads: the framework's own default on 2 CPUs.
THREADS = 8


def launch(folder: Path) -> Launch:  # noqa: ARG001  (the port of every provider)
    """How to start functions-framework with the function in it."""
    port = free_port()
    framework = installed("functions-framework", "functions_framework")
    gunicorn = installed("gunicorn", "gunicorn")
    return Launch(
        argv=(
            *(sys.executable, "-m", "functions_framework", "--target", "main", "--signature-type", "http"),
            *("--source", str(Path(__file__).with_name("entrypoint.py"))),
            *("--host", "127.0.0.1", "--port", str(port)),
        ),
        environment=_environment(port),
        port=port,
        about=f"{framework} under {gunicorn} (1 worker, {THREADS} threads)",
    )


def _environment(port: int) -> dict[str, str]:
    return {
        "K_SERVICE": "polyfaas",
        "K_REVISION": "polyfaas-1",
        "K_CONFIGURATION": "polyfaas",
        "FUNCTION_TARGET": "main",
        "FUNCTION_SIGNATURE_TYPE": "http",
        "FUNCTION_REGION": "europe-west1",
        "FUNCTION_MEMORY_MB": "1024",
        "PORT": str(port),
        "WORKERS": "1",
        "THREADS": str(THREADS),
    }
