"""CSV and Parquet files as tables that are only read.

A CSV is queried as it stands: no value is changed, no repeated record dropped. Its columns have the dataset's types
and names, whatever alias the header uses; a derived column is computed where it is asked for, if the file has not got
it already. Values are checked as they are read, those that a query needs.
"""

import contextlib
import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core import engine
from core.database import scan
from core.database.partial import Group
from core.database.port import Rows, Selection, Table
from core.database.relation import Relation, Value, parsed, raised, refusal, sql_type, stored
from core.datasets.grammar import Type, expected, pattern
from core.datasets.record import Dataset, Derived
from core.engine import name as quoted
from core.engine import text
from core.errors import DataError, Fault, NotFoundError, RequestError
from core.source.chunks import Chunks
from core.source.dialect import Dialect, delimiter_of, encoding_of
from core.source.header import fields_of
from core.source.stream import Stream

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The engine cuts a file into such parts: 4 MB cost a fifth more time, 32 MB more memory.
BUFFER_BYTES = 16_000_000
HEADER_BYTES = 1 << 16
LONGEST_SHOWN = 80
NO_DATASET = Dataset(name="none", columns=(), key="")
CURE = "run transform on the file, which drops or names what is wrong, and query what it wrote"


class _Reading(Protocol):
    """How a kind of file becomes a relation."""

    def __call__(self, db: "DuckDBPyConnection", path: Path, url: str, dataset: Dataset) -> Relation: ...


class _File:
    """A file that is only read."""

    def __init__(self, path: Path, url: str, dataset: Dataset | None, reading: _Reading) -> None:
        self._path = path
        self._url = url
        self._dataset = dataset or NO_DATASET
        self._reading = reading

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:  # noqa: ARG002  (the port's)
        """Refuse: a file is made by transform."""
        raise self._only_read()

    def columns(self, table: str) -> Mapping[str, Type]:  # noqa: ARG002  (a file is one table, whatever its name)
        """The columns of the file; see `Database.columns`."""
        with self._opened() as (_, relation):
            return relation.types()

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, in one pass over the file; see `Database.groups`."""
        with self._opened() as (db, relation):
            yield from scan.groups(db, relation, selections)

    def drop(self, table: str) -> bool:  # noqa: ARG002  (the port's)
        """Refuse: a file is removed as what it is."""
        raise self._only_read()

    def stored_bytes(self, table: str) -> int:
        """The file's length; see `Database.stored_bytes`."""
        self.columns(table)
        return self._path.stat().st_size

    def close(self) -> None:
        """No connection is kept."""

    def _only_read(self) -> RequestError:
        detail = f"{self._url} is a file that is only queried: load into sqlite:/// or duckdb:///"
        return RequestError(detail, [Fault(path="$.database", detail=detail)])

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple["DuckDBPyConnection", Relation]]:
        """A session of the engine and the file's relation; what the engine raises becomes our errors here."""
        import duckdb

        if not self._path.is_file():
            raise NotFoundError(f"there is no file at {self._url}: check the path")
        with engine.session() as db:
            try:
                yield db, self._reading(db, self._path, self._url, self._dataset)
            except (duckdb.InterruptException, duckdb.OutOfMemoryException, duckdb.IOException):
                raise  # the session knows what to make of them
            except duckdb.Error as error:
                raise _explained(self._url, error, self._dataset) from error


class CsvFile(_File):
    """A CSV with a header: , ; | or tabs, UTF-8 or marked UTF-16, plain or compressed by gzip or zstd.

    Args:
        path: Where the file is.
        url: What the request called it, for messages.
        dataset: Tells the types of the columns.
    """

    def __init__(self, path: Path, url: str, dataset: Dataset | None) -> None:
        super().__init__(path, url, dataset, _csv_relation)


class ParquetFile(_File):
    """A Parquet file; columns of texts that the dataset knows better have the dataset's types.

    Args:
        path: Where the file is.
        url: What the request called it, for messages.
        dataset: Tells the types of columns of texts.
    """

    def __init__(self, path: Path, url: str, dataset: Dataset | None) -> None:
        super().__init__(path, url, dataset, _parquet_relation)


def _csv_relation(db: "DuckDBPyConnection", path: Path, url: str, dataset: Dataset) -> Relation:  # noqa: ARG001
    header, written = _header(path, url, dataset)
    own = _own_names(header, dataset)
    declared = ", ".join(f"{text(column)}: 'VARCHAR'" for column in header)
    rows = (
        f"read_csv({text(glob.escape(str(path)))}, columns = {{{declared}}}, auto_detect = false, header = true, "
        f"{written}, quote = '\"', escape = '\"', strict_mode = true, hive_partitioning = false, "
        f"buffer_size = {BUFFER_BYTES})"
    )
    renamed = ", ".join(f"{quoted(column)} AS {quoted(own.get(column, column))}" for column in header)
    names = [own.get(column, column) for column in header]
    return Relation(f"(SELECT {renamed} FROM {rows})", _values(names, dataset))


def _parquet_relation(db: "DuckDBPyConnection", path: Path, url: str, dataset: Dataset) -> Relation:  # noqa: ARG001
    rows = f"read_parquet({text(glob.escape(str(path)))}, hive_partitioning = false)"
    found = [(column, spelling) for column, spelling, *_ in db.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()]
    own = _own_names([column for column, _ in found], dataset)
    renamed = ", ".join(f"{quoted(column)} AS {quoted(own.get(column, column))}" for column, _ in found)
    spelled = {own.get(column, column): spelling for column, spelling in found}
    values = stored(spelled.items())
    if set(spelled.values()) == {"VARCHAR"}:
        values = _values(list(spelled), dataset)
    return Relation(f"(SELECT {renamed} FROM {rows})", values)


def _values(names: Sequence[str], dataset: Dataset) -> dict[str, Value]:
    """The columns of a file of texts; the derived ones are its own where it has them all, else computed."""
    derived = {column.name: column for column in dataset.derived}
    if derived and derived.keys() <= set(names):
        types = dataset.transformed().types()
        return {name: parsed(name, types.get(name, Type()), optional=_optional(name, types, derived)) for name in names}
    types = dataset.types()
    values = {name: parsed(name, types.get(name, Type()), optional=_optional(name, types, {})) for name in names}
    return values | {name: _computed(column, types) for name, column in derived.items() if name not in values}


def _optional(name: str, types: Mapping[str, Type], derived: Mapping[str, Derived]) -> bool:
    return name in derived or (name in types and types[name].optional)


def _computed(column: Derived, types: Mapping[str, Type]) -> Value:
    """A derived column from the texts of the columns that it is derived from, which are checked."""
    from core.expressions import columns_of, refuses
    from core.expressions.sql import sql

    value = f"CAST({sql(column.expression, dict(types))} AS {sql_type(column.type)})"
    if column.type.kind == "text":
        value = f"coalesce({value}, '')"
    cases = [
        f"WHEN NOT regexp_full_match(coalesce({quoted(each)}, ''), {text(pattern(types[each]))}) THEN {refusal(each)}"
        for each in columns_of(column.expression)
        if types[each].kind != "text"
    ]
    cases += [
        f"WHEN coalesce({quoted(each)}, '') NOT IN ({', '.join(map(text, listed))}) THEN {refusal(each)}"
        for each, listed in refuses([column.expression]).items()
    ]
    return Value(f"CASE {' '.join(cases)} ELSE {value} END" if cases else value, column.type)


def _own_names(header: Sequence[str], dataset: Dataset) -> dict[str, str]:
    """The dataset's name of each column of the file that is one of its own."""
    own: dict[str, str] = {}
    for column in dataset.columns:
        found = next((name for name in (column.name, *column.aliases) if name in header), None)
        if found is not None:
            own[found] = column.name
    return own


def _header(path: Path, url: str, dataset: Dataset) -> tuple[list[str], str]:
    """The names in a file's header, and how it is written, in the engine's words."""
    with path.open("rb") as file:
        stream = Stream(file, url, Dialect())
        try:
            line = Chunks(stream.blocks(), HEADER_BYTES, url).header().decode().rstrip("\r\n")
        except DataError as error:
            raise _wrong(url, f"the header cannot be read ({error})", line=1) from error
        file.seek(0)
        utf_16 = not stream.compression and encoding_of(file.read(4), Dialect()) == "utf-16"
    known = frozenset(name for column in dataset.columns for name in (column.name, *column.aliases))
    delimiter = delimiter_of(line, known)
    names = fields_of(line, delimiter, url)
    lowered = [name.lower() for name in names]
    if not names or "" in names or len(set(lowered)) < len(names):
        raise _wrong(url, "the header is empty, has a nameless column or names one twice", line=1)
    encoding = "utf-16" if utf_16 else "utf-8"
    return names, f"delim = '{delimiter}', compression = '{stream.compression or 'none'}', encoding = '{encoding}'"


def _explained(url: str, error: Exception, dataset: Dataset) -> DataError:
    """What the engine's error means: a value that a statement refused, or a row that is no CSV."""
    said = raised(error)
    if not said:
        return _wrong(url, f"the engine could not read it ({str(error).partition(chr(10))[0]})")
    if len(said) == 1:
        return _wrong(url, "it holds a number that cannot be summed, such as infinity")
    column, value = said
    types = dataset.types() | dataset.transformed().types()
    shown = repr(value[:LONGEST_SHOWN]) if value else "an empty field"
    kind = dataset.types().get(column) or types[column]
    wanted = "one of the values that the dataset lists" if kind.kind == "text" else expected(kind)
    return _wrong(url, f"{shown} is not {wanted}", column=column, value=value[:LONGEST_SHOWN])


def _wrong(
    url: str, detail: str, *, line: int | None = None, column: str | None = None, value: str | None = None
) -> DataError:
    place = "".join([url, f", line {line}" if line else "", f', column "{column}"' if column else ""])
    fault = Fault(source=url, line=line, column=column, value=value, detail=f"{detail}: {CURE}")
    return DataError(f"{place}: {fault.detail}", [fault])
