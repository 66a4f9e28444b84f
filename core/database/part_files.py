"""The Parquet files that a table is made of: written while rows come, each key once, and known by what they hold."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from core import engine
from core.database.fresh import PIECE, Fresh, declared
from core.database.port import Rows, Selection, Table
from core.database.relation import sql_type
from core.datasets.grammar import Type
from core.engine import name as quoted
from core.engine import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# About 40 MB of sales records; and what the values of wider ones may take before they are compressed.
ROWS_A_PART = 1_000_000
BYTES_A_PART = 128 << 20
NUMBER_BYTES = 8
PART = "polyfaas_part"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of a table.

    Attributes:
        name: Below the table's name.
        rows: How many it has.
        size_bytes: Its length.
        values: Of each column that the table is partitioned by, the value of all its rows, as text; None for none.
    """

    name: str
    rows: int
    size_bytes: int
    values: dict[str, str | None] = {}


class Maker:
    """Makes the parts of one load.

    Args:
        db: A session of the engine.
        fresh: Tells the rows whose key is new.
        table: What the rows are.
        by: The columns by whose values they are dealt out.
        folder: Where files are made; each is gone when the next is asked for.
    """

    def __init__(self, db: "DuckDBPyConnection", fresh: Fresh, table: Table, by: Sequence[str], folder: Path) -> None:
        self._db = db
        self._fresh = fresh
        self._table = table
        self._by = by
        self._folder = folder
        self._empty()

    def parts(self, batches: Iterable[Rows]) -> Iterator[tuple[Part, Path]]:
        """The files with the rows whose key is new, one after the other."""
        rows, size = 0, 0
        for batch in batches:
            rows += self._fresh.take(batch)
            size += self._size()
            self._db.execute(f"INSERT INTO {PART} SELECT * FROM {PIECE}")
            if rows >= ROWS_A_PART or size >= BYTES_A_PART:
                yield from self._written()
                rows, size = 0, 0
        if rows:
            yield from self._written()

    def _size(self) -> int:
        """About how many bytes the values of the new rows take."""
        texts = [quoted(column.name) for column in self._table.columns if column.type.kind == "text"]
        lengths = "".join(f" + coalesce(strlen({each}), 0)" for each in texts)
        numbers = NUMBER_BYTES * (len(self._table.columns) - len(texts))
        return int(engine.row(self._db, f"SELECT coalesce(sum({numbers}{lengths}), 0) FROM {PIECE}")[0])

    def _empty(self) -> None:
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE {PART} ({declared(self._table)})")

    def _written(self) -> Iterator[tuple[Part, Path]]:
        """What waits, as files; one for each set of values of the columns that the table is partitioned by."""
        number = len(list(self._folder.iterdir())) + 1
        place = self._folder / str(number)
        place.mkdir()
        options = "FORMAT parquet, COMPRESSION zstd"
        if not self._by:
            self._db.execute(f"COPY {PART} TO {text(place / 'rows.parquet')} ({options})")
        else:
            by = ", ".join(map(quoted, self._by))
            options += f", PARTITION_BY ({by}), WRITE_PARTITION_COLUMNS true"
            self._db.execute(f"COPY {PART} TO {text(place)} ({options}, OVERWRITE_OR_IGNORE true)")
        self._empty()
        for path in sorted(place.rglob("*.parquet")):
            yield self._part(path), path
            path.unlink()

    def _part(self, path: Path) -> Part:
        columns = ", ".join(["count(*)", *(f"any_value({quoted(each)})::VARCHAR" for each in self._by)])
        rows, *values = engine.row(self._db, f"SELECT {columns} FROM read_parquet({text(path)})")
        inside = quote(path.relative_to(self._folder).as_posix(), safe="/=%")  # a name in every store
        found = dict(zip(self._by, values, strict=True))
        return Part(name=inside, rows=int(rows), size_bytes=path.stat().st_size, values=found)


def wanted(part: Part, selections: Sequence[Selection]) -> bool:
    """Whether a part may hold rows of one of the selections."""
    return any(_may_hold(part, selection) for selection in selections)


def _may_hold(part: Part, selection: Selection) -> bool:
    for condition in selection.conditions:
        if condition.column in part.values and condition.op in ("eq", "in"):
            value = part.values[condition.column]
            if value not in [str(operand) for operand in condition.operands]:
                return False
    return True


def spelling(kind: Type) -> str:
    """A type as the engine spells it where it tells of one."""
    return sql_type(kind).replace(", ", ",")
