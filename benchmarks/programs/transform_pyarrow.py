"""The four transformations with pyarrow: `transform_pyarrow.py SOURCE TARGET`."""

import sys
from typing import Any

import pyarrow as pa  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only where benchmarks run
import pyarrow.compute as pc  # type: ignore[import-not-found,import-untyped,unused-ignore]
from pyarrow import csv  # type: ignore[import-not-found,import-untyped,unused-ignore]

PRIORITIES = {"L": "Low", "M": "Medium", "H": "High", "C": "Critical"}
AS_TEXT = ("Order Date", "Ship Date", "Unit Price", "Unit Cost", "Total Revenue", "Total Cost", "Total Profit")


def main(source: str, target: str) -> None:
    options = csv.ConvertOptions(column_types=dict.fromkeys(AS_TEXT, pa.string()), strings_can_be_null=False)
    rows = first_of_each(csv.read_csv(source, convert_options=options))
    codes = pc.index_in(rows["Order Priority"], pa.array(list(PRIORITIES)))
    words = pc.take(pa.array(list(PRIORITIES.values())), codes)
    rows = rows.set_column(rows.column_names.index("Order Priority"), "Order Priority", words)
    days = pc.subtract(day(rows["Ship Date"]), day(rows["Order Date"]))
    margin = pc.divide(rows["Total Profit"].cast(pa.float64()), rows["Total Revenue"].cast(pa.float64()))
    rows = rows.append_column("Order Processing Time", days).append_column("Gross Margin", margin)
    csv.write_csv(rows, target, csv.WriteOptions(quoting_style="needed"))


def first_of_each(rows: Any) -> Any:
    """The rows whose Order ID stands in no earlier one, in their order."""
    numbers = pa.array(range(0)) if not len(rows) else pc.cumulative_sum(pa.repeat(1, len(rows)))
    keys = pa.table({"key": rows["Order ID"], "number": numbers})
    first = keys.group_by("key").aggregate([("number", "min")])["number_min"]
    if len(first) == len(rows):
        return rows
    return rows.take(pc.subtract(first.take(pc.sort_indices(first)), 1))


def day(texts: Any) -> Any:
    """Days since 1970 as whole numbers."""
    return pc.strptime(texts, format="%m/%d/%Y", unit="s").cast(pa.date32()).cast(pa.int32())


if __name__ == "__main__":
    main(*sys.argv[1:])
