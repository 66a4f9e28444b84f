"""What a DynamoDB table says of the tables in it and of the loads into them.

One item a table tells its rows from all others: one write of it makes a load visible. One item a load tells of rows
that nobody has published yet, or nobody needs any more.

Rows are in the partitions of a generation, each with the load that wrote it in its sort key. A replacing load begins a
generation, an appending one adds to it. Whoever writes or removes rows is seen at least every minute, by the server's
clock; after that it takes a quarter of an hour, and the next load may remove those rows.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from core.database.dynamodb_calls import Calls, Query
from core.database.port import TableColumn
from core.errors import DatabaseError

# A partition takes 1,000 write units a second, a new table four times that, more when it has been needed for a while:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
BUCKETS = 16
# Of a load's id.
ID_LETTERS = 11
BEAT_S = 60
ABANDONED_S = 900
REPEAT = "repeat the load"
LOADS = "loads"


class Part(msgspec.Struct, frozen=True):
    """What one load has brought.

    Attributes:
        load: Its id.
        rows: How many.
        bytes: How long their items are, as DynamoDB counts.
    """

    load: str
    rows: int
    bytes: int


class Entry(msgspec.Struct, frozen=True):
    """What a table is.

    Attributes:
        version: Another one for each change.
        generation: Whose partitions its rows are in.
        key: Column that is unique.
        columns: In order; a row's attribute has the column's number as its name.
        parts: The loads whose rows are its own; all other rows there are nobody's yet.
    """

    version: str
    generation: str
    key: str
    columns: tuple[TableColumn, ...]
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return sum(part.rows for part in self.parts)


class Claim(msgspec.Struct, frozen=True):
    """Rows that no table has, and who sees to them.

    Attributes:
        load: Whose they are.
        generation: Whose partitions they are in; where it is the load's own, all that is in these is meant.
        dead: 0 while they are being written, 1 while they are being removed.
        seen_s: When the server last heard of who does it.
    """

    load: str
    generation: str
    dead: int = 0
    seen_s: int = 0

    @property
    def prefix(self) -> str:
        """What the sort keys of its rows start with."""
        return "" if self.load == self.generation else self.load

    def item(self) -> dict[str, Any]:
        """It as DynamoDB holds it."""
        numbers = {"dead": {"N": str(self.dead)}, "seen": {"N": str(self.seen_s)}}
        return {**_keys(LOADS, self.load), "generation": {"S": self.generation}, **numbers}


def new_id() -> str:
    """An id that nothing else has, as short as that can be: each row pays for it twice."""
    return secrets.token_urlsafe(8)  # 64 bits in ID_LETTERS


def partition(generation: str, bucket: int) -> str:
    """The key of a generation's partition."""
    return f"{generation}#{bucket}"


def entry(calls: Calls, table: str) -> Entry | None:
    """What a table is; None where there is none."""
    found = calls.ask("get_item", {"Key": _keys(f"table#{table}", "table"), "ConsistentRead": True}).get("Item")
    return msgspec.json.decode(found["entry"]["S"], type=Entry) if found else None


def publish(calls: Calls, table: str, new: Entry, claim: Claim, *, expected: Entry | None) -> bool:
    """Make a claim's rows a table's, in one visible step; gives whether the table was as expected.

    Raises:
        DatabaseError: Nobody heard of the load for so long that its rows were given up.
    """
    value = {"version": {"S": new.version}, "entry": {"S": msgspec.json.encode(new).decode()}}
    put = {"Item": {**_keys(f"table#{table}", "table"), **value}, **_unchanged(expected)}
    done = {"Key": _keys(LOADS, claim.load), **_alive(0)}
    writes = [{"Put": put}, {"Delete": done}]
    if expected and expected.generation != new.generation:
        writes.append({"Put": {"Item": dead(calls, expected.generation).item()}})
    return _transacted(calls, writes)


def unpublish(calls: Calls, table: str, expected: Entry) -> bool:
    """Remove a table in one visible step; gives whether it was as expected."""
    delete = {"Key": _keys(f"table#{table}", "table"), **_unchanged(expected)}
    return _transacted(calls, [{"Delete": delete}, {"Put": {"Item": dead(calls, expected.generation).item()}}])


def claimed(calls: Calls, generation: str | None) -> Claim:
    """A claim for the rows of a new load, into a generation or, where that is None, one of its own."""
    load = new_id()
    claim = Claim(load, generation or load, seen_s=calls.now_s)
    calls.ask("put_item", {"Item": claim.item(), "ConditionExpression": "attribute_not_exists(sk)"})
    return claim


def dead(calls: Calls, generation: str) -> Claim:
    """The claim for all rows of a generation that no table has any more."""
    return Claim(generation, generation, dead=1, seen_s=calls.now_s)


class Beat:
    """Lets the server hear of a claim once a minute, as long as it is called often.

    Args:
        calls: To the table.
        claim: What is being written or removed.
    """

    def __init__(self, calls: Calls, claim: Claim) -> None:
        self._calls = calls
        self._claim = claim
        self._last = time.monotonic()

    def __call__(self) -> None:
        """Say it if it is time to.

        Raises:
            DatabaseError: Another one took the claim.
        """
        if time.monotonic() - self._last < BEAT_S:
            return
        self._last = time.monotonic()
        if not _changed(self._calls, self._claim, dead_after=self._claim.dead):
            raise DatabaseError(_taken(self._calls))


def abandon(calls: Calls, claim: Claim) -> None:
    """Remove the rows of a load that failed; nothing is removed where it was published after all."""
    if _changed(calls, claim, dead_after=1):
        remove(calls, msgspec.structs.replace(claim, dead=1))


def sweep(calls: Calls) -> None:
    """Remove the rows that nobody sees to any more, such as those of a load that was killed."""
    for claim in list(_claims(calls)):
        lost = calls.now_s - claim.seen_s >= ABANDONED_S
        if lost and _changed(calls, claim, dead_after=1):
            remove(calls, msgspec.structs.replace(claim, dead=1))


def remove(calls: Calls, claim: Claim) -> None:
    """Remove the rows of a dead claim, and the claim when they are gone."""
    names = ("sk",)
    queries = [
        Query(partition(claim.generation, bucket), names, claim.prefix, consistent=True) for bucket in range(BUCKETS)
    ]
    beat = Beat(calls, claim)
    with calls.writer() as writer, contextlib.closing(calls.pages(queries)) as pages:
        for page in pages:
            for sk in _sort_keys(page.body):
                writer.delete(page.pk, sk)
            beat()
    calls.ask("delete_item", {"Key": _keys(LOADS, claim.load)})


class _Key(msgspec.Struct):
    sk: dict[str, str]


class _Keys(msgspec.Struct):
    items: list[_Key] = msgspec.field(name="Items")


class _Items(msgspec.Struct):
    items: list[dict[str, dict[str, str]]] = msgspec.field(name="Items")


def _sort_keys(body: bytes) -> Iterator[str]:
    return (key.sk["S"] for key in msgspec.json.decode(body, type=_Keys).items)


def _claims(calls: Calls) -> Iterator[Claim]:
    query = Query(LOADS, ("sk", "generation", "dead", "seen"), consistent=True)
    for page in calls.pages([query]):
        for item in msgspec.json.decode(page.body, type=_Items).items:
            numbers = int(item["dead"]["N"]), int(item["seen"]["N"])
            yield Claim(item["sk"]["S"], item["generation"]["S"], *numbers)


def _changed(calls: Calls, claim: Claim, *, dead_after: int) -> bool:
    """Have the server hear of a claim; gives whether it still was as it is known."""
    values = {":now": {"N": str(calls.now_s)}, ":after": {"N": str(dead_after)}}
    condition = _alive(claim.dead)
    request = {
        "Key": _keys(LOADS, claim.load),
        "UpdateExpression": "SET seen = :now, dead = :after",
        "ConditionExpression": condition["ConditionExpression"],
        "ExpressionAttributeValues": values | condition["ExpressionAttributeValues"],
    }
    from botocore.exceptions import ClientError

    try:
        calls.ask("update_item", request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _transacted(calls: Calls, writes: list[dict[str, Any]]) -> bool:
    """Do the writes in one step; gives whether the table was as expected, on which the first depends.

    Raises:
        DatabaseError: What the second depends on is no more.
    """
    from botocore.exceptions import ClientError

    try:
        calls.transact(writes)
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        reasons = [each.get("Code") for each in error.response.get("CancellationReasons", [])]
        if reasons[1:2] == ["ConditionalCheckFailed"]:
            raise DatabaseError(_taken(calls)) from error
        if not {"ConditionalCheckFailed", "TransactionConflict"}.intersection(reasons):
            raise
        return False
    return True


def _unchanged(expected: Entry | None) -> dict[str, Any]:
    """The condition that a table is as it was."""
    if expected is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    values = {":version": {"S": expected.version}}
    return {"ConditionExpression": "version = :version", "ExpressionAttributeValues": values}


def _alive(state: int) -> dict[str, Any]:
    """The condition that a claim is there, and as dead as it was."""
    return {"ConditionExpression": "dead = :dead", "ExpressionAttributeValues": {":dead": {"N": str(state)}}}


def _taken(calls: Calls) -> str:
    return f"nobody heard of a load into {calls.table} for {ABANDONED_S // 60} minutes, so another removed it: {REPEAT}"


def _keys(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
