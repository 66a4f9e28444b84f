"""The four transformations with pandas: `transform_pandas.py SOURCE TARGET`."""

import sys

import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only where benchmarks run

PRIORITIES = {"L": "Low", "M": "Medium", "H": "High", "C": "Critical"}
DAY = "%m/%d/%Y"


def main(source: str, target: str) -> None:
    frame = pd.read_csv(source).drop_duplicates("Order ID", keep="first")
    days = pd.to_datetime(frame["Ship Date"], format=DAY) - pd.to_datetime(frame["Order Date"], format=DAY)
    frame["Order Priority"] = frame["Order Priority"].map(PRIORITIES)
    frame["Order Processing Time"] = days.dt.days
    frame["Gross Margin"] = frame["Total Profit"] / frame["Total Revenue"]
    frame.to_csv(target, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
