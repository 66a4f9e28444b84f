"""Doubles of every size sum exactly in the databases that hold them, whatever the order of the rows."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core import DataError, engine
from core.database import Database, Table, TableColumn, connect
from core.datasets.grammar import Type
from core.datasets.record import Filter
from core.services.selection import AggregateRequest, Asked
from tests.database_rigs import asked

TABLE = Table(name="kinds", columns=(TableColumn("id", Type("integer")), TableColumn("x", Type("double"))), key="id")
BOTH = [AggregateRequest("sum", "x"), AggregateRequest("avg", "x")]


def holding(values: Sequence[float], folder: Path, ending: str) -> Database:
    (folder / "values.json").write_text(json.dumps([repr(value) for value in values]))
    texts = f"(SELECT unnest(value::VARCHAR[]) AS x FROM read_text({engine.text(folder / 'values.json')}) t(f, value))"
    with engine.session() as db:
        rows = f"SELECT row_number() OVER () AS id, x::DOUBLE AS x FROM {texts}"
        if ending == "parquet":
            db.execute(f"COPY ({rows}) TO {engine.text(folder / 'x.parquet')} (FORMAT parquet)")
        else:
            connect(str(folder / f"x.{ending}")).load(TABLE, [db.sql(rows)], append=False)
    return connect(str(folder / f"x.{ending}"))


@pytest.fixture(params=["db", "duckdb", "parquet"])
def ending(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30))
@example(values=[5e-324] * 3)
@example(values=[1e300, 5e-324, -1e300])
@example(values=[2.0**-26, 2.0**16, 2.0**-27, 65535.99999999999])
@example(values=[2.0**exponent for exponent in range(-1074, 997)])
@example(values=[2.0**exponent + 2.0 ** (exponent - 52) for exponent in range(-1022, 997)])
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_doubles_of_every_size_are_summed_exactly(tmp_path: Path, ending: str, values: list[float]) -> None:
    exact = sum(map(Fraction, values))
    found = asked([holding(values, tmp_path, ending)], Asked(aggregates=BOTH))
    assert found == [[(float(exact), float(exact / len(values)))]]


@given(st.lists(st.floats(0, 60_000), min_size=5, max_size=30), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_the_rows_does_not_matter(tmp_path: Path, ending: str, values: list[float], order: Any) -> None:
    found = []
    for _ in range(2):
        found += asked([holding(values, tmp_path, ending)], Asked(aggregates=BOTH))
        order.shuffle(values)
    assert found[0] == found[1]


def test_infinity_has_no_sum(tmp_path: Path, ending: str) -> None:
    with pytest.raises(DataError, match="a number that cannot be summed, such as infinity"):
        asked([holding([1.0, float("inf")], tmp_path, ending)], Asked(aggregates=BOTH))


def test_what_cannot_be_summed_can_be_filtered_out(tmp_path: Path, ending: str) -> None:
    finite = [Filter(column="x", op="lt", value=1e308)]
    database = holding([1.0, float("inf")], tmp_path, ending)
    assert asked([database], Asked(filters=finite, aggregates=BOTH)) == [[(1.0, 1.0)]]
