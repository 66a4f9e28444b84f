"""The sales records of the TLQ pipeline: 14 columns, keyed by Order ID."""

from core.datasets.record import Column, Dataset, DaysBetween, Derived, Metric, Ratio

SALES = Dataset(
    name="sales",
    columns=(
        Column("Region"),
        Column("Country"),
        Column("Item Type"),
        Column("Sales Channel"),
        Column("Order Priority"),
        Column("Order Date", "date"),
        Column("Order ID", "integer"),
        Column("Ship Date", "date"),
        Column("Units Sold", "integer"),
        Column("Unit Price", "decimal"),
        Column("Unit Cost", "decimal"),
        Column("Total Revenue", "decimal"),
        Column("Total Cost", "decimal"),
        Column("Total Profit", "decimal"),
    ),
    key="Order ID",
    mappings={"Order Priority": {"L": "Low", "M": "Medium", "H": "High", "C": "Critical"}},
    derived=(
        Derived("Order Processing Time", "integer", DaysBetween("Order Date", "Ship Date")),
        Derived("Gross Margin", "double", Ratio("Total Profit", "Total Revenue")),
    ),
    metrics=(
        Metric("Average Order Processing Time", "avg", "Order Processing Time"),
        Metric("Average Gross Margin", "avg", "Gross Margin"),
        Metric("Average Units Sold", "avg", "Units Sold"),
        Metric("Max Units Sold", "max", "Units Sold"),
        Metric("Min Units Sold", "min", "Units Sold"),
        Metric("Total Units Sold", "sum", "Units Sold"),
        Metric("Total Revenue", "sum", "Total Revenue"),
        Metric("Total Profit", "sum", "Total Profit"),
        Metric("Number of Orders", "count", "Order ID"),
    ),
)
