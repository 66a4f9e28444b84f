"""What the command line asks: the options of query and run, and their texts as parts of a request."""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

OPERATORS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
# A text, or one in quotes where it holds what would end it; a quote inside is doubled.
NAME = r'"(?:[^"]|"")+"|.+?'
# The first operator decides, so that a value may hold others.
CONDITION = re.compile(
    rf"(?P<column>{NAME})"
    rf"(?:(?P<op>>=|<=|!=|=|<|>)(?P<value>.*)"
    rf"| in (?P<values>.+)"
    rf"| between (?P<low>{NAME}) and (?P<high>{NAME})"
    rf"| is null)",
    re.DOTALL,
)
AGGREGATE = re.compile(rf"(?P<function>[^:]+?)(?::(?P<column>{NAME}))?(?: as (?P<name>.+))?", re.DOTALL)
ORDER = re.compile(r"(?P<by>.+?)(?P<way>:asc|:desc)?", re.DOTALL)
FORMS = 'write "Region=Asia" (or != < <= > >=), "Country in Fiji,Samoa", "Units Sold between 1 and 9", "Margin is null"'

Command = TypeVar("Command", bound=Callable[..., Any])
OPTIONS = (
    click.option("--group-by", multiple=True, metavar="COLUMN", help="Group by this column; repeatable."),
    click.option(
        "--filter",
        "filters",
        multiple=True,
        metavar="CONDITION",
        help='Only rows for which this holds: "Region=Asia" (also != < <= > >=), "Country in Fiji,Samoa" (a value with '
        'a comma in quotes), "Units Sold between 1 and 9", "Gross Margin is null". Repeatable: all must hold.',
    ),
    click.option(
        "--aggregate",
        "aggregates",
        multiple=True,
        metavar="FUNCTION:COLUMN",
        help='sum, avg, min, max or count of a column, or just count; "sum:Units Sold as Units" names it. Repeatable.  '
        "[default: the dataset's metrics]",
    ),
    click.option(
        "--order-by",
        multiple=True,
        metavar="NAME[:desc]",
        help="Order by this column of the result; repeatable.  [default: by the groups]",
    ),
    click.option("--limit", type=click.IntRange(min=1), help="Give so many rows."),
    click.option("--query", "named", multiple=True, metavar="NAME", help="Ask a query of the dataset instead."),
)


def selection(command: Command) -> Command:
    """Add the options that say what to ask."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def request(
    group_by: Sequence[str],
    filters: Sequence[str],
    aggregates: Sequence[str],
    order_by: Sequence[str],
    limit: int | None,
) -> dict[str, Any]:
    """The options as the fields of a request.

    Raises:
        click.BadParameter: A text is not of its form.
    """
    return {
        "group_by": group_by,
        "filters": [condition(text) for text in filters],
        "aggregates": [aggregate(text) for text in aggregates] or None,
        "order_by": [order(text) for text in order_by],
        "limit": limit,
    }


def condition(text: str) -> dict[str, Any]:
    """A filter from its text.

    Raises:
        click.BadParameter: It is no condition.
    """
    if not (found := CONDITION.fullmatch(text)):
        raise click.BadParameter(f"{text!r} is no condition: {FORMS}", param_hint="--filter")
    column = _unquoted(found["column"])
    if found["op"]:
        return {"column": column, "op": OPERATORS[found["op"]], "value": found["value"]}
    if found["values"]:
        return {"column": column, "op": "in", "value": _listed(found["values"])}
    if found["low"]:
        return {"column": column, "op": "between", "value": [_unquoted(found["low"]), _unquoted(found["high"])]}
    return {"column": column, "op": "is_null"}


def aggregate(text: str) -> dict[str, str]:
    """An aggregate from its text.

    Raises:
        click.BadParameter: It is no aggregate.
    """
    found = AGGREGATE.fullmatch(text)
    if not found or (found["column"] is None and found["function"] != "count"):
        raise click.BadParameter(f'{text!r} is no aggregate: write "sum:Units Sold"', param_hint="--aggregate")
    given = {"function": found["function"], "column": found["column"] and _unquoted(found["column"])}
    return {key: value for key, value in {**given, "as": found["name"]}.items() if value}


def order(text: str) -> dict[str, Any]:
    """An order from its text; a name that ends in ":desc" itself is written with ":asc" after it."""
    found = ORDER.fullmatch(text)
    if not found:
        raise click.BadParameter("a name is missing", param_hint="--order-by")
    return {"by": found["by"], "descending": found["way"] == ":desc"}


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if re.fullmatch(r'"(?:[^"]|"")+"', text) else text


def _listed(text: str) -> list[str]:
    """Values apart by commas, as in a line of CSV; blanks after a comma are for the eye."""
    try:
        return next(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise click.BadParameter(f"{text!r} is no list ({error}): close its quotes", param_hint="--filter") from error
