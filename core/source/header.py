"""The first line of a file, and where a dataset's columns are in it."""

import csv
from collections.abc import Sequence

import msgspec

from core.datasets.record import Dataset
from core.errors import DataError, Fault


class Layout(msgspec.Struct, frozen=True):
    """Where the columns of a dataset are in a file.

    Attributes:
        names: A name for each column of the file, in its order: the dataset's own where it is one of these.
        trailing: How many nameless columns follow, which must be empty: the lines end in delimiters.
        kept: The columns that transform writes, before the derived ones.
    """

    names: tuple[str, ...]
    trailing: int
    kept: tuple[str, ...]

    def index(self) -> dict[str, int]:
        """The position of each column."""
        return {name: position for position, name in enumerate(self.names)}


def layout(header: Sequence[str], dataset: Dataset, url: str) -> Layout:
    """Find a dataset's columns in a file's header.

    Args:
        header: The names, as they stand there.
        dataset: What to look for.
        url: The file's name in messages.

    Raises:
        DataError: A column is missing or stands there twice, or a name is empty.
    """
    named = _without_trailing(header)
    _check_names(url, named)
    own = _own_names(named, dataset, url)
    names = tuple(own.get(name, name) for name in named)
    _check_names(url, names)
    columns = tuple(column.name for column in dataset.columns)
    kept = names if dataset.extra_columns == "keep" else columns
    _refuse(url, kept, [column.name for column in dataset.derived])
    return Layout(names=names, trailing=len(header) - len(named), kept=kept)


def _without_trailing(header: Sequence[str]) -> list[str]:
    names = list(header)
    while names and not names[-1]:
        names.pop()
    return names


def _own_names(header: Sequence[str], dataset: Dataset, url: str) -> dict[str, str]:
    """The dataset's name of each column of the file that is one of its own."""
    own: dict[str, str] = {}
    missing: list[str] = []
    for column in dataset.columns:
        found = next((name for name in (column.name, *column.aliases) if name in header), None)
        if found is None:
            missing.append(column.name)
        else:
            own[found] = column.name
    if missing:
        cure = dataset.cure or f"the dataset {dataset.name} needs {len(dataset.columns)} columns by name"
        raise wrong_header(url, f"the header lacks {quoted(missing)}: {cure}")
    return own


def _check_names(url: str, names: Sequence[str]) -> None:
    for number, name in enumerate(names, 1):
        if not name or "\0" in name or name.startswith("\x1f"):
            detail = f"column {number} of the header has no name, or a control character in it: name it or drop it"
            raise wrong_header(url, detail)
    lowered = [name.lower() for name in names]
    twice = sorted({name for name in names if lowered.count(name.lower()) > 1})
    if twice:
        raise wrong_header(url, f"the header names {quoted(twice)} twice (case does not count): rename one")


def _refuse(url: str, kept: Sequence[str], derived: Sequence[str]) -> None:
    lowered = {name.lower() for name in kept}
    present = [name for name in derived if name.lower() in lowered]
    if present:
        raise wrong_header(url, f"the header already has {quoted(present)}: transform adds them itself")


def fields_of(line: str, delimiter: str, url: str) -> list[str]:
    """The names in a header.

    Raises:
        DataError: It is no CSV.
    """
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise wrong_header(url, f"the header cannot be read ({error}): save the file as CSV") from error


def wrong_header(url: str, detail: str) -> DataError:
    """The error for a header."""
    return DataError(f"{url}, line 1: {detail}", [Fault(source=url, line=1, detail=detail)])


def quoted(names: Sequence[str]) -> str:
    """Names for a message."""
    return ", ".join(f'"{name}"' for name in names)
