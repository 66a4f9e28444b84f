"""The four payments queries: the columns that they need, and the form in which their answers can be compared."""

import json
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

AMOUNT = "Total_Amount_of_Payment_USDollars"
NATURE = "Nature_of_Payment_or_Transfer_of_Value"
SPECIALTY = "Covered_Recipient_Specialty_1"
OVER_USD = (1000, 500)
NO_SPECIALTY = ""  # of a hospital: not among the top ones
TOP = 10


def say(answers: Iterable[Iterable[Sequence[Any]]]) -> None:
    """Print the four answers, each a list of (group, count or cents), in an order that does not depend on names."""
    json.dump({"answer": {"queries": sorted(sorted(map(pair, rows)) for rows in answers)}}, sys.stdout)


def pair(row: Sequence[Any]) -> tuple[str, int]:
    group, number = row
    return group or "", int(number * 100) if isinstance(number, Decimal) else int(number)
