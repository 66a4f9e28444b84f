"""The texts in which the command line asks."""

import csv
import json
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import polyfaas
from core.question import aggregate, condition, order
from tests.conftest import row

Loaded = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "column", "op", "value"),
    [
        ("Region=Asia", "Region", "eq", "Asia"),
        ("Units Sold>=5", "Units Sold", "ge", "5"),
        ("Country=a=b", "Country", "eq", "a=b"),
        ("Country=", "Country", "eq", ""),
        ("Item Type=Food in cans", "Item Type", "eq", "Food in cans"),
        ("Country in Fiji,Samoa", "Country", "in", ["Fiji", "Samoa"]),
        ("Country in Fiji, Samoa ", "Country", "in", ["Fiji", "Samoa "]),
        ('Country in "Korea, South","a ""b"""', "Country", "in", ["Korea, South", 'a "b"']),
        ("Country in a=b", "Country", "in", ["a=b"]),
        ("Units Sold between 1 and 9", "Units Sold", "between", ["1", "9"]),
        ('Country between "A and B" and C and D', "Country", "between", ["A and B", "C and D"]),
        ('"Sold in Year"=2010', "Sold in Year", "eq", "2010"),
        ('"a ""b"" = c"!=x', 'a "b" = c', "ne", "x"),
    ],
)
def test_a_condition_reads_as_it_is_written(text: str, column: str, op: str, value: Any) -> None:
    assert condition(text) == {"column": column, "op": op, "value": value}


def test_a_condition_may_ask_for_no_value() -> None:
    assert condition("Gross Margin is null") == {"column": "Gross Margin", "op": "is_null"}


@pytest.mark.parametrize("text", ["Region", "=Asia", "Region in ", "Units Sold between 1", 'Country in "Fiji'])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        condition(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum:Units Sold", {"function": "sum", "column": "Units Sold"}),
        ("count", {"function": "count"}),
        ("count as Orders", {"function": "count", "as": "Orders"}),
        ("avg:Unit Price as Average: price", {"function": "avg", "column": "Unit Price", "as": "Average: price"}),
        ('sum:"Sold as new" as New', {"function": "sum", "column": "Sold as new", "as": "New"}),
    ],
)
def test_an_aggregate_reads_as_it_is_written(text: str, expected: dict[str, str]) -> None:
    assert aggregate(text) == expected


@pytest.mark.parametrize(
    ("text", "by", "descending"),
    [("Region", "Region", False), ("n:desc", "n", True), ("n:asc", "n", False), ("a:desc:asc", "a:desc", False)],
)
def test_an_order_reads_as_it_is_written(text: str, by: str, descending: bool) -> None:
    assert order(text) == {"by": by, "descending": descending}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(polyfaas.command(), ["query", *arguments])


@pytest.fixture
def database(loaded: Loaded) -> str:
    return loaded([row(Order_ID="1", Country='a, "b"'), row(Order_ID="2", Country="c"), row(Order_ID="3", Country="c")])


def test_csv_has_a_header_and_quotes_what_needs_them(database: str) -> None:
    options = ["--group-by", "Country", "--aggregate", "count as n", "--aggregate", "max:Unit Price as most"]
    printed = run(database, *options, "--csv").stdout_bytes.decode()
    assert printed == 'Country,n,most\r\n"a, ""b""",1,205.70\r\nc,2,205.70\r\n'


def test_order_and_limit_are_taken(database: str) -> None:
    options = ["--group-by", "Country", "--aggregate", "count", "--order-by", "count(*):desc", "--limit", "1"]
    assert list(csv.reader(run(database, *options, "--csv").stdout.splitlines()))[1:] == [["c", "2"]]


@pytest.mark.parametrize("condition", ['Country in "a, ""b""",d', "Order ID between 1 and 1", "Country<b"])
def test_a_condition_finds_its_rows(database: str, condition: str) -> None:
    printed = run(database, "--filter", condition, "--aggregate", "max:Order ID as id", "--json").stdout
    assert json.loads(printed) == [{"id": 1}]


def test_several_named_queries_are_printed_by_their_names(tmp_path: Any) -> None:
    (tmp_path / "p.csv").write_text(
        "Record_ID,Covered_Recipient_Specialty_1,Total_Amount_of_Payment_USDollars\n1,Surgery,1000.01\n"
    )
    names = ["--query", "Payments by specialty", "--query", "Top 10 specialties by amount"]
    printed = run(str(tmp_path / "p.csv"), "--dataset", "payments", *names, "--json").stdout
    assert [list(row.values()) for rows in json.loads(printed).values() for row in rows] == [
        ["Surgery", 1],
        ["Surgery", 1000.01],
    ]


@pytest.mark.parametrize(
    "options",
    [
        ["--csv", "--json"],
        ["--csv", "--query", "a", "--query", "b"],
        ["--limit", "1", "--query", "a", "--query", "b"],
        ["--limit", "0"],
        ["--order-by", ""],
    ],
)
def test_options_that_exclude_each_other_are_refused(options: list[str]) -> None:
    assert run("x.db", *options).exit_code == 2
