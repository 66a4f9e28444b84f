"""One load into a DynamoDB table: rows written where nobody looks, then made a table's by one write."""

from collections.abc import Iterable
from contextlib import suppress

from core import engine
from core.database import dynamodb_loads
from core.database.dynamodb_calls import Calls
from core.database.dynamodb_items import Items, Pieces
from core.database.dynamodb_loads import REPEAT, Beat, Claim, Entry, Part
from core.database.port import Rows, Table
from core.errors import DatabaseError, RequestError
from core.profiler import span

# Of a load that replaces what others load at the same time.
PUBLICATIONS = 20


class Load:
    """One load.

    Args:
        calls: To the table of DynamoDB.
        table: What to load.
        append: Whether to keep the rows that are there.

    Attributes:
        old: The table as it was before; None where there was none.
    """

    def __init__(self, calls: Calls, table: Table, *, append: bool) -> None:
        self._calls = calls
        self._table = table
        self._append = append
        self.old = dynamodb_loads.entry(calls, table.name)
        if append and self.old:
            self._check_same(self.old)

    def run(self, batches: Iterable[Rows]) -> tuple[int, int]:
        """Load the rows in one visible step; see `Database.load`. What fails leaves nothing behind, if it still can."""
        kept = self.old if self._append else None
        claim = dynamodb_loads.claimed(self._calls, kept.generation if kept else None)
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            with span("ingest"):
                rows, part = self._written(claim, batches, kept)
            with span("publish"):
                self._publish(claim, part)
        except BaseException:
            with suppress(BotoCoreError, ClientError, DatabaseError):  # a later load does it
                dynamodb_loads.abandon(self._calls, claim)
            raise
        return part.rows, rows - part.rows

    def _written(self, claim: Claim, batches: Iterable[Rows], kept: Entry | None) -> tuple[int, Part]:
        """Write the rows whose key is new; gives how many there were in all, and what was written."""
        items, beat = Items(self._table, claim.generation, claim.load), Beat(self._calls, claim)
        with engine.session() as db:
            pieces = Pieces(db, self._table)
            if kept and not pieces.known(kept, self._calls):
                raise DatabaseError(self._changed())
            with self._calls.writer() as writer:
                for rows in pieces.read(batches):
                    for row in rows:
                        writer.put(items.of(row))
                    beat()
        return pieces.rows, Part(claim.load, items.count, items.bytes)

    def _publish(self, claim: Claim, part: Part) -> None:
        """Make the rows the table's; a replacing load takes the place of whatever others have made of it meanwhile.

        Raises:
            DatabaseError: Others go on changing it.
        """
        for _ in range(PUBLICATIONS):
            kept = self.old.parts if self._append and self.old else ()
            new = Entry(claim.load, claim.generation, self._table.key, self._table.columns, (*kept, part))
            if dynamodb_loads.publish(self._calls, self._table.name, new, claim, expected=self.old):
                return
            found = dynamodb_loads.entry(self._calls, self._table.name)
            if self._append and found != self.old:
                break
            self.old = found
        raise DatabaseError(self._changed())

    def _check_same(self, old: Entry) -> None:
        found = {column.name: (column.type.kind, column.type.precision, column.type.scale) for column in old.columns}
        new = {
            column.name: (column.type.kind, column.type.precision, column.type.scale) for column in self._table.columns
        }
        if different := sorted(dict(found.items() ^ new.items())):
            detail = f"table {self._table.name} in {self._calls.table} has other columns ({', '.join(different)})"
            raise RequestError(f'{detail}: use "mode": "replace"')
        if old.key != self._table.key:
            detail = f'table {self._table.name} in {self._calls.table} has another key ("{old.key}")'
            raise RequestError(f'{detail}: use "mode": "replace"')

    def _changed(self) -> str:
        return f"other loads changed table {self._table.name} in {self._calls.table} meanwhile: {REPEAT}"
