"""Carries an experiment out: one client, one call at a time, every record on disk before the next call."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import msgspec

from bench import journal, machine
from bench.experiment import PROBES, Experiment, Planned, plan, providers, steps
from bench.results import SCHEMA, End, Header, Record
from bench.session import Session, Start
from bench.source import Generate, Source, Wanted, prepared


class Progress(Protocol):
    """Hears how far a run has come."""

    def begin(self, total: int) -> None:
        """The run will take so many steps."""
        ...

    def step(self, planned: Planned) -> None:
        """This comes next; it is reported also when its provider has stopped."""
        ...


def _never() -> None:
    """No signal comes."""


class Tools(msgspec.Struct, frozen=True):
    """What a run needs from outside.

    Attributes:
        start: Starts instances.
        generate: Writes the sales rows to a path: target, number of rows, seed.
        progress: Is told before each call.
        check_interrupt: Raises KeyboardInterrupt when the run was interrupted; asked before each call.
    """

    start: Start
    generate: Generate
    progress: Progress
    check_interrupt: Callable[[], None] = _never


def run_id() -> str:
    """A new id; ids sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def run(experiment: Experiment, folder: Path, tools: Tools) -> None:
    """Make every call of the experiment and leave the results file, and each provider's log, in folder.

    Interrupted at any point, all instances are stopped and what was measured is in the file.

    Args:
        experiment: What to do.
        folder: The run's own folder; made here, its name is the run's id.
        tools: What starts instances, makes data and shows progress.

    Raises:
        PolyfaasError: The data cannot be made or read, or the folder not be made.
    """
    with TemporaryDirectory(prefix="polyfaas-") as scratch:
        source = _source(experiment, Path(scratch), tools)
        calls = plan(experiment, Path(source.path))
        calibrations = [Planned(provider, PROBES, "calibration") for provider in providers(experiment)]
        tools.progress.begin(len(calibrations) + len(calls))
        header: Record = _header(experiment, folder.name, source)
        with (
            journal.begun(folder, header) as results,
            Session(folder, results, tools.start, Path(source.path)) as session,
        ):
            for planned in calibrations:
                tools.check_interrupt()
                tools.progress.step(planned)
                session.calibrate(planned.provider)
            for sequence, planned in enumerate(calls):
                tools.check_interrupt()
                tools.progress.step(planned)
                session.carry_out(planned, sequence)
            session.compare_files("warm")
            results.append(End())


def _source(experiment: Experiment, scratch: Path, tools: Tools) -> Source:
    wanted = Wanted(data=experiment.data, rows=experiment.rows, seed=experiment.seed)
    return prepared(wanted, scratch, tools.generate)


def _header(experiment: Experiment, name: str, source: Source) -> Header:
    return Header(
        schema=SCHEMA,
        run=name,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        experiment=experiment,
        source=source,
        requests={step.name: msgspec.Raw(step.body) for step in steps(Path(source.path)).values()},
        machine=machine.describe(),
    )
