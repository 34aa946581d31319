"""Small tables and lines of prose for a terminal, with colours where a state is good or bad."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from api.tables import clean

_STYLES = {
    **dict.fromkeys(("succeeded", "synced", "live", "reported", "ok"), "green"),
    **dict.fromkeys(("partial", "failing", "silent", "unheard", "gathering", "stopped", "quarantined"), "yellow"),
    **dict.fromkeys(("failed", "lost"), "red"),
    **dict.fromkeys(("disabled", "closed", "retired"), "dim"),
}
_GAP = 2
_PROSE = 16
"""Cells a column of prose wants at least."""


def print_table(console: Console, heads: Sequence[str], rows: Iterable[Sequence[str]], indent: int = 0) -> None:
    """Print it: ``name#`` aligns numbers to the right, ``name~`` holds prose; a state is coloured.

    Where the terminal has room for it, only prose is folded; no value is ever cut.
    """
    cells = [[clean(text) for text in row] for row in rows]
    whole = _fits(console.width - indent, heads, cells)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0))
    for head in heads:
        right, prose = head.endswith("#"), head.endswith("~")
        table.add_column(
            Text(head.rstrip("#~")),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=whole and not prose,
        )
    for row in cells:
        table.add_row(*(Text(text, style=_STYLES.get(text.split(" ", 1)[0].rstrip(","), "")) for text in row))
    console.print(Padding(table, (0, 0, 1, indent)))


def print_line(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    """A line of prose, folded between words where the terminal ends."""
    console.print(Padding(Text(clean(text), style=style), (0, 0, 0, indent)))


def _fits(width: int, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    wanted = 0
    for number, head in enumerate(heads):
        widest = max((cell_len(row[number]) for row in rows), default=0)
        wanted += min(widest, _PROSE) if head.endswith("~") else max(widest, cell_len(head.rstrip("#")))
    return wanted + _GAP * (len(heads) - 1) + 1 <= width
