"""What loads into DynamoDB and queries survive: a busy service and a bad network.

The server is an emulator (ministack), which has no limits of speed and always reads what was written last; a proxy
before it does what a busy service and a bad network do.
"""

import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import AccessError, DatabaseError, engine
from core.database import connect, dynamodb_calls, dynamodb_client, dynamodb_loads
from tests import database_servers
from tests.database_rigs import TABLE, selected, written
from tests.dynamodb_proxy import CUT, Body, Proxy, failure, proxy
from tests.test_database_contract import record
from tests.test_database_dynamodb import many, rows
from tests.test_database_loading import ids, load

REGION = "eu-west-1"


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that the requests of a test go through."""
    with proxy(database_servers.dynamodb_endpoint()) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", found.url)
        dynamodb_client.close(REGION)
        yield found
        dynamodb_client.close(REGION)


@pytest.fixture
def url(between: Proxy) -> str:  # noqa: ARG001  (it has to be there)
    """Of a table that is not there yet."""
    return f"dynamodb://{REGION}/test_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left undone is sent again at once."""
    monkeypatch.setattr(dynamodb_calls, "LONGEST_BACKOFF_S", 0.0)


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"])
def test_credentials_that_are_refused_are_an_access_error(between: Proxy, url: str, code: str) -> None:
    between.before = lambda _, __: failure(code, "The security token is invalid")
    with pytest.raises(AccessError, match=code) as raised:
        connect(url).columns("kinds")
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(raised.value).split()


@pytest.mark.usefixtures("impatient")
def test_what_is_left_undone_is_sent_again(between: Proxy, url: str, tmp_path: Path) -> None:
    undone: list[Any] = []

    def half(operation: str, request: Body) -> None:
        if operation == "BatchWriteItem":
            for name, requests in request["RequestItems"].items():
                kept = len(requests) // 2 or 1
                request["RequestItems"][name], undone[:] = requests[:kept], requests[kept:]

    def told(operation: str, request: Body, answer: Body) -> None:
        if operation == "BatchWriteItem" and undone:
            answer["UnprocessedItems"] = {name: list(undone) for name in request["RequestItems"]}

    between.before, between.after, between.one_at_a_time = half, told, True
    assert load(url, many(40), tmp_path) == (40, 0)
    assert ids(url) == list(range(1, 41))


@pytest.mark.usefixtures("impatient")
def test_a_service_that_never_does_it_leaves_the_table_as_it_was(between: Proxy, url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)

    def none(operation: str, request: Body) -> tuple[int, Body] | None:
        puts = operation == "BatchWriteItem" and "PutRequest" in str(request)
        return (200, {"UnprocessedItems": request["RequestItems"]}) if puts else None

    between.before = none
    with pytest.raises(DatabaseError, match="undone 12 times"):
        load(url, [record(2)], tmp_path)
    assert ids(url) == [1]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("code", sorted(dynamodb_calls.BUSY))
def test_a_request_for_which_there_is_no_capacity_is_sent_again(
    between: Proxy, url: str, tmp_path: Path, code: str
) -> None:
    load(url, [record(1)], tmp_path)
    met: set[str] = set()

    def busy(operation: str, _: Body) -> tuple[int, Body] | None:
        if operation in met:
            return None
        met.add(operation)
        return failure(code)

    between.before = busy
    assert load(url, [record(2)], tmp_path) == (1, 0)
    assert ids(url) == [2]


@pytest.mark.usefixtures("impatient")
def test_where_capacity_never_comes_the_error_says_what_to_do(between: Proxy, url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(dynamodb_client, "ATTEMPTS", 1)
    between.before = lambda _, __: failure("ThrottlingException")
    with pytest.raises(DatabaseError, match=r"no capacity .* 12 times: give it more, or repeat later"):
        connect(url).columns("kinds")


@pytest.mark.parametrize("append", [False, True])
def test_a_network_that_breaks_in_mid_load_leaves_the_table_as_it_was(
    between: Proxy, url: str, tmp_path: Path, append: bool
) -> None:
    load(url, [record(1)], tmp_path)
    sources = [written(many(100, 10 + 100 * part), tmp_path, f"{part}.csv") for part in range(3)]

    def batches(db: Any) -> Iterator[Any]:
        yield db.sql(selected(sources[0]))
        between.before = lambda _, __: (CUT, {})
        yield from (db.sql(selected(source)) for source in sources[1:])

    with engine.session() as db, pytest.raises(DatabaseError, match="refused or lost"):
        connect(url).load(TABLE, batches(db), append=append)
    between.before = lambda _, __: None
    assert ids(url) == [1]
    assert load(url, [record(2)], tmp_path, append=True) == (1, 0)


def test_a_publication_whose_answer_is_lost_counts_once(between: Proxy, url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    between.after = lambda operation, _, __: (
        CUT if operation == "TransactWriteItems" and between.asked[operation] == 2 else None
    )
    assert load(url, [record(2)], tmp_path, append=True) == (1, 0)
    assert between.asked["TransactWriteItems"] == 3
    assert ids(url) == [1, 2]


def test_a_read_that_misses_what_was_just_written_is_done_again(between: Proxy, url: str, tmp_path: Path) -> None:
    load(url, many(30), tmp_path)

    def late(operation: str, request: Body, answer: Body) -> None:
        if operation == "Query" and not request["ConsistentRead"]:
            del answer["Items"][:1]

    between.after = late
    assert ids(url) == list(range(1, 31))
    assert between.asked["Query"] >= 2 * dynamodb_loads.BUCKETS


def test_a_table_that_lacks_rows_is_not_answered_from(between: Proxy, url: str, tmp_path: Path) -> None:
    load(url, many(30), tmp_path)

    def lost(operation: str, _: Body, answer: Body) -> None:
        if operation == "Query":
            del answer["Items"][:1]

    between.after = lost
    with pytest.raises(DatabaseError, match="lacks rows of table 'kinds': load it again"):
        ids(url)


def test_what_cannot_be_removed_stays_for_a_later_load(
    between: Proxy, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    load(url, many(30), tmp_path)
    between.before = lambda operation, request: (
        failure("InternalServerError") if operation == "BatchWriteItem" and "DeleteRequest" in str(request) else None
    )
    with caplog.at_level(logging.WARNING):
        assert load(url, [record(99)], tmp_path) == (1, 0)
    assert "a later load removes them" in caplog.text
    between.before = lambda _, __: None
    assert (ids(url), rows(url)) == ([99], 31)
    monkeypatch.setattr(dynamodb_loads, "ABANDONED_S", 0)
    load(url, [record(100)], tmp_path, append=True)
    assert (ids(url), rows(url)) == ([99, 100], 2)


def test_what_a_call_consumed_is_logged(url: str, tmp_path: Path, caplog: Any) -> None:
    with caplog.at_level(logging.INFO, "polyfaas.core"):
        load(url, many(50), tmp_path)
    (told,) = [each for each in caplog.records if each.message == "DynamoDB capacity consumed"]
    assert told.database == url
    assert told.write_units >= 50
    assert told.read_units > 0
