"""``mailroom settings``: the Application Settings, what changed them, and one value at a time to change."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from api.commands.output import AsJson, Items, Limit, most, print_items

settings = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@settings.command()
def show(*, as_json: AsJson = False) -> None:
    """Show every setting; secrets are in the environment and nowhere else."""
    state = asyncio.run(_ask("GET", "settings"))
    if as_json:
        typer.echo(json.dumps(state, indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        from rich.console import Console

        from api.terminal.settings import show_settings

        show_settings(Console(), state, datetime.now(UTC))
    else:
        from engine.application_settings.document import flat

        document = {section: state[section] for section in ("exchange", "email_sync")}
        items: Items = [{"key": key, "value": value} for key, value in flat(document).items()]
        print_items(items, lambda *_: None, more=False, as_json=False, nothing="")


@settings.command("set")
def set_value(
    key: Annotated[str, typer.Argument(help="Such as email_sync.batch_size.")],
    value: Annotated[str, typer.Argument(help='A number, true or false, text, "90s", or a list by commas.')],
) -> None:
    """Change one setting; it is in force within a second or two, without a restart."""
    from api.terminal.settings import changed
    from engine.application_settings.document import nested
    from engine.application_settings.keys import parse

    answer = asyncio.run(_ask("PUT", "settings", nested({key: parse(key, value)})))
    for change in answer["changes"]:
        typer.echo(f"{changed(change)} (version {answer['version']})")
    if not answer["changes"]:
        typer.echo(f"{key} is that already.")
    for warning in answer["warnings"]:
        if warning.startswith(f"{key}:"):
            typer.echo(f"mailroom: {warning}", err=True)


@settings.command()
def history(*, limit: Limit = None, as_json: AsJson = False) -> None:
    """Show who changed what, the newest first."""
    from api.terminal.settings import changed, show_history

    items, more = asyncio.run(_items("settings/history", most(limit, as_json=as_json)))
    if not as_json and not sys.stdout.isatty():
        items = [{**one, "changes": "; ".join(map(changed, one["changes"]))} for one in items]
    print_items(items, show_history, more=more, as_json=as_json, nothing="There are no settings yet.")


async def _ask(method: str, name: str, body: object = None) -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.ask(method, name, body)


async def _items(name: str, limit: int | None) -> tuple[Items, bool]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.items(name, {}, limit)
