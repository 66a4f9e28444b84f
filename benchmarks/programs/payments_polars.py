"""The four payments queries with polars, streaming, in one plan: `payments_polars.py SOURCE`."""

import sys

import polars as pl  # type: ignore[import-not-found,unused-ignore]  # only where benchmarks run

from benchmarks.programs.payments_columns import AMOUNT, NATURE, NO_SPECIALTY, OVER_USD, SPECIALTY, TOP, say


def main(source: str) -> None:
    cents = (pl.col(AMOUNT).cast(pl.Float64) * 100).round().cast(pl.Int64).alias("cents")
    rows = pl.scan_csv(source, infer_schema=False).select(pl.col(NATURE, SPECIALTY).fill_null(""), cents)
    over = [rows.filter(pl.col("cents") > limit * 100).group_by(NATURE).len() for limit in OVER_USD]
    by_specialty = rows.group_by(SPECIALTY)
    totals = by_specialty.agg(pl.col("cents").sum()).filter(pl.col(SPECIALTY) != NO_SPECIALTY)
    top = totals.sort("cents", SPECIALTY, descending=[True, False]).head(TOP)
    say(frame.rows() for frame in pl.collect_all([*over, by_specialty.len(), top], engine="streaming"))


if __name__ == "__main__":
    main(*sys.argv[1:])
