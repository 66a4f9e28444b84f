SET datestyle = 'ISO, MDY';
SET client_min_messages = warning;
DROP TABLE IF EXISTS sales;
CREATE TABLE sales (
    "Region" text, "Country" text, "Item Type" text, "Sales Channel" text, "Order Priority" text, "Order Date" date,
    "Order ID" bigint, "Ship Date" date, "Units Sold" bigint, "Unit Price" numeric(15, 2), "Unit Cost" numeric(15, 2),
    "Total Revenue" numeric(15, 2), "Total Cost" numeric(15, 2), "Total Profit" numeric(15, 2),
    "Order Processing Time" integer, "Gross Margin" double precision
);
\copy sales FROM 'clean.csv' WITH (FORMAT csv, HEADER)
CREATE UNIQUE INDEX ON sales ("Order ID");
