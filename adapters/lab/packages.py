"""What is installed here, for runtimes to say what they are or what is missing."""

import importlib.util
from importlib.metadata import PackageNotFoundError, version

from adapters.base import RuntimeUnavailableError


def installed(distribution: str, module: str) -> str:
    """Name and version of an installed distribution, for example "gunicorn 27.0.1".

    Raises:
        RuntimeUnavailableError: It is not installed; the message says how to get it.
    """
    if not _is_importable(module):
        raise RuntimeUnavailableError(f"the package {distribution} is not installed: run `make install`")
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError as error:
        message = f"{module} is importable, but not from the package {distribution}: run `make install`"
        raise RuntimeUnavailableError(message) from error


def _is_importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False
