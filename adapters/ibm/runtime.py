"""IBM Code Engine functions here: a server that keeps to the documented contract."""

import sys
from pathlib import Path

from adapters.base import Launch
from adapters.lab.ports import free_port

SUBSTITUTE = "IBM's runtime image cannot be had: a small server keeps to the documented contract of main(args)"


def launch(folder: Path) -> Launch:  # noqa: ARG001  (the port of every provider)
    """How to start the contract server with the function in it."""
    port = free_port()
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return Launch(
        argv=(sys.executable, "-m", "adapters.ibm.host", "adapters.ibm.entrypoint:main", str(port)),
        environment={
            "CE_FUNCTION": "polyfaas",
            "CE_REGION": "eu-de",
            "CE_DOMAIN": "eu-de.codeengine.appdomain.cloud",
            "CE_SUBDOMAIN": "polyfaas",
            "CE_PROJECT_ID": "00000000-0000-0000-0000-000000000000",
            "CE_EXECUTION_ENV": f"python-{sys.version_info.major}.{sys.version_info.minor}",
            "CE_ALLOW_CONCURRENT": "false",
            "CE_API_BASE_URL": "https://api.private.eu-de.codeengine.cloud.ibm.com",
        },
        port=port,
        about=f"Code Engine functions contract server on {python}",
        substitute=SUBSTITUTE,
    )
