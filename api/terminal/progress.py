"""How far a run is: a bar on a terminal, nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def run_progress(name: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Inside, what is given takes a run as the gateway answers it, and shows it."""
    if not sys.stdout.isatty():
        yield _nothing
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(name, total=None, words="")

        def show(run: Mapping[str, Any]) -> None:
            words = f"{run['failed']:,} failing" if run["failed"] else ""
            progress.update(task, completed=run["done"], total=run["operators"] or None, words=words)

        yield show


def _nothing(_run: Mapping[str, Any]) -> None:
    """Nobody looks."""


@contextmanager
def export_progress(rows: int) -> Iterator[Callable[[int, int], None]]:
    """Inside, what is given takes the rows and the bytes of a file that is there, and shows how far it is."""
    if not sys.stderr.isatty():
        yield lambda _rows, _size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    words = TextColumn("{task.fields[words]}")
    columns = (TextColumn("rows"), BarColumn(bar_width=None), MofNCompleteColumn(), words, TimeElapsedColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
        task, size = progress.add_task("rows", total=rows, words=""), 0

        def show(more: int, written: int) -> None:
            nonlocal size
            size += written
            progress.update(task, advance=more, words=bytes_of(size))

        yield show


def bytes_of(size: int) -> str:
    """A size as people read it."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"
