"""``mailroom query``: one SELECT over the views of the store."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer

from engine.errors import SettingsError


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
    limit: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Rows at most; by default 100,000.")] = None,
) -> None:
    """Ask the store: operators, emails, attachments, mailboxes, subscriptions, failures and more."""
    if form is Output.PARQUET and output is None and sys.stdout.isatty():
        raise typer.BadParameter("Parquet is not for terminals: give --output FILE, or redirect standard output.")
    try:
        truncated = asyncio.run(_ask(sys.stdin.read() if sql == "-" else sql, form, output, limit))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        _leave_quietly()
    if truncated:
        typer.echo("mailroom: there are more rows than one answer holds; narrow the query to see them.", err=True)


async def _ask(sql: str, form: Output, output: Path | None, limit: int | None) -> bool:
    """Print the answer as it comes; whether there are more rows. An interrupt ends the query at the store, too."""
    from api.client import connect_by_environment

    async with connect_by_environment() as client, client.query(sql, form=form, limit=limit) as answer:
        if form is Output.TABLE:
            _print_table(await answer.body(), output)
            return answer.truncated
        with _sink(output) as sink:
            async for piece in answer.pieces:
                sink.write(piece)
            if form is Output.JSON and output is None:
                sink.write(b"\n")
            sink.flush()
        return answer.truncated


@contextmanager
def _sink(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        return
    try:
        with output.open("wb") as file:
            yield file
    except OSError as error:
        raise SettingsError(f"--output: {output} cannot be written: {error.strerror}.") from error


def _print_table(body: bytes, output: Path | None) -> None:
    from api.tables import plain_lines, terminal_table

    answer = json.loads(body)
    if output is not None or not sys.stdout.isatty():
        with _sink(output) as sink:
            for line in plain_lines(answer["columns"], answer["rows"]):
                sink.write(f"{line}\n".encode())
            sink.flush()
        return
    from rich.console import Console

    console = Console()
    console.print(terminal_table(answer["columns"], answer["rows"]))
    console.print(f"{len(answer['rows']):,} rows", style="dim")


def _leave_quietly() -> NoReturn:
    """Whoever read the output has seen enough, as ``head`` has; Python would complain when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0)
