"""Calls of DynamoDB: batches written and pages read by several requests at once, and what that consumes."""

import random
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from core.database.dynamodb_client import READERS, WRITERS, client
from core.errors import DatabaseError

# Ours, of what DynamoDB has no capacity for: each after a random part of twice as long, half a minute in all.
PATIENCE = 12
BACKOFF_S, LONGEST_BACKOFF_S = 0.05, 10.0
BUSY = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html: 25 items of 400 KB, 16 MB
BATCH = 25
READS = frozenset({"get_item", "query"})
MORE = "give it more, or repeat later"


class Page(msgspec.Struct, frozen=True):
    """A page of items.

    Attributes:
        body: DynamoDB's answer as JSON.
        pk: The partition that they are in.
        last: Where the next page starts; None where there is none.
    """

    body: bytes
    pk: str
    last: dict[str, Any] | None


class Query(msgspec.Struct, frozen=True):
    """What to read of a partition.

    Attributes:
        pk: Of the partition.
        names: The attributes that are wanted.
        prefix: What the sort keys start with.
        consistent: Whether all that was written before is read, for twice the price.
    """

    pk: str
    names: tuple[str, ...]
    prefix: str = ""
    consistent: bool = False

    def request(self, start: dict[str, Any] | None) -> dict[str, Any]:
        """The request for a page of it."""
        values = {":pk": {"S": self.pk}} | ({":prefix": {"S": self.prefix}} if self.prefix else {})
        found: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk" + (" AND begins_with(sk, :prefix)" if self.prefix else ""),
            "ExpressionAttributeValues": values,
            "ProjectionExpression": ", ".join(f"#{number}" for number in range(len(self.names))),
            "ExpressionAttributeNames": {f"#{number}": name for number, name in enumerate(self.names)},
            "ConsistentRead": self.consistent,
        }
        return found | ({"ExclusiveStartKey": start} if start else {})


class Calls:
    """The calls to one DynamoDB table, and what they consumed.

    Args:
        region: Of AWS.
        table: Its name.

    Attributes:
        table: Its name.
        read_units: Capacity units that reads have consumed.
        write_units: Capacity units that writes have consumed.
        now_s: The server's clock as of its last answer, in seconds since 1970; no other clock is asked.
    """

    def __init__(self, region: str, table: str) -> None:
        self.table = table
        self.read_units = 0.0
        self.write_units = 0.0
        self.now_s = 0
        self._client = client(region)
        self._counting = threading.Lock()

    def ask(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request on the table; `operation` is boto3's name of it."""
        given = {"TableName": self.table, "ReturnConsumedCapacity": "TOTAL", **request}
        return self._sent(operation, given)

    def transact(self, writes: Sequence[dict[str, Any]]) -> None:
        """Do several writes in one step, or none: each is an operation's name with its request."""
        items = [{name: {"TableName": self.table, **request}} for each in writes for name, request in each.items()]
        self._sent("transact_write_items", {"TransactItems": items, "ReturnConsumedCapacity": "TOTAL"})

    def make(self) -> None:
        """Make the table, which pays by request; gives when it can be used, whoever has made it.

        Raises:
            ClientError: It may not be made.
        """
        keys = (("pk", "HASH"), ("sk", "RANGE"))
        with suppress(self._client.exceptions.ResourceInUseException):  # another one makes it
            self._client.create_table(
                TableName=self.table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            )
        self._client.get_waiter("table_exists").wait(TableName=self.table, WaiterConfig={"Delay": 2, "MaxAttempts": 60})

    def page(self, query: Query, start: dict[str, Any] | None = None) -> Page:
        """A page of a partition's items, in the order of their sort keys."""
        answer = self.ask("query", query.request(start))
        return Page(answer["Body"], query.pk, answer.get("LastEvaluatedKey"))

    def pages(self, queries: Sequence[Query]) -> Generator[Page]:
        """The pages of several partitions, in any order; few are held at once."""
        ahead: deque[tuple[Query, dict[str, Any] | None]] = deque((query, None) for query in queries)
        running: dict[Future[Page], Query] = {}
        with ThreadPoolExecutor(READERS, "polyfaas-read") as pool:
            while ahead or running:
                while ahead and len(running) < READERS:
                    query, start = ahead.popleft()
                    running[pool.submit(self.page, query, start)] = query
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    query, page = running.pop(future), future.result()
                    if page.last:
                        ahead.appendleft((query, page.last))
                    yield page

    @contextmanager
    def writer(self) -> Iterator["Writer"]:
        """Writes batches at once; all is written when the context ends well."""
        with ThreadPoolExecutor(WRITERS, "polyfaas-write") as pool:
            writer = Writer(self, pool)
            try:
                yield writer
                writer.finish()
            finally:
                pool.shutdown(cancel_futures=True)

    def write(self, requests: Sequence[dict[str, Any]]) -> None:
        """Write one batch; what DynamoDB leaves undone is sent again, a random and growing time later.

        Raises:
            DatabaseError: It goes on leaving some undone.
        """
        left = list(requests)
        for attempt in range(PATIENCE):
            given = {"RequestItems": {self.table: left}, "ReturnConsumedCapacity": "TOTAL"}
            left = self._sent("batch_write_item", given).get("UnprocessedItems", {}).get(self.table, [])
            if not left:
                return
            _pause(attempt)
        raise DatabaseError(f"DynamoDB left writes to {self.table} undone {PATIENCE} times: {MORE}")

    def _sent(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request, which is sent again as long as there is no capacity for it."""
        from botocore.exceptions import ClientError

        for attempt in range(PATIENCE):
            try:
                answer: dict[str, Any] = getattr(self._client, operation)(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] not in BUSY:
                    raise
                _pause(attempt)
            else:
                self._count(operation, answer)
                return answer
        raise DatabaseError(f"DynamoDB had no capacity for {self.table} {PATIENCE} times: {MORE}")

    def _count(self, operation: str, answer: dict[str, Any]) -> None:
        consumed = answer.get("ConsumedCapacity") or []
        units = sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
        with self._counting:
            if operation in READS:
                self.read_units += units
            else:
                self.write_units += units
            if date := answer["ResponseMetadata"]["HTTPHeaders"].get("date"):
                self.now_s = max(self.now_s, int(parsedate_to_datetime(date).timestamp()))


class Writer:
    """Writes items in batches, several at once; what fails is raised by a later call.

    Args:
        calls: To the table.
        pool: Of WRITERS threads.
    """

    def __init__(self, calls: Calls, pool: ThreadPoolExecutor) -> None:
        self._calls = calls
        self._pool = pool
        self._ahead: list[dict[str, Any]] = []
        self._running: deque[Future[None]] = deque()

    def put(self, item: dict[str, Any]) -> None:
        """Write an item, in the place of the one that has its keys."""
        self._add({"PutRequest": {"Item": item}})

    def delete(self, pk: str, sk: str) -> None:
        """Delete the item with these keys."""
        self._add({"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}})

    def finish(self) -> None:
        """Wait until all is written."""
        self._send()
        while self._running:
            self._running.popleft().result()

    def _add(self, request: dict[str, Any]) -> None:
        self._ahead.append(request)
        if len(self._ahead) == BATCH:
            self._send()

    def _send(self) -> None:
        if self._ahead:
            self._running.append(self._pool.submit(self._calls.write, self._ahead))
            self._ahead = []
        if len(self._running) > 2 * WRITERS:
            self._running.popleft().result()


def _pause(attempt: int) -> None:
    longest = min(BACKOFF_S * 2**attempt, LONGEST_BACKOFF_S)
    time.sleep(random.uniform(0, longest))  # noqa: S311  (no secret)
