"""The engine against its alternatives: time, peak memory and the answers, whole processes, interleaved.

python benchmarks/engine.py                       everything, five rounds
python benchmarks/engine.py transform load        two tasks; --list names them all
python benchmarks/engine.py --quick               one round of 20,000 rows: does it run?
python benchmarks/engine.py transform --memory 0,256,512 --contenders polyfaas,polars
python benchmarks/engine.py transform payments --caps
python benchmarks/engine.py --write               also into docs/performance.md, with its chart
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the namespace package of the rig and the programs

from benchmarks.rig import memory, postgres  # noqa: E402
from benchmarks.rig.document import put  # noqa: E402
from benchmarks.rig.machine import header  # noqa: E402
from benchmarks.rig.outcome import Outcome  # noqa: E402
from benchmarks.rig.process import Setting, python  # noqa: E402
from benchmarks.rig.session import Session, compete, smallest_caps, tried  # noqa: E402
from benchmarks.rig.table import caps_table, task_table  # noqa: E402
from benchmarks.rig.tasks import Size, Task, tasks  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "transform.svg"
CHARTED = "transform"
CAPS_MIB = (96, 128, 192, 256, 384, 512, 1024)
QUICK = Size(rows=20_000, payments_rows=5_000, slope=(2_000, 20_000))
TRIAL = 200  # rows, on which every contender is tried first


def main() -> None:
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave no server, group or data behind
    size = QUICK if asked.quick else Size(rows=asked.rows, payments_rows=asked.payments_rows, slope=asked.slope)
    if asked.list:
        print(*tasks(size, None), sep="\n")
        return
    with tempfile.TemporaryDirectory(prefix="polyfaas-benchmark-") as folder, session(Path(folder), asked) as here:
        show("machine", header(here.caps, asked.rounds, here.folder), asked)
        for name in chosen_names(asked.tasks):
            task(name, size, here, asked)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="which tasks; all when left out")
    parser.add_argument("--list", action="store_true", help="name the tasks")
    parser.add_argument("--contenders", type=words, metavar="WORDS", help="only names with one of these: polyfaas,csv")
    parser.add_argument("--rows", type=int, default=1_500_000, help="sales records")
    parser.add_argument("--payments-rows", type=int, default=1_200_000, help="payments")
    parser.add_argument("--slope", type=numbers, default=(100_000, 1_000_000, 10_000_000), help="its points")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=numbers, default=(1, 2), help="processors of a run: 1,2")
    parser.add_argument("--memory", type=numbers, default=(0,), metavar="MIB", help="caps: 0,256; 0 is none")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="S", help="of one run")
    parser.add_argument("--caps", action="store_true", help="find the smallest cap of each contender instead")
    parser.add_argument("--quick", action="store_true", help="one round, little data")
    parser.add_argument("--results", type=Path, help="append every run to this file, as JSON lines")
    parser.add_argument("--write", action="store_true", help="put tables and chart into docs/")
    asked = parser.parse_args()
    if wrong := [word for word in asked.tasks if not chosen_names([word])]:
        parser.error(f"there is no task {wrong[0]}: --list names them")
    if asked.quick:
        asked.rounds = 1
    return asked


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def chosen_names(asked: list[str]) -> list[str]:
    """The tasks of these names; a word that is no task's name stands for all that begin with it: query."""
    known = list(tasks(QUICK, None))
    found = [name for word in asked for name in known if name == word or (word not in known and name.startswith(word))]
    return found if asked else known


@contextmanager
def session(folder: Path, asked: argparse.Namespace) -> Iterator[Session]:
    """Where everything runs; a server only for the task that needs it."""
    with postgres.running() if "load" in chosen_names(asked.tasks) else nullcontext() as server:
        yield Session(folder, memory.find(), server, lambda line: print(line, file=sys.stderr, flush=True))


def task(name: str, size: Size, here: Session, asked: argparse.Namespace) -> None:
    """Run one task and print its table."""
    chosen = picked(tasks(size, here.server)[name], asked.contenders)
    if not chosen.contenders:
        return
    tiny = Size(rows=TRIAL, payments_rows=TRIAL, slope=tuple(TRIAL + at for at, _ in enumerate(size.slope)))
    reasons = trial(picked(tasks(tiny, here.server)[name], asked.contenders), here)
    left_out = {chosen.contenders[place].name: reason for place, reason in reasons.items()}
    kept = tuple(each for each in chosen.contenders if each.name not in left_out)
    if not kept:
        print(f"\n{name}: not there yet ({'; '.join(sorted(set(left_out.values())))})", flush=True)
        return
    chosen = msgspec.structs.replace(chosen, contenders=kept)
    if not asked.caps:
        compare(chosen, left_out, here, asked)
    elif here.caps:
        show(f"{name}-caps", caps_table(chosen.title, smallest_caps(here, chosen, CAPS_MIB, asked.timeout)), asked)
    else:
        print(f"\n{name}: no cap can be set here", flush=True)


def picked(whole: Task, names: tuple[str, ...] | None) -> Task:
    """The task with the contenders that have one of these words in their names."""
    if not names:
        return whole
    kept = tuple(each for each in whole.contenders if any(word in each.name for word in names))
    return msgspec.structs.replace(whole, contenders=kept)


def trial(tiny: Task, here: Session) -> dict[int, str]:
    """Why, by place, a contender cannot take part, found on very little data in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="polyfaas-trial-") as folder:
        return tried(Session(Path(folder), None, here.server, lambda _: None), tiny)


def compare(chosen: Task, left_out: dict[str, str], here: Session, asked: argparse.Namespace) -> None:
    settings = [Setting(threads, mib or None, asked.timeout) for mib in asked.memory for threads in asked.threads]
    if here.caps is None:
        settings = list(
            {setting.threads: Setting(setting.threads, None, asked.timeout) for setting in settings}.values()
        )
    outcome = Outcome(chosen, compete(here, chosen, settings, asked.rounds), left_out)
    keep(outcome, asked.results)
    table = task_table(outcome)
    if asked.write and chosen.name == CHARTED:
        draw(outcome)
        table = f"{table}\n![{chosen.title}: seconds and peak memory]({CHART.name})\n"
    show(chosen.name, table, asked)


def draw(outcome: Outcome) -> None:
    """Draw the chart in a process of its own: what ours has held once, the peak of each run after it would show."""
    argv = python("-m", "benchmarks.rig.chart", str(CHART))
    subprocess.run(argv, input=msgspec.json.encode(outcome), env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


def keep(outcome: Outcome, results: Path | None) -> None:
    """Append the raw values, a line a contender and setting."""
    if results:
        with results.open("ab") as file:
            for cell in outcome.cells:
                file.write(msgspec.json.encode({"task": outcome.task.name, "cell": cell}) + b"\n")


def show(name: str, table: str, asked: argparse.Namespace) -> None:
    print(f"\n{table}", flush=True)
    if asked.write:
        put(PAGE, name, table)


if __name__ == "__main__":
    main()
