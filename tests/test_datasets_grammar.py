"""Which texts the types of columns take."""

import re
from datetime import date, timedelta
from itertools import product

import pytest

from core.datasets.grammar import Type, pattern


def takes(kind: Type, text: str) -> bool:
    return re.fullmatch(pattern(kind), text) is not None


def exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("year", [1, 1900, 2000, 2010, 2012, 9999])
def test_a_date_is_one_that_there_is(year: int) -> None:
    days = list(product(range(14), range(33)))
    padded = [takes(Type("date", format="MM/DD/YYYY"), f"{month:02}/{day:02}/{year:04}") for month, day in days]
    short = [takes(Type("date", format="M/D/YYYY"), f"{month}/{day}/{year:04}") for month, day in days]
    assert padded == short == [exists(year, month, day) for month, day in days]


@pytest.mark.parametrize(
    "written", ["1?/5/2010", "1/?5/2010", "001/5/2010", "1/5/10", "1/5/20100", "a/5/2010", "1/5/2010 "]
)
def test_a_text_that_only_looks_like_a_date_is_none(written: str) -> None:
    assert not takes(Type("date", format="M/D/YYYY"), written)


def test_every_day_of_four_centuries_is_a_date() -> None:
    kind = re.compile(pattern(Type("date")))
    days = [date(1800, 1, 1) + timedelta(days) for days in range(146_097)]
    assert [day for day in days if kind.fullmatch(day.isoformat()) is None] == []
