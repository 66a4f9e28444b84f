"""Promises of the benchmark's rig: what it measures, what it calls wrong, where it sets a cap."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.programs import transform_csv
from benchmarks.programs.digest import digest, from_csv, truth
from benchmarks.rig.document import put
from benchmarks.rig.memory import V1, V2, Caps, candidates
from benchmarks.rig.outcome import Cell, Outcome, exponent, ratios
from benchmarks.rig.process import Command, Run, Setting, run
from benchmarks.rig.table import task_table
from benchmarks.rig.tasks import PROGRAMS, Size, Task, tasks
from benchmarks.rig.verdict import differences

HEADER = (
    "Region,Country,Item Type,Sales Channel,Order Priority,Order Date,Order ID,Ship Date,"
    "Units Sold,Unit Price,Unit Cost,Total Revenue,Total Cost,Total Profit"
)
LEAP = 'Asia,"Korea, South",Meat,Online,H,2/28/2012,7,3/1/2012,3,1.00,0.50,3.00,1.50,1.50'
REPEAT = "Europe,Malta,Meat,Offline,L,1/1/2013,007,1/2/2013,9,1.00,0.50,9.00,4.50,4.50"
FREE = "Europe,Malta,Meat,Offline,C,12/31/1999,8,1/1/2000,1,0.00,0.50,0.00,0.50,-0.50"

MINE = os.sched_getaffinity(0)

Record = tuple[int, str, int, str, int, float]
FIRST: Record = (7, "High", 3, "3.00", 2, 0.5)
SECOND: Record = (8, "Low", 1, "10.10", 1, 0.25)
AGAIN: Record = (7, "Low", 9, "9.00", 1, 0.5)


def finds(right: Sequence[Record], found: Sequence[Record]) -> str:
    return differences(digest(right), digest(found))


def code(text: str, makes: str = "") -> Command:
    return Command("it", (sys.executable, "-c", text), makes)


def ran(*seconds: float) -> tuple[Run, ...]:
    return tuple(Run(wall_ms=each * 1000, cpu_ms=1.0, peak_mib=1.0) for each in seconds)


def compared(*cells: Cell) -> Outcome:
    names = dict.fromkeys(cell.contender for cell in cells)
    task = Task(name="it", title="It", contenders=tuple(Command(name, ()) for name in names), inputs=())
    return Outcome(task, cells, {})


def test_the_same_answer_has_nothing_wrong() -> None:
    assert finds([FIRST, SECOND], [FIRST, SECOND]) == ""


def test_the_wrong_duplicate_is_named() -> None:
    assert "which duplicate stays" in finds([FIRST, SECOND], [AGAIN, SECOND])


def test_rows_in_another_order_are_named() -> None:
    assert finds([FIRST, SECOND], [SECOND, FIRST]).startswith("order of the rows")


def test_wrong_days_are_named_with_both_sums() -> None:
    wrong = (*SECOND[:4], 31, SECOND[5])
    assert finds([FIRST, SECOND], [FIRST, wrong]) == "days 33 instead of 3"


def test_a_cent_is_not_overlooked() -> None:
    wrong = (*SECOND[:3], "10.11", *SECOND[4:])
    assert "revenue in cents 1311 instead of 1310" in finds([FIRST, SECOND], [FIRST, wrong])


def test_a_missing_key_is_named() -> None:
    assert differences({"a unique key": True}, {"a unique key": False}) == "not a unique key"


def test_what_a_contender_does_not_promise_is_not_asked() -> None:
    assert differences({"rows": 2, "order of the rows": 5}, {"rows": 2}) == ""


def test_sums_of_doubles_may_differ_in_their_last_digits() -> None:
    assert differences({"rows": [[0.1 + 0.2]]}, {"rows": [[0.3]]}) == ""


def test_an_answer_with_fewer_rows_is_wrong() -> None:
    assert differences({"rows": [[1], [2]]}, {"rows": [[1]]}) == "rows differ"


def test_the_csv_contender_gives_the_true_answer(tmp_path: Path) -> None:
    source, target = tmp_path / "sales.csv", tmp_path / "csv.csv"
    source.write_text(f"{HEADER}\n{LEAP}\n{REPEAT}\n{FREE}\n")
    transform_csv.main(str(source), str(target))
    assert differences(truth(str(source)), from_csv(str(target))) == ""


def test_the_true_answer_is_what_the_records_say(tmp_path: Path) -> None:
    source = tmp_path / "sales.csv"
    source.write_text(f"{HEADER}\n{LEAP}\n{REPEAT}\n{FREE}\n")
    found = truth(str(source))
    assert (found["rows"], found["days"], found["revenue in cents"], found["margins"]) == (2, 3, 300, 0.5)


def test_a_ratio_is_taken_within_each_round() -> None:
    ours, other = Cell("ours", Setting(), ran(1, 4)), Cell("other", Setting(), ran(2, 2))
    assert ratios(compared(ours, other), other) == [0.5, 2.0]


def test_a_ratio_is_taken_between_runs_of_one_setting() -> None:
    wide, narrow = Cell("ours", Setting(2), ran(1)), Cell("ours", Setting(1), ran(3))
    other = Cell("other", Setting(1), ran(6))
    assert ratios(compared(wide, narrow, other), other) == [0.5]


@given(st.floats(0.5, 2), st.floats(1e-7, 1e-3))
def test_the_slope_of_a_power_is_its_exponent(power: float, factor: float) -> None:
    points = [(rows, factor * rows**power) for rows in (1e5, 1e6, 1e7)]
    assert exponent(points) == pytest.approx(power)


def test_a_wrong_contender_stays_in_the_table_with_what_is_wrong() -> None:
    cell = Cell("other", Setting(), ran(2), "days 33 instead of 3")
    assert "| other | 1 | none | 1 | 2.00 (2.00 - 2.00) | 1 | 1.00 (1.00 - 1.00) | **days 33 instead of 3** |" in (
        task_table(compared(cell))
    )


def test_a_contender_that_was_killed_stays_in_the_table() -> None:
    dead = Run(wall_ms=5.0, cpu_ms=1.0, peak_mib=1.0, failure="killed in 96 MiB")
    cell = Cell("other", Setting(memory_mib=96), (dead,))
    assert "| other | 1 | 96 | 0 | **killed in 96 MiB** |" in task_table(compared(cell))


def test_a_run_has_as_many_processors_as_it_was_given(tmp_path: Path) -> None:
    found = run(code("import os; print(len(os.sched_getaffinity(0)))"), tmp_path, Setting(threads=1))
    assert found.said == "1\n"


def test_a_run_leaves_the_processors_of_the_benchmark_alone(tmp_path: Path) -> None:
    run(code("pass"), tmp_path, Setting(threads=1))
    assert os.sched_getaffinity(0) == MINE


def test_a_file_of_an_earlier_run_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "made.csv").write_text("old")
    assert run(code("pass", "made.csv"), tmp_path, Setting()).failure == "it made no made.csv"


def test_a_failure_is_told_by_its_last_line(tmp_path: Path) -> None:
    assert run(code("raise ValueError('bad')"), tmp_path, Setting()).failure == "ValueError: bad"


def test_a_program_that_is_not_here_is_named(tmp_path: Path) -> None:
    assert run(Command("it", ("no-such-program",)), tmp_path, Setting()).failure == "there is no no-such-program here"


def test_a_run_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    stuck = code("import signal; signal.pause()")
    assert run(stuck, tmp_path, Setting(timeout_s=0.5)).failure == "not done in 0.5 s"


def test_the_peak_holds_what_the_program_took(tmp_path: Path) -> None:
    found = run(code("b'x' * (300 << 20)"), tmp_path, Setting())
    assert found.peak_mib > 300


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("4:memory:/job/mine\n0::/\n", [("unified", V2, 2), ("memory/job/mine", V1, 1)]),
        ("4:memory:/seen/by/the/host\n", [("memory", V1, 1)]),
        ("9:cpu,memory:/job/mine\n", [("memory/job/mine", V1, 1)]),
        ("", []),
    ],
)
def test_a_cap_of_version_1_lies_inside_our_own_group(groups: str, expected: list[Any], tmp_path: Path) -> None:
    for folder in ("memory/job/mine", "unified"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "own").write_text(groups)
    found = list(candidates(tmp_path, tmp_path / "own"))
    assert found == [Caps(tmp_path / folder, limits, version) for folder, limits, version in expected]


def test_a_cap_of_version_2_lies_beside_our_own_group(tmp_path: Path) -> None:
    (tmp_path / "user" / "mine").mkdir(parents=True)
    (tmp_path / "own").write_text("0::/user/mine\n")
    assert list(candidates(tmp_path, tmp_path / "own")) == [Caps(tmp_path / "user", V2, 2)]


def test_a_page_gets_a_table_once_however_often_it_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- begin a -->\nold\n<!-- end a -->\n\nThe rest.\n")
    put(page, "a", "new \\1\n")
    put(page, "b", "more\n")
    put(page, "b", "most\n")
    assert page.read_text() == (
        "# Title\n\n<!-- begin a -->\nnew \\1\n<!-- end a -->\n\nThe rest.\n\n<!-- begin b -->\nmost\n<!-- end b -->\n"
    )


def test_every_program_that_a_task_names_is_there() -> None:
    size = Size(rows=1, payments_rows=1, slope=(1, 2))
    commands = [command for task in tasks(size, None).values() for command in (*task.contenders, *task.inputs)]
    words = " ".join(word for command in commands for word in (*command.argv, *command.digest))
    named = set(re.findall(rf"{re.escape(str(PROGRAMS))}/([\w.]+)", words))
    assert named - {file.name for file in PROGRAMS.iterdir()} == set()
