"""A cold start becomes nested parts, a waterfall on the screen and a page, whatever the profile says."""

import io
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

import polyfaas
from adapters.base import Reply
from adapters.coldstart import page, terminal, timeline, words
from adapters.coldstart.measure import Subject, _profile, measure
from adapters.coldstart.record import ColdStart, Part, Start
from adapters.coldstart.timeline import nested, parts, rows, summarised, summary
from core.errors import PolyfaasError, StorageError
from core.message import Request, Response
from core.profiler import Profile, Span

# A first call that began 100 ms after the spawn and took 20 ms; its process was 10 ms late.
SPANS = [
    Span("start/interpreter", -90.0, 20.0),
    Span("start/runtime", -70.0, 40.0),
    Span("import flask", -65.0, 30.0),
    Span("import json", -60.0, 4.0),
    Span("start/function", -30.0, 20.0),
    Span("start/wait", -10.0, 10.0),
    Span("query", 2.0, 16.0),
    Span("import duckdb", 3.0, 9.0),
]


def profile(spans: list[Span], duration_ms: float, invocation: int = 1, **metrics: float) -> Profile:
    return Profile(
        instance_id="a",
        invocation=invocation,
        cold=invocation == 1,
        started_at="2026-11-24T00:00:00+00:00",
        duration_ms=duration_ms,
        spans=spans,
        metrics=dict(metrics),
    )


def start(answered_ms: float = 125.0, watched: bool = True, spans: list[Span] = SPANS) -> Start:
    return Start(
        watched=watched,
        first_sent_ms=95.0,
        first_answered_ms=answered_ms,
        second_sent_ms=answered_ms + 1,
        second_answered_ms=answered_ms + 5,
        first_began_ms=100.0,
        second_began_ms=answered_ms + 2,
        first=profile(spans, 20.0),
        second=profile([Span("query", 0.5, 1.0)], 2.0, 2),
    )


def found(*starts: Start) -> ColdStart:
    substitute = "a <stand-in>"
    return ColdStart(provider="ibm", about="its <runtime>", substitute=substitute, request="/query {}", starts=starts)


def of(path: tuple[str, ...], start: Start) -> Part:
    (part,) = [each for each in parts(start) if each.path == path]
    return part


def screen(cold: ColdStart, width: int = 80, least_ms: float = 0.0) -> list[str]:
    out = io.StringIO()
    terminal.show(cold, Console(file=out, width=width), least_ms)
    return out.getvalue().splitlines()


def test_the_parts_of_the_first_answer_follow_each_other_without_a_hole() -> None:
    outermost = [part for part in parts(start()) if part.depth == 0]
    names = ["before the process", "interpreter", "runtime", "function", "wait", "first call", "until the answer"]
    assert [part.name for part in outermost] == [*names, "second call"]
    assert [part.end_ms for part in outermost[:7]] == pytest.approx([10, 30, 70, 90, 100, 120, 125])
    assert [part.start_ms for part in outermost[1:7]] == pytest.approx([10, 30, 70, 90, 100, 120])


def test_what_nothing_tells_is_a_gap() -> None:
    assert [part.name for part in parts(start()) if part.gap] == ["before the process", "until the answer"]


def test_imports_lie_in_the_phase_and_the_import_that_made_them() -> None:
    assert of(("runtime", "import flask", "import json"), start()).start_ms == pytest.approx(40)


def test_an_import_of_the_first_call_lies_in_its_span() -> None:
    assert of(("first call", "query", "import duckdb"), start()).duration_ms == pytest.approx(9)


def test_the_second_call_is_as_its_caller_saw_it_with_its_own_spans() -> None:
    assert of(("second call",), start()).duration_ms == pytest.approx(4)
    assert of(("second call", "query"), start()).start_ms == pytest.approx(127.5)


def test_a_start_that_tells_nothing_is_one_gap_before_the_call() -> None:
    bare = start(spans=[])
    assert [(part.name, part.duration_ms) for part in parts(bare)][:2] == [
        ("before the process", 100),
        ("first call", 20),
    ]


def test_an_interval_that_ends_after_the_one_it_begins_in_is_none_s_part() -> None:
    found = list(nested([("a", 0.0, 10.0), ("b", 5.0, 10.0), ("c", 6.0, 1.0)]))
    assert [part.path for part in found] == [("a",), ("b",), ("b", "c")]


def test_the_typical_start_is_the_middle_one_and_each_part_has_its_spread_over_all() -> None:
    slow = [msgspec.structs.replace(span, duration_ms=25.0) if span.name == "import duckdb" else span for span in SPANS]
    three = rows([start(125.0), start(190.0), start(140.0, spans=slow)])
    after = next(row for row in three if row.part.name == "until the answer")
    assert (after.part.duration_ms, after.spread.min_ms, after.spread.median_ms, after.spread.max_ms) == (20, 5, 20, 70)


def test_two_imports_of_one_name_are_two_parts() -> None:
    twice = [*SPANS, Span("import again", 4.0, 1.0), Span("import again", 6.0, 2.0)]
    found = [row.spread.max_ms for row in rows([start(spans=twice)]) if row.part.name == "import again"]
    assert found == [1.0, 2.0]


def test_an_import_that_some_starts_do_not_tell_took_under_a_millisecond_there() -> None:
    cold = found(start(spans=[*SPANS[:3], *SPANS[4:]]), start(126.0), start(127.0), start(watched=False))
    row = next(row for row in summarised(cold).rows if row.part.name == "import json")
    assert words.spread(row) == ("<1", "4.00", "4.00")


def test_starts_without_the_x_ray_are_told_apart() -> None:
    cold = found(*watched(130, 131, 132, 133, 134), *unwatched(120, 121, 122, 123, 124))
    told = summarised(cold)
    assert (told.cold_ms.median_ms, told.cold_without_ms.median_ms) == (132, 122)
    assert dict(words.notes(cold, told))["X-ray"].startswith("+10.0 ms: 122.0 ms (120.0 to 124.0) without it, 5 starts")


def watched(*answered_ms: float) -> list[Start]:
    return [start(each) for each in answered_ms]


def unwatched(*answered_ms: float) -> list[Start]:
    return [start(each, watched=False) for each in answered_ms]


def test_a_difference_that_the_spread_hides_is_said_to_be_hidden() -> None:
    cold = found(*watched(130, 131, 132, 133, 134), *unwatched(120, 121, 122, 123, 130.5))
    assert "which the spread hides" in dict(words.notes(cold, summarised(cold)))["X-ray"]


def test_few_starts_say_nothing_of_what_the_x_ray_costs() -> None:
    cold = found(*watched(130, 131), *unwatched(120, 121))
    assert "takes 5 starts or more to tell" in dict(words.notes(cold, summarised(cold)))["X-ray"]


def test_the_middle_of_an_import_counts_the_starts_that_do_not_tell_it() -> None:
    quick = [*SPANS[:3], *SPANS[4:]]
    cold = found(start(126.0), start(125.0, spans=quick), start(127.0, spans=quick), start(watched=False))
    row = next(row for row in rows([cold.starts[0], *cold.starts[1:3]]) if row.part.name == "import json")
    assert words.spread(row)[:2] == ("<1", "<1")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_waterfall_fits_the_screen(width: int) -> None:
    lines = screen(found(start(), start(watched=False)), width)
    drawn = lines[1 : 2 + len(parts(start()))]
    assert max(map(cell_len, drawn)) <= width


def test_the_waterfall_draws_each_part_where_it_was() -> None:
    lines = screen(found(start(), start(watched=False)))
    assert [line.split()[0] for line in lines[2:6]] == ["before", "interpreter", "runtime", "import"]
    interpreter, runtime = lines[3], lines[4]
    assert interpreter.split()[1:4] == ["20.0", "20.0", "20.0"]
    assert re.search("[█▉-▏]", runtime[54:]) is not None
    assert runtime.index("█") > interpreter.index("█")


def test_short_imports_can_be_left_out() -> None:
    cold = found(start(), start(watched=False))
    assert ["json" in " ".join(screen(cold, least_ms=least_ms)) for least_ms in (4.0, 4.5)] == [True, False]


def test_the_end_of_a_name_that_is_too_long_is_shown() -> None:
    name = "import " + "package." * 5 + "module"
    lines = screen(found(start(spans=[*SPANS, Span(name, 13.0, 2.0)]), start(watched=False)))
    assert any("…" in line and "package.module " in line for line in lines)


@pytest.mark.parametrize(("value", "shown"), [(0.004, "0.00"), (9.996, "10.0"), (99.96, "100.0"), (1234.6, "1,235")])
def test_numbers_have_the_decimals_that_say_something(value: float, shown: str) -> None:
    assert words.number(value) == shown


def test_the_page_needs_no_other_file_and_no_script_and_what_it_shows_is_escaped() -> None:
    text = page.rendered(found(start(), start(watched=False)))
    assert re.findall(r"<script|<link|<img|https?://|url\(", text) == []
    assert "its &lt;runtime&gt;" in text
    assert "a &lt;stand-in&gt;" in text


def test_the_page_draws_each_part_where_it_was() -> None:
    text = page.rendered(found(start(), start(watched=False)))
    assert 'class="bar phase" style="--at: 7.692%; --wide: 15.385%"' in text  # the interpreter: 10 to 30 of 130 ms
    assert text.count('class="track"') == len(parts(start()))


def test_the_page_says_what_every_phase_means() -> None:
    outermost = {part.name for part in parts(start()) if part.depth == 0}
    assert outermost <= set(words.MEANINGS)


def test_a_page_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="name a file in a folder of yours"):
        page.write(found(start(), start(watched=False)), tmp_path / "none" / "page.html")


def test_the_json_has_every_start_and_the_summary() -> None:
    cold = found(start(), start(watched=False))
    told = msgspec.json.decode(msgspec.json.encode(summary(cold)))
    assert len(told["starts"]) == 2
    assert told["summary"]["cold_ms"] == {"n": 1, "min_ms": 125.0, "median_ms": 125.0, "max_ms": 125.0}
    assert msgspec.convert(told, timeline.Document).starts == list(cold.starts)


def answered(body: Any) -> Reply:
    return Reply(response=Response(status=200, headers={}, body=msgspec.json.encode(body)), elapsed_ms=1.0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"openapi": "3.1.0"}, 'leave "profile" out'),
        ({"error": {"detail": "no such table"}}, "the call failed: no such table"),
        ([1], "the answer has no profile"),
    ],
)
def test_an_answer_that_tells_nothing_is_refused(body: Any, message: str) -> None:
    with pytest.raises(PolyfaasError, match=re.escape(message)):
        _profile(answered(body))


def test_a_call_that_fails_in_the_runtime_is_no_cold_start(tmp_path: Path) -> None:
    subject = Subject(provider="local", work=tmp_path, allow=(), environment={})
    with pytest.raises(PolyfaasError, match="a cold start is measured with a call that works"):
        measure(subject, Request(path="/query", body=b'{"database": "none.csv"}'), 1)


def test_a_service_without_parameters_is_a_wrong_use() -> None:
    result = CliRunner().invoke(polyfaas.command(), ["coldstart", "ibm", "query"])
    assert (result.exit_code, "SERVICE needs its parameters in JSON" in result.output) == (2, True)
