"""What MongoDB's tables are and what is asked of them, at the server that stands for MongoDB's own."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from bson import Decimal128, Int64

from core import DatabaseError, DataError, NotFoundError, RequestError, engine
from core.database import Selection, Table, TableColumn, connect, mongodb
from core.database.mongodb_table import converter
from core.database.partial import Aggregate
from core.datasets.grammar import Type
from core.datasets.record import Filter
from core.services.selection import AggregateRequest, Asked
from tests import database_servers
from tests.database_rigs import TABLE, TYPES, asked
from tests.mongodb_server import failing, looking
from tests.test_database_contract import record
from tests.test_database_loading import COUNT, asked_of, ids, load


@pytest.fixture
def url() -> Iterator[str]:
    """Of a new database."""
    made = database_servers.mongodb_url()
    yield made
    connect(made).close()


def test_a_row_is_a_document_of_mongodbs_own_types(url: str, tmp_path: Path) -> None:
    load(url, [record(1, whole=None)], tmp_path)
    with looking(url) as db:
        (found,) = db.kinds.find({"_id": 1})
    assert found == {
        "_id": 1,
        "Text, of a kind": "Fiji",
        "amount": Decimal128("9.50"),
        "fine": Decimal128("0.00001"),
        "double": 0.1,
        "day": datetime(2010, 5, 28),  # noqa: DTZ001  # as PyMongo gives it
        "time": datetime(2010, 5, 28, 13, 45),  # noqa: DTZ001
    }
    assert isinstance(found["_id"], Int64)


@pytest.mark.parametrize("scale", [0, 2, 5, 15])
def test_an_amount_is_the_decimal_that_mongodb_makes_of_it(scale: int) -> None:
    convert = converter(Type("decimal", scale=scale))
    assert convert is not None
    for units in (0, 1, -1, 950, 10**15 - 1, -(10**15) + 1):
        amount = Decimal(units).scaleb(-scale)
        assert convert(amount).bid == Decimal128(amount).bid


def test_a_column_may_have_a_name_that_no_field_has(url: str) -> None:
    names = ["$a", "a.b", "a.c", "%24a", "_id", "_id.x", "a$b", "polyfaas", "k0"]
    columns = (TableColumn("key", Type("integer")), *(TableColumn(name, Type()) for name in names))
    table = Table(name="texts", columns=columns, key="key")
    fields = ", ".join(f"'of {name}' AS {engine.name(name)}" for name in names)
    with engine.session() as db:
        connect(url).load(table, [db.sql(f"SELECT 1::BIGINT AS key, {fields}")], append=False)
    query = Asked(group_by=names, aggregates=[AggregateRequest("max", name, f"m {name}") for name in names])
    texts = tuple(f"of {name}" for name in names)
    assert asked_of(connect(url), query) == [texts + texts]


def test_doubles_of_every_size_are_summed_exactly(url: str) -> None:
    table = Table(
        name="texts", columns=(TableColumn("id", Type("integer")), TableColumn("x", Type("double"))), key="id"
    )
    for doubles in ([5e-324, 1.0, -1e308, 1e308, 1.7e308], [5e-324, 5e-324], [-1e-310, 2.2e-308, 3.0], [0.0, -0.0]):
        listed = ", ".join(f"({number}::BIGINT, '{x!r}'::DOUBLE)" for number, x in enumerate(doubles))
        with engine.session() as db:
            rows = db.sql(f"SELECT * FROM (VALUES {listed}) AS t (id, x)")
            connect(url).load(table, [rows], append=False)
        summed = Asked(aggregates=[AggregateRequest("sum", "x")])
        assert asked_of(connect(url), summed) == [(float(sum(map(Decimal, doubles))),)]


def test_no_value_is_not_other_than_a_value(url: str, tmp_path: Path) -> None:
    load(url, [record(1, whole=None), record(2, whole=7), record(3, whole=8)], tmp_path)
    others = Asked(group_by=["id"], filters=[Filter(column="whole", op="ne", value=7)], aggregates=COUNT)
    assert asked([connect(url)], others) == [[(3, 1)]]


@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_cannot_be_summed(url: str, tmp_path: Path, odd: float) -> None:
    load(url, [record(1), record(2)], tmp_path)
    with looking(url) as db:
        db.kinds.update_one({"_id": 2}, {"$set": {"double": odd}})
    with pytest.raises(DataError, match="infinity"):
        asked([connect(url)], Asked(aggregates=[AggregateRequest("sum", "double")]))


def test_a_row_that_no_document_holds_is_refused_and_the_table_as_it_was(url: str) -> None:
    table = Table(name="texts", columns=(TableColumn("id", Type("integer")), TableColumn("t", Type())), key="id")
    with engine.session() as db:
        connect(url).load(table, [db.sql("SELECT 1::BIGINT AS id, 'x' AS t")], append=False)
        with pytest.raises(RequestError, match="MongoDB takes no such row"):
            connect(url).load(table, [db.sql("SELECT 2::BIGINT AS id, repeat('x', 17000000) AS t")], append=False)
    counted = Asked(group_by=["t"], aggregates=[AggregateRequest("count")])
    assert asked_of(connect(url), counted) == [("x", 1)]


def test_a_row_without_its_key_is_refused(url: str) -> None:
    table = Table(name="texts", columns=(TableColumn("id", Type("integer")), TableColumn("t", Type())), key="id")
    with engine.session() as db, pytest.raises(RequestError, match="no value in its key"):
        connect(url).load(table, [db.sql("SELECT NULL::BIGINT AS id, 'x' AS t")], append=False)


@pytest.mark.parametrize("append", [False, True])
def test_a_load_leaves_nothing_but_the_table(url: str, tmp_path: Path, append: bool) -> None:
    load(url, [record(1)], tmp_path)
    load(url, [record(2)], tmp_path, append=append)
    with pytest.raises(ZeroDivisionError):
        connect(url).load(TABLE, (1 / 0 for _ in range(1)), append=append)  # type: ignore[misc]
    with looking(url) as found:
        assert sorted(found.list_collection_names()) == ["kinds", "polyfaas.leases"]
        assert list(found["polyfaas.leases"].find()) == []


def test_an_append_of_nothing_makes_a_table_where_there_is_none(url: str, tmp_path: Path) -> None:
    assert load(url, [], tmp_path, append=True) == (0, 0)
    assert list(connect(url).columns("kinds")) == list(TYPES)


def test_an_append_that_brings_nothing_leaves_the_collection_as_it_is(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    with looking(url) as db:
        before = db.kinds.find_one({"_id": {"polyfaas": "table"}})
        assert load(url, [record(1)], tmp_path, append=True) == (0, 1)
        assert db.kinds.find_one({"_id": {"polyfaas": "table"}}) == before


def test_a_collection_of_another_program_is_no_table_until_it_is_replaced(url: str, tmp_path: Path) -> None:
    with looking(url) as db:
        db.kinds.insert_one({"_id": 1, "x": 2})
    with pytest.raises(NotFoundError, match="another program made"):
        connect(url).columns("kinds")
    with pytest.raises(RequestError, match='"mode": "replace"'):
        load(url, [record(1)], tmp_path, append=True)
    load(url, [record(5)], tmp_path)
    assert ids(url) == [5]


def test_another_key_is_another_table(url: str) -> None:
    columns = (TableColumn("id", Type("integer")), TableColumn("other", Type("integer")))
    with engine.session() as db:
        rows = "SELECT 1::BIGINT AS id, 2::BIGINT AS other"
        connect(url).load(Table(name="texts", columns=columns, key="id"), [db.sql(rows)], append=False)
        with pytest.raises(RequestError, match=r"other columns \(id, other\)"):
            connect(url).load(Table(name="texts", columns=columns, key="other"), [db.sql(rows)], append=True)


@pytest.mark.parametrize("code", mongodb.GONE)
def test_a_table_replaced_while_it_is_read_is_read_again(url: str, tmp_path: Path, code: int) -> None:
    load(url, [record(1)], tmp_path)
    with failing(url, "aggregate", mode={"times": 1}, errorCode=code):
        assert ids(url) == [1]
    with failing(url, "aggregate", errorCode=code), pytest.raises(DatabaseError, match="repeat the query"):
        ids(url)


class Interrupted(list[Selection]):
    """Selections, between the first two of which something happens, once."""

    def __init__(self, selections: Sequence[Selection], happening: Callable[[], object]) -> None:
        super().__init__(selections)
        self._happenings = [happening]

    def __iter__(self) -> Iterator[Selection]:
        for number, selection in enumerate(super().__iter__()):
            if number == 1 and self._happenings:
                self._happenings.pop()()
            yield selection


@pytest.mark.parametrize("append", [False, True])
def test_questions_are_of_one_moment(url: str, tmp_path: Path, append: bool) -> None:
    load(url, [record(1), record(2)], tmp_path)
    counted = Selection(table="kinds", types=TYPES, group_by=(), conditions=(), aggregates=(Aggregate("count", None),))
    other = f"{url}?retryWrites=true"  # a connection of its own
    selections = Interrupted([counted, counted], lambda: load(other, [record(3)], tmp_path, append=append))
    found = [(number, group.partials[0].count) for number, group in connect(url).groups(selections)]
    connect(other).close()
    rows = 3 if append else 1
    assert found == [(0, rows), (1, rows)]


def test_a_table_that_is_always_replaced_is_given_up(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    counted = Selection(table="kinds", types=TYPES, group_by=(), conditions=(), aggregates=(Aggregate("count", None),))
    other = f"{url}?retryWrites=true"
    selections = Interrupted([counted, counted], lambda: None)
    selections._happenings = [lambda: load(other, [record(3)], tmp_path)] * mongodb.READINGS
    with pytest.raises(DatabaseError, match="repeat the query"):
        list(connect(url).groups(selections))
    connect(other).close()
