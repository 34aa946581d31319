"""Rows for people: a table that fits a terminal, and one that keeps every value whole."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
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


def clean(text: str) -> str:
    """One line of text in which nothing moves the cursor or turns the writing round."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\n", " "))
