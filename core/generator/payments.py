"""General payments in the layouts of CMS Open Payments, as SQL.

As in the published files, a value stands in quotes, except for the amount, and what is absent is nothing at all.
"""

import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache, partial
from importlib.resources import files
from typing import Any

from core.engine import text
from core.errors import RequestError
from core.generator import products, recipients
from core.generator.draws import Lists, draw
from core.generator.faults import Piece
from core.generator.record import Recipe, fields, key, weighted

AMOUNT_STEPS = 1 << 20
MOST_PAYMENTS = 3
DEAL, OCCASION, AMOUNT, DAY, PAYMENTS, CIRCUMSTANCE = range(4, 10)


def columns(layout: int) -> list[str]:
    """The column names of a layout, in the published order.

    Raises:
        RequestError: There is no such layout.
    """
    known = _read("payments_columns.toml")
    if str(layout) not in known["layouts"]:
        raise RequestError(f"layout is {layout}: use {', '.join(known['layouts'])}")
    return [name for part in known["layouts"][str(layout)] for name in known["parts"][part]]


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


def recipe(seed: int, layout: int) -> Recipe:
    """How payments are made in a layout."""
    header = ",".join(columns(layout))
    parts = _read("payments.toml")
    years = parts["years"][str(layout)]
    lists = Lists()
    deals = products.deals(parts["payers"], layout)
    occasions = _occasions(parts["payments"], layout)
    pieces = (
        *recipients.pieces(parts["recipients"], layout, lists),
        Piece(lists.pick([payer for payer, _ in deals], "deal")),
        *_payment(lists, occasions, int(years[0])),
        Piece(lists.pick(_circumstances(parts["payments"]), "circumstance")),
        Piece(f"concat('\"', {key(seed)}, '\",')"),
        Piece(lists.pick([product for _, product in deals], "deal")),
        _publication(years),
    )
    median = lists.pick([str(median) for _, median in occasions], "occasion")
    drawn = partial(_columns, seed=seed, deals=len(deals), occasions=len(occasions), median=median)
    return Recipe(header, lists, drawn, pieces)


def _columns(rows: str, seed: int, deals: int, occasions: int, median: str) -> str:
    step = "(2 * step + 1)"
    # The quantiles of a log-logistic distribution: few payments make up most of the money. Roots and quotients of
    # doubles are the same on every machine, which logarithms are not.
    root = f"sqrt({step}::DOUBLE / ({2 * AMOUNT_STEPS} - {step})::DOUBLE)"
    drawn = f"""
        SELECT *, {draw(DEAL, deals)} AS deal, {draw(OCCASION, occasions)} AS occasion,
            {draw(AMOUNT, AMOUNT_STEPS)} AS step, {draw(DAY, 365)} AS day, {draw(PAYMENTS, 64)} AS payments,
            {draw(CIRCUMSTANCE, 256)} AS circumstance
        FROM {rows}"""
    cents = f"(1 + floor({median}::DOUBLE * {root}))::DECIMAL(12, 0)"
    amounts = f"(SELECT *, {cents} * 0.01::DECIMAL(2, 2) AS amount FROM ({drawn}))"
    return recipients.columns(amounts, seed)


def _payment(lists: Lists, occasions: Sequence[tuple[str, int]], year: int) -> tuple[Piece, ...]:
    days = [date(year, 1, 1) + timedelta(number) for number in range(365)]
    bad_date = fields(f"02/30/{year}") + ","
    return (
        Piece("amount", {"text in a number": "'twelve'"}),
        Piece(lists.pick([f',"{day:%m/%d/%Y}",' for day in days], "day"), {"impossible date": text(f",{bad_date}")}),
        Piece(f"concat('\"', 1 + greatest(0, payments - {64 - MOST_PAYMENTS}), '\",')"),
        Piece(lists.pick([occasion for occasion, _ in occasions], "occasion")),
    )


def _occasions(parts: dict[str, Any], layout: int) -> list[tuple[str, int]]:
    """Form, nature and travel, with the median amount in cents, as often as they come up."""
    found = []
    known = [nature for nature in parts["natures"] if not nature[4:] or layout in nature[4:]]
    for number, (_, nature, form, median, *_) in enumerate(weighted(known)):
        travel = parts["travels"][number % len(parts["travels"])] if nature == "Travel and Lodging" else ["", "", ""]
        found.append((fields(parts["forms"][form], nature, *travel) + ",", median))
    return found


def _circumstances(parts: dict[str, Any]) -> list[str]:
    """Owner, third party, charity, context and delay: 256 of them."""
    found = []
    for number in range(256):
        third = parts["third_parties"][number % len(parts["third_parties"])]
        context = parts["contexts"][number // 3 % len(parts["contexts"])]
        party = ("Entity", third, "No", "No") if third else ("No Third Party Payment", "", ("", "No")[number % 2], "")
        found.append(fields(("No", "Yes")[number == 0], *party, context, "No") + ",")
    return found


def _publication(year: Sequence[str]) -> Piece:
    good = fields(*year)
    return Piece(text(good), {"too few fields": text(fields(year[0])), "too many fields": text(fields(*year, "more"))})
