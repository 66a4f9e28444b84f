"""Runs a task: its inputs, a trial on little data, then rounds in which every contender has its turn."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from benchmarks.rig.memory import Caps
from benchmarks.rig.outcome import Cell
from benchmarks.rig.postgres import Server
from benchmarks.rig.process import Command, Run, Setting, answer, processors, run
from benchmarks.rig.tasks import Task
from benchmarks.rig.verdict import differences

SEED = 1
LONGEST = 160  # characters of a reason
Say: TypeAlias = Callable[[str], None]


class Session(msgspec.Struct):
    """Where tasks run, and what is there already.

    Attributes:
        folder: Where the data is.
        caps: Where memory can be capped; None where it cannot.
        server: The PostgreSQL of this benchmark, if there is one.
        say: Takes a line on what goes on.
        ready: The inputs that are in the folder, by their commands.
    """

    folder: Path
    caps: Caps | None
    server: Server | None
    say: Say
    ready: set[tuple[str, ...]] = set()

    def prepare(self, task: Task) -> list[str]:
        """Make the inputs that are not there yet; gives what is wrong with those that could not be made."""
        wrong = []
        for step in task.inputs:
            if step.argv in self.ready:
                continue
            self.say(f"{task.name}: making {step.makes}")
            made = run(step, self.folder, Setting(threads=len(processors(0)), timeout_s=3600))
            if made.failure:
                wrong.append(f"{step.name}: {made.failure}")
            else:
                self.ready.add(step.argv)
        return wrong

    def once(self, command: Command, setting: Setting) -> Run:
        """One run of a contender."""
        if self.server:
            self.server.pin(processors(setting.threads))
        return run(command, self.folder, setting, self.caps)


def tried(session: Session, task: Task) -> dict[int, str]:
    """Why, by place, a contender cannot take part; the others' modules are compiled by now."""
    before = session.prepare(task)
    found = {}
    for place, command in enumerate(task.contenders):
        if failure := tried_once(session, command):
            found[place] = "; ".join(f"{each[:LONGEST]}" for each in (failure, *before))
    return found


def tried_once(session: Session, command: Command) -> str | None:
    """Why a contender gives no answer that can be read; None where it gives one."""
    made = session.once(command, Setting())
    if made.failure:
        return made.failure
    try:
        answer(command, made, session.folder)
    except ValueError as error:
        return str(error)
    return None


def compete(session: Session, task: Task, settings: Sequence[Setting], rounds: int) -> tuple[Cell, ...]:
    """The cells of a task: each round runs every contender under every setting, in an order of its own."""
    session.prepare(task)
    truth = expected(session, task)
    cells = [Cell(command.name, setting) for command in task.contenders for setting in settings]
    commands = {command.name: command for command in task.contenders}
    order, chance = list(range(len(cells))), random.Random(SEED)
    for number in range(rounds):
        session.say(f"{task.name}: round {number + 1} of {rounds}")
        chance.shuffle(order)
        for place in order:
            cell = cells[place]
            if number == 0 or cell.failure is None:
                cells[place] = after(session, commands[cell.contender], cell, truth)
    return tuple(cells)


def after(session: Session, command: Command, cell: Cell, truth: object) -> Cell:
    """The cell with one more run; the first one's answer is held against the truth."""
    found = session.once(command, cell.setting)
    verdict = cell.verdict
    if truth is not None and not cell.runs and found.failure is None:
        verdict = judged(command, found, session.folder, truth)
    return Cell(cell.contender, cell.setting, (*cell.runs, found), verdict)


def judged(command: Command, found: Run, folder: Path, truth: object) -> str | None:
    try:
        made = answer(command, found, folder)
    except ValueError as error:
        return f"nothing to compare: {error}"
    return None if made is None else differences(truth, made)


def expected(session: Session, task: Task) -> object:
    """What a right answer is; None where the task compares none."""
    if not task.truth:
        return None
    session.say(f"{task.name}: computing the answer the slow way")
    found = run(Command("the truth", task.truth), session.folder, Setting(timeout_s=3600))
    if found.failure:
        session.say(f"{task.name}: no answer is checked: {found.failure}")
        return None
    said = msgspec.json.decode(found.said)
    return said.get("answer", said)


def smallest_caps(
    session: Session, task: Task, caps_mib: Iterable[int], timeout_s: float
) -> dict[str, tuple[int | None, Run]]:
    """By contender, the smallest cap in which it still finishes on one processor, with that run; None for no cap."""
    session.prepare(task)
    found: dict[str, tuple[int | None, Run]] = {}
    for command in task.contenders:
        for cap_mib in sorted(caps_mib):
            session.say(f"{task.name}: {command.name} in {cap_mib} MiB")
            made = session.once(command, Setting(1, cap_mib, timeout_s))
            found[command.name] = (None if made.failure else cap_mib, made)
            if not made.failure:
                break
    return found
