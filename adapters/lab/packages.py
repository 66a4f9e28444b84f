"""What is installed here, for runtimes to say what they are or what is missing."""

import importlib.util
from importlib.metadata import PackageNotFoundError, version

from adapters.base import RuntimeUnavailableError


def installed(distribution: str, module: str, pip: str = "'polyfaas[lab]'") -> str:
    """Name and version of an installed distribution, for example "gunicorn 27.0.1".

    Args:
        distribution: Its name.
        module: What it is imported as.
        pip: What pip must be told to install it outside of a checkout.

    Raises:
        RuntimeUnavailableError: It is not installed; the message says how to get it.
    """
    if not _is_importable(module):
        raise RuntimeUnavailableError(f"the package {distribution} is not installed: run {cure(pip)}")
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError as error:
        message = f"{module} is importable, but not from the package {distribution}: run {cure(pip)}"
        raise RuntimeUnavailableError(message) from error


def _is_importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


def cure(pip: str) -> str:
    """The commands that install what is missing: in a checkout, and elsewhere with pip told so."""
    return f"`make install`, or outside of a checkout `pip install {pip}`"
