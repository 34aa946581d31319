"""Query answers and status figures for people: a table that fits a terminal, and one that keeps every value whole."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WIDEST = 60
"""Columns are aligned up to here; longer values stand whole and push the rest of their line."""


def cell(value: Any) -> str:
    """A JSON value as text: NULL is empty, lists and objects stay JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def plain_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """A table for pipes and files: no value is cut, wrapped or changed; a value of several lines takes several."""
    cells = [[cell(value).split("\n") for value in row] for row in rows]
    heads = [[column] for column in columns]
    widths = [
        min(_WIDEST, max((cell_len(line) for row in (heads, *cells) for line in row[index]), default=0))
        for index in range(len(columns))
    ]
    yield from _line_up(heads, widths)
    yield "-+-".join("-" * width for width in widths)
    for row in cells:
        yield from _line_up(row, widths)


def _line_up(row: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    for number in range(max((len(lines) for lines in row), default=0)):
        parts = [lines[number] if number < len(lines) else "" for lines in row]
        padded = [part + " " * (width - cell_len(part)) for part, width in zip(parts, widths, strict=True)]
        yield " | ".join([*padded[:-1], parts[-1]])


def terminal_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table for a terminal: long values are folded, and a sender cannot move the cursor with a subject."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", cell(value))) for value in row))
    return table


def show_status(console: Console, status: Mapping[str, Any]) -> None:
    """The figures of ``status``, and below them each trouble with its cause and remedy."""
    operators, subscriptions = status["operators"], status["subscriptions"]
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    states = ", ".join(f"{operators[name]:,} {name}" for name in ("synced", "syncing", "failing", "disabled"))
    table.add_row("Operators", f"{operators['total']:,}", states)
    table.add_row("Emails", f"{status['emails']:,}", f"{status['pending']:,} more to fetch")
    if status.get("quarantined"):
        table.add_row("Quarantined", f"{status['quarantined']:,}", "items set aside with their reason")
    table.add_row("Subscriptions", f"{subscriptions['active']:,}", f"of {subscriptions['wanted']:,} wanted")
    console.print(table)
    for trouble in status.get("troubles", ()):
        console.print(Text(_clean(f"{trouble['code']}: {trouble['cause']}"), style="bold red"), soft_wrap=True)
        for line in _about(trouble):
            console.print(Text(_clean(f"  {line}")), soft_wrap=True)


def _about(trouble: Mapping[str, Any]) -> Iterator[str]:
    yield f"What to do: {trouble['remedy']}"
    yield f"Operators: {trouble['operators']:,}, for example {trouble['example']}: {trouble['message']}"
    if trouble.get("since"):
        yield f"Since {trouble['since']}; next attempt {trouble.get('next_attempt_at') or 'when it is mended'}"


def _clean(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\n", " "))
