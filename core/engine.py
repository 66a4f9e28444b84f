"""The embedded data engine (DuckDB): its settings and the SQL that reads a dataset's CSV, in one place.

Every name and value that comes from a request or a file is quoted or bound here, never pasted.
"""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets.record import DATE_FORMAT, GRAMMAR, ColumnType, Dataset, DaysBetween, Ratio
from core.errors import PolyfaasError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Under 320 MiB an ordered write of a large file waits for memory on two threads: 3.5 s instead of 2.1.
DEFAULT_MEMORY_LIMIT_MIB = 384
SMALLEST_MEMORY_LIMIT_MIB = 96
# The engine's own 32 MB a thread holds more memory and is 8 % slower.
READ_BUFFER_BYTES = 4_000_000
LONGEST_ROW_BYTES = READ_BUFFER_BYTES


@contextmanager
def session() -> Iterator["DuckDBPyConnection"]:
    """A connection of one call's own: its temporary tables and variables are nobody else's.

    Raises:
        StorageError: A file could not be read or written, for example since the disk is full.
        PolyfaasError: The engine's memory is too small.
    """
    import duckdb

    try:
        with _instance_engine().cursor() as connection:
            _open_sessions.add(connection)
            try:
                yield connection
            finally:
                _open_sessions.discard(connection)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.IOException as error:
        raise StorageError(f"the engine could not read or write a file: {str(error).splitlines()[0]}") from error
    except duckdb.OutOfMemoryException as error:
        raise PolyfaasError("the engine ran out of memory: set POLYFAAS_MEMORY_MIB to more") from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # the engine saw the signal itself
            raise KeyboardInterrupt from error
        raise


def interrupt() -> None:
    """Stop what the open sessions are doing, from any thread; each of them raises KeyboardInterrupt."""
    for connection in list(_open_sessions):
        connection.interrupt()


_open_sessions: "set[DuckDBPyConnection]" = set()


@cache
def _instance_engine() -> "DuckDBPyConnection":
    """This instance's engine: bounded memory, no extension fetched from anywhere.

    Starting it takes 25 ms, so it stays. Threads are the processors that this process may use.
    `POLYFAAS_MEMORY_MIB` tells the function's memory, of which the engine takes 60 %.
    """
    import tempfile

    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": len(os.sched_getaffinity(0)),
        "memory_limit": f"{_memory_limit_mib(os.environ.get('POLYFAAS_MEMORY_MIB'))}MiB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": f"{tempfile.gettempdir()}/polyfaas-spill-{os.getpid()}",
    }
    return duckdb.connect(config=settings)


def _memory_limit_mib(function_mib: str | None) -> int:
    if function_mib is None:
        return DEFAULT_MEMORY_LIMIT_MIB
    if not function_mib.isascii() or not function_mib.isdigit():
        raise PolyfaasError(f"POLYFAAS_MEMORY_MIB is {function_mib!r}: set it to a whole number of MiB")
    return max(SMALLEST_MEMORY_LIMIT_MIB, int(function_mib) * 60 // 100)


def name(identifier: str) -> str:
    """An SQL identifier, quoted."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str | Path) -> str:
    """An SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def row(db: "DuckDBPyConnection", query: str) -> tuple[Any, ...]:
    """The only row of a query."""
    found: tuple[Any, ...] | None = db.execute(query).fetchone()
    if found is None:
        raise PolyfaasError("the engine gave no row where there is always one")
    return found


def scan(path: Path, header: list[str]) -> str:
    """A table expression that reads a CSV with that header, each field as text.

    Strict RFC 4180: a row with too few or too many fields stops it. Rows come in the file's order.
    """
    columns = ", ".join(f"{text(column)}: 'VARCHAR'" for column in header)
    return (
        f"read_csv({text(glob.escape(str(path)))}, columns = {{{columns}}}, auto_detect = false, header = true, "
        "delim = ',', quote = '\"', escape = '\"', strict_mode = true, compression = 'none', "
        "hive_partitioning = false, "
        f"buffer_size = {READ_BUFFER_BYTES})"
    )


def key(dataset: Dataset) -> str:
    """The key of a record, as its type, so that 007 and 7 are one record; never null."""
    column = f"coalesce({name(dataset.key)}, '')"
    return f"{column}::BIGINT" if dataset.types()[dataset.key] == "integer" else column


def valid(dataset: Dataset, header: list[str]) -> str:
    """A condition that is true for a good row and stops the engine at a bad one."""
    types = dataset.types()
    checks = [_check(column, types.get(column, "text")) for column in header]
    checks += [_mapped(column, list(values)) for column, values in dataset.mappings.items()]
    everything = " AND ".join(check for check in checks if check)
    return f"CASE WHEN {everything} THEN true ELSE error('bad row') END"


def _check(column: str, kind: ColumnType) -> str:
    if kind == "text":
        return ""
    value = f"coalesce({name(column)}, '')"
    return f"regexp_full_match({value}, {text(GRAMMAR[kind])})"


def _mapped(column: str, values: list[str]) -> str:
    return f"coalesce({name(column)}, '') IN ({', '.join(map(text, values))})"


def transformed(dataset: Dataset, header: list[str]) -> str:
    """The select list of transform: each column, its values mapped, then the derived ones."""
    columns = [_with_mapping(column, dataset.mappings.get(column, {})) for column in header]
    derived = [f"{_derive(column.expression)} AS {name(column.name)}" for column in dataset.derived]
    return ", ".join(columns + derived)


def _with_mapping(column: str, mapping: dict[str, str]) -> str:
    if not mapping:
        return name(column)
    cases = " ".join(f"WHEN {text(old)} THEN {text(new)}" for old, new in mapping.items())
    return f"CASE {name(column)} {cases} END AS {name(column)}"


def _derive(expression: DaysBetween | Ratio) -> str:
    if isinstance(expression, DaysBetween):
        return f"{_date(expression.end)} - {_date(expression.start)}"
    return f"{name(expression.dividend)}::DOUBLE / nullif({name(expression.divisor)}::DOUBLE, 0)"


def _date(column: str) -> str:
    return f"strptime({name(column)}, {text(DATE_FORMAT)})::DATE"


def typed(dataset: Dataset, header: list[str]) -> str:
    """The select list of load: each column as its type; an amount is the double nearest to it."""
    types = dataset.types()
    return ", ".join(f"{_typed(column, types.get(column, 'text'))} AS {name(column)}" for column in header)


def _typed(column: str, kind: ColumnType) -> str:
    if kind == "date":
        return f"strftime({_date(column)}, '%Y-%m-%d')"
    sql_type = {"integer": "BIGINT", "decimal": "DOUBLE", "double": "DOUBLE"}.get(kind)
    return f"{name(column)}::{sql_type}" if sql_type else f"coalesce({name(column)}, '')"
