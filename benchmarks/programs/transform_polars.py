"""The four transformations with polars, streaming: `transform_polars.py SOURCE TARGET`."""

import sys

import polars as pl  # type: ignore[import-not-found,unused-ignore]  # only where benchmarks run

PRIORITIES = {"L": "Low", "M": "Medium", "H": "High", "C": "Critical"}
DAY = "%m/%d/%Y"


def main(source: str, target: str) -> None:
    rows = pl.scan_csv(source, infer_schema=False).with_columns(pl.col("Order ID").cast(pl.Int64))
    profit, revenue = pl.col("Total Profit").cast(pl.Float64), pl.col("Total Revenue").cast(pl.Float64)
    days = pl.col("Ship Date").str.to_date(DAY) - pl.col("Order Date").str.to_date(DAY)
    rows = rows.unique(subset="Order ID", keep="first", maintain_order=True).with_columns(
        pl.col("Order Priority").replace_strict(PRIORITIES),
        days.dt.total_days().alias("Order Processing Time"),
        (profit / revenue).alias("Gross Margin"),
    )
    rows.sink_csv(target, engine="streaming")


if __name__ == "__main__":
    main(*sys.argv[1:])
