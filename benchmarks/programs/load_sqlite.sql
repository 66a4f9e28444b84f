.bail on
CREATE TABLE sales (
    "Region" TEXT, "Country" TEXT, "Item Type" TEXT, "Sales Channel" TEXT, "Order Priority" TEXT, "Order Date" DATE,
    "Order ID" INTEGER, "Ship Date" DATE, "Units Sold" INTEGER, "Unit Price" DECIMAL(15, 2), "Unit Cost" DECIMAL(15, 2),
    "Total Revenue" DECIMAL(15, 2), "Total Cost" DECIMAL(15, 2), "Total Profit" DECIMAL(15, 2),
    "Order Processing Time" INTEGER, "Gross Margin" DOUBLE
);
.mode csv
.import --skip 1 clean.csv sales
CREATE UNIQUE INDEX "sales by Order ID" ON sales ("Order ID");
