"""What is special about DynamoDB: what its URL says, and what becomes of values, keys and items.

The server is an emulator (ministack), which checks no signature.
"""

import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from core import AccessError, DatabaseError, DataError, NotFoundError, RequestError, engine
from core.database import Database, Table, TableColumn, connect, dynamodb_loads
from core.datasets.grammar import Type
from core.services.selection import AggregateRequest, Asked
from tests import database_servers
from tests.database_rigs import asked
from tests.dynamodb_proxy import Body
from tests.test_database_contract import record
from tests.test_database_loading import COUNT, asked_of, ids, load

REGION = "us-east-1"


@pytest.fixture
def url() -> str:
    """Of a table that is not there yet."""
    return database_servers.dynamodb_url()


def items(url: str) -> list[Body]:
    """All that a table of DynamoDB holds, read by another way."""
    region, _, name = url.removeprefix("dynamodb://").partition("/")
    client = boto3.client("dynamodb", region_name=region, endpoint_url=database_servers.dynamodb_endpoint())
    found: list[Body] = client.scan(TableName=name)["Items"]
    client.close()
    return found


def rows(url: str) -> int:
    """How many rows a table of DynamoDB holds, whosever they are."""
    return sum("#" in item["pk"]["S"] and not item["pk"]["S"].startswith("table#") for item in items(url))


def many(count: int, first: int = 1) -> list[Any]:
    return [record(number) for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("user@eu-west-1/table", "the AWS SDK finds who asks"),
        ("eu-west-1:8000/table", "the AWS SDK finds who asks"),
        ("eu-west-1/table?password=env:MY_PASSWORD", "the AWS SDK finds who asks"),
        ("eu-west-1/table?endpoint=http://localhost", 'no option "endpoint"'),
        ("localhost/table", "names no region or table"),
        ("eu-west-1/ab", "names no region or table"),
        ("eu-west-1", "names no database"),
        ("AKIDTEST:hidden-word@eu-west-1/table", "may not hold a password"),
    ],
)
def test_a_wrong_url_is_refused_and_no_secret_shown(rest: str, found: str) -> None:
    with pytest.raises(RequestError, match=found) as raised:
        connect(f"dynamodb://{rest}")
    assert "hidden-word" not in str(raised.value.problem("/query"))


def test_without_boto3_the_error_says_what_to_install(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(url).close()
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(DatabaseError, match=r"install polyfaas\[aws\]"):
        connect(url).columns("kinds")
    monkeypatch.undo()


def test_nobody_to_ask_as_is_an_access_error(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(url).close()
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    with pytest.raises(AccessError, match="set AWS_ACCESS_KEY_ID"):
        connect(url).columns("kinds")
    monkeypatch.undo()
    connect(url).close()


def test_where_there_is_no_table_of_dynamodb_none_is_made_by_asking(url: str) -> None:
    with pytest.raises(NotFoundError, match="load into it first"):
        connect(url).columns("kinds")
    with pytest.raises(NotFoundError):
        connect(url).stored_bytes("kinds")
    assert connect(url).drop("kinds") is False
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        items(url)


def test_a_table_of_another_program_is_refused(url: str, tmp_path: Path) -> None:
    endpoint = database_servers.dynamodb_endpoint()
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint)
    client.create_table(
        TableName=url.rpartition("/")[2],
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    client.close()
    with pytest.raises(RequestError, match="check its keys"):
        load(url, [record(1)], tmp_path)
    assert items(url) == []


def test_one_table_of_dynamodb_holds_many(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    table = Table(name="texts", columns=(TableColumn("id", Type()),), key="id")
    with engine.session() as db:
        assert connect(url).load(table, [db.sql("SELECT 'a' AS id")], append=False) == (1, 0)
    assert connect(url).drop("texts") is True
    assert ids(url) == [1]


def test_nothing_is_left_of_what_was_replaced_or_dropped(url: str, tmp_path: Path) -> None:
    load(url, many(60), tmp_path)
    load(url, many(70), tmp_path)
    load(url, many(80), tmp_path, append=True)
    assert rows(url) == 80
    connect(url).drop("kinds")
    assert items(url) == []


def test_a_table_in_dynamodb_and_a_file_are_parts_of_one(url: str, tmp_path: Path) -> None:
    load(url, many(5), tmp_path)
    load(f"{tmp_path}/part.db", many(5, 6), tmp_path)
    parts = [connect(f"{tmp_path}/part.db"), connect(url)]
    total = AggregateRequest("sum", "amount", "total")
    for order in (parts, parts[::-1]):
        assert asked(order, Asked(group_by=["day"], aggregates=[total])) == [[("2010-05-28", Decimal("95.00"))]]


DOUBLES = [0.1 + 0.2, 1e-130, 9.99e125, math.nextafter(1e126, 0), 1e126, -1e300, math.ulp(0.0), sys.float_info.max]
DOUBLES += [-sys.float_info.min, math.nextafter(1e-130, 0), 2.0**60 + 256, -1e-200]


def doubles(url: str, values: Sequence[float]) -> Database:
    table = Table(
        name="texts", columns=(TableColumn("id", Type("integer")), TableColumn("x", Type("double"))), key="id"
    )
    listed = ", ".join(f"({number}::BIGINT, '{value!r}'::DOUBLE)" for number, value in enumerate(values))
    with engine.session() as db:
        connect(url).load(table, [db.sql(f"SELECT * FROM (VALUES {listed}) AS t (id, x)")], append=False)
    return connect(url)


def test_doubles_come_back_bit_for_bit(url: str) -> None:
    found = asked_of(doubles(url, DOUBLES), Asked(group_by=["id", "x"], aggregates=COUNT))
    assert [x.hex() for _, x, _ in found] == [x.hex() for x in DOUBLES]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_cannot_be_summed(url: str, value: float) -> None:
    database = doubles(url, [1.0, value])
    with pytest.raises(DataError, match="infinity"):
        asked_of(database, Asked(aggregates=[AggregateRequest("sum", "x")]))


def test_keys_may_be_longer_than_dynamodbs_and_missing_ones_are_all_kept(url: str) -> None:
    table = Table(name="texts", columns=(TableColumn("id", Type()), TableColumn("n", Type("integer"))), key="id")
    keys = ["x" * 1013, "x" * 1012, "é" * 512, "x" * 5000, "x" * 5001, "x" * 5000, None, None]
    listed = ", ".join(f"({'NULL' if key is None else engine.text(key)}, {n}::BIGINT)" for n, key in enumerate(keys))
    with engine.session() as db:
        loaded = [
            connect(url).load(table, [db.sql(f"SELECT * FROM (VALUES {listed}) AS t (id, n)")], append=append)
            for append in (False, True)
        ]
    assert loaded == [(7, 1), (2, 6)]
    found = asked_of(connect(url), Asked(group_by=["id"], aggregates=COUNT))
    assert found == [*((key, 1) for key in sorted(set(filter(None, keys)))), (None, 4)]


def test_a_row_that_is_too_long_is_refused_and_the_table_as_before(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    with pytest.raises(RequestError, match="400 KB"):
        load(url, [record(2), record(3, **{"Text, of a kind": "x" * 410_000})], tmp_path)
    assert ids(url) == [1]
    assert rows(url) == 1


def test_the_room_that_a_table_takes_is_what_aws_says_of_its_items(url: str) -> None:
    table = Table(
        name="texts",
        columns=(
            TableColumn("id", Type("integer")),
            TableColumn("é", Type()),
            TableColumn("amount", Type("decimal", scale=2)),
            TableColumn("none", Type("date")),
        ),
        key="id",
    )
    with engine.session() as db:
        connect(url).load(table, [db.sql("SELECT 1200 AS id, 'é€' AS é, -9.5 AS amount, NULL AS none")], append=False)
    (item,) = [item for item in items(url) if "1" in item]
    sort = len("sk") + dynamodb_loads.ID_LETTERS + len("=1200")
    values = len("0") + 2 + len("1") + 5 + len("2") + 3
    assert connect(url).stored_bytes("texts") == 100 + len("pk") + len(item["pk"]["S"]) + sort + values
