"""``mailroom failures``, ``subscriptions``, ``mailboxes`` and ``alerts``: who has what trouble, and what to do."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.output import AsJson, Items, Limit, most, print_items
from engine.errors import UnknownOperator

if TYPE_CHECKING:
    from rich.console import Console

Code = Annotated[str | None, typer.Option(help="Only this cause, such as MAILBOX_NOT_FOUND.")]
Who = Annotated[str | None, typer.Option("--operator", help="Only this operator, by id or address.")]


def failures(
    *,
    code: Code = None,
    operator: Who = None,
    kind: Annotated[str | None, typer.Option(help="Only of a mailbox, subscription or item.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List what does not work: cause, what to do, and whom it touches."""
    from api.terminal.lists import show_failures

    filters = {"code": code, "kind": kind}
    items, more = asyncio.run(_ask("failures", filters, [operator], most(limit, as_json=as_json)))
    print_items(items, show_failures, more=more, as_json=as_json, nothing="Nothing fails.")


def subscriptions(
    *,
    code: Code = None,
    operator: Who = None,
    status: Annotated[str | None, typer.Option(help="Only active, failed, lost or retired ones.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List push subscriptions: when they were made and last heard."""
    from api.terminal.lists import show_subscriptions

    filters = {"code": code, "status": status}
    items, more = asyncio.run(_ask("subscriptions", filters, [operator], most(limit, as_json=as_json)))
    print_items(items, show_subscriptions, more=more, as_json=as_json, nothing="There is no subscription.")


def mailboxes(
    operators: Annotated[list[str] | None, typer.Argument(help="Ids or addresses; none: all.")] = None,
    *,
    status: Annotated[
        str | None, typer.Option(help="Only new, syncing, synced, failing, failed or disabled ones.")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List mailboxes: state, last success, next attempt; of named ones, everything and what to do."""
    from api.terminal.lists import show_mailboxes

    asked = _ask("mailboxes", {"status": status}, operators or [None], most(limit, as_json=as_json))
    items, more = asyncio.run(asked)
    show = _show_each if operators else show_mailboxes
    print_items(items, show, more=more, as_json=as_json, nothing="There is no mailbox.")


def alerts(
    *,
    code: Code = None,
    status: Annotated[str | None, typer.Option(help="Only gathering, reported or closed ones.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List alerts: which causes were reported by mail, to how many operators they apply, and which are over."""
    from api.terminal.lists import show_alerts

    filters = {"code": code, "status": status}
    items, more = asyncio.run(_ask("alerts", filters, [None], most(limit, as_json=as_json)))
    print_items(items, show_alerts, more=more, as_json=as_json, nothing="There has been no alert.")


def _show_each(console: "Console", items: Items, now: datetime) -> None:
    from api.terminal.lists import show_mailbox

    for item in items:
        show_mailbox(console, item, now)


async def _ask(
    name: str, filters: dict[str, str | None], operators: Sequence[str | None], limit: int | None
) -> tuple[Items, bool]:
    """The items of each of these operators (None: of all), and whether any were left out.

    Raises:
        UnknownOperator: a named operator has no mailbox.
    """
    from api.client import connect_by_environment

    given = {key: value for key, value in filters.items() if value is not None}
    found: Items = []
    more = False
    async with connect_by_environment() as client:
        for operator in operators:
            who = {} if operator is None else {"operator": operator}
            items, left = await client.items(name, {**given, **who}, limit)
            if not items and operator is not None:
                items, left = await client.items(name, {**given, "email": operator}, limit)
            if not items and operator is not None:
                known, _ = await client.items("mailboxes", {"operator": operator}, 1)
                known = known or (await client.items("mailboxes", {"email": operator}, 1))[0]
                if not known:
                    raise UnknownOperator(f"There is no operator {operator!r}, neither by id nor by address.")
            found += items
            more = more or left
    return found, more
