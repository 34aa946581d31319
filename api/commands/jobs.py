"""``mailroom jobs``: how the jobs are scheduled and went; switch them, run them now, and wait for the end."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from api.commands.output import AsJson, Items, Limit, most, print_items
from engine.errors import GatewayError

if TYPE_CHECKING:
    from rich.console import Console

    from api.client import GatewayClient

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
_AWAY = (None, "STORE_UNAVAILABLE", "CLUSTER_UNAVAILABLE")
"""Codes of answers that say to try again; None: no gateway answers at all."""

_EXAMPLES = {"every": '"15m" or "0 6 * * 1-5"', "timezone": '"Europe/Berlin"'}

Name = Annotated[str, typer.Argument(help="EmailSync, ManagePushSubscriptions or AssociateEmails.")]

jobs = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@jobs.command("list")
def list_jobs(*, as_json: AsJson = False) -> None:
    """Show the jobs: schedule, latest run, next run."""
    from api.terminal.jobs import show_jobs

    items = asyncio.run(_ask("GET", "jobs"))["items"]
    print_items(items, show_jobs, more=False, as_json=as_json, nothing="There is no job.")


@jobs.command()
def enable(name: Name) -> None:
    """Let a job run by its schedule."""
    _change(name, enabled=True)


@jobs.command()
def disable(name: Name) -> None:
    """Stop a job; a run under way ends at its next page."""
    _change(name, enabled=False)


@jobs.command("set")
def set_job(
    name: Name,
    *,
    every: Annotated[str | None, typer.Option(help='"15m", "1h", or a cron expression such as "0 6 * * 1-5".')] = None,
    timezone: Annotated[str | None, typer.Option(help="Of a cron expression, such as Europe/Berlin.")] = None,
    access_group: Annotated[str | None, typer.Option(help="Who may see and change it.")] = None,
) -> None:
    """Change when a job runs."""
    given = {"every": every, "timezone": timezone, "access_group": access_group}
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("Nothing to change: give --every, --timezone or --access-group.")
    for key, example in _EXAMPLES.items():
        if not changes.get(key, example).strip():
            raise typer.BadParameter(f"--{key} is empty; write one such as {example}, or leave it out.")
    _change(name, **changes)


@jobs.command()
def runs(name: Name, *, limit: Limit = None, as_json: AsJson = False) -> None:
    """Show a job's runs, newest first."""
    from api.terminal.jobs import show_runs

    def show(console: "Console", items: Items, now: datetime) -> None:
        show_runs(console, name, items, now)

    items, more = asyncio.run(_items(_path(name, "runs"), most(limit, as_json=as_json)))
    print_items(items, show, more=more, as_json=as_json, nothing=f"{name} has not run yet.")


@jobs.command()
def run(
    name: Name,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Until it ends; exit code 1 unless it succeeds.")] = False,
) -> None:
    """Run a job now, whatever its schedule says."""
    from api.terminal.jobs import ended_line

    ended = asyncio.run(_run(name, wait=wait))
    if ended is None:
        typer.echo(f"A run of {name} has begun. `mailroom jobs runs {name}` shows how it goes.")
        return
    typer.echo(ended_line(ended))
    if ended["outcome"] != "succeeded":
        raise typer.Exit(1)


def _change(name: str, **changes: object) -> None:
    from api.terminal.jobs import changed_line

    typer.echo(changed_line(asyncio.run(_ask("PATCH", _path(name), changes)), datetime.now(UTC)))


async def _run(name: str, *, wait: bool) -> dict[str, Any] | None:
    """Begin a run; the run as it ended, if that is waited for."""
    from api.terminal.progress import run_progress

    async with _connect() as client:
        begun = await client.ask("POST", _path(name, "run"))
        if not wait:
            return None
        with run_progress(name) as show:
            return await _until_ended(client, name, begun, show)


async def _until_ended(
    client: "GatewayClient", name: str, begun: dict[str, Any], show: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Watch a run. It goes on whatever restarts meanwhile, so an answer that fails to come is waited for a while."""
    failed = 0
    while True:
        try:
            found, _ = await client.items(_path(name, "runs"), {"run": begun["run_id"]}, 1)
        except GatewayError as error:
            failed += 1
            if failed * POLL_SECONDS >= PATIENCE_SECONDS or error.code not in _AWAY:
                raise
        else:
            failed = 0
            now = found[0] if found else begun
            show(now)
            if now["finished_at"] is not None:
                return now
        await asyncio.sleep(POLL_SECONDS)


async def _ask(method: str, path: str, body: object = None) -> dict[str, Any]:
    async with _connect() as client:
        return await client.ask(method, path, body)


async def _items(path: str, limit: int | None) -> tuple[Items, bool]:
    async with _connect() as client:
        return await client.items(path, {}, limit)


def _connect() -> "AbstractAsyncContextManager[GatewayClient]":
    from api.client import connect_by_environment

    return connect_by_environment()


def _path(name: str, *rest: str) -> str:
    return "/".join(("jobs", quote(name, safe=""), *rest))
