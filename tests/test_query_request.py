"""What a request to query may say: order, limit, named queries, several at once, and a table in parts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import DataError, RequestError, library, load, query
from core.services import query as service
from tests.conftest import row

Clean = Callable[..., Path]
N = [{"function": "count", "as": "n"}]
ROWS = [
    row(Order_ID="1", Region="Asia", Units_Sold="5"),
    row(Order_ID="2", Region="Europe", Units_Sold="9"),
    row(Order_ID="3", Region="Asia", Units_Sold="4"),
    row(Order_ID="4", Region="Africa", Units_Sold="1"),
]
PAYMENTS = """\
Record_ID,Covered_Recipient_Specialty_1,Total_Amount_of_Payment_USDollars,Nature_of_Payment_or_Transfer_of_Value
1,Surgery,1000.01,Gift
2,Surgery,1000.00,Gift
3,Cardiology,5000.00,"Food, Beverage"
4,,750.00,Gift
5,Cardiology,0.01,Gift
"""


@pytest.fixture
def database(loaded: Callable[..., str]) -> str:
    return loaded(ROWS)


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    (tmp_path / "payments.csv").write_text(PAYMENTS)
    return tmp_path / "payments.csv"


def test_rows_come_in_the_order_that_is_asked_for(database: str) -> None:
    found = query(database, ["Region"], aggregates=N, order_by=[{"by": "n", "descending": True}, "Region"], limit=2)
    assert found == [{"Region": "Asia", "n": 2}, {"Region": "Africa", "n": 1}]


def test_a_named_query_is_the_datasets(payments: Path) -> None:
    found = query(payments, query="Top 10 specialties by amount", dataset="payments")
    assert [str(value) for each in found for value in each.values()] == ["Cardiology", "5000.01", "Surgery", "2000.01"]


def test_several_queries_are_answered_in_their_order(payments: Path) -> None:
    asked: list[Any] = [
        "Payments over 1000 by nature",
        {"name": "mine", "group_by": ["Record_ID"], "aggregates": N, "limit": 1},
        "Payments by specialty",
    ]
    found = library.queries(payments, asked, dataset="payments")
    assert {name: [list(each.values()) for each in rows] for name, rows in found.items()} == {
        "Payments over 1000 by nature": [["Food, Beverage", 1], ["Gift", 1]],
        "mine": [[1, 1]],
        "Payments by specialty": [["Cardiology", 2], ["Surgery", 2], ["", 1]],
    }


def test_queries_without_a_name_are_called_by_their_place(database: str) -> None:
    assert library.queries(database, [{"aggregates": N}, {"aggregates": N}]) == {"1": [{"n": 4}], "2": [{"n": 4}]}


@pytest.mark.parametrize("endings", [("db",), ("db", "duckdb"), ("duckdb", "db", "db")])
def test_a_table_in_parts_is_answered_as_the_whole(
    clean: Clean, database: str, tmp_path: Path, endings: tuple[str, ...]
) -> None:
    parts = [tmp_path / f"part{index}.{ending}" for index, ending in enumerate(endings)]
    for index, part in enumerate(parts):
        load(clean(*ROWS[index :: len(parts)], name=f"{index}.csv"), part)
    assert query(parts, ["Region"]) == query(database, ["Region"])
    assert query(parts) == query(database)


def test_parts_that_have_other_columns_are_refused(database: str, payments: Path) -> None:
    with pytest.raises(RequestError, match=r"at \$\.database\[1\]: .* has other columns than"):
        query([database, payments], aggregates=N)


def test_a_part_named_twice_is_refused(database: str) -> None:
    with pytest.raises(RequestError, match="its rows would count twice"):
        query([database, database])


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"order_by": ["Region"]}, "$.order_by[0]"),
        ({"group_by": ["Region"], "order_by": [{"by": "n"}]}, "$.order_by[0]"),
        ({"limit": 0}, "$.limit"),
        ({"query": "none"}, "$.query"),
        ({"query": "none", "limit": 1}, "$.query"),
        ({"queries": []}, "$.queries"),
        ({"queries": [{}] * 51}, "$.queries"),
        ({"queries": [{}], "limit": 1}, "$.queries"),
        ({"queries": [{}, {"name": "1"}]}, "$.queries"),
        ({"queries": [{}, "none"]}, "$.queries[1]"),
        ({"queries": [{"group_by": ["Nation"]}]}, "$.queries[0].group_by[0]"),
        ({"queries": [{"filters": {"Units Sold": "x"}}]}, "$.queries[0].filters.Units Sold"),
        ({"database": []}, "$.database"),
        ({"filters": [{"column": "Region"}] * 101}, "$.filters"),
        ({"filters": [{"column": "Region", "op": "in", "value": ["x"] * 10_001}]}, "$.filters"),
        ({"group_by": ["Region"] * 61}, "$.group_by"),
        ({"aggregates": [{"function": "count"}] * 501}, "$.aggregates"),
        ({"aggregates": [{"function": "count", "column": "Region", "distinct": True}]}, "$.aggregates[0]"),
    ],
)
def test_a_wrong_request_is_named_by_its_json_path(database: str, request_: dict[str, Any], path: str) -> None:
    with pytest.raises(RequestError) as caught:
        service.run(service.SERVICE.parse({"database": database, **request_}))
    assert [fault.path for fault in caught.value.errors] == [path]


def test_as_many_filters_as_are_allowed_are_answered(database: str, clean: Clean, tmp_path: Path) -> None:
    load(clean(*ROWS), tmp_path / "x.duckdb")
    many = [{"column": "Region", "op": "in", "value": ["Asia"] * size} for size in [1, 33, 32] * 33]
    answers = [query(each, filters=many, aggregates=N) for each in (database, tmp_path / "x.duckdb")]
    assert answers == [[{"n": 2}], [{"n": 2}]]


def test_too_many_filters_are_counted_in_the_message(database: str) -> None:
    with pytest.raises(RequestError, match="there are 101 filters: give at most 100"):
        query(database, filters=[{"column": "Region", "value": "Asia"}] * 101)


@pytest.mark.parametrize("function", ["distinct", "median"])
def test_a_function_that_does_not_merge_is_said_to_be_such(database: str, function: str) -> None:
    with pytest.raises(RequestError, match=f'no function "{function}" .answers must merge from parts'):
        query(database, aggregates=[{"function": function, "column": "Units Sold"}])


def test_the_nearest_name_is_suggested(database: str) -> None:
    with pytest.raises(RequestError, match='did you mean "Units Sold"'):
        query(database, ["Unit Sold"])


def test_a_raw_csv_is_queried_as_it_stands(sales: Clean) -> None:
    found = query(sales([row(Order_ID="1"), row(Order_ID="1")]), ["Order Priority"])
    assert [
        (each["Order Priority"], each["Number of Orders"], each["Average Order Processing Time"]) for each in found
    ] == [("C", 2, 32.0)]


def test_a_bad_value_of_a_raw_csv_is_named(sales: Clean) -> None:
    with pytest.raises(DataError, match=r'"Units Sold": \'lots\' is not a whole number of at most 18 digits'):
        query(sales([row(Units_Sold="lots")]))


def test_a_duckdb_file_answers_as_an_sqlite_file(database: str, clean: Clean, tmp_path: Path) -> None:
    load(clean(*ROWS), tmp_path / "x.duckdb")
    assert query(tmp_path / "x.duckdb", ["Region", "Country"]) == query(database, ["Region", "Country"])
