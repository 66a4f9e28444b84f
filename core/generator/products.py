"""Who pays, and for what: a payer's products are its own."""

from collections.abc import Sequence
from typing import Any

from core.generator.record import fields, weighted

MOST_PRODUCTS = 5
# The columns of a product in the layouts that have one group of columns for each.
WIDTHS = {75: 5, 91: 6}
# How many products a payment is for, as often as it comes up.
COUNTS = (1, 1, 1, 2, 1, 1, 0, 1, 3, 1, 1, 2, 1, 1, 5, 1)


def deals(payers: dict[str, Any], layout: int) -> list[tuple[str, str]]:
    """Payer and products, each as the fields of a line, as often as they come up."""
    found = []
    for number, payer in enumerate(weighted(payers["names"])):
        for turn, spelling in enumerate(payers["spellings"]):
            count = COUNTS[(number + turn) % len(COUNTS)]
            chosen = [payers["products"][payer[5][(turn + place) % len(payer[5])]] for place in range(count)]
            found.append((_payer(payer, spelling), _products(chosen, layout)))
    return found


def _payer(payer: Sequence[Any], spelling: str) -> str:
    _, name, identifier, state, country, _ = payer
    written = {"upper": name.upper(), "trailing blank": f"{name} ", "lower words": name.title()}.get(spelling, name)
    return fields(name, identifier, written, state, country) + ","


def _products(chosen: Sequence[Sequence[str]], layout: int) -> str:
    """From the state of the dispute to the last product."""
    if layout not in WIDTHS:
        return fields("No", *_by_kind(chosen)) + ","
    width = WIDTHS[layout]
    blank = [""] * (width * (MOST_PRODUCTS - len(chosen)))
    values = [value for product in chosen for value in _product(product, width)]
    return fields("No", ("No", "Yes")[bool(chosen)], *values, *blank) + ","


def _product(product: Sequence[str], width: int) -> list[str]:
    kind, area, name, identifier = product
    is_device = kind in ("Device", "Medical Supply")
    return ["Covered", kind, area, name, "" if is_device else identifier, identifier if is_device else ""][:width]


def _by_kind(chosen: Sequence[Sequence[str]]) -> list[str]:
    """Indicator, drugs, their codes, devices."""
    drugs = [product for product in chosen if product[0] in ("Drug", "Biological")]
    devices = [product for product in chosen if product not in drugs]
    blanks = [""] * MOST_PRODUCTS

    def padded(values: list[str]) -> list[str]:
        return (values + blanks)[:MOST_PRODUCTS]

    columns = ([drug[2] for drug in drugs], [drug[3] for drug in drugs], [device[2] for device in devices])
    return [("None", "Covered")[bool(chosen)], *(value for column in columns for value in padded(column))]
