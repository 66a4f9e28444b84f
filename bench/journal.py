"""The file of a run: one JSON record a line, raw values, appended as they are measured, read back as records."""

from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import msgspec

from core.errors import DataError, Fault, NotFoundError, StorageError
from core.runtime import encode

FILE_NAME = "results.jsonl"
REPORT_NAME = "report.html"


class Header(Protocol):
    """The first line of a file; its tag says what kind of run it is.

    Attributes:
        schema: Version of the layout of files of this kind.
    """

    @property
    def schema(self) -> int: ...  # noqa: D102  (an attribute)


R = TypeVar("R", bound=msgspec.Struct)
H = TypeVar("H", bound=Header)


class Journal(Generic[R]):
    """Appends records to a run's file; each is handed to the kernel before `append` returns.

    Args:
        path: The file; its folder exists.
        header: The first line.
    """

    def __init__(self, path: Path, header: R) -> None:
        self._file = path.open("xb")
        self.append(header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, record: R) -> None:
        """Write one record; it survives the end of this process from here on."""
        # No fsync: the next call would then be measured while the disk is busy with us.
        self._file.write(encode(record) + b"\n")
        self._file.flush()


class _Kind(msgspec.Struct, frozen=True):
    """What a first line says first."""

    kind: str = ""


def begun(folder: Path, header: R) -> Journal[R]:
    """The file of a run in its folder, which is made here.

    Raises:
        StorageError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True)
        return Journal(folder / FILE_NAME, header)
    except OSError as error:
        raise StorageError(f"the results cannot be written ({error}): choose another --output") from error


def kind(path: Path) -> str:
    """The kind of a run, from its first line; empty where it has none that can be read.

    Raises:
        NotFoundError: There is no such file.
    """
    with _file(path).open("rb") as file:
        try:
            return msgspec.json.decode(file.readline(), type=_Kind).kind
        except msgspec.DecodeError:
            return ""


def records(path: Path, decoder: "msgspec.json.Decoder[R]", header: type[H], schema: int) -> tuple[H, list[R]]:
    """The header and all records of a file; a last line that was cut off counts as never written.

    Args:
        path: The run's folder or its results file.
        decoder: Of a line.
        header: What the first line must be.
        schema: Newest version of the layout; the older ones can be read as well.

    Raises:
        NotFoundError: There is no such file.
        DataError: A line other than the last is no record, or the layout is another version's.
    """
    file = _file(path)
    found = [_record(file, decoder, schema, *line) for line in _whole_lines(file)]
    first: object = found[0] if found else None
    if not isinstance(first, header):
        raise DataError(f"{file} does not begin with a header: it is not the results file of a run")
    if first.schema not in range(1, schema + 1):
        readable = f"versions 1 to {schema}" if schema > 1 else "version 1"
        raise DataError(f"{file} has layout version {first.schema}; this polyfaas reads {readable}")
    return first, found


def _file(path: Path) -> Path:
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise NotFoundError(f"there is no results file {file}: give a run's id, its folder or its {FILE_NAME}")
    return file


def _whole_lines(file: Path) -> list[tuple[int, bytes]]:
    lines = file.read_bytes().split(b"\n")
    # A record ends with its newline: what follows the last one is empty or was cut.
    return list(enumerate(lines[:-1], 1))


def _record(file: Path, decoder: "msgspec.json.Decoder[R]", schema: int, number: int, line: bytes) -> R:
    try:
        return decoder.decode(line)
    except msgspec.DecodeError as error:
        detail = f"{file}, line {number} is not a record of a results file of version {schema} ({error})"
        raise DataError(detail, [Fault(source=str(file), line=number, detail=str(error))]) from error
