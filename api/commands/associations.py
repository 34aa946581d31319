"""``mailroom associations`` and ``mailroom threads``: which CRM records emails concern, and their conversations."""

import asyncio
import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from api.commands.output import AsJson, Items, Limit, most, print_items

associations = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
threads = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@associations.callback()
def _associations() -> None:
    """Without a callback, typer takes a group of one command for the command."""


@associations.command("list")
def list_associations(  # noqa: PLR0913  # a filter each
    *,
    operator: Annotated[str | None, typer.Option(help="Only of this operator's emails, by id.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only with a contact, lead, account, organization or opportunity.")
    ] = None,
    record: Annotated[str | None, typer.Option(help="Only with the record of this id.")] = None,
    item: Annotated[str | None, typer.Option(help="Only of the email of this id.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only by this rule, such as domain or conversation.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List which emails concern which CRM records, and why, the newest first."""
    from api.terminal.associations import show_associations

    filters = {"operator": operator, "kind": kind, "record": record, "item": item, "rule": rule}
    given = {key: value for key, value in filters.items() if value is not None}
    items, more = asyncio.run(ask_items("associations", given, most(limit, as_json=as_json)))
    print_items(items, show_associations, more=more, as_json=as_json, nothing="There is no such association.")


@threads.command("list")
def list_threads(*, limit: Limit = None, as_json: AsJson = False) -> None:
    """List conversations across mailboxes, those with the newest emails first."""
    from api.terminal.associations import show_threads

    items, more = asyncio.run(ask_items("threads", {}, most(limit, as_json=as_json)))
    print_items(items, show_threads, more=more, as_json=as_json, nothing="There is no conversation.")


@threads.command("show")
def show_thread(
    thread_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `mailroom threads list` has it.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as it is.")] = False,
) -> None:
    """Show a conversation: each message once, and who has it."""
    thread = asyncio.run(_ask_one(thread_id))
    if as_json:
        typer.echo(json.dumps(thread, indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        from api.terminal import associations as terminal

        terminal.show_thread(Console(), thread)
    if thread["more"]:
        typer.echo(f"mailroom: there are more messages than these {len(thread['messages']):,}.", err=True)


async def ask_items(name: str, filters: dict[str, str], limit: int | None) -> tuple[Items, bool]:
    """The items of a list, and whether any were left out."""
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.items(name, filters, limit)


async def _ask_one(thread_id: str) -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.ask("GET", f"threads/{quote(thread_id, safe='')}")
