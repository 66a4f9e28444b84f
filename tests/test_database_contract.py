"""What every database promises, asked of every kind of it: the answers are equal, to the digit."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import Database
from core.datasets.record import Filter, Order
from core.services.selection import AggregateRequest, Asked
from tests.database_rigs import RIGS, TYPES, Record, asked, reference

Rig = Callable[[Sequence[Record], Path], list[Database]]

NUMBERS = ("whole", "amount", "fine", "double")
EVERY = [
    AggregateRequest("count"),
    *(AggregateRequest("count", column) for column in TYPES),
    *(AggregateRequest(function, column) for column in TYPES for function in ("min", "max")),
    *(AggregateRequest(function, column) for column in NUMBERS for function in ("sum", "avg")),
]
COUNT = [AggregateRequest("count", None, "n")]


def record(number: int, **changes: Any) -> Record:
    return {
        "id": number,
        "Text, of a kind": "Fiji",
        "whole": 7,
        "amount": Decimal("9.50"),
        "fine": Decimal("0.00001"),
        "double": 0.1,
        "day": "2010-05-28",
        "time": "2010-05-28 13:45:00",
        **changes,
    }


NOTHING = dict.fromkeys([*NUMBERS, "day", "time"])
RECORDS = [
    record(1),
    record(2, whole=-(10**18) + 1, amount=Decimal("-9999999999999.99"), double=-1e98),
    record(3, whole=10**18 - 1, amount=Decimal("9999999999999.99"), double=1e98, fine=Decimal("9999999999.99999")),
    record(4, **NOTHING),
    record(5, **{"Text, of a kind": ""}, day="0001-01-01", time="9999-12-31 23:59:59", double=1e-90),
    record(6, **{"Text, of a kind": "Cote d'Ivoire"}, double=-0.0, whole=None),
    record(7, **{"Text, of a kind": 'a "b", \n c '}, double=0.0, amount=Decimal("0.00")),
    record(8, **{"Text, of a kind": "\U0001f600"}, double=2.0**-26),
    record(9, **{"Text, of a kind": "\uffee"}, double=65536.0),
    record(10, **{"Text, of a kind": "fiji"}, amount=None),
]


@pytest.fixture(params=list(RIGS.values()), ids=list(RIGS))
def rig(request: pytest.FixtureRequest) -> Rig:
    found: Rig = request.param
    return found


@pytest.fixture(scope="module", params=list(RIGS.values()), ids=list(RIGS))
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Database]:
    """`RECORDS` in databases of one kind."""
    found: list[Database] = request.param(RECORDS, tmp_path_factory.mktemp("known"))
    return found


@pytest.mark.parametrize("group_by", [[], ["Text, of a kind"], ["day", "amount"], ["double"], ["time", "whole"]])
def test_every_aggregate_is_exact(known: list[Database], group_by: list[str]) -> None:
    query = Asked(group_by=group_by, filters=[], aggregates=EVERY)
    assert asked(known, query) == [reference(RECORDS, query)]


def test_amounts_have_the_places_of_their_type(rig: Rig, tmp_path: Path) -> None:
    query = Asked(group_by=["amount"], aggregates=[AggregateRequest("sum", "fine"), AggregateRequest("max", "amount")])
    assert str(asked(rig(RECORDS[:1], tmp_path), query)) == "[[(Decimal('9.50'), Decimal('0.00001'), Decimal('9.50'))]]"


def test_a_negative_zero_is_a_zero(rig: Rig, tmp_path: Path) -> None:
    aggregates = [AggregateRequest(function, "double") for function in ("sum", "min", "max")]
    query = Asked(group_by=["double"], aggregates=aggregates)
    assert str(asked(rig([record(1, double=-0.0)], tmp_path), query)) == "[[(0.0, 0.0, 0.0, 0.0)]]"


def test_an_empty_table_gives_nulls_without_groups_and_no_rows_with(rig: Rig, tmp_path: Path) -> None:
    totals, groups = asked(
        rig([], tmp_path), Asked(aggregates=EVERY), Asked(group_by=["day"], filters=[], aggregates=EVERY)
    )
    assert totals == [tuple(0 if each.function == "count" else None for each in EVERY)]
    assert groups == []


def test_a_sum_may_leave_64_bits(rig: Rig, tmp_path: Path) -> None:
    records = [record(number, whole=10**18 - 1, amount=Decimal("9999999999999.99")) for number in range(100)]
    query = Asked(aggregates=[AggregateRequest(name, column) for column in NUMBERS[:2] for name in ("sum", "avg")])
    expected = (100 * (10**18 - 1), 1e18, 100 * Decimal("9999999999999.99"), 9999999999999.99)
    assert asked(rig(records, tmp_path), query) == [[expected]]


@pytest.mark.parametrize(
    ("column", "op", "value"),
    [
        ("Text, of a kind", "eq", "Cote d'Ivoire"),
        ("Text, of a kind", "eq", ""),
        ("Text, of a kind", "gt", "\uf000"),
        ("Text, of a kind", "ne", "Fiji"),
        ("Text, of a kind", "in", ["Fiji", "fiji", "' OR 1=1 --"]),
        ("Text, of a kind", "between", ["A", "Z"]),
        ("whole", "lt", 8),
        ("whole", "ge", -(10**18) + 1),
        ("whole", "in", [7, 10**18 - 1]),
        ("whole", "in", list(range(40))),
        ("day", "in", ["2010-05-28", *(f"1999-01-{day:02}" for day in range(1, 32)), "0001-01-01", "2000-01-01"]),
        ("double", "in", [0.1, 0, 1e98]),
        ("whole", "is_null", None),
        ("amount", "eq", 9.5),
        ("amount", "le", 9.504),
        ("amount", "between", [-1, 10]),
        ("amount", "ge", 9999999999999.99),
        ("amount", "in", [0, 9.5]),
        ("fine", "eq", 0.00001),
        ("double", "eq", 0.1),
        ("double", "eq", 0),
        ("double", "gt", 1e97),
        ("day", "lt", "2010-05-28"),
        ("day", "in", ["2010-05-28"]),
        ("day", "between", ["0001-01-01", "2010-05-27"]),
        ("day", "is_null", None),
        ("time", "ge", "2010-05-28 13:45:01"),
        ("time", "eq", "2010-05-28 13:45:00"),
    ],
)
def test_a_filter_keeps_what_it_says(known: list[Database], column: str, op: Any, value: Any) -> None:
    filters = [Filter(column=column, op=op, value=value)]
    query = Asked(group_by=["id"], filters=filters, aggregates=COUNT)
    decimals = TYPES[column].kind == "decimal" and value is not None
    plain = [Filter(column=column, op=op, value=_decimal(value))] if decimals else filters
    expected = reference(RECORDS, Asked(group_by=["id"], filters=plain, aggregates=COUNT))
    assert asked(known, query) == [expected]


def _decimal(value: Any) -> Any:
    return [Decimal(repr(each)) for each in value] if isinstance(value, list) else Decimal(repr(value))


def test_all_filters_must_hold(known: list[Database]) -> None:
    filters = [Filter(column="whole", value=7), Filter(column="id", op="gt", value=5)]
    assert asked(known, Asked(filters=filters, aggregates=COUNT)) == [[(4,)]]


def test_texts_are_ordered_by_code_point(known: list[Database]) -> None:
    (rows,) = asked(known, Asked(group_by=["Text, of a kind"], aggregates=COUNT))
    assert [text for text, _ in rows] == ["", "Cote d'Ivoire", "Fiji", 'a "b", \n c ', "fiji", "\uffee", "\U0001f600"]


@pytest.mark.parametrize("descending", [False, True])
def test_no_value_comes_last_in_both_directions(known: list[Database], descending: bool) -> None:
    query = Asked(group_by=["amount"], aggregates=COUNT, order_by=[Order(by="amount", descending=descending)])
    (rows,) = asked(known, query)
    values = [value for value, _ in rows]
    assert values == [*sorted(values[:-1], reverse=descending), None]


def test_what_an_order_leaves_equal_is_ordered_by_the_groups(known: list[Database]) -> None:
    order = [Order(by="n", descending=True)]
    query = Asked(group_by=["Text, of a kind"], aggregates=COUNT, order_by=list(order), limit=3)
    assert asked(known, query) == [[("Fiji", 4), ("", 1), ("Cote d'Ivoire", 1)]]


def test_a_limit_is_taken_after_the_order(known: list[Database]) -> None:
    query = Asked(group_by=["id"], aggregates=COUNT, order_by=[Order(by="id", descending=True)], limit=2)
    assert asked(known, query) == [[(10, 1), (9, 1)]]


def test_queries_at_once_answer_as_each_alone(known: list[Database]) -> None:
    some = [Filter(column="whole", value=7)]
    queries = [
        Asked(group_by=["day", "amount"], filters=some, aggregates=EVERY),
        Asked(group_by=["amount", "day"], filters=[], aggregates=COUNT),
        Asked(group_by=["day"], filters=[Filter(column="id", op="lt", value=0)], aggregates=COUNT),
        Asked(filters=[Filter(column="double", op="is_null")], aggregates=EVERY),
        Asked(filters=[], aggregates=EVERY),
    ]
    assert asked(known, *queries) == [asked(known, query)[0] for query in queries]


records = st.lists(
    st.fixed_dictionaries(
        {
            "Text, of a kind": st.sampled_from(["", "a", "B", "é", "\U0001f600"]),
            "whole": st.none() | st.integers(-(10**18) + 1, 10**18 - 1),
            "amount": st.none() | st.integers(-(10**15) + 1, 10**15 - 1).map(lambda cents: Decimal(cents).scaleb(-2)),
            "fine": st.none() | st.integers(-(10**15) + 1, 10**15 - 1).map(lambda units: Decimal(units).scaleb(-5)),
            "double": st.none()
            | st.floats(-1e98, 1e98, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-90),
            "day": st.none() | st.dates().map(str),
            "time": st.none() | st.datetimes().map(lambda moment: moment.isoformat(sep=" ", timespec="seconds")),
        }
    ),
    max_size=12,
).map(lambda found: [{"id": number, **each} for number, each in enumerate(found)])
groupings = st.lists(st.sampled_from(list(TYPES)), max_size=3, unique=True)


@given(records=records, group_by=groupings, bound=st.integers(-(10**18) + 1, 10**18 - 1))
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_is_answered_exactly(
    rig: Rig, tmp_path: Path, records: list[Record], group_by: list[str], bound: int
) -> None:
    queries = [
        Asked(group_by=group_by, filters=[], aggregates=EVERY),
        Asked(group_by=group_by[:1], filters=[Filter(column="whole", op="gt", value=bound)], aggregates=EVERY),
    ]
    assert asked(rig(records, tmp_path), *queries) == [reference(records, query) for query in queries]
