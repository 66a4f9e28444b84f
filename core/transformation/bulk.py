"""Transform by the engine, a chunk at a time: a large file takes no more memory than a small one.

Each chunk is read once, into the table `rows`: its keys, which rows fit, and what is to be written of these. The rows
that do not fit or that repeat a key are deleted there, and the rest is written. A chunk that the engine refuses is
first rewritten by the plain reader, which sorts out the bad rows.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core import engine
from core.datasets.record import Dataset
from core.engine import row
from core.errors import PolyfaasError
from core.profiler import span
from core.source.chunks import Chunk, line_ends
from core.source.file import Source
from core.source.records import Records
from core.source.text import RefusedError, Text, straight
from core.transformation import sql
from core.transformation.counts import Counts
from core.transformation.output import Output
from core.transformation.rejects import Rejects
from core.transformation.sorting import BadRow, sorted_out
from core.transformation.sql import GOOD, KEY
from core.validation import Fit, checker

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The rows whose key stood in an earlier one.
REPEATED = f"""
    WITH repeats AS (SELECT {KEY} AS key, min(rowid) AS first FROM rows GROUP BY ALL HAVING count(*) > 1)
    SELECT rows.rowid FROM rows JOIN repeats ON rows.{KEY} = repeats.key WHERE rows.rowid > first
    UNION ALL SELECT rows.rowid FROM rows SEMI JOIN seen ON rows.{KEY} = seen.key
"""


class Transformation:
    """One file on its way through the engine.

    Args:
        db: A session of its own.
        source: What to read.
        output: What to write to.
        dataset: What the source holds.
    """

    def __init__(self, db: "DuckDBPyConnection", source: Source, output: Output, dataset: Dataset) -> None:
        self._db = db
        self._source = source
        self._output = output
        self._dataset = dataset
        self._width = len(source.layout.names)
        self._check = checker(dataset, source.layout)

    def run(self, rejects: Rejects) -> Counts:
        """Write the transformed rows.

        Args:
            rejects: Takes the bad rows.

        Raises:
            DataError: A bad row stops the work.
            StorageError: There is no room for what is still to come.
        """
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE seen (key {sql.key_type(self._dataset)})")
        good = duplicates = 0
        for chunk in self._source:
            counts, bad = self._straight(chunk) or self._sorted_out(chunk)
            good, duplicates = good + counts.good, duplicates + counts.duplicates
            for record, fit in bad:
                rejects.add(record, fit)
            if done := self._source.progress():
                self._output.check_room(done)
        with span("finish"):
            self._output.finish()
        return Counts(good, duplicates)

    def _straight(self, chunk: Chunk) -> tuple[Counts, list[BadRow]] | None:
        """Write a chunk as it stands; None when the engine refuses it, and nothing is written."""
        import duckdb

        text = straight(chunk, sql.scanned_columns(self._source.layout), self._source.delimiter)
        if text is None:
            return None
        try:
            good, wrong = self._read(text)
            bad = self._bad(chunk.line, text, wrong, good + len(wrong)) if wrong else []
        except (duckdb.InvalidInputException, duckdb.ConversionException, RefusedError):
            return None
        return self._write(good), bad

    def _sorted_out(self, chunk: Chunk) -> tuple[Counts, list[BadRow]]:
        """Write the good rows of a chunk, as the plain reader finds them."""
        with span("sort out"):
            text, bad = sorted_out(chunk, self._source, self._check)
        total = len(text.records or ())
        if not total:
            return Counts(0, 0), bad
        if self._read(text) != (total, []):
            raise PolyfaasError(
                f"{self._source.url}: the engine and the plain reader disagree on a row: report this file"
            )
        return self._write(total), bad

    def _read(self, text: Text) -> tuple[int, list[int]]:
        """Read a text into the table `rows`; gives how many rows fit, and the numbers of those that do not."""
        with span("read"), engine.memory_file(text.data) as (_, path):
            values = sql.values(self._dataset, self._source.layout, text, path)
            columns = self._output.columns(quotes=text.quotes)
            self._db.execute(f"CREATE OR REPLACE TEMP TABLE rows AS SELECT {KEY}, {GOOD}, {columns} FROM {values}")
            (fit,) = row(self._db, f"SELECT count(*) FILTER ({GOOD}) FROM rows")
            wrong = self._db.execute(f"SELECT rowid FROM rows WHERE {GOOD} IS NOT TRUE ORDER BY rowid").fetchall()
        return fit, [number for (number,) in wrong]

    def _write(self, good: int) -> Counts:
        """Write those in `rows` that fit and whose key is new."""
        with span("deduplicate"):
            self._db.execute(f"DELETE FROM rows WHERE {GOOD} IS NOT TRUE")
            (repeated,) = row(self._db, f"DELETE FROM rows WHERE rowid IN ({REPEATED})")
            self._db.execute(f"INSERT INTO seen SELECT {KEY} FROM rows")
        with span("write"):
            self._output.add()
        return Counts(good, repeated)

    def _bad(self, line: int, text: Text, wrong: Sequence[int], total: int) -> list[BadRow]:
        """The rows that the engine found wrong, with what is wrong; the text starts on that line."""
        records = text.split(total)
        lines = _first_lines(line, text.data, records)
        found = [
            Records(Chunk(records[each], lines[each], last=True), self._source.delimiter, self._width) for each in wrong
        ]
        bad = []
        for record in (next(iter(each)) for each in found):
            fit = Fit(record.fault) if record.fault else self._check(record.fields)
            if fit is None:
                raise RefusedError
            bad.append((record, fit))
        return bad


def _first_lines(first: int, data: bytes, records: list[bytes]) -> Sequence[int]:
    """The number of the line that each record of a text starts on; there may be blank lines between them."""
    if line_ends(data) + (not data.endswith((b"\n", b"\r"))) == len(records):
        return range(first, first + len(records))
    numbers, start = [], 0
    for record in records:
        at = data.index(record, start)
        first += line_ends(data[start:at])
        numbers.append(first)
        first += line_ends(record)
        start = at + len(record)
    return numbers
