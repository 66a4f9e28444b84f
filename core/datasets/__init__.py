"""The datasets that polyfaas knows, by name, and those that a user writes, by path."""

from functools import lru_cache
from pathlib import Path

from core.datasets.record import Dataset
from core.errors import Fault, RequestError

NAMES = ("sales", "payments")
DATASETS_REMEMBERED = 16


def dataset(name: str) -> Dataset:
    """The dataset of that name, or the one that a TOML file describes.

    Args:
        name: "sales", "payments", or the path of a file that ends in .toml.

    Raises:
        RequestError: There is none, or its document is wrong; the message says on which line.
    """
    path = Path(__file__).with_name(f"{name}.toml") if name in NAMES else Path(name)
    if path.suffix != ".toml" or "\0" in name:
        raise _refused(f"there is no dataset {name!r}: use {', '.join(NAMES)} or the path of a .toml file")
    try:
        found = path.stat()
        return _read(path, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise _refused(
            f"the dataset {name!r} cannot be read ({error.strerror}): give the path of a TOML file"
        ) from error


def _refused(detail: str) -> RequestError:
    return RequestError(detail, [Fault(path="$.dataset", detail=detail)])


@lru_cache(DATASETS_REMEMBERED)
def _read(path: Path, _modified_ns: int, _size: int) -> Dataset:
    """The dataset of a file, as long as it stays as it is."""
    from core.datasets.document import located, read

    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise located(str(path), line, f"byte {error.start} is not UTF-8: save the file as UTF-8") from error
    return read(text, str(path))
