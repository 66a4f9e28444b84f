"""Lambda here: AWS's Runtime Interface Emulator with AWS's Runtime Interface Client."""

import os
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path

from adapters.base import Launch, RuntimeUnavailableError
from adapters.lab.packages import cure, installed
from adapters.lab.ports import free_port

# The emulator comes inside aws-sam-cli's wheel, which is unpacked here and never imported.
HOME = Path(sys.prefix) / "share" / "aws-sam-cli"
EMULATORS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}


def launch(folder: Path) -> Launch:  # noqa: ARG001  (the port of every provider)
    """How to start the emulator with the runtime client in it."""
    port, runtime_port = free_port(), free_port()
    client = installed("awslambdaric", "awslambdaric")
    emulator = _emulator(HOME)
    return Launch(
        argv=(
            str(emulator),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
            *(sys.executable, "-m", "awslambdaric", "adapters.aws.entrypoint.handler"),
        ),
        environment=_environment(),
        port=port,
        about=f"{client} in the Lambda Runtime Interface Emulator of {_version(HOME)}",
    )


def _emulator(home: Path) -> Path:
    name = EMULATORS.get(platform.machine())
    if name is None:
        message = f"there is no Lambda emulator for {platform.machine()}: use x86_64 or aarch64"
        raise RuntimeUnavailableError(message)
    path = home / "samcli" / "local" / "rapid" / name
    if not path.is_file():
        pip = cure(f"--no-deps --target '{home}' aws-sam-cli")
        raise RuntimeUnavailableError(f"the Lambda emulator {path} is missing: run {pip}")
    if not os.access(path, os.X_OK):  # pip does not keep the executable bit
        _make_executable(path)
    return path


def _make_executable(path: Path) -> None:
    try:
        path.chmod(0o755)
    except OSError as error:
        raise RuntimeUnavailableError(f"{path} cannot be made executable ({error}): do so as its owner") from error


def _version(home: Path) -> str:
    found = (f"{each.name} {each.version}" for each in distributions(path=[str(home)]))
    return next(found, "aws-sam-cli")


def _environment() -> dict[str, str]:
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "polyfaas",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "900",
        "AWS_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "LAMBDA_TASK_ROOT": str(Path(__file__).parents[2]),
    }
