import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import NotFoundError, RequestError, load, query, transform
from tests import reference
from tests.conftest import row

Loaded = Callable[..., str]

ROWS = [
    row(Order_ID="1", Region="Asia", Country="Japan", Units_Sold="9", Ship_Date="4/12/2010", Total_Revenue="0.10"),
    row(Order_ID="2", Region="Asia", Country="India", Units_Sold="10", Order_Priority="L", Total_Revenue="0.20"),
    row(Order_ID="3", Region="Australia and Oceania", Country="Fiji", Units_Sold="100", Sales_Channel="Online"),
    row(Order_ID="4", Region="Australia and Oceania", Country="Samoa ", Units_Sold="2", Total_Revenue="0"),
    row(Order_ID="5", Region="Sub-Saharan Africa", Country="Cote d'Ivoire", Units_Sold="5", Unit_Price="9.5"),
]
COUNT = [{"function": "count", "as": "n"}]


@pytest.fixture
def database(loaded: Loaded) -> str:
    return loaded(ROWS)


def matching(database: str, filters: Any) -> int:
    (found,) = query(database, filters=filters, aggregates=COUNT)
    return int(found["n"])


def test_the_nine_metrics_of_the_course(database: str) -> None:
    margins = [294295.98 / float(Decimal(found[11])) for found in ROWS if Decimal(found[11])]
    assert query(database) == [
        {
            "Average Order Processing Time": 26.0,
            "Average Gross Margin": reference.average(margins),
            "Average Units Sold": 25.2,
            "Max Units Sold": 100,
            "Min Units Sold": 2,
            "Total Units Sold": 126,
            "Total Revenue": Decimal("1366671.10"),
            "Total Profit": Decimal("1471479.90"),
            "Number of Orders": 5,
        }
    ]


def test_groups_come_in_their_order_with_their_columns_first(database: str) -> None:
    rows = query(database, ["Region", "Country"], aggregates=[{"function": "sum", "column": "Units Sold"}])
    assert [list(found.values()) for found in rows] == [
        ["Asia", "India", 10],
        ["Asia", "Japan", 9],
        ["Australia and Oceania", "Fiji", 100],
        ["Australia and Oceania", "Samoa ", 2],
        ["Sub-Saharan Africa", "Cote d'Ivoire", 5],
    ]
    assert list(rows[0]) == ["Region", "Country", "sum(Units Sold)"]


def test_numbers_are_compared_as_numbers_not_as_text(database: str) -> None:
    asked = [{"function": name, "column": "Units Sold"} for name in ("min", "max")]
    assert list(query(database, aggregates=asked)[0].values()) == [2, 100]


def test_dates_are_compared_by_the_calendar(loaded: Loaded) -> None:
    database = loaded([row(Order_ID="1", Order_Date="9/9/2009"), row(Order_ID="2", Order_Date="10/1/2009")])
    asked = [{"function": name, "column": "Order Date"} for name in ("min", "max")]
    assert list(query(database, aggregates=asked)[0].values()) == ["2009-09-09", "2009-10-01"]


def test_amounts_are_decimals_with_two_places(database: str) -> None:
    asked = [{"function": name, "column": "Unit Price", "as": name} for name in ("min", "max", "sum", "count")]
    (found,) = query(database, aggregates=asked)
    assert [str(value) for value in found.values()] == ["9.50", "205.70", "832.30", "5"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, 5),
        ({"Region": "Australia and Oceania"}, 2),
        ({"Country": "Samoa "}, 1),
        ({"Country": "Samoa"}, 0),
        ({"Country": "Cote d'Ivoire"}, 1),
        ({"Region": "Asia", "Order Priority": "Low"}, 1),
        ({"Units Sold": 9}, 1),
        ({"Units Sold": "9"}, 1),
        ({"Unit Price": 9.5}, 1),
        ({"Unit Price": "9.50"}, 1),
        ({"Total Revenue": 0}, 1),
        ({"Total Revenue": "-0"}, 1),
        ([{"column": "Unit Price", "op": "lt", "value": 10**30}], 5),
        ({"Ship Date": "4/12/2010"}, 1),
        ({"Ship Date": "2010-04-12"}, 1),
        ({"Gross Margin": None}, 1),
        ([{"column": "Units Sold", "op": "ne", "value": 9}], 4),
        ([{"column": "Units Sold", "op": "lt", "value": 9}], 2),
        ([{"column": "Units Sold", "op": "le", "value": 9}], 3),
        ([{"column": "Units Sold", "op": "gt", "value": 9}], 2),
        ([{"column": "Units Sold", "op": "ge", "value": 9}], 3),
        ([{"column": "Units Sold", "op": "in", "value": [2, 5, 7]}], 2),
        ([{"column": "Units Sold", "op": "between", "value": [5, 10]}], 3),
        ([{"column": "Gross Margin", "op": "is_null"}], 1),
        ([{"column": "Ship Date", "op": "ge", "value": "5/1/2010"}], 4),
        ([{"column": "Region", "value": "Asia"}, {"column": "Units Sold", "op": "gt", "value": 9}], 1),
    ],
)
def test_all_filters_must_hold(database: str, filters: Any, expected: int) -> None:
    assert matching(database, filters) == expected


@pytest.mark.parametrize(
    "value", ["Asia' OR '1'='1", 'Asia" OR 1=1 --', "'; DROP TABLE sales; --", "%", "Asia\\' OR 1=1"]
)
def test_a_value_is_only_ever_a_value(database: str, value: str) -> None:
    assert matching(database, {"Region": value}) == 0
    assert matching(database, {}) == 5


def test_a_filter_that_matches_nothing_gives_nulls_without_groups_and_no_rows_with(database: str) -> None:
    (totals,) = query(database, filters={"Region": "Atlantis"})
    assert totals == dict.fromkeys(list(totals)[:-1]) | {"Number of Orders": 0}
    assert query(database, ["Region"], {"Region": "Atlantis"}) == []


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"group_by": ["Nation"]}, "$.group_by[0]"),
        ({"group_by": ['Region" UNION SELECT 1 --']}, "$.group_by[0]"),
        ({"group_by": ["Region", "Region"]}, "$.aggregates"),
        ({"filters": {"1=1; --": "x"}}, "$.filters"),
        ({"filters": {"Region": 5}}, "$.filters.Region"),
        ({"filters": {"Units Sold": "many"}}, "$.filters.Units Sold"),
        ({"filters": {"Units Sold": 1.5}}, "$.filters.Units Sold"),
        ({"filters": {"Units Sold": 10**30}}, "$.filters.Units Sold"),
        ({"filters": {"Units Sold": 1e300}}, "$.filters.Units Sold"),
        ({"filters": {"Unit Price": 10**400}}, "$.filters.Unit Price"),
        ({"filters": {"Unit Price": float("nan")}}, "$.filters.Unit Price"),
        ({"filters": {"Gross Margin": float("-inf")}}, "$.filters.Gross Margin"),
        ({"group_by": "Region"}, "$.group_by"),
        ({"filters": {"Order Date": "yesterday"}}, "$.filters.Order Date"),
        ({"filters": {"Order Date": "2/30/2010"}}, "$.filters.Order Date"),
        ({"filters": [{"column": "Nation", "value": "x"}]}, "$.filters[0].column"),
        ({"filters": [{"column": "Region", "op": "like", "value": "A%"}]}, "$.filters[0].op"),
        ({"filters": [{"column": "Region", "op": "= 1 OR 1", "value": "A"}]}, "$.filters[0].op"),
        ({"filters": [{"column": "Region", "op": "in", "value": "Asia"}]}, "$.filters[0].value"),
        ({"filters": [{"column": "Region", "op": "in", "value": []}]}, "$.filters[0].value"),
        ({"filters": [{"column": "Units Sold", "op": "between", "value": [1]}]}, "$.filters[0].value"),
        ({"filters": [{"column": "Region", "op": "eq", "value": ["Asia"]}]}, "$.filters[0].value"),
        ({"filters": [{"column": "Region", "op": "eq"}]}, "$.filters[0].value"),
        ({"filters": [{"column": "Region", "op": "is_null", "value": 1}]}, "$.filters[0].value"),
        ({"filters": [{"column": "Region", "op": "in", "value": ["Asia", None]}]}, "$.filters[0].value"),
        ({"aggregates": []}, "$.aggregates"),
        ({"aggregates": [{"function": "median", "column": "Units Sold"}]}, "$.aggregates[0].function"),
        ({"aggregates": [{"function": "sum", "column": "Region"}]}, "$.aggregates[0]"),
        ({"aggregates": [{"function": "sum"}]}, "$.aggregates[0]"),
        ({"aggregates": [{"function": "sum", "column": "Nation"}]}, "$.aggregates[0].column"),
        ({"aggregates": [{"function": "count"}, {"function": "count"}]}, "$.aggregates"),
        ({"group_by": ["Region"], "aggregates": [{"function": "count", "as": "Region"}]}, "$.aggregates"),
        ({"table": "sales; DROP TABLE sales"}, "$.table"),
        ({"dataset": "weather"}, "$.dataset"),
    ],
)
def test_a_wrong_request_is_named_by_its_json_path(database: str, request_: dict[str, Any], path: str) -> None:
    with pytest.raises(RequestError) as caught:
        query(database, **request_)
    assert [fault.path for fault in caught.value.errors] == [path]


def test_an_unknown_column_is_answered_with_the_known_ones(database: str) -> None:
    with pytest.raises(RequestError, match='no column "Nation": use one of "Region", "Country"'):
        query(database, ["Nation"])


def test_a_missing_database_is_not_found_and_not_made(tmp_path: Any) -> None:
    with pytest.raises(NotFoundError, match="load it first"):
        query(tmp_path / "none.db")
    assert not list(tmp_path.iterdir())


def test_a_missing_table_is_not_found(database: str) -> None:
    with pytest.raises(NotFoundError, match="has no table 'payments'"):
        query(database, table="payments")


def test_a_file_that_is_no_database_is_refused(tmp_path: Any) -> None:
    (tmp_path / "x.db").write_bytes(b"no database at all, but long enough to look at " * 50)
    with pytest.raises(RequestError, match="is no SQLite database"):
        query(tmp_path / "x.db")


def test_a_sum_of_whole_numbers_may_leave_64_bits(loaded: Loaded) -> None:
    database = loaded([row(Order_ID=str(index), Units_Sold="9" * 18) for index in range(30)])
    asked = [{"function": name, "column": "Units Sold", "as": name} for name in ("sum", "avg")]
    assert query(database, aggregates=asked) == [{"sum": 30 * (10**18 - 1), "avg": 1e18}]


def test_a_sum_of_amounts_may_leave_64_bits(loaded: Loaded) -> None:
    rows = [row(Order_ID=str(index), Total_Revenue="9999999999999.99") for index in range(10_000)]
    assert query(loaded(rows))[0]["Total Revenue"] == 10_000 * Decimal("9999999999999.99")


amounts = st.integers(1, 10**15 - 1).map(lambda cents: str(Decimal(cents).scaleb(-2)))


@given(pairs=st.lists(st.tuples(amounts, amounts), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_average_of_doubles_is_the_double_nearest_to_the_exact_one(loaded: Loaded, pairs: Any) -> None:
    rows = [row(Order_ID=str(index), Total_Revenue=a, Total_Profit=b) for index, (a, b) in enumerate(pairs)]
    asked = [{"function": name, "column": "Gross Margin", "as": name} for name in ("sum", "avg")]
    margins = [float(profit) / float(revenue) for revenue, profit in pairs]
    assert query(loaded(rows), aggregates=asked) == [{"sum": math.fsum(margins), "avg": reference.average(margins)}]


values = st.fixed_dictionaries(
    {
        "Region": st.sampled_from(["Asia", "Europe", "é", ""]),
        "Units_Sold": st.integers(-(10**9), 10**9).map(str),
        "Total_Revenue": st.integers(-(10**14), 10**14).map(lambda cents: str(Decimal(cents).scaleb(-2))),
        "Total_Profit": st.integers(-(10**6), 10**6).map(lambda cents: str(Decimal(cents).scaleb(-2))),
    }
)


@given(changes=st.lists(values, min_size=1, max_size=25), order=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_are_exact_whatever_the_order_of_the_rows(tmp_path: Any, changes: Any, order: Any) -> None:
    rows = [row(Order_ID=str(index), **change) for index, change in enumerate(changes)]
    answers = []
    for _ in range(2):
        (tmp_path / "in.csv").write_bytes(reference.written(rows))
        transform(tmp_path / "in.csv", tmp_path / "clean.csv")
        load(tmp_path / "clean.csv", tmp_path / "s.db")
        answers.append(query(tmp_path / "s.db", ["Region"]))
        order.shuffle(rows)
    assert answers[0] == answers[1]
    assert [found["Total Revenue"] for found in answers[0]] == [
        sum(Decimal(each[11]) for each in rows if each[0] == found["Region"]) for found in answers[0]
    ]
    assert [found["Average Units Sold"] for found in answers[0]] == [
        reference.average(int(each[8]) for each in rows if each[0] == found["Region"]) for found in answers[0]
    ]
