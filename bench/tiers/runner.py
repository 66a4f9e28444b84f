"""Carries a comparison out: the data, the right answers, then every move; every record on disk before the next."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import journal, machine
from bench.tiers import material
from bench.tiers.experiment import QUESTIONS, Comparison, plan
from bench.tiers.material import Material
from bench.tiers.records import FILE, SCHEMA, End, Header, Record
from bench.tiers.scene import Scene
from bench.tiers.session import Session
from bench.tiers.tools import Tools
from core.runtime import encode


def run(comparison: Comparison, urls: Mapping[str, str], folder: Path, tools: Tools) -> None:
    """Make every move of the comparison and leave the results file in folder.

    Interrupted at any point, all clients are ended, the tables dropped, and what was measured is in the file.

    Args:
        comparison: What to do.
        urls: The databases' URLs by their names.
        folder: The run's own folder; made here, its name is the run's id.
        tools: What starts clients, makes data and shows progress.

    Raises:
        PolyfaasError: The data cannot be made, read or transformed, or the folder not be made.
    """
    busy = tools.busy()
    with TemporaryDirectory(prefix="polyfaas-") as scratch:
        made = material.made(comparison, Path(scratch).resolve(), tools)
        moves = plan(comparison)
        tools.progress.begin(len(moves))
        header = _header(comparison, folder.name, made, busy)
        first: Record = header
        with journal.begun(folder, first) as results:
            scene = Scene(header, urls, made.clean, results, tools)
            for answer in made.right:
                scene.digest(FILE, answer.question, bytes(answer.result))
            with Session(scene) as session:
                for planned in moves:
                    tools.check_interrupt()
                    tools.progress.step(planned)
                    session.carry_out(planned)
            results.append(End())


def table_name(run: str) -> str:
    """The table of a run, which is nobody else's."""
    return f"polyfaas_bench_{run.replace('-', '_')}"


def _header(comparison: Comparison, name: str, made: Material, busy: float | None) -> Header:
    return Header(
        schema=SCHEMA,
        run=name,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        comparison=comparison,
        source=made.source,
        rows=made.rows,
        size_bytes=made.clean.stat().st_size,
        table=table_name(name),
        requests={question: msgspec.Raw(encode(QUESTIONS[question])) for question in comparison.questions},
        machine=machine.describe(),
        busy_before=busy,
    )
