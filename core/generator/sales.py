"""Sales records, as SQL."""

from datetime import date, timedelta
from functools import partial
from itertools import product

from core.generator.catalogue import COUNTRIES, ITEMS
from core.generator.draws import Lists, draw
from core.generator.faults import Piece
from core.generator.record import Recipe, key

HEADER = (
    "Region,Country,Item Type,Sales Channel,Order Priority,Order Date,Order ID,Ship Date,"
    "Units Sold,Unit Price,Unit Cost,Total Revenue,Total Cost,Total Profit"
)
FIRST_DAY = date(2010, 1, 1)
ORDER_DAYS = 2766
LONGEST_PROCESSING_DAYS = 50
MOST_UNITS = 10_000

PLACES = tuple((region, country) for region, countries in COUNTRIES.items() for country in countries)
# What is sold, how and how urgently: one draw for the three.
SORTS = tuple(product(ITEMS, ("Online", "Offline"), "LMHC"))
PLACE, SORT, ORDERED, PROCESSING, UNITS = range(2, 7)


def recipe(seed: int) -> Recipe:
    """How sales records are made."""
    lists = Lists()
    pieces = (*_order(seed, lists), *_money(lists))
    prices, costs = zip(*(ITEMS[item] for item, _, _ in SORTS), strict=True)
    columns = partial(_columns, price=lists.pick(prices, "sort"), cost=lists.pick(costs, "sort"))
    return Recipe(HEADER, lists, columns, pieces)


def _columns(rows: str, price: str, cost: str) -> str:
    drawn = f"""
        SELECT *, {draw(PLACE, len(PLACES))} AS place, {draw(SORT, len(SORTS))} AS sort,
            {draw(ORDERED, ORDER_DAYS)} AS ordered, {draw(PROCESSING, LONGEST_PROCESSING_DAYS + 1)} AS processing,
            (1 + {draw(UNITS, MOST_UNITS)})::DECIMAL(5, 0) AS sold
        FROM {rows}"""
    # Decimals of these widths multiply in 64 bits; wider ones take five times as long.
    return f"(SELECT *, {price}::DECIMAL(6, 2) AS price, {cost}::DECIMAL(6, 2) AS cost FROM ({drawn}))"


def _order(seed: int, lists: Lists) -> tuple[Piece, ...]:
    place = lists.pick([f"{region},{country}," for region, country in PLACES], "place")
    sort = lists.pick([",".join(sort) + "," for sort in SORTS], "sort")
    days = [FIRST_DAY + timedelta(number) for number in range(ORDER_DAYS + LONGEST_PROCESSING_DAYS)]
    texts = [f"{day.month}/{day.day}/{day.year}," for day in days]
    return (
        # No other quote in the file is followed by a comma or a line end, so nothing closes this one.
        Piece(place, {"unterminated quote": f"concat('\"', {place})", "NUL byte": "concat('Asia,Ja', chr(0), 'pan,')"}),
        Piece(sort, {"unknown value": "'Cereal,Online,X,'"}),
        Piece(lists.pick(texts, "ordered"), {"impossible date": "'2/30/2012,'"}),
        Piece(key(seed)),
        Piece("','"),
        Piece(lists.pick(texts, "ordered + processing")),
    )


def _money(lists: Lists) -> tuple[Piece, ...]:
    each = lists.pick([f",{price},{cost}," for price, cost in (ITEMS[item] for item, _, _ in SORTS)], "sort")
    profit = "concat(',', sold * (price - cost))"
    return (
        Piece("sold", {"text in a number": "'many'"}),
        Piece(each),
        Piece("sold * price"),
        Piece("','"),
        Piece("sold * cost"),
        Piece(profit, {"too few fields": "''", "too many fields": f"concat({profit}, ',more')"}),
    )
