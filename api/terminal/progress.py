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
