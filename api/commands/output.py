"""How commands that list print: tables on a terminal, every column for pipes, JSON where it is asked for."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

ON_A_TERMINAL = 100

AsJson = Annotated[bool, typer.Option("--json", help="Print the items as a JSON array.")]
Limit = Annotated[
    int | None, typer.Option(min=1, help=f"Items shown. By default {ON_A_TERMINAL} on a terminal, else all.")
]
Items = list[dict[str, Any]]
Show = Callable[["Console", Items, datetime], None]


def most(limit: int | None, *, as_json: bool) -> int | None:
    """How many items to ask for; None: all."""
    return limit if limit is not None or as_json or not sys.stdout.isatty() else ON_A_TERMINAL


def print_items(items: Items, show: Show, *, more: bool, as_json: bool, nothing: str) -> None:
    """Print a list; ``nothing`` is said on a terminal when it is empty, ``more`` on stderr when it was cut."""
    if as_json:
        typer.echo(json.dumps(items, indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        from rich.console import Console

        if items:
            show(Console(), items, datetime.now(UTC))
        else:
            typer.echo(nothing)
    else:
        _print_plain(items)
    if more:
        typer.echo(f"mailroom: there are more than these {len(items):,}; --limit N shows more.", err=True)


def _print_plain(items: Items) -> None:
    from api.tables import plain_lines

    columns: Sequence[str] = list(items[0]) if items else []
    lines = plain_lines(columns, [[item[column] for column in columns] for item in items]) if items else ()
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    sys.stdout.buffer.flush()
