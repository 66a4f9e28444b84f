"""What each store and database can do, told by the contract suites: `make matrix` writes it into docs/data-tier.md."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests import database_rigs, store_rigs

START, END = "<!-- from here on by `make matrix` -->", "<!-- up to here by `make matrix` -->"
STORES = {
    "write, read": ("what_was_written_is_read", "a_name_is_taken_letter_by_letter", "a_new_content_replaces"),
    "read a part": ("a_part_of_an_object",),
    "one visible step": ("an_object_is_not_there_before", "what_is_given_up_leaves", "a_writer_that_is_killed"),
    "no mixture": ("an_object_that_changes_while_it_is_read",),
    "conditional commit": (
        "what_another_one_wrote",
        "a_large_object_that_another",
        "no_increment_is_lost",
        "one_of_many",
    ),
    "list": ("names_are_listed",),
    "remove": ("removing_twice",),
    "copy": ("a_copy_",),
    "pipeline": ("transform_load_and_query_give_the_same",),
}
DATABASES = {
    "replace": ("replace_puts", "repeating_a_load"),
    "append": ("append_adds", "repeating_an_append", "appending_other_columns"),
    "first of a key": ("the_first_",),
    "columns": ("columns_have_the_types",),
    "drop": ("dropping_is",),
    "bytes stored": ("it_tells_how_much_room",),
    "texts": ("texts_come_back", "a_long_text", "a_text_may_be_the_key", "texts_that_differ", "a_table_may_have_many"),
    "exact aggregates": (
        "every_aggregate",
        "any_table_is_answered",
        "a_sum_may_leave",
        "a_negative_zero",
        "amounts_have",
    ),
    "filters": ("a_filter_keeps", "all_filters"),
    "order, limit": ("texts_are_ordered", "rows_are_ordered", "a_limit"),
    "failed load": ("rows_that_end_in_an_error", "a_bad_row", "a_full_disk"),
    "kill -9 of the loader": ("a_loader_killed",),
    "loads at once": ("two_loads_at_once",),
    "readers": ("who_reads_sees",),
}
INSIDE = {
    "sqlite": ("a_database_can_be_an_object sqlite",),
    "duckdb": ("a_database_can_be_an_object duckdb",),
    "Parquet parts": ("each_store_keeps_a_table_of_parts",),
}
# What the suites of one kind are called, which rigs they run on, and which tests prove what.
KINDS: dict[str, tuple[str, Sequence[str], Mapping[str, Sequence[str]]]] = {
    "Stores": ("tests/test_store_", store_rigs.RIGS, STORES),
    "Databases": (
        "tests/test_database_",
        tuple(dict.fromkeys([*database_rigs.RIGS, *database_rigs.FILLED])),
        DATABASES,
    ),
    "Databases that are objects, by store": ("tests/test_", store_rigs.RIGS, INSIDE),
}

Cell = tuple[str, str, str]
_results: dict[Cell, list[str]] = defaultdict(list)


def cells(node: str) -> Iterator[Cell]:
    """The kinds, rigs and operations that a test is about, by its id."""
    path, _, rest = node.partition("::")
    name, _, parameters = rest.partition("[")
    parts = parameters.removesuffix("]").split("-")
    for kind, (start, rigs, operations) in KINDS.items():
        rig = next((part for part in parts if part in rigs), None)
        if rig is None or not path.startswith(start):
            continue
        for operation, tests in operations.items():
            for test in tests:
                wanted, _, parameter = test.partition(" ")
                if name.removeprefix("test_").startswith(wanted) and (not parameter or parameter in parts):
                    yield kind, rig, operation


def record(report: pytest.TestReport) -> None:
    """Keep how a test ended."""
    if report.when == "call" or report.outcome != "passed":
        ended = f"gap: {report.wasxfail}" if hasattr(report, "wasxfail") else report.outcome
        if report.when == "call" or ended != "passed":
            for cell in cells(report.nodeid):
                _results[cell].append(ended)


def write(path: Path) -> None:
    """Put the tables into a document, in the place of those that are there."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{START}\n\n{tables(_results)}\n{END}{after}", encoding="utf-8")


def tables(results: Mapping[Cell, Sequence[str]]) -> str:
    """Tables in Markdown: a row for each rig, a column for each operation, and below what does not hold, and why."""
    parts = []
    for kind, (_, rigs, operations) in KINDS.items():
        gaps = list(
            dict.fromkeys(end[5:] for cell in results if cell[0] == kind for end in results[cell] if end[:3] == "gap")
        )
        shown = [rig for rig in rigs if any((kind, rig, operation) in results for operation in operations)]
        rows = [
            f"| {rig} | " + " | ".join(_cell(results.get((kind, rig, each), ()), gaps) for each in operations) + " |"
            for rig in shown
        ]
        notes = [f"{number}. {reason}" for number, reason in enumerate(gaps, 1)]
        head = [f"| {kind} | {' | '.join(operations)} |", "|" + " --- |" * (len(operations) + 1)]
        parts.append("\n".join([*head, *rows, *([""] if notes else []), *notes]) + "\n")
    return "\n".join(parts)


def _cell(ends: Sequence[str], gaps: Sequence[str]) -> str:
    if not ends:
        return "-"
    if "failed" in ends or "skipped" in ends:
        return "failed" if "failed" in ends else "not run"
    numbers = sorted({gaps.index(end[5:]) + 1 for end in ends if end.startswith("gap")})
    return f"yes ({len(ends)})" if not numbers else f"but for {', '.join(map(str, numbers))} ({len(ends)})"
