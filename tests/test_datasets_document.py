"""A dataset's document: what it can say, and what a reader is told when it is wrong."""

import pytest

from core import RequestError
from core.datasets.document import read
from core.datasets.grammar import Type
from core.datasets.record import (
    Bucket,
    Column,
    Concat,
    Constant,
    DatePart,
    DaysBetween,
    Derived,
    Field,
    Filter,
    Iso,
    Mapping,
    Metric,
    NamedQuery,
    Order,
    Ratio,
    Trim,
    Upper,
)

HEAD = 'name = "orders"\nkey = "Order"\n'
COLUMNS = """[columns]
"Order" = "integer"
"Name" = "text"
"Due" = { type = "date", format = "D.M.YYYY", optional = true }
"Sent" = { type = "timestamp", format = "YYYY-MM-DD hh:mm" }
"Price" = { type = "decimal(9,2)", aliases = ["Cost", "Amount"] }
"Weight" = "double"
"""
# The line after HEAD and COLUMNS, on which a test's own text starts.
NEXT = 10


def derived(expression: str) -> Derived:
    """The column that an expression derives."""
    return read(f"{HEAD}{COLUMNS}[derived]\nX = {expression}\n", "orders.toml").derived[0]


def refusal(text: str) -> str:
    with pytest.raises(RequestError) as caught:
        read(text, "orders.toml")
    fault = caught.value.errors[0]
    assert caught.value.detail == f"orders.toml, line {fault.line}: {fault.detail}"
    assert (fault.path, fault.source) == ("$.dataset", "orders.toml")
    return caught.value.detail


def test_a_column_is_a_type_or_a_table() -> None:
    assert read(HEAD + COLUMNS, "orders.toml").columns == (
        Column("Order", Type("integer")),
        Column("Name", Type("text")),
        Column("Due", Type("date", format="D.M.YYYY", optional=True)),
        Column("Sent", Type("timestamp", format="YYYY-MM-DD hh:mm")),
        Column("Price", Type("decimal", 9, 2), ("Cost", "Amount")),
        Column("Weight", Type("double")),
    )


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("text", Type("text")),
        ("decimal", Type("decimal", 15, 2)),
        ("decimal(5, 0)", Type("decimal", 5, 0)),
        ("date", Type("date", format="YYYY-MM-DD")),
        ("timestamp", Type("timestamp", format="YYYY-MM-DD hh:mm:ss")),
    ],
)
def test_a_type_has_its_usual_form_where_the_document_says_none(written: str, kind: Type) -> None:
    found = read(f'{HEAD}[columns]\nOrder = "text"\nX = "{written}"\n', "orders.toml")
    assert found.columns[1].type == kind


def test_extra_columns_are_kept_unless_the_document_drops_them() -> None:
    both = [read(f"{extra}{HEAD}{COLUMNS}", "x").extra_columns for extra in ("", 'extra_columns = "drop"\n')]
    assert both == ["keep", "drop"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"Name"', Derived("X", Type(), Field("Name"))),
        ('"Price"', Derived("X", Type("decimal", 9, 2), Field("Price"))),
        ('{ constant = "EUR" }', Derived("X", Type(), Constant("EUR"))),
        ('{ upper = { trim = "Name" } }', Derived("X", Type(), Upper(Trim(Field("Name"))))),
        (
            '{ days_between = ["Sent", "Due"] }',
            Derived("X", Type("integer", optional=True), DaysBetween("Sent", "Due")),
        ),
        ('{ ratio = ["Price", "Weight"] }', Derived("X", Type("double", optional=True), Ratio("Price", "Weight"))),
        ('{ year = "Sent" }', Derived("X", Type("integer"), DatePart("year", "Sent"))),
        ('{ month = "Due" }', Derived("X", Type("integer", optional=True), DatePart("month", "Due"))),
        ('{ iso = "Due" }', Derived("X", Type("date", optional=True), Iso("Due"))),
        ('{ iso = "Sent" }', Derived("X", Type("timestamp", format="YYYY-MM-DD hh:mm:ss"), Iso("Sent"))),
        (
            '{ concat = ["Name", { constant = ", " }, { iso = "Due" }] }',
            Derived("X", Type(), Concat((Field("Name"), Constant(", "), Iso("Due")))),
        ),
        (
            '{ map = { upper = "Name" }, values = { A = "1" }, otherwise = "" }',
            Derived("X", Type(), Mapping(Upper(Field("Name")), {"A": "1"}, "")),
        ),
        ('{ map = "Name", values = { A = "1" } }', Derived("X", Type(), Mapping(Field("Name"), {"A": "1"}))),
        (
            '{ bucket = "Price", edges = [-1, 9.90, 1_000], labels = ["a", "b", "c", "d"] }',
            Derived("X", Type(), Bucket("Price", ("-1", "9.90", "1000"), ("a", "b", "c", "d"))),
        ),
        (
            '{ bucket = "Order", edges = [10, 20] }',
            Derived("X", Type(), Bucket("Order", ("10", "20"), ("below 10", "10 to below 20", "20 and more"))),
        ),
    ],
)
def test_an_expression_is_a_column_or_a_table_with_one_operator(written: str, expected: Derived) -> None:
    assert derived(written) == expected


def test_a_change_gives_its_column_a_new_type() -> None:
    found = read(f'{HEAD}{COLUMNS}[changes]\nDue = {{ iso = "Due" }}\n', "orders.toml")
    assert found.changes == (Derived("Due", Type("date", optional=True), Iso("Due")),)
    assert found.transformed().types()["Due"] == Type("date", optional=True)


def test_metrics_are_aggregates_of_what_transform_writes() -> None:
    text = f'{HEAD}{COLUMNS}[derived]\nY = {{ year = "Sent" }}\n[metrics]\nRows = "count"\nLast = {{ max = "Y" }}\n'
    assert read(text, "orders.toml").metrics == (Metric("Rows", "count"), Metric("Last", "max", "Y"))


def test_a_query_has_all_that_a_request_can_say() -> None:
    text = f"""{HEAD}{COLUMNS}
[queries."Dear ones"]
group_by = ["Name"]
filters = [
  {{ column = "Price", op = "gt", value = 99.50 }},
  {{ column = "Order", op = "in", value = [1, 2] }},
  {{ column = "Name", value = "x" }},
  {{ column = "Due", op = "is_null" }},
  {{ column = "Order", op = "between", value = [1, -2] }},
]
aggregates = {{ Rows = "count", Total = {{ sum = "Price" }} }}
order_by = [{{ by = "Total", descending = true }}, "Name"]
limit = 3
"""
    assert read(text, "orders.toml").queries == (
        NamedQuery(
            name="Dear ones",
            group_by=("Name",),
            filters=(
                Filter(column="Price", op="gt", value=99.5),
                Filter(column="Order", op="in", value=[1, 2]),
                Filter(column="Name", op="eq", value="x"),
                Filter(column="Due", op="is_null"),
                Filter(column="Order", op="between", value=[1, -2]),
            ),
            aggregates=(Metric("Rows", "count"), Metric("Total", "sum", "Price")),
            order_by=(Order(by="Total", descending=True), Order(by="Name")),
            limit=3,
        ),
    )


def test_a_query_without_aggregates_can_order_by_the_metrics() -> None:
    text = f'{HEAD}{COLUMNS}[metrics]\nRows = "count"\n[queries.All]\norder_by = ["Rows"]\n'
    assert read(text, "orders.toml").queries == (NamedQuery(name="All", order_by=(Order(by="Rows"),)),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "orders"\nkey = Order\n', "line 2: this is not TOML (Invalid value)"),
        (f"{HEAD}[columns]\nOrder ID = 1\n", "line 4: this is not TOML"),
        (f'{HEAD}name = "x"\n', "line 3: this is not TOML (Cannot overwrite a value)"),
        (f'{HEAD}[columns]\nOrder = "integer\n', "line 4: this is not TOML"),
        (f"{HEAD}x = {'[' * 5000}", "line 1: something is nested too deeply: take it apart"),
        (f'{HEAD}{COLUMNS}[derive]\nX = "Name"\n', "line 10: 'derive' is not known here: did you mean 'derived'?"),
        ('key = "Order"\n' + COLUMNS, "line 1: 'name' is missing here: add it"),
        (f"{HEAD}columns = {{}}\n", 'line 3: there are no columns: add each as "Name" = "type"'),
        (f"{HEAD}columns = 3\n", 'line 3: 3 is not a table: write it as { key = "value" }'),
        (f'name = "a b"\nkey = "Order"\n{COLUMNS}', "line 1: 'a b' cannot name a table"),
        (f'name = 1.50\nkey = "Order"\n{COLUMNS}', "line 1: 1.5 is not a text: write it in quotes"),
        (f'name = "x"\nkey = "Orders"\n{COLUMNS}', "line 2: there is no column 'Orders': did you mean 'Order'?"),
        (f'name = "x"\nkey = "Price"\n{COLUMNS}', "line 2: 'Price' is a decimal: this takes a text or an integer"),
        (f'{HEAD}extra_columns = "no"\n{COLUMNS}', 'line 3: \'no\' is not known: write "keep" or "drop"'),
        (
            f'{HEAD}[columns]\nOrder = {{ type = "integer", optional = true }}\n',
            "line 2: 'Order' is the key and optional",
        ),
    ],
)
def test_a_document_that_is_wrong_is_refused_with_line_and_cure(text: str, message: str) -> None:
    assert f"orders.toml, {message}" in refusal(text)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ('X = "integr"', "there is no type 'integr': did you mean 'integer'?"),
        ('X = "decimal(16,2)"', "a decimal has at most 15 digits"),
        ('X = "decimal(2,2)"', "a decimal has at most 15 digits, of which fewer stand after the point"),
        ('X = "decimal(2)"', "'decimal(2)' is no type: write decimal(digits, decimals)"),
        ("X = 5", "a column is its type, as a text in quotes such as \"text\" or in a table: mend 'X'"),
        ('X = { type = "text", format = "YYYY" }', "only a date or a timestamp has a format, and this is text"),
        ('X = { format = "YYYY" }', "'type' is missing here"),
        ('X = { type = "text", optional = "yes" }', "'yes' is neither true nor false"),
        ('X = { type = "text", aliases = "Y" }', "'Y' is not a list: write it as [ ..., ... ]"),
        ('X = { type = "text", alias = ["Y"] }', "'alias' is not known here: did you mean 'aliases'?"),
        ('X = { type = "text", aliases = ["order"] }', "the name 'order' is there twice (capitals do not count)"),
        ('ORDER = "text"', "the name 'ORDER' is there twice (capitals do not count): rename one"),
        ('"" = "text"', "'' cannot name a column"),
        ('"a\\nb" = "text"', "'a\\nb' cannot name a column"),
        ('X = { type = "date", format = "YYYY-MM" }', "does not say each part of a date once"),
        ('X = { type = "date", format = "YYYY-MM-MM" }', "does not say each part of a date once"),
        ('X = { type = "date", format = "YYYY-MM-DD hh" }', "has a time, which a date has not: make it a timestamp"),
        ('X = { type = "timestamp", format = "YYYY-MM-DD" }', "does not say each part of a timestamp once"),
        ('X = { type = "timestamp", format = "YYYY-MM-DD hh:ss" }', "does not say each part of a timestamp once"),
        ('X = { type = "date", format = "MDYYYY" }', "leaves open where a part ends"),
        ('X = { type = "date", format = "YYYY%MM%DD" }', "holds more than YYYY, MM, M, DD, D, hh, mm, ss"),
        ('X = { type = "date", format = " YYYY-MM-DD" }', "holds more than YYYY, MM, M, DD, D, hh, mm, ss"),
        ('X = { type = "date", format = "DD-MM-YYYYx" }', "holds more than YYYY, MM, M, DD, D, hh, mm, ss"),
    ],
)
def test_a_wrong_column_is_refused_on_its_line(column: str, message: str) -> None:
    assert message in refusal(f"{HEAD}{COLUMNS}{column}\n")
    assert f"line {NEXT}: " in refusal(f"{HEAD}{COLUMNS}{column}\n")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ('[changes]\nNme = { upper = "Name" }', "there is no column 'Nme' to change: a new one stands in [derived]"),
        ('[changes]\nOrder = { constant = "1" }', "'Order' is the key, and two records could become one"),
        ('[derived]\nName = { upper = "Name" }', "the input has a column 'Name': its new value stands in [changes]"),
        ('[derived]\nCOST = { upper = "Name" }', "the name 'COST' is there twice"),
        ('[derived]\nX = { upper = "Nam" }', "there is no column 'Nam': did you mean 'Name'?"),
        (
            '[derived]\nX = { uper = "Name" }',
            "an expression is the name of a column or one operator: did you mean 'upper'?",
        ),
        ("[derived]\nX = {}", "an expression is the name of a column or one operator: use one of 'days_between'"),
        ('[derived]\nX = { upper = "Name", trim = "Name" }', "upper and trim cannot stand in one table"),
        ('[derived]\nX = { upper = "Name", edges = [1] }', "'edges' is not known here"),
        ('[derived]\nX = { days_between = ["Due", "Name"] }', "'Name' is a text: this takes a date or a timestamp"),
        ('[derived]\nX = { days_between = ["Due"] }', "this takes two columns, and there are 1: write [first, second]"),
        (
            '[derived]\nX = { ratio = ["Price", "Name"] }',
            "'Name' is a text: this takes an integer or a decimal or a double",
        ),
        ('[derived]\nX = { year = "Name" }', "'Name' is a text: this takes a date or a timestamp"),
        ('[derived]\nX = { iso = "Price" }', "'Price' is a decimal: this takes a date or a timestamp"),
        ('[derived]\nX = { upper = { year = "Due" } }', "a number cannot stand inside another expression"),
        ("[derived]\nX = { concat = [] }", "there is nothing to put together"),
        ('[derived]\nX = { constant = "\\u0000" }', "a text cannot hold a NUL"),
        ('[derived]\nX = { map = "Name" }', "a map needs its values"),
        ('[derived]\nX = { map = "Name", values = {} }', "there are no values"),
        ('[derived]\nX = { map = "Name", values = { A = 1 } }', "1 is not a text: write it in quotes"),
        ('[derived]\nX = { map = { upper = "Name" }, values = { A = "1" } }', "for a plain column only: add otherwise"),
        (
            '[derived]\nX = { bucket = "Weight", edges = [1] }',
            "'Weight' is a double: this takes an integer or a decimal",
        ),
        ('[derived]\nX = { bucket = "Price" }', "a bucket needs its edges"),
        ('[derived]\nX = { bucket = "Price", edges = [] }', "a bucket needs at least one edge"),
        (
            '[derived]\nX = { bucket = "Price", edges = [2, 1] }',
            "the edges do not rise, and 1 is not above the one before",
        ),
        ('[derived]\nX = { bucket = "Price", edges = [1, 1.00] }', "the edges do not rise"),
        (
            '[derived]\nX = { bucket = "Price", edges = [0.001] }',
            "0.001 is not a number of at most 7 digits and 2 decimals",
        ),
        ('[derived]\nX = { bucket = "Order", edges = [1.5] }', "1.5 is not a whole number of at most 18 digits"),
        ('[derived]\nX = { bucket = "Price", edges = [inf] }', "inf is not a number: write it without quotes"),
        ('[derived]\nX = { bucket = "Price", edges = ["1"] }', "'1' is not a number: write it without quotes"),
        (
            '[derived]\nX = { bucket = "Price", edges = [1], labels = ["a"] }',
            "1 edges make 2 ranges, and there are 1 labels",
        ),
        ('[metrics]\nX = "sum"', "'sum' is no aggregate"),
        ('[metrics]\nX = { median = "Price" }', "'median' is not known here"),
        ('[metrics]\nX = { sum = "Price", max = "Price" }', "an aggregate is one function of one column"),
        ('[metrics]\nX = { sum = "Name" }', "'Name' is a text: this takes an integer or a decimal or a double"),
        ('[metrics]\nX = { sum = "Cost" }', "there is no column 'Cost'"),
        ('[metrics]\n"" = "count"', "an aggregate needs a name"),
        ("[queries.Q]\nlimit = 1", "a query needs an aggregate"),
    ],
)
def test_a_wrong_value_is_refused_on_its_line(section: str, message: str) -> None:
    found = refusal(f"{HEAD}{COLUMNS}\n{section}\n")
    assert message in found
    assert f"line {NEXT + (1 if 'queries' in section else 2)}: " in found


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ('group_by = ["Nam"]', "there is no column 'Nam': did you mean 'Name'?"),
        ('filters = [{ column = "X" }]', "there is no column 'X'"),
        ('filters = [{ column = "Name", op = "like", value = "x" }]', "there is no op 'like'"),
        ('filters = [{ column = "Name" }]', "eq needs a value to compare with"),
        ('filters = [{ column = "Name", op = "is_null", value = "x" }]', "is_null compares with nothing"),
        ('filters = [{ column = "Name", value = 5 }]', "5 is not a text: write it in quotes"),
        ('filters = [{ column = "Price", value = "5" }]', "'5' is not a number: write it without quotes"),
        ('filters = [{ column = "Price", value = nan }]', "nan is not a number"),
        ('filters = [{ column = "Price", op = "in", value = 5 }]', "5 is not a list"),
        ('filters = [{ column = "Price", op = "in", value = [] }]', "in takes one or more values"),
        ('filters = [{ column = "Price", op = "between", value = [1] }]', "between takes two values"),
        ('order_by = ["Price"]', "the result has no column 'Price': use one of 'Rows'"),
        ('order_by = [{ by = "Rows", descending = 1 }]', "1 is neither true nor false"),
        ("limit = 0", "a limit of 0 leaves no row"),
        ("limit = true", "true is not a whole number"),
        ("having = 1", "'having' is not known here"),
    ],
)
def test_a_wrong_query_is_refused_on_its_line(field: str, message: str) -> None:
    found = refusal(f'{HEAD}{COLUMNS}[queries.Q]\naggregates = {{ Rows = "count" }}\n{field}\n')
    assert message in found
    assert f"line {NEXT + 2}: " in found


def test_two_columns_of_a_result_cannot_have_one_name() -> None:
    text = f'{HEAD}{COLUMNS}[queries.Q]\ngroup_by = ["Name"]\naggregates = {{ Name = "count" }}\n'
    assert f"line {NEXT}: two columns of the result have one name" in refusal(text)
