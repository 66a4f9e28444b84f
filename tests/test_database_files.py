"""CSV and Parquet files that are queried as they are, before and after transform."""

import gzip
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import DataError, NotFoundError, RequestError, engine
from core.database import Database, Table, TableColumn, connect
from core.datasets.grammar import Type
from core.datasets.record import Bucket, Column, Dataset, DaysBetween, Derived, Field, Mapping, Ratio
from core.services.selection import AggregateRequest, Asked
from tests.database_rigs import asked

ORDERS = Dataset(
    name="kinds",
    columns=(
        Column("id", Type("integer")),
        Column("sent", Type("date", format="M/D/YYYY")),
        Column("come", Type("date", format="M/D/YYYY", optional=True)),
        Column("paid", Type("decimal"), aliases=("price", "amount")),
        Column("kind", Type()),
    ),
    key="id",
    changes=(Derived("sent", Type("date"), Field("sent")),),
    derived=(
        Derived("days", Type("integer"), DaysBetween("sent", "come")),
        Derived("share", Type("double"), Ratio("paid", "id")),
        Derived("size", Type(), Bucket("paid", ("10",), ("small", "large"))),
        Derived("word", Type(), Mapping(Field("kind"), {"a": "Apple", "": ""})),
    ),
)
RAW = "id,come,price,sent,kind,more\n1,5/30/2010,9.50,5/28/2010,a,x\n2,,10.00,12/1/2009,,y\n"
CLEAN = (
    "id,sent,come,paid,kind,days,share,size,word\n1,2010-05-28,5/30/2010,9.50,a,2,9.5,small,Apple\n"
    "2,2009-12-01,,10.00,,,5.0,large,\n"
)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "raw.csv").write_text(RAW)
    return tmp_path / "raw.csv"


def packed(name: str, content: bytes) -> bytes:
    """The content, compressed as the name's ending says."""
    if name.endswith(".gz"):
        return gzip.compress(content)
    if not name.endswith(".zst"):
        return content
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.compress(content))


def query(path: Path, *aggregates: tuple[Any, str | None], group_by: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    each = [AggregateRequest(*aggregate) for aggregate in aggregates]
    (rows,) = asked([connect(str(path), ORDERS)], Asked(group_by=list(group_by), aggregates=each))
    return rows


def test_a_raw_file_has_the_datasets_names_whatever_its_header_says(raw: Path) -> None:
    assert query(raw, ("sum", "paid")) == [(Decimal("19.50"),)]


def test_a_raw_files_dates_follow_the_calendar(raw: Path) -> None:
    assert query(raw, ("min", "sent"), ("max", "sent")) == [("2009-12-01", "2010-05-28")]


def test_other_columns_of_a_raw_file_are_texts(raw: Path) -> None:
    assert query(raw, ("count", None), group_by=("more",)) == [("x", 1), ("y", 1)]


def test_a_derived_column_is_computed_where_it_is_asked_for(raw: Path) -> None:
    assert query(raw, ("sum", "days"), ("max", "share"), group_by=("size",)) == [
        ("large", None, 5.0),
        ("small", 2, 9.5),
    ]


def test_a_transformed_file_has_the_columns_that_transform_writes(tmp_path: Path) -> None:
    (tmp_path / "clean.csv").write_text(CLEAN)
    found = query(tmp_path / "clean.csv", ("min", "sent"), ("sum", "days"), ("avg", "share"), group_by=("size", "word"))
    assert found == [("large", "", "2009-12-01", None, 5.0), ("small", "Apple", "2010-05-28", 2, 9.5)]


def test_a_byte_order_mark_is_no_part_of_a_name(raw: Path) -> None:
    raw.write_bytes(b"\xef\xbb\xbf" + RAW.encode())
    assert query(raw, ("sum", "id")) == [(3,)]


@pytest.mark.parametrize(
    ("bad", "aggregate", "message"),
    [
        ("9.505", ("sum", "paid"), r"column \"paid\": '9.505' is not a number of at most 13 digits and 2 decimals"),
        ("1e3", ("sum", "paid"), "'1e3' is not a number"),
        ("", ("sum", "paid"), "an empty field is not a number"),
        ("\x1fx", ("sum", "paid"), r"'\\x1fx' is not a number"),
        ("9.50,2/30/2010,a,x\n3,,1,5/28/2010", ("min", "sent"), r"'2/30/2010' is not a date as M/D/YYYY"),
        ("9.50,13/1/2010,a,x\n3,,1,5/28/2010", ("sum", "days"), r"'13/1/2010' is not a date"),
        ("9.50,5/28/2010,b,x\n3,,1,5/28/2010", ("min", "word"), r"'b' is not one of the values that the dataset lists"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_the_cure(
    raw: Path, bad: str, aggregate: tuple[str, str], message: str
) -> None:
    raw.write_text(RAW.replace("9.50", bad, 1) if "," not in bad else RAW.replace("9.50,5/28/2010", bad, 1))
    with pytest.raises(DataError, match=message) as caught:
        query(raw, aggregate)
    assert "run transform on the file" in caught.value.detail


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.csv.zst", "x.CSV"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_is_read_however_it_is_written(
    tmp_path: Path, delimiter: str, encoding: str, name: str, line_end: str
) -> None:
    text = RAW.replace(",", delimiter).replace("x\n", "é\n").replace("\n", line_end)
    (tmp_path / name).write_bytes(packed(name, text.encode(encoding)))
    if encoding == "utf-16" and not name.lower().endswith("csv"):
        with pytest.raises(DataError, match="run transform on the file"):
            query(tmp_path / name, ("sum", "paid"))
    else:
        assert query(tmp_path / name, ("sum", "paid"), ("max", "days"), ("max", "more")) == [(Decimal("19.50"), 2, "é")]


def test_what_a_query_does_not_need_is_not_checked(raw: Path) -> None:
    raw.write_text(RAW.replace("9.50", "lots"))
    assert query(raw, ("sum", "id")) == [(3,)]


@pytest.mark.parametrize("text", ["id,come\n1,2,3\n", "id,come\n1,\x1f2\x1f,3\n", 'id,come\n1,"2\n', "id,come\n1\n"])
def test_a_row_that_is_no_csv_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match="could not read it"):
        query(tmp_path / "x.csv", ("sum", "id"))


@pytest.mark.parametrize("content", [b"", b"\n", b"id,id\n", b"id,,x\n", b"\xff\xfe\n"])
def test_a_header_that_names_no_columns_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DataError, match="line 1: the header"):
        query(tmp_path / "x.csv", ("count", None))


def test_a_file_that_is_no_parquet_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("letters " * 50)
    with pytest.raises(DataError, match="could not read it"):
        query(tmp_path / "x.parquet", ("count", None))


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_missing_file_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError, match="check the path"):
        query(tmp_path / name, ("count", None))


def test_a_file_is_not_loaded_into(tmp_path: Path) -> None:
    table = Table(name="t", columns=(TableColumn("id", Type("integer")),), key="id")
    with engine.session() as db, pytest.raises(RequestError, match="only queried"):
        connect(str(tmp_path / "x.csv")).load(table, [db.sql("SELECT 1 AS id")], append=False)


@pytest.mark.parametrize("name", ["*.csv", "[ab].csv", "a'b.csv", "key=1.csv"])
def test_a_files_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(RAW)
    (tmp_path / name).write_text(RAW.replace("\n2", "\n3"))
    assert query(tmp_path / name, ("max", "id")) == [(3,)]


def test_a_parquet_file_of_another_program_has_the_nearest_types(tmp_path: Path) -> None:
    columns = (
        "7::INTEGER AS id, 1.5::FLOAT AS f, true AS yes, '2010-05-28 10:00:00'::TIMESTAMP_MS AS t, 2::UBIGINT AS u"
    )
    with engine.session() as db:
        db.execute(f"COPY (SELECT {columns}) TO {engine.text(tmp_path / 'x.parquet')} (FORMAT parquet)")
    found = query(tmp_path / "x.parquet", ("sum", "id"), ("sum", "f"), ("max", "t"), ("sum", "u"), group_by=("yes",))
    assert found == [("true", 7, 1.5, "2010-05-28 10:00:00", 2)]


def test_a_raw_and_a_typed_file_are_parts_of_one_table(tmp_path: Path, raw: Path) -> None:
    (tmp_path / "again.csv").write_text(RAW.replace("\n1,", "\n3,").replace("\n2,", "\n4,"))
    both: list[Database] = [connect(str(path), ORDERS) for path in (raw, tmp_path / "again.csv")]
    assert asked(both, Asked(aggregates=[AggregateRequest("sum", "id")])) == [[(10,)]]
