"""``mailroom audit``: who changed what, who read mail, and who was refused."""

import asyncio
from typing import Annotated

import typer

from api.commands.output import AsJson, Items, Limit, most, print_items


def audit(  # noqa: PLR0913  # a filter each
    *,
    action: Annotated[str | None, typer.Option(help="Only this, such as settings.change or login.")] = None,
    principal: Annotated[str | None, typer.Option(help="Only by this one, as tokens are named.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only done, refused or failed.")] = None,
    target: Annotated[str | None, typer.Option(help="Only what was done to this, such as an operator's id.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Show the audit trail, newest first."""
    from api.terminal.access import show_audit

    filters = {"action": action, "principal": principal, "outcome": outcome, "target": target}
    given = {key: value for key, value in filters.items() if value is not None}
    items, more = asyncio.run(_ask(given, most(limit, as_json=as_json)))
    print_items(items, show_audit, more=more, as_json=as_json, nothing="The audit trail has no such entry.")


async def _ask(filters: dict[str, str], limit: int | None) -> tuple[Items, bool]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.items("audit", filters, limit)
