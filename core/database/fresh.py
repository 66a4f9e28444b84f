"""The rows of a load whose key is new: the first of each, whatever came before. The engine keeps the keys."""

from typing import TYPE_CHECKING

from core import engine
from core.database.port import Rows, Table
from core.database.relation import sql_type
from core.engine import name as quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SEEN, PIECE = "polyfaas_seen", "polyfaas_piece"


class Fresh:
    """The rows whose key is new, a batch at a time, in the engine's table `PIECE`.

    Args:
        db: A session of the engine, which holds the keys that it has seen, on the disk where memory ends.
        table: What the rows are.

    Attributes:
        rows: How many rows came.
        kept: How many of them had a new key.
    """

    def __init__(self, db: "DuckDBPyConnection", table: Table) -> None:
        self._db = db
        self._table = table
        self._key = quoted(table.key)
        self.rows = 0
        self.kept = 0
        key_type = next(sql_type(column.type) for column in table.columns if column.name == table.key)
        db.execute(f"CREATE OR REPLACE TEMP TABLE {SEEN} (k {key_type})")

    def know(self, source: str) -> None:
        """Take the keys of a table expression of the engine's as seen."""
        self._db.execute(f"INSERT INTO {SEEN} SELECT {self._key} FROM {source}")

    def take(self, rows: Rows) -> int:
        """Put those rows of a batch into `PIECE` whose key is new, in their order; gives how many."""
        values = ", ".join(f"CAST({quoted(each.name)} AS {sql_type(each.type)})" for each in self._table.columns)
        self._db.register("polyfaas_rows", rows)
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE {PIECE} ({declared(self._table)})")
        came = int(engine.row(self._db, f"INSERT INTO {PIECE} SELECT {values} FROM polyfaas_rows")[0])
        self._db.unregister("polyfaas_rows")
        first = f"SELECT min(rowid) FROM {PIECE} GROUP BY {self._key}"
        known = f"EXISTS (SELECT 1 FROM {SEEN} WHERE k = {self._key})"
        old = int(engine.row(self._db, f"DELETE FROM {PIECE} WHERE rowid NOT IN ({first}) OR {known}")[0])
        self._db.execute(f"INSERT INTO {SEEN} SELECT {self._key} FROM {PIECE}")
        self.rows += came
        self.kept += came - old
        return came - old


def declared(table: Table) -> str:
    """The columns with the engine's types."""
    return ", ".join(f"{quoted(each.name)} {sql_type(each.type)}" for each in table.columns)
