"""Each expression means one thing: the engine's SQL and plain Python give the same text."""

import csv
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import record
from core.datasets.grammar import Type
from core.datasets.record import Expression
from core.engine import name, text
from core.expressions import columns_of, plain, refuses
from core.expressions.sql import sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMATS = ["M/D/YYYY", "MM/DD/YYYY", "YYYY-MM-DD", "DD.MM.YYYY", "YYYYMMDD", "YYYY-M-D"]
TIMES = ["YYYY-MM-DD hh:mm:ss", "DD.MM.YYYY hh:mm", "MM/DD/YYYY hh", "YYYY-MM-DDThh:mm:ssZ", "YYYYMMDD hhmmss"]


def in_plain(expression: Expression, types: Mapping[str, Type], rows: Sequence[Mapping[str, str]]) -> list[str]:
    index = {column: position for position, column in enumerate(types)}
    value = plain.function(expression, types, index)
    return [value([row[column] for column in types]) for row in rows]


class Engine:
    """An engine, and a file that it writes."""

    def __init__(self, db: "DuckDBPyConnection", out: Path) -> None:
        self.db = db
        self._out = out

    def __call__(
        self, expression: Expression, types: Mapping[str, Type], rows: Sequence[Mapping[str, str]]
    ) -> list[str]:
        """The texts that the CSV writer gives, between bars, so that an empty line is a record and "" is seen."""
        fields = ", ".join(f"nullif(unnest(?), '') AS {name(column)}" for column in types)
        query = f"SELECT '|', {sql(expression, types)}, '|' FROM (SELECT {fields})"
        self.db.execute(
            f"COPY ({query}) TO {text(self._out)} (header false)",
            [[row[column] for row in rows] for column in types],
        )
        assert '|,"",|' not in self._out.read_text(encoding="utf-8")
        with self._out.open(encoding="utf-8", newline="") as file:
            return [record[1] for record in csv.reader(file)]

    def agreed(self, expression: Expression, types: Mapping[str, Type], *rows: Sequence[str]) -> list[str]:
        """What it and plain Python say, once they agree."""
        records = [dict(zip(types, row, strict=True)) for row in rows]
        found = in_plain(expression, types, records)
        assert self(expression, types, records) == found
        return found


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as db:
        yield Engine(db, tmp_path_factory.mktemp("engine") / "out.csv")


def shown(value: date | datetime, written: str) -> str:
    """A date in a format, as the slow, obvious reference writes it."""
    parts = {
        "YYYY": f"{value.year:04}", "MM": f"{value.month:02}", "M": str(value.month), "DD": f"{value.day:02}",
        "D": str(value.day), "hh": f"{value:%H}", "mm": f"{value:%M}", "ss": f"{value:%S}",
    }  # fmt: skip
    found = written
    for part, digits in parts.items():
        found = found.replace(part, digits)
    return found


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
padded = st.builds(
    "{}{}{}".format, st.sampled_from(["", " ", "  ", "\u00a0", "\t"]), texts, st.sampled_from(["", " ", "\u2003 "])
)
integers = st.integers(-(10**18) + 1, 10**18 - 1).map(str) | st.sampled_from(["0", "-0", "007", "000000000000000010"])
cents = st.integers(-(10**15) + 1, 10**15 - 1)
decimals = cents.map(lambda units: f"{'-' * (units < 0)}{abs(units) // 100}.{abs(units) % 100:02}") | st.sampled_from(
    ["0", "0.0", "-0.00", "007", "0000000000000.5", "9999999999999.99", "0.01", "1.5"]
)
doubles = st.sampled_from(
    ["0", "-0.0", "0e5", "1e99", "-1E-99", "99999999999999999999e99", "0.000000000000000000000000000001e-99", "1e+16"]
) | (st.floats(-1e19, 1e19).map(lambda number: f"{number:.25f}"))
NUMBERS = {"integer": integers, "decimal": decimals, "double": doubles}


@st.composite
def typed(draw: st.DrawFn, kinds: Sequence[str]) -> tuple[Type, list[str]]:
    """A type, and values that fit it; some of them empty."""
    kind: Any = draw(st.sampled_from(kinds))
    written = draw(st.sampled_from(TIMES if kind == "timestamp" else FORMATS))
    moments = (st.datetimes() if kind == "timestamp" else st.dates()).map(lambda value: shown(value, written))
    values: st.SearchStrategy[str] = moments if kind in ("date", "timestamp") else NUMBERS.get(kind, padded)
    return Type(kind, format=written, optional=True), draw(st.lists(values | st.just(""), min_size=3, max_size=3))


@st.composite
def a_text(draw: st.DrawFn, depth: int = 2) -> record.Text:
    """An expression that gives a text, of the columns that `cases` makes."""
    simple: list[st.SearchStrategy[record.Text]] = [
        st.sampled_from(["Text", "Other", "Number", "Exact", "Start"]).map(record.Field),
        texts.map(record.Constant),
        st.sampled_from(["Start", "End"]).map(record.Iso),
        st.just(record.Bucket("Exact", ("-5", "0", "7", "1000"), ("low", "", "a,b", "c", '"'))),
    ]
    if depth:
        of = a_text(depth - 1)
        pairs = st.dictionaries(padded, texts, min_size=1, max_size=3)
        simple += [
            of.map(record.Upper),
            of.map(record.Trim),
            st.lists(of, min_size=1, max_size=3).map(lambda parts: record.Concat(tuple(parts))),
            st.builds(record.Mapping, of, pairs, texts),
        ]
    return draw(st.one_of(simple))


expressions: st.SearchStrategy[Expression] = st.one_of(
    a_text(),
    st.just(record.DaysBetween("Start", "End")),
    st.just(record.Ratio("Number", "Exact")),
    st.just(record.Ratio("Exact", "Number")),
    st.builds(record.DatePart, st.sampled_from(["year", "month"]), st.sampled_from(["Start", "End"])),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Expression, dict[str, Type], list[dict[str, str]]]:
    found = {
        "Text": draw(typed(["text"])),
        "Other": draw(typed(["text"])),
        "Number": draw(typed(["integer", "decimal", "double"])),
        "Exact": draw(typed(["integer", "decimal"])),
        "Start": draw(typed(["date", "timestamp"])),
        "End": draw(typed(["date", "timestamp"])),
    }
    rows = [{column: values[row] for column, (_, values) in found.items()} for row in range(3)]
    return draw(expressions), {column: kind for column, (kind, _) in found.items()}, rows


@settings(max_examples=100, deadline=None)
@given(cases())
def test_the_engine_and_plain_python_give_the_same_text(
    engine: Engine, case: tuple[Expression, dict[str, Type], list[dict[str, str]]]
) -> None:
    expression, types, rows = case
    assert engine(expression, types, rows) == in_plain(expression, types, rows)


DATES = {
    "Start": Type("date", format="M/D/YYYY", optional=True),
    "End": Type("date", format="YYYY-MM-DD", optional=True),
}
AMOUNTS = {"Above": Type("decimal", optional=True), "Below": Type("decimal", optional=True)}
NAME = {"Name": Type()}
CAPITALS = record.Upper(record.Field("Name"))
NEAT = record.Trim(record.Field("Name"))


def test_days_are_those_of_the_proleptic_calendar(engine: Engine) -> None:
    rows = [
        ("2/28/2012", "2012-03-01"),
        ("2/28/1900", "1900-03-01"),
        ("3/1/2012", "2012-02-28"),
        ("01/01/0001", "9999-12-31"),
    ]
    assert engine.agreed(record.DaysBetween("Start", "End"), DATES, *rows) == ["2", "1", "-2", "3652058"]


def test_days_from_or_to_an_empty_date_are_null(engine: Engine) -> None:
    rows = [("", "2012-03-01"), ("2/28/2012", ""), ("", "")]
    assert engine.agreed(record.DaysBetween("Start", "End"), DATES, *rows) == ["", "", ""]


def test_days_between_timestamps_are_calendar_days(engine: Engine) -> None:
    types = {
        "Start": Type("timestamp", format="DD.MM.YYYY hh:mm"),
        "End": Type("timestamp", format="YYYY-MM-DD hh:mm:ss"),
    }
    rows = [("28.02.2011 23:59", "2011-03-01 00:00:00"), ("01.03.2011 00:00", "2011-03-01 23:59:59")]
    assert engine.agreed(record.DaysBetween("Start", "End"), types, *rows) == ["1", "0"]


def test_a_ratio_is_the_shortest_text_of_the_nearest_double(engine: Engine) -> None:
    rows = [("1", "3"), ("9999999999999.99", "0.01"), ("0.01", "9999999999999.99"), ("-0.00", "5"), ("2", "4.00")]
    expected = ["0.3333333333333333", "999999999999999.0", "1.000000000000001e-15", "-0.0", "0.5"]
    assert engine.agreed(record.Ratio("Above", "Below"), AMOUNTS, *rows) == expected


def test_a_ratio_to_zero_or_nothing_is_null(engine: Engine) -> None:
    rows = [("1", "0"), ("1", "-0.00"), ("0", "0.0"), ("", "1"), ("1", "")]
    assert engine.agreed(record.Ratio("Above", "Below"), AMOUNTS, *rows) == ["", "", "", "", ""]


@pytest.mark.parametrize(("part", "expected"), [("year", ["7", "2012", ""]), ("month", ["1", "12", ""])])
def test_the_part_of_a_date_is_a_number_without_leading_zeros(engine: Engine, part: Any, expected: list[str]) -> None:
    rows = [("1/2/0007", ""), ("12/31/2012", ""), ("", "")]
    assert engine.agreed(record.DatePart(part, "Start"), DATES, *rows) == expected


def test_an_iso_date_is_padded(engine: Engine) -> None:
    rows = [("1/2/0007", ""), ("12/31/2012", ""), ("", "")]
    assert engine.agreed(record.Iso("Start"), DATES, *rows) == ["0007-01-02", "2012-12-31", ""]


def test_an_iso_timestamp_has_seconds(engine: Engine) -> None:
    types = {"At": Type("timestamp", format="M/D/YYYY hh:mm")}
    assert engine.agreed(record.Iso("At"), types, ("1/2/2010 03:04",)) == ["2010-01-02 03:04:00"]


def test_capitals_are_one_letter_for_one(engine: Engine) -> None:
    assert engine.agreed(CAPITALS, NAME, ("Straße ŉ ǆ é ﬁ",)) == ["STRAẞE ŉ Ǆ É ﬁ"]


def test_capitals_are_the_same_for_every_letter_that_both_unicodes_know(engine: Engine) -> None:
    """The engine's tables are of Unicode 14 or later; letters that only one side knows may differ."""
    letters = [chr(code) for code in range(1, sys.maxunicode + 1) if unicodedata.ucd_3_2_0.category(chr(code)) != "Cs"]
    known = [letter for letter in letters if unicodedata.category(letter) != "Cn"]
    found = engine.db.execute("SELECT upper(?)", ["".join(known)]).fetchall()[0][0]
    value = plain.function(CAPITALS, NAME, {"Name": 0})
    assert [a + b for a, b in zip(found, known, strict=True)] == [value([letter]) + letter for letter in known]


def test_trim_takes_blanks_only(engine: Engine) -> None:
    rows = [("  Samoa  ",), (" \u00a0 a \t ",), ("   ",), ("a b",), ("",)]
    assert engine.agreed(NEAT, NAME, *rows) == ["Samoa", "\u00a0 a \t", "", "a b", ""]


def test_texts_are_put_together_with_empty_ones_left_out(engine: Engine) -> None:
    types = {"First": Type(), "Last": Type()}
    joined = record.Concat((record.Field("Last"), record.Constant(", "), record.Field("First")))
    assert engine.agreed(joined, types, ("Ann", "O'Hara"), ("", "Cher"), ("", "")) == ["O'Hara, Ann", "Cher, ", ", "]


def test_empty_texts_put_together_are_null(engine: Engine) -> None:
    joined = record.Concat((record.Field("First"), record.Field("Last")))
    assert engine.agreed(joined, {"First": Type(), "Last": Type()}, ("", ""), ("", "a")) == ["", "a"]


def test_a_map_takes_each_value_letter_for_letter(engine: Engine) -> None:
    found = record.Mapping(record.Field("Name"), {"a": "A", "": "none", "it's": 'a "b"', "gone": ""}, "other")
    rows = [("a",), ("",), ("it's",), ("A",), ("a ",), ("gone",)]
    assert engine.agreed(found, NAME, *rows) == ["A", "none", 'a "b"', "other", "other", ""]


def test_a_map_without_otherwise_gives_the_listed_values(engine: Engine) -> None:
    found = record.Mapping(record.Field("Name"), {"L": "Low", "H": "High"})
    assert engine.agreed(found, NAME, ("H",), ("L",)) == ["High", "Low"]


def test_a_value_on_an_edge_belongs_to_the_range_above_it(engine: Engine) -> None:
    types = {"Amount": Type("decimal", 15, 2, optional=True)}
    found = record.Bucket("Amount", ("-0.01", "0.10", "9999999999999.98"), ("a", "b", "c", "d"))
    rows = [("-0.02",), ("-0.01",), ("0.09",), ("0.1",), ("9999999999999.97",), ("9999999999999.98",), ("",)]
    assert engine.agreed(found, types, *rows) == ["a", "b", "b", "c", "c", "d", ""]


def test_large_integers_fall_on_the_right_side_of_an_edge(engine: Engine) -> None:
    types = {"Number": Type("integer")}
    found = record.Bucket("Number", ("900000000000000001",), ("below", "not"))
    assert engine.agreed(found, types, ("900000000000000000",), ("900000000000000001",)) == ["below", "not"]


def test_names_and_texts_cannot_break_out_of_the_sql(engine: Engine) -> None:
    types = {"a\"b'c": Type()}
    found = record.Mapping(record.Field("a\"b'c"), {"x' OR '1'='1": "'; DROP TABLE t; --"}, "no")
    assert engine.agreed(found, types, ("x' OR '1'='1",), ("y",)) == ["'; DROP TABLE t; --", "no"]


def test_the_columns_of_an_expression_are_named_once() -> None:
    parts = (record.Upper(record.Field("B")), record.Iso("A"), record.Field("B"), record.Constant("C"))
    found = [
        columns_of(record.Concat(parts)),
        columns_of(record.DaysBetween("S", "E")),
        columns_of(record.Ratio("X", "X")),
    ]
    assert found == [("B", "A"), ("S", "E"), ("X",)]


def test_only_a_map_without_otherwise_refuses_values() -> None:
    refusing = record.Mapping(record.Field("A"), {"x": "1", "y": "2"})
    other = record.Mapping(record.Field("B"), {"x": "1"}, "2")
    assert refuses([record.Concat((refusing, record.Field("C"))), other]) == {"A": ("x", "y")}


def test_a_column_of_two_maps_takes_what_both_list() -> None:
    one, two = (record.Mapping(record.Field("A"), dict.fromkeys(values, "1")) for values in ("xyz", "zy"))
    assert refuses([one, two]) == {"A": ("y", "z")}
