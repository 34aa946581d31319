"""``mailroom status``: how it is going."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as it is.")] = False,
) -> None:
    """Show how many mailboxes are synced, and what is in the way."""
    figures = asyncio.run(_ask())
    if as_json:
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    from api.terminal.status import show_status

    show_status(Console(), figures, datetime.now(UTC))


async def _ask() -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.status()
