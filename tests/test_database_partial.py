"""Partial aggregates merge exactly: any split of a table, in any order, tells what the whole tells."""

from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import DataError
from core.database.partial import DOUBLE_BITS, EMPTY, Aggregate, Partial, finished, merged
from core.datasets.grammar import Type
from core.datasets.record import Function

FUNCTIONS: list[Function] = ["sum", "avg", "min", "max", "count"]

functions = st.sampled_from(FUNCTIONS)
totals = st.none() | st.integers()


def partial(function: Function) -> st.SearchStrategy[Partial]:
    if function == "count":
        return st.integers(0).map(Partial)
    return st.builds(Partial, st.integers(0), totals)


triples = functions.flatmap(lambda each: st.tuples(st.just(each), partial(each), partial(each), partial(each)))


@given(triples)
def test_merging_is_associative(found: tuple[Function, Partial, Partial, Partial]) -> None:
    function, a, b, c = found
    assert merged(function, merged(function, a, b), c) == merged(function, a, merged(function, b, c))


@given(triples)
def test_merging_is_commutative(found: tuple[Function, Partial, Partial, Partial]) -> None:
    function, a, b, _ = found
    assert merged(function, a, b) == merged(function, b, a)


@given(triples)
def test_no_rows_change_nothing(found: tuple[Function, Partial, Partial, Partial]) -> None:
    function, a, _, _ = found
    assert merged(function, a, EMPTY) == a


def of_double(value: float) -> Partial:
    return Partial(1, int(Fraction(value) * 2**DOUBLE_BITS))


@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.randoms(use_true_random=False))
def test_doubles_sum_to_the_double_nearest_to_their_exact_sum_in_any_order(values: list[float], order: Any) -> None:
    exact = sum(map(Fraction, values))
    order.shuffle(values)
    total = reduce(lambda left, right: merged("sum", left, right), map(of_double, values))
    assert finished(Aggregate("sum", "x"), total, Type("double")) == float(exact)
    assert finished(Aggregate("avg", "x"), total, Type("double")) == float(exact / len(values))


def test_a_sum_of_amounts_has_all_its_digits() -> None:
    total = finished(Aggregate("sum", "x"), Partial(1, 10**40 + 1), Type("decimal", scale=2))
    assert total == Decimal("1" + "0" * 38 + ".01")


def test_a_sum_beyond_the_largest_double_is_an_error_and_its_average_is_not() -> None:
    total = merged("sum", of_double(1.7e308), of_double(1.7e308))
    assert finished(Aggregate("avg", "x"), total, Type("double")) == 1.7e308
    with pytest.raises(DataError, match=r'the sum of "x" is beyond 1\.8e308'):
        finished(Aggregate("sum", "x"), total, Type("double"))
