"""Input as it comes: every way to write a file gives the same rows, by the engine and in plain Python."""

import codecs
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from core import DataError, RequestError, transform
from tests import reference
from tests.conftest import row

Sales = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("either_way")
ROWS = [row(Order_ID="1", Country="Côte d'Ivoire "), row(Order_ID="2", Country="a\nb")]


def plain(rows: list[list[str]]) -> bytes:
    return reference.written(rows)


def expected(rows: list[list[str]]) -> list[list[object]]:
    return reference.transformed(rows)


def compressed_by_zstd(data: bytes) -> bytes:
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.compress(data))


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda data: data, id="utf-8"),
        pytest.param(lambda data: codecs.BOM_UTF8 + data, id="byte order mark"),
        pytest.param(lambda data: data.decode().encode("utf-16"), id="utf-16"),
        pytest.param(lambda data: codecs.BOM_UTF16_BE + data.decode().encode("utf-16-be"), id="utf-16, big end first"),
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(lambda data: gzip.compress(data[:300]) + gzip.compress(data[300:]), id="two gzip members"),
        pytest.param(compressed_by_zstd, id="zstd"),
        pytest.param(lambda data: gzip.compress(data.decode().encode("utf-16")), id="utf-16 in gzip"),
        pytest.param(lambda data: data.replace(b"\n", b"\n\n").replace(b"a\n\nb", b"a\nb"), id="blank lines"),
    ],
)
def test_a_file_is_read_as_it_comes(tmp_path: Path, encode: Callable[[bytes], bytes]) -> None:
    (tmp_path / "in").write_bytes(encode(plain(ROWS)))
    transform(tmp_path / "in", tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv")) == expected(ROWS)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_an_encoding_without_a_mark_is_read_when_it_is_told(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "in.csv").write_bytes(plain(ROWS).decode().encode(encoding))
    told = "utf-16" if encoding.startswith("utf-16") else encoding
    transform(tmp_path / "in.csv", tmp_path / "out.csv", encoding=told)
    assert reference.read(str(tmp_path / "out.csv")) == expected(ROWS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_the_headers(tmp_path: Path, delimiter: str, line_end: str) -> None:
    rows = [row(Order_ID="1", Country="a;b|c\td,e"), row(Order_ID="2")]
    quoted = [delimiter.join(f'"{field}"' for field in each) for each in [reference.HEADER, *rows]]
    (tmp_path / "in.csv").write_text(line_end.join(quoted), newline="")
    transform(tmp_path / "in.csv", tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv")) == expected(rows)


def test_a_delimiter_at_the_end_of_each_line_is_no_column(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(plain([row(Order_ID="1"), row(Order_ID="2")]).replace(b"\n", b",\n"))
    transform(tmp_path / "in.csv", tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv")) == expected([row(Order_ID="1"), row(Order_ID="2")])


def test_a_value_under_a_nameless_column_is_a_bad_row(sales: Sales, tmp_path: Path) -> None:
    source = sales([[*row(Order_ID="1"), ""], [*row(Order_ID="2"), "x"]], header=[*reference.HEADER, ""])
    assert transform(source, tmp_path / "out.csv").rejected == 1


@pytest.mark.parametrize(
    ("content", "encoding", "found"),
    [
        (b"caf\xe9", None, "(0xe9) is not UTF-8"),
        (b"\x81", "cp1252", "(0x81) is not Windows-1252"),
    ],
)
def test_a_byte_that_does_not_fit_is_named_by_its_position(
    tmp_path: Path, content: bytes, encoding: str | None, found: str
) -> None:
    data = plain([row(Order_ID="1", Country="@")]).replace(b"@", content)
    (tmp_path / "in.csv").write_bytes(data)
    with pytest.raises(DataError) as caught:
        transform(tmp_path / "in.csv", tmp_path / "out.csv", encoding=encoding)
    assert f"byte {data.index(content[-1:]):,} {found}" in caught.value.detail
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]


def test_a_file_that_was_cut_off_is_explained(tmp_path: Path) -> None:
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(plain(ROWS * 100))[:-20])
    with pytest.raises(DataError, match=r"cannot be decompressed \(.*\): it is damaged or was cut off"):
        transform(tmp_path / "in.csv.gz", tmp_path / "out.csv")


def test_a_delimiter_that_is_none_is_refused(sales: Sales, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="'x' is no delimiter"):
        transform(sales([row()]), tmp_path / "out.csv", delimiter="x")


def test_compressed_output_holds_the_same_bytes(sales: Sales, tmp_path: Path) -> None:
    source = sales(ROWS)
    for name in ("out.csv", "out.csv.gz", "again.csv.gz"):
        transform(source, tmp_path / name)
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == (tmp_path / "out.csv").read_bytes()
    assert (tmp_path / "out.csv.gz").read_bytes() == (tmp_path / "again.csv.gz").read_bytes()


def test_parquet_holds_the_same_rows_with_their_types(sales: Sales, tmp_path: Path) -> None:
    import duckdb

    transform(sales([*ROWS, row(Order_ID="3", Total_Revenue="0.00")]), tmp_path / "out.parquet")
    read = f"SELECT * FROM '{tmp_path}/out.parquet'"
    with duckdb.connect() as db:
        found = db.execute(f'SELECT "Order ID", "Country", "Total Revenue"::VARCHAR, "Gross Margin" FROM ({read})')
        assert [(each[0], each[1], each[2]) for each in found.fetchall()] == [
            (1, "Côte d'Ivoire ", "683335.40"),
            (2, "a\nb", "683335.40"),
            (3, "Japan", "0.00"),
        ]
        types = {name: kind for name, kind, *_ in db.execute(f"DESCRIBE {read}").fetchall()}
    assert (types["Order Date"], types["Total Revenue"], types["Gross Margin"]) == ("DATE", "DECIMAL(15,2)", "DOUBLE")


def test_parquet_is_read_as_the_csv_with_the_same_rows(sales: Sales, tmp_path: Path) -> None:
    import duckdb

    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in reference.HEADER)
    with duckdb.connect() as db:
        table = f"read_csv('{sales(ROWS)}', header = true, columns = {{{columns}}})"
        day = "strptime(\"Order Date\", '%m/%d/%Y')::DATE"
        typed = f'* REPLACE ({day} AS "Order Date", "Unit Cost"::DECIMAL(9, 2) AS "Unit Cost")'
        db.execute(f"COPY (SELECT {typed} FROM {table}) TO '{tmp_path}/in.parquet'")
    transform(tmp_path / "in.parquet", tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv")) == expected(ROWS)


def test_a_file_without_rows_becomes_parquet_with_its_columns(sales: Sales, tmp_path: Path) -> None:
    import duckdb

    transform(sales([]), tmp_path / "out.parquet")
    with duckdb.connect() as db:
        found = db.execute(f"DESCRIBE SELECT * FROM '{tmp_path}/out.parquet'").fetchall()
    assert [name for name, *_ in found] == [*reference.HEADER, "Order Processing Time", "Gross Margin"]
