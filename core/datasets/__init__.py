"""The datasets that polyfaas knows, by name, those of the project, by its names, and any other, by path."""

import os
from functools import lru_cache
from pathlib import Path

from core import access
from core.datasets.record import SHIPPED, Dataset
from core.errors import Fault, RequestError

DATASETS_REMEMBERED = 16


def dataset(name: str) -> Dataset:
    """The dataset of that name, or the one that a TOML file describes.

    Args:
        name: "sales", "payments", a name that the project's `polyfaas.toml` gives, or the path of a file that ends in
            .toml.

    Raises:
        AccessError: The file lies outside what may be touched; see `core.access`.
        RequestError: There is none, or its document is wrong; the message says on which line.
    """
    path, source = _path(name)
    try:
        found = path.stat()
        return _read(path, source, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise _refused(
            f"the dataset {name!r} cannot be read ({error.strerror}): give the path of a TOML file"
        ) from error


def _path(name: str) -> tuple[Path, str]:
    """The file of a dataset, and what messages call it."""
    if name in SHIPPED:
        return Path(__file__).with_name(f"{name}.toml"), name
    access.check_url(name)
    if name.endswith(".toml") and "\0" not in name:
        return _allowed(Path(name), name), name
    from core.datasets.project import project, project_file

    named = project().datasets
    if name in named:
        # Whoever deployed it chose the file, unless callers may write what names it.
        theirs = access.allows_path(os.path.realpath(project_file() or ""))
        return (_allowed(named[name], name) if theirs else named[name]), str(named[name])
    known = ", ".join([*SHIPPED, *named])
    raise _refused(f"there is no dataset {name!r}: use {known}, a name in polyfaas.toml, or the path of a .toml file")


def _allowed(path: Path, name: str) -> Path:
    """The file itself, its links followed."""
    real = os.path.realpath(path)
    access.check_path(real, name)
    return Path(real)


def _refused(detail: str) -> RequestError:
    return RequestError(detail, [Fault(path="$.dataset", detail=detail)])


@lru_cache(DATASETS_REMEMBERED)
def _read(path: Path, source: str, _modified_ns: int, _size: int) -> Dataset:
    """The dataset of a file, as long as it stays as it is."""
    from core.datasets.document import read, text_of

    return read(text_of(path, source), source)
