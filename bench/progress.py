"""Shows on stderr how far a run has come: a bar on a terminal, a line now and then elsewhere."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Move(Protocol):
    """What comes next in a run.

    Attributes:
        phase: The part of the run that it belongs to.
        title: What it is, in a few words.
    """

    @property
    def phase(self) -> str: ...  # noqa: D102  (an attribute)
    @property
    def title(self) -> str: ...  # noqa: D102


class Display:
    """The progress of one run.

    Args:
        console: Where it shows.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting".ljust(24), total=None)
        self._made = 0
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, total: int) -> None:
        """The run will make so many calls."""
        self._bar.update(self._task, total=total)

    def step(self, planned: Move) -> None:
        """This comes next."""
        self._bar.update(self._task, description=planned.title.ljust(24), completed=self._made)
        self._made += 1
        self._say(f"{planned.phase} calls")

    def _say(self, text: str) -> None:
        if not self._console.is_terminal and text not in self._said:
            self._said.add(text)
            self._console.print(text)
