"""The datasets that polyfaas knows, by name, those of the project, by its names, and any other, by path."""

from functools import lru_cache
from pathlib import Path

from core.datasets.record import SHIPPED, Dataset
from core.errors import Fault, RequestError

DATASETS_REMEMBERED = 16


def dataset(name: str) -> Dataset:
    """The dataset of that name, or the one that a TOML file describes.

    Args:
        name: "sales", "payments", a name that the project's `polyfaas.toml` gives, or the path of a file that ends in
            .toml.

    Raises:
        RequestError: There is none, or its document is wrong; the message says on which line.
    """
    path = _path(name)
    try:
        found = path.stat()
        return _read(path, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise _refused(
            f"the dataset {name!r} cannot be read ({error.strerror}): give the path of a TOML file"
        ) from error


def _path(name: str) -> Path:
    if name in SHIPPED:
        return Path(__file__).with_name(f"{name}.toml")
    if name.endswith(".toml") and "\0" not in name:
        return Path(name)
    from core.datasets.project import project

    named = project().datasets
    if name in named:
        return named[name]
    known = ", ".join([*SHIPPED, *named])
    raise _refused(f"there is no dataset {name!r}: use {known}, a name in polyfaas.toml, or the path of a .toml file")


def _refused(detail: str) -> RequestError:
    return RequestError(detail, [Fault(path="$.dataset", detail=detail)])


@lru_cache(DATASETS_REMEMBERED)
def _read(path: Path, _modified_ns: int, _size: int) -> Dataset:
    """The dataset of a file, as long as it stays as it is."""
    from core.datasets.document import read, text_of

    return read(text_of(path), str(path))
