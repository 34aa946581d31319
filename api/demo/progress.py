"""How far a demo's first synchronisation is: bars on a terminal, a line now and then elsewhere."""

import sys
import time
from collections import deque
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.status import Status

LINE_SECONDS = 5.0
_WINDOW_SECONDS = 10.0


class Display(Protocol):
    """Something that shows progress while it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def show(self, status: Status) -> None:
        """Take in the figures."""
        ...


class Rate:
    """Emails a second over the last few seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, at: float, count: int) -> float:
        """The rate, now that ``count`` have landed."""
        self._samples.append((at, count))
        while at - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
        first_at, first = self._samples[0]
        return (count - first) / (at - first_at) if at > first_at else 0.0


class Bars:
    """Three bars: mailboxes, emails, subscriptions."""

    def __init__(self, operators: int, emails: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", style="cyan"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(),
        )
        self._mailboxes = self._progress.add_task("Mailboxes synced", total=operators, rate="")
        self._emails = self._progress.add_task("Emails landed", total=emails, rate="")
        self._subscriptions = self._progress.add_task("Subscriptions", total=operators, rate="")
        self._rate = Rate()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, status: Status) -> None:
        """Move the bars."""
        rate = f"{self._rate.add(time.monotonic(), status.emails):,.0f}/s"
        self._progress.update(self._mailboxes, completed=status.operators.synced)
        self._progress.update(self._emails, completed=status.emails, rate=rate)
        self._progress.update(self._subscriptions, completed=status.subscriptions.active)


class Lines:
    """A line every few seconds, for logs and pipes."""

    def __init__(self, operators: int, emails: int) -> None:
        self._operators, self._total = operators, emails
        self._started = time.monotonic()
        self._next = self._started
        self._rate = Rate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to put back."""

    def show(self, status: Status) -> None:
        """Print a line when it is time for one, and for the last step."""
        now = time.monotonic()
        rate = self._rate.add(now, status.emails)
        if now < self._next and status.operators.synced < self._operators:
            return
        self._next = now + LINE_SECONDS
        left = f", {(self._total - status.emails) / rate:,.0f} s left" if rate and status.emails < self._total else ""
        sys.stdout.write(
            f"{now - self._started:5.0f} s: {status.operators.synced:,}/{self._operators:,} mailboxes synced, "
            f"{status.emails:,}/{self._total:,} emails landed ({rate:,.0f}/s{left}), "
            f"{status.subscriptions.active:,}/{self._operators:,} subscriptions\n"
        )
        sys.stdout.flush()


def display(operators: int, emails: int) -> Display:
    """What suits standard output."""
    return (Bars if sys.stdout.isatty() else Lines)(operators, emails)
