"""The four payments queries with pandas, reading only the columns needed: `payments_pandas.py SOURCE`."""

import sys

import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only where benchmarks run

from benchmarks.programs.payments_columns import AMOUNT, NATURE, NO_SPECIALTY, OVER_USD, SPECIALTY, TOP, say


def main(source: str) -> None:
    columns = {NATURE: "str", SPECIALTY: "str", AMOUNT: "float64"}
    rows = pd.read_csv(source, usecols=list(columns), dtype=columns, keep_default_na=False)
    rows["cents"] = (rows[AMOUNT] * 100).round().astype("int64")
    over = [rows[rows["cents"] > limit * 100].groupby(NATURE).size() for limit in OVER_USD]
    by_specialty = rows.groupby(SPECIALTY)
    totals = by_specialty["cents"].sum().drop(NO_SPECIALTY, errors="ignore").reset_index()
    top = totals.sort_values(["cents", SPECIALTY], ascending=[False, True])
    say([*(found.items() for found in over), by_specialty.size().items(), top.head(TOP).to_numpy().tolist()])


if __name__ == "__main__":
    main(*sys.argv[1:])
