"""Tables as MongoDB's collections: a document for each row, and one that says what the columns are.

The key is the document's `_id`, so that it is unique without an index of its own. The document of the columns rides in
the collection itself: whoever sees the rows sees their types, and a rename puts both in the place of the old ones.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from core.database import text
from core.database.port import Rows, Table
from core.datasets.grammar import Kind, Type
from core.errors import DatabaseError, RequestError

if TYPE_CHECKING:
    from bson import Decimal128
    from pymongo.collection import Collection

# A document of its own kind of `_id`, which no row can have.
MARKER: dict[str, Any] = {"polyfaas": "table"}
ROWS: dict[str, Any] = {"_id": {"$ne": MARKER}}
KEY = "_id"
# A dot parts the names of a path, and a dollar begins an operator.
SPECIAL = re.compile(r"[%.$\0]")
ROWS_AT_ONCE = 1000
DUPLICATE = 11000
# A Decimal128 is a sign, an exponent of 14 bits that is 6176 for units, and a whole number.
# https://en.wikipedia.org/wiki/Decimal128_floating-point_format (binary integer significand field)
EXPONENT_OF_UNITS, EXPONENT_AT, SIGN_AT = 6176, 49, 63


class Described(msgspec.Struct, frozen=True):
    """What a collection says of its rows.

    Attributes:
        version: Another one for each load.
        key: The column that is unique.
        types: The columns' types, in order.
    """

    version: str
    key: str
    types: Mapping[str, Type]

    def field(self, column: str) -> str:
        """Where a document has a column's value."""
        return field(column, self.key)


def field(column: str, key: str) -> str:
    """The name that a column has in documents."""
    if column == key:
        return KEY
    if column in (KEY, ""):
        return f"%{column}"
    return SPECIAL.sub(lambda found: f"%{ord(found[0]):02X}", column)


def described(collection: "Collection[dict[str, Any]]") -> Described | None:
    """What a collection says of its rows; None where there is none that load has made."""
    found = collection.find_one({"_id": MARKER})
    if found is None:
        return None
    types = {each["name"]: Type(**each["type"]) for each in found["columns"]}
    return Described(found["version"], found["key"], types)


def description(table: Table) -> dict[str, Any]:
    """The document that says what the columns are."""
    columns = [{"name": each.name, "type": _declared(each.type)} for each in table.columns]
    return {"_id": MARKER, "version": uuid.uuid4().hex, "key": table.key, "columns": columns}


def differing(table: Table, old: Described) -> list[str]:
    """The columns that are not the same in a collection that is there."""
    new = {(each.name, str(_declared(each.type))) for each in table.columns}
    there = {(name, str(_declared(kind))) for name, kind in old.types.items()}
    return sorted({name for name, _ in new ^ there} | ({table.key, old.key} if table.key != old.key else set()))


def fill(collection: "Collection[dict[str, Any]]", table: Table, batches: Iterable[Rows]) -> tuple[int, int]:
    """Put the rows into a new collection, of those with one key the first; gives how many came, and how many are in it.

    Raises:
        RequestError: A row is larger than a document may be, or has no key.
        DatabaseError: Not enough servers of a replica set have the rows.
    """
    from bson.errors import InvalidDocument
    from pymongo.errors import DocumentTooLarge

    collection.insert_one(description(table))
    rows = unique = 0
    try:
        with ThreadPoolExecutor(1, "polyfaas-insert") as pool:
            waiting: Future[int] | None = None
            for documents in _documents(table, batches):
                unique += waiting.result() if waiting else 0
                waiting = pool.submit(_inserted, collection, documents)  # while the next ones are made
                rows += len(documents)
            unique += waiting.result() if waiting else 0
    except (DocumentTooLarge, InvalidDocument) as error:
        raise RequestError(f"MongoDB takes no such row ({error}): correct it") from error
    return rows, unique


def add(
    new: "Collection[dict[str, Any]]", old: "Collection[dict[str, Any]]", whole: "Collection[dict[str, Any]]"
) -> int:
    """Make a collection of the old rows and of the new ones whose key is not among them; gives how many of these.

    The server does it: no row comes here.
    """
    old.aggregate([{"$out": whole.name}])
    before = whole.count_documents({})
    merge = {"into": whole.name, "on": KEY, "whenMatched": "keepExisting", "whenNotMatched": "insert"}
    new.aggregate([{"$match": ROWS}, {"$merge": merge}])
    whole.update_one({"_id": MARKER}, {"$set": {"version": uuid.uuid4().hex}})
    return whole.count_documents({}) - before


def plain(found: Any, kind: Type) -> Any:
    """A value of a document's as Python's."""
    if isinstance(found, datetime):
        return found.date() if kind.kind == "date" else found
    return found.to_decimal() if hasattr(found, "to_decimal") else found


def converter(kind: Type) -> Callable[[Any], Any] | None:
    """What makes a value of Python's one of a document; None where it is one."""
    from bson import Int64

    converters: dict[Kind, Callable[[Any], Any]] = {
        "integer": Int64,
        "decimal": _amount(kind.scale),
        "date": lambda day: datetime.combine(day, time.min),
    }
    return converters.get(kind.kind)


def _inserted(collection: "Collection[dict[str, Any]]", documents: Sequence[dict[str, Any]]) -> int:
    """Insert the documents whose key is new; gives their number.

    The server may take what is not ordered in any order, so that documents with one key are told apart before.
    """
    from pymongo.errors import BulkWriteError

    first = {document.get(KEY): document for document in reversed(documents)}
    if None in first:
        raise RequestError("a row has no value in its key: correct the row")
    try:
        return len(collection.insert_many(reversed(first.values()), ordered=False).inserted_ids)
    except BulkWriteError as error:
        others = [each["errmsg"] for each in error.details["writeErrors"] if each["code"] != DUPLICATE]
        if others:
            raise RequestError(f"MongoDB takes no such row ({others[0]}): correct it") from error
        if unsure := error.details["writeConcernErrors"]:
            raise DatabaseError(f"not enough servers have the rows ({unsure[0]['errmsg']}): repeat the load") from error
        return int(error.details["nInserted"])


def _documents(table: Table, batches: Iterable[Rows]) -> Iterator[list[dict[str, Any]]]:
    """The rows as documents, without what has no value."""
    fields = [field(each.name, table.key) for each in table.columns]
    converters = [converter(each.type) for each in table.columns]
    for rows in text.values(table, batches, ROWS_AT_ONCE):
        columns = list(zip(*rows, strict=True))
        gaps = any(None in column for column in columns)
        converted = [_converted(column, convert) for column, convert in zip(columns, converters, strict=True)]
        documents = [dict(zip(fields, values, strict=True)) for values in zip(*converted, strict=True)]
        yield [_without_nulls(each) for each in documents] if gaps else documents


def _converted(column: Sequence[Any], convert: Callable[[Any], Any] | None) -> Sequence[Any]:
    if convert is None:
        return column
    return [None if value is None else convert(value) for value in column]


def _without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _amount(scale: int) -> "Callable[[Decimal], Decimal128]":
    """What makes an amount of so many places a Decimal128: pymongo's own way takes many times as long."""
    from bson import Decimal128

    positive = (EXPONENT_OF_UNITS - scale) << EXPONENT_AT
    negative = positive | 1 << SIGN_AT

    def converted(amount: Decimal) -> Decimal128:
        units = int(amount.scaleb(scale))
        halves = (negative, -units) if units < 0 else (positive, units)
        return Decimal128(halves)  # type: ignore[arg-type]  # documented, but not in its annotation

    return converted


def _declared(kind: Type) -> dict[str, Any]:
    if kind.kind == "decimal":
        return {"kind": kind.kind, "precision": kind.precision, "scale": kind.scale}
    return {"kind": kind.kind}
