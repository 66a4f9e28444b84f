"""Rows of a database that does not aggregate exactly, as a table of the engine, which does.

The engine keeps on the disk what does not fit into memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from core import engine
from core.database.relation import Relation, Value, sql_type
from core.datasets.grammar import Type
from core.engine import name as quoted
from core.engine import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SPOOL = "polyfaas_spool"


def spooled(
    db: "DuckDBPyConnection", types: Mapping[str, Type], batches: Iterable[Sequence[Sequence[str | None]]]
) -> Relation:
    """A table of the engine with these rows.

    Args:
        db: A session of the engine.
        types: The columns.
        batches: Rows with a text, or None, for each column; many at once.
    """
    columns = {name: Value(quoted(name), kind) for name, kind in types.items()}
    declared = ", ".join(f"{quoted(name)} {sql_type(kind)}" for name, kind in types.items())
    db.execute(f"CREATE OR REPLACE TEMP TABLE {SPOOL} ({declared or 'nothing BOOLEAN'})")
    for batch in batches:
        lines = "".join(",".join(map(_field, row)) + "\n" for row in batch) if types else "true\n" * len(batch)
        with engine.memory_file(lines.encode()) as (_, path):
            db.execute(f"INSERT INTO {SPOOL} SELECT * FROM {_read(types, text(path))}")
    return Relation(SPOOL, columns)


def _read(types: Mapping[str, Type], path: str) -> str:
    named = ", ".join(f"{text(name)}: {text(sql_type(kind))}" for name, kind in types.items()) or "'nothing': 'BOOLEAN'"
    options = "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n'"
    return f"read_csv({path}, columns = {{{named}}}, {options}, nullstr = '', allow_quoted_nulls = false)"


def _field(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'
