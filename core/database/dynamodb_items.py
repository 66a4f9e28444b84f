"""Rows as items of DynamoDB, and back.

An attribute has the number of its column as its name, since names are paid for in every row. A number has 38 digits
there and lies between 1e-130 and 9.9e125: a double outside is a text. A missing value is a missing attribute. The
engine reads the pages as the JSON that DynamoDB sends, and holds on the disk what does not fit into memory.
"""

import contextlib
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core import engine
from core.database.dynamodb_calls import Calls, Query
from core.database.dynamodb_loads import BUCKETS, ID_LETTERS, Entry, partition
from core.database.port import Rows, Table, TableColumn
from core.database.relation import Relation, Value, sql_type
from core.datasets.grammar import Type
from core.engine import name as quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SPOOL = "polyfaas_spool"
KEYS = "polyfaas_keys"
PIECE = "polyfaas_piece"
ROWS = 2_000
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
LEAST, MOST = 1e-130, 9.99e125
LONGEST_KEY_BYTES = 1024
# What an item takes where it is stored, besides what is in it:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
ITEM_BYTES = 100
NUMBERS = ("integer", "decimal", "double")


class Pieces:
    """The rows of a load whose key is new, as texts, a batch at a time; the keys that were seen are the engine's.

    Args:
        db: A session of the engine.
        table: What the rows are.

    Attributes:
        rows: How many there were until now, with those whose key was not new.
    """

    def __init__(self, db: "DuckDBPyConnection", table: Table) -> None:
        self._db = db
        self._table = table
        self._key = quoted(table.key)
        self.rows = 0
        kind = next(column.type for column in table.columns if column.name == table.key)
        db.execute(f"CREATE OR REPLACE TEMP TABLE {KEYS} (k {sql_type(kind)})")

    def known(self, entry: Entry, calls: Calls) -> bool:
        """Take the keys of a table as seen; gives whether they were all to be had."""
        spool = Spool(self._db, entry, [entry.key])
        if not spool.fill(calls, consistent=True):
            return False
        (key,) = spool.relation().columns.values()
        self._db.execute(f"INSERT INTO {KEYS} SELECT {key.sql} FROM {SPOOL} WHERE {key.sql} IS NOT NULL")
        self._db.execute(f"DROP TABLE {SPOOL}")
        return True

    def read(self, batches: Iterable[Rows]) -> Iterator[list[tuple[str | None, ...]]]:
        """The rows, the first of those with one key; each batch is read before the next is asked for."""
        names = [(quoted(each.name), sql_type(each.type)) for each in self._table.columns]
        typed = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in names)
        texts = ", ".join(f"CAST({name} AS VARCHAR)" for name, _ in names)
        for rows in batches:
            self._db.register("polyfaas_rows", rows)
            made = f"CREATE OR REPLACE TEMP TABLE {PIECE} AS SELECT {typed} FROM polyfaas_rows"
            (count,) = engine.row(self._db, made)
            self._db.unregister("polyfaas_rows")
            self.rows += int(count)
            self._drop_seen()
            self._db.execute(f"SELECT {texts} FROM {PIECE}")
            while found := self._db.fetchmany(ROWS):
                yield found

    def _drop_seen(self) -> None:
        """Leave the rows of the piece whose key is new, and see it."""
        key = self._key
        first = f"SELECT min(rowid) FROM {PIECE} GROUP BY {key}"
        seen = f"SELECT 1 FROM {KEYS} WHERE k = {PIECE}.{key}"
        again = f"rowid NOT IN ({first}) OR EXISTS ({seen})"
        self._db.execute(f"DELETE FROM {PIECE} WHERE {key} IS NOT NULL AND ({again})")
        self._db.execute(f"INSERT INTO {KEYS} SELECT {key} FROM {PIECE} WHERE {key} IS NOT NULL")


class Items:
    """The items of a load.

    Args:
        table: What the rows are.
        generation: Whose partitions they go to.
        load: The load's id.

    Attributes:
        count: How many there were until now.
        bytes: How long they were, as DynamoDB counts.
    """

    def __init__(self, table: Table, generation: str, load: str) -> None:
        self._kinds = [column.type.kind for column in table.columns]
        self._key = [column.name for column in table.columns].index(table.key)
        self._partitions = [partition(generation, bucket) for bucket in range(BUCKETS)]
        self._load = load
        self.count = 0
        self.bytes = 0

    def of(self, row: Sequence[str | None]) -> dict[str, Any]:
        """The item of a row."""
        self.count += 1
        place = self._place(row[self._key])
        bucket = zlib.crc32(place.encode()) % BUCKETS
        item = {"pk": {"S": self._partitions[bucket]}, "sk": {"S": self._load + place}}
        for number, (kind, value) in enumerate(zip(self._kinds, row, strict=True)):
            if value is not None:
                item[str(number)] = attribute(kind, value)
        self.bytes += ITEM_BYTES + sum(len(name) + _size(value) for name, value in item.items())
        return item

    def _place(self, key: str | None) -> str:
        """A sort key that no other row of the load has; a key that is too long is told by its digest."""
        if key is None:
            return f"-{self.count}"
        if len(key.encode()) > LONGEST_KEY_BYTES - len(self._load) - 1:
            return f"~{hashlib.sha256(key.encode()).hexdigest()}"
        return f"={key}"


def attribute(kind: str, text: str) -> dict[str, str]:
    """A value as DynamoDB holds it."""
    if kind not in NUMBERS:
        return {"S": text}
    if kind == "double" and not LEAST <= abs(float(text)) <= MOST:
        return {"S": text} if float(text) else {"N": "0"}
    return {"N": text}


def _size(value: dict[str, str]) -> int:
    """How long a value is: a text in UTF-8; of a number a byte for two digits, one more, and one for a minus."""
    ((kind, text),) = value.items()
    if kind == "S":
        return len(text) if text.isascii() else len(text.encode())
    digits = text.partition("e")[0].replace(".", "").strip("-0")
    return 1 + (len(digits) + 1) // 2 + text.startswith("-")


class _Items(msgspec.Struct):
    """The items of a page, each as JSON."""

    items: list[msgspec.Raw] = msgspec.field(name="Items")


class Spool:
    """Some columns of a table in a temporary one of the engine's.

    Args:
        db: A session of the engine.
        entry: The table.
        columns: Their names; where there are none, the key is read.
    """

    def __init__(self, db: "DuckDBPyConnection", entry: Entry, columns: Sequence[str]) -> None:
        self._db = db
        self._entry = entry
        wanted = set(columns) or {entry.key}
        self._columns: dict[str, TableColumn] = {
            str(number): column for number, column in enumerate(entry.columns) if column.name in wanted
        }

    def fill(self, calls: Calls, *, consistent: bool) -> bool:
        """Read the table; gives whether all of its rows were there, and no other.

        Args:
            calls: To the table.
            consistent: Whether to read what was written just now, for twice the price.
        """
        declared = ", ".join(f"{quoted(number)} {sql_type(each.type)}" for number, each in self._columns.items())
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE {SPOOL} ({declared})")
        names = ("sk", *self._columns)
        parts = [part.load for part in self._entry.parts]
        queries = [
            Query(partition(self._entry.generation, bucket), names, consistent=consistent) for bucket in range(BUCKETS)
        ]
        rows = 0
        with contextlib.closing(calls.pages(queries)) as pages:
            for page in pages:
                rows += self._take(page.body, parts)
        return rows == self._entry.rows

    def relation(self) -> Relation:
        """What can be selected from, when it is full."""
        columns = {each.name: Value(quoted(number), each.type) for number, each in self._columns.items()}
        return Relation(SPOOL, columns)

    def _take(self, body: bytes, parts: Sequence[str]) -> int:
        """Take the rows of a page that are of these loads; gives how many."""
        items = msgspec.json.decode(body, type=_Items).items
        if not items:
            return 0
        # One item a line: the engine reads these seven times as fast as one document.
        with engine.memory_file(b"\n".join(items)) as (_, path):
            found = self._db.execute(self._insert(path), [parts]).fetchone()
        return int(found[0]) if found else 0

    def _insert(self, path: Path) -> str:
        """The statement that takes the rows of a file of items, of those loads whose rows are the table's."""
        declared = ", ".join(f"{engine.text(number)}: 'STRUCT(N VARCHAR, S VARCHAR)'" for number in self._columns)
        columns = f"{{'sk': 'STRUCT(S VARCHAR)', {declared}}}"
        items = f"read_json({engine.text(path)}, format = 'newline_delimited', columns = {columns})"
        values = ", ".join(_value(number, each.type) for number, each in self._columns.items())
        return f"INSERT INTO {SPOOL} SELECT {values} FROM {items} WHERE list_contains(?, sk.S[:{ID_LETTERS}])"


def _value(number: str, kind: Type) -> str:
    """The SQL of an attribute as what it stands for."""
    texts = quoted(number)
    found = f"{texts}.S" if kind.kind not in NUMBERS else f"{texts}.N"
    if kind.kind == "double":
        found = f"coalesce({texts}.N, {texts}.S)"
    return f"CAST({found} AS {sql_type(kind)})"
