"""The start of a process is told as it was: phases, imports, forks; and watching it changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import pytest

from adapters import PROVIDERS, xray
from core.profiler import boot
from core.profiler.boot import Timeline

ROOT = Path(boot.__file__).parents[2]
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
BURN = "import time\nend = time.perf_counter_ns() + {ms} * 1_000_000\nwhile time.perf_counter_ns() < end: pass\n"
PRINT = "\nimport json\nprint(json.dumps(boot.spans()))\n"
WATCH = "from core.profiler import boot\nboot.watch()\n"


def python(code: str, *folders: Path, **variables: str) -> str:
    """What a fresh Python prints that runs the code, with the folders on its path before the project's."""
    path = os.pathsep.join(map(str, [*folders, ROOT]))
    environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def told(code: str, *folders: Path, **variables: str) -> list[list[Any]]:
    """The spans that a fresh Python tells after it has run the code."""
    found: list[list[Any]] = json.loads(python(code + PRINT, *folders, **variables))
    return found


def names(spans: list[list[Any]]) -> list[str]:
    return [name for name, _, _ in spans]


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder with modules that take a known time to import: outer 3 ms and inner's 4 ms, quick next to none."""
    (tmp_path / "inner.py").write_text(BURN.format(ms=4))
    (tmp_path / "outer.py").write_text("import quick_one\n" + BURN.format(ms=3) + "import inner\n")
    (tmp_path / "quick_one.py").write_text("")
    (tmp_path / "broken.py").write_text(BURN.format(ms=2) + "import there_is_no_such_module\n")
    return tmp_path


def test_an_import_is_timed_with_what_it_imports_itself(modules: Path) -> None:
    spans = {name: (begin, end) for name, begin, end in told(WATCH + "import outer", modules)}
    outer, inner = spans["import outer"], spans["import inner"]
    assert outer[0] < inner[0]
    assert inner[1] <= outer[1]
    assert (inner[1] - inner[0] >= 4e6, outer[1] - outer[0] >= 7e6) == (True, True)


def test_an_import_under_a_millisecond_is_not_told(modules: Path) -> None:
    assert "import quick_one" not in names(told(WATCH + "import outer", modules))


def test_what_import_module_imports_is_timed_too(modules: Path) -> None:
    code = WATCH + "import importlib\nimportlib.import_module('outer')"
    assert {"import outer", "import inner"} <= set(names(told(code, modules)))


def test_an_import_that_fails_is_timed_and_fails_as_ever(modules: Path) -> None:
    code = WATCH + "try:\n    import broken\nexcept ModuleNotFoundError as error:\n    assert error.name[:5] == 'there'"
    assert "import broken" in names(told(code, modules))


def test_stop_leaves_the_import_system_as_it_was() -> None:
    code = (
        "import _frozen_importlib as system\nbefore = system._find_and_load\n"
        + WATCH
        + "during = system._find_and_load"
        "\nboot.stop()\nboot.stop()\nprint(during is before, system._find_and_load is before)"
    )
    assert python(code).split() == ["False", "True"]


def test_after_stop_nothing_is_watched_any_more(modules: Path) -> None:
    assert "import outer" not in names(told(WATCH + "boot.stop()\nboot.watch()\nimport outer", modules))


def test_a_second_watch_changes_nothing() -> None:
    assert names(told(WATCH + "boot.watch()")).count("start/function") == 1


def test_without_watch_there_is_nothing_to_tell() -> None:
    assert told("from core.profiler import boot") == []


def test_the_phases_follow_each_other_without_a_gap() -> None:
    code = "from core.profiler import boot\nboot.watch(boot.RUNTIME)\nboot.watch()\nboot.loaded()\nboot.loaded()"
    spans = [span for span in told(code) if span[0].startswith("start/")]
    assert names(spans) == ["start/interpreter", "start/runtime", "start/function", "start/wait"]
    assert [end for _, _, end in spans[:-1]] == [begin for _, begin, _ in spans[1:]]


def test_the_process_began_when_it_was_spawned() -> None:
    before_ns = perf_counter_ns()
    spans = told(WATCH)
    name, begin_ns, _ = spans[0]
    assert name == "start/interpreter and runtime"
    assert before_ns - TICK_NS <= begin_ns <= perf_counter_ns()
    assert spans[1][1] - before_ns > 0


def test_a_part_is_told_by_the_name_that_it_was_given() -> None:
    code = (
        WATCH + "with boot.part('resources'):\n" + "".join(f"    {line}\n" for line in BURN.format(ms=2).splitlines())
    )
    ((_, begin_ns, end_ns),) = [span for span in told(code) if span[0] == "start/resources"]
    assert end_ns - begin_ns >= 2e6


def test_a_forked_worker_s_start_begins_with_its_parent_s(modules: Path) -> None:
    code = WATCH + (
        "import outer, os, sys, json\nbegan = boot.spans()[0]\nif child := os.fork():\n    os.waitpid(child, 0)\n"
        "    sys.exit()\nprint(json.dumps([began, boot.spans()]))"
    )
    began, spans = json.loads(python(code, modules))
    assert spans[0][:2] == began[:2]
    assert {"import outer", "start/worker"} <= set(names(spans))


def test_a_worker_forked_after_the_first_call_has_no_start_of_its_parent_s() -> None:
    code = WATCH + (
        "boot.stop()\nimport os, sys, json\nif child := os.fork():\n    os.waitpid(child, 0)\n    sys.exit()\n"
        "print(json.dumps(boot.spans()))"
    )
    assert json.loads(python(code)) == []


def test_imports_of_two_threads_at_once_are_told_apart(tmp_path: Path) -> None:
    waits = "import both\nboth.gate.wait()\n" + BURN.format(ms=3)
    (tmp_path / "both.py").write_text("import threading\ngate = threading.Barrier(2)\n")
    (tmp_path / "left.py").write_text(waits)
    (tmp_path / "right.py").write_text(waits)
    code = WATCH + (
        "import both, importlib, threading\n"
        "other = threading.Thread(target=importlib.import_module, args=('right',))\nother.start()\n"
        "import left\nother.join()"
    )
    found = {name for name in names(told(code, tmp_path)) if "left" in name or "right" in name}
    assert found in ({"import left", "import right (beside)"}, {"import left (beside)", "import right"})


def test_an_import_within_which_a_phase_begins_is_divided_by_it(modules: Path) -> None:
    (modules / "entry.py").write_text("import outer\n" + WATCH.replace("watch", "loaded"))
    found = names(told(WATCH + "import entry", modules))
    assert "import entry" not in found
    assert "import outer" in found


def test_imports_of_the_first_call_are_told_and_the_last_phase_ends_where_it_began(modules: Path) -> None:
    code = WATCH + (
        "import json, time\nbegan = time.perf_counter_ns()\nimport outer\nprint(json.dumps([began, boot.spans(began)]))"
    )
    began_ns, spans = json.loads(python(code, modules))
    last = [span for span in spans if span[0].startswith("start/")][-1]
    outer = next(span for span in spans if span[0] == "import outer")
    assert last[2] == began_ns
    assert outer[1] > began_ns


def test_the_start_is_told_to_the_first_call_that_ends_and_to_no_other(modules: Path) -> None:
    code = WATCH + (
        "import json, time\nfirst = [name for name, _, _ in boot.told(time.perf_counter_ns())]\nimport outer\n"
        "print(json.dumps([first, boot.told(time.perf_counter_ns()), 'import outer' in str(boot.spans())]))"
    )
    first, second, watched = json.loads(python(code, modules))
    assert first[0] == "start/interpreter and runtime"
    assert (second, watched) == ([], False)


def test_a_warning_while_importing_points_at_the_importer(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n")
    (tmp_path / "user.py").write_text("\nimport old\n")
    code = WATCH + (
        "import warnings\nwith warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n    import user\nprint(caught[0].filename, caught[0].lineno)"
    )
    assert python(code, tmp_path).split() == [str(tmp_path / "user.py"), "2"]


def test_a_traceback_shows_no_frame_of_the_watching(modules: Path) -> None:
    code = WATCH + (
        "import traceback\ntry:\n    import broken\nexcept ModuleNotFoundError as error:\n"
        "    print(*[frame.filename for frame in traceback.extract_tb(error.__traceback__)])"
    )
    assert python(code, modules).split() == ["<string>", str(modules / "broken.py")]


def test_it_is_said_when_python_imports_in_another_way() -> None:
    code = (
        "import _frozen_importlib as system\nfrom core.profiler import boot\nbefore = system._find_and_load\n"
        "system._find_and_load = other = lambda name, import_, more=None: before(name, import_)\nboot.watch()\n"
        "assert system._find_and_load is other\nprint(boot.unavailable()['import'])"
    )
    assert python(code).startswith("this Python has no importlib._bootstrap._find_and_load(name, import_)")


def test_it_is_said_when_the_process_s_start_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(boot, "STAT", str(tmp_path / "none"))
    timeline = Timeline()
    timeline.watch()
    timeline.stop()
    assert names([list(span) for span in timeline.spans()])[:1] == ["start/function"]
    assert list(timeline.unavailable()) == ["start/interpreter and runtime"]
    assert "No such file" in timeline.unavailable()["start/interpreter and runtime"]


def test_what_aws_says_of_the_start_is_kept() -> None:
    code = "from core.profiler import boot\nprint(boot.initialization)"
    assert python(code, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start").strip() == "snap-start"


def test_it_imports_next_to_nothing() -> None:
    code = "import sys\nbefore = set(sys.modules)\nimport core.profiler.boot\nprint(*set(sys.modules) - before)"
    ours = {"core", "core.profiler", "core.profiler.boot", "core.profiler.procfs"}
    assert set(python(code).split()) <= ours | {"__future__"}


def test_the_x_ray_tells_the_interpreter_from_the_runtime(modules: Path) -> None:
    found = names(told("import outer\nfrom core.profiler import boot\nboot.watch()", xray.FOLDER, modules))
    assert found[:2] == ["start/interpreter", "start/runtime"]
    assert {"import outer", "start/function"} <= set(found)


def test_the_x_ray_finds_the_project_where_it_is_not_on_the_path() -> None:
    # Not the environment's own Python, whose path an editable installation is on.
    base = str(Path(sys.base_prefix, "bin/python3"))
    command = [base, "-c", "import sys; print('core.profiler.boot' in sys.modules, *sys.path)"]
    environment = {"PYTHONPATH": str(xray.FOLDER)}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert found[0] == "True"
    assert str(ROOT) not in found


def test_the_sitecustomize_that_the_x_ray_hides_is_run(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos.environ['CUSTOMISED'] = 'yes'\n")
    assert python("import os\nprint(os.environ['CUSTOMISED'])", xray.FOLDER, tmp_path).strip() == "yes"


def test_a_hidden_sitecustomize_that_fails_does_not_keep_python_from_starting(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise ValueError\n")
    assert told("from core.profiler import boot", xray.FOLDER, tmp_path)[0][0] == "start/interpreter"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_entry_point_watches_its_own_imports(provider: str) -> None:
    module, _, _ = PROVIDERS[provider].entrypoint.rpartition(".")
    found = names(told(f"import {module}\nfrom core.profiler import boot"))
    assert "start/function" in found
    assert "import core.runtime" in found[found.index("start/function") : found.index("start/wait")]


def test_a_library_user_s_imports_are_not_watched() -> None:
    code = (
        "import _frozen_importlib as system\nbefore = system._find_and_load\nimport core.runtime\n"
        "core.runtime.built_in()\nprint(system._find_and_load is before, core.runtime.boot.spans())"
    )
    assert python(code).split() == ["True", "[]"]
