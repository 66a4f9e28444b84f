"""Datasets by name and by path, and what the two that ship are."""

import os
from pathlib import Path

import pytest

from core import RequestError
from core.datasets import dataset
from core.datasets.grammar import Type
from core.datasets.record import Column, DaysBetween, Derived, Field, Mapping, Metric, Ratio

ORDERS = """
name = "orders"
key = "Order"

[columns]
"Order" = "integer"
"""
DATE = Type("date", format="M/D/YYYY")
# The 63, 65, 75 and 91 columns of the general payments call what `payments` needs by these names.
OF_2013 = {"Record_ID": "General_Transaction_ID"}
TO_2020 = {
    "Covered_Recipient_Profile_ID": "Physician_Profile_ID",
    "Covered_Recipient_First_Name": "Physician_First_Name",
    "Covered_Recipient_Last_Name": "Physician_Last_Name",
    "Covered_Recipient_Specialty_1": "Physician_Specialty",
}


def test_sales_is_the_courses_data_set() -> None:
    sales = dataset("sales")
    assert [(column.name, column.type.kind) for column in sales.columns] == [
        ("Region", "text"), ("Country", "text"), ("Item Type", "text"), ("Sales Channel", "text"),
        ("Order Priority", "text"), ("Order Date", "date"), ("Order ID", "integer"), ("Ship Date", "date"),
        ("Units Sold", "integer"), ("Unit Price", "decimal"), ("Unit Cost", "decimal"), ("Total Revenue", "decimal"),
        ("Total Cost", "decimal"), ("Total Profit", "decimal"),
    ]  # fmt: skip
    assert (sales.name, sales.key, sales.extra_columns) == ("sales", "Order ID", "keep")
    assert sales.types()["Ship Date"] == DATE


def test_sales_is_transformed_as_the_course_asks() -> None:
    sales = dataset("sales")
    priorities = {"L": "Low", "M": "Medium", "H": "High", "C": "Critical"}
    assert sales.changes == (Derived("Order Priority", Type(), Mapping(Field("Order Priority"), priorities)),)
    assert sales.derived == (
        Derived("Order Processing Time", Type("integer"), DaysBetween("Order Date", "Ship Date")),
        Derived("Gross Margin", Type("double", optional=True), Ratio("Total Profit", "Total Revenue")),
    )


def test_sales_has_the_courses_metrics() -> None:
    assert dataset("sales").metrics == (
        Metric("Average Order Processing Time", "avg", "Order Processing Time"),
        Metric("Average Gross Margin", "avg", "Gross Margin"),
        Metric("Average Units Sold", "avg", "Units Sold"),
        Metric("Max Units Sold", "max", "Units Sold"),
        Metric("Min Units Sold", "min", "Units Sold"),
        Metric("Total Units Sold", "sum", "Units Sold"),
        Metric("Total Revenue", "sum", "Total Revenue"),
        Metric("Total Profit", "sum", "Total Profit"),
        Metric("Number of Orders", "count", "Order ID"),
    )


def test_payments_knows_the_older_names_of_its_columns() -> None:
    aliases = {column.name: column.aliases for column in dataset("payments").columns if column.aliases}
    assert aliases == {new: (old,) for new, old in (OF_2013 | TO_2020).items()}


def test_payments_has_one_output_for_every_layout() -> None:
    payments = dataset("payments")
    assert (payments.key, payments.extra_columns, len(payments.columns)) == ("Record_ID", "drop", 15)
    assert [column.name for column in payments.transformed().columns[15:]] == [
        "Payment_Year", "Payment_Month", "Amount_Bucket", "Payment_Class",
    ]  # fmt: skip


def test_payments_takes_amounts_and_dates_as_the_files_write_them() -> None:
    types = dataset("payments").types()
    assert types["Total_Amount_of_Payment_USDollars"] == Type("decimal", 15, 2)
    assert types["Date_of_Payment"] == Type("date", format="MM/DD/YYYY")


def test_payments_names_the_courses_four_queries() -> None:
    queries = {query.name: query for query in dataset("payments").queries}
    assert list(queries) == [
        "Payments over 1000 by nature", "Payments over 500 by nature",
        "Payments by specialty", "Top 10 specialties by amount",
    ]  # fmt: skip
    assert [each.value for name in list(queries)[:2] for each in queries[name].filters] == [1000, 500]
    assert queries["Top 10 specialties by amount"].limit == 10


def test_a_path_that_ends_in_toml_is_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(ORDERS)
    assert dataset(str(tmp_path / "my.toml")).columns == (Column("Order", Type("integer")),)


def test_a_byte_order_mark_and_crlf_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_bytes(b"\xef\xbb\xbf" + ORDERS.replace("\n", "\r\n").encode())
    assert dataset(str(tmp_path / "my.toml")).name == "orders"


def test_a_document_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(ORDERS)
    assert dataset(str(tmp_path / "my.toml")) is dataset(str(tmp_path / "my.toml"))


def test_a_changed_document_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(ORDERS)
    before = dataset(str(path)).name
    path.write_text(ORDERS.replace("orders", "order2"))
    os.utime(path, ns=(0, 0))
    assert (before, dataset(str(path)).name) == ("orders", "order2")


@pytest.mark.parametrize("name", ["", "sails", "sales.csv", "a\0.toml"])
def test_an_unknown_name_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        dataset(name)
    assert "use sales, payments, a name in polyfaas.toml, or the path of a .toml file" in caught.value.detail
    assert [fault.path for fault in caught.value.errors] == ["$.dataset"]


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"gone\.toml.*No such file") as caught:
        dataset(str(tmp_path / "gone.toml"))
    assert [fault.path for fault in caught.value.errors] == ["$.dataset"]


def test_a_folder_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(RequestError, match="Is a directory"):
        dataset(str(tmp_path / "x.toml"))


def test_a_document_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_bytes(ORDERS.encode() + '"Größe" = "text"\n'.encode("latin-1"))
    with pytest.raises(RequestError, match=r"my\.toml, line 7: byte \d+ is not UTF-8"):
        dataset(str(tmp_path / "my.toml"))
