"""``mailroom query``: one SELECT over the views of the store."""

import asyncio
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import SettingsError

if TYPE_CHECKING:
    from api.client import QueryAnswer


class Output(StrEnum):
    """How the rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def query(
    sql: Annotated[str, typer.Argument(help="One SELECT; - reads it from standard input.", metavar="SQL")],
    form: Annotated[Output, typer.Option("--format", help="How the rows are printed.")] = Output.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
) -> None:
    """Ask the store: operators, emails, attachments, mailboxes, subscriptions, failures and more."""
    if form is Output.PARQUET and output is None and sys.stdout.isatty():
        raise typer.BadParameter("Parquet is not for terminals: give --output FILE, or redirect standard output.")
    answer = asyncio.run(_ask(sys.stdin.read() if sql == "-" else sql, form))
    if output is not None:
        _write(output, answer.body if form is not Output.TABLE else _plain(answer.body).encode())
    elif form is Output.TABLE:
        _print_table(answer.body)
    else:
        sys.stdout.buffer.write(answer.body + (b"\n" if form is Output.JSON else b""))
        sys.stdout.buffer.flush()
    if answer.truncated:
        typer.echo("mailroom: there are more rows than one answer holds; narrow the query to see them.", err=True)


async def _ask(sql: str, form: Output) -> "QueryAnswer":
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.query(sql, form=form)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SettingsError(f"--output: {path} cannot be written: {error.strerror}.") from error


def _plain(body: bytes) -> str:
    from api.tables import plain_lines

    answer = json.loads(body)
    return "".join(f"{line}\n" for line in plain_lines(answer["columns"], answer["rows"]))


def _print_table(body: bytes) -> None:
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(_plain(body).encode())
        sys.stdout.buffer.flush()
        return
    from rich.console import Console

    from api.tables import terminal_table

    answer = json.loads(body)
    console = Console()
    console.print(terminal_table(answer["columns"], answer["rows"]))
    console.print(f"{len(answer['rows']):,} rows", style="dim")
