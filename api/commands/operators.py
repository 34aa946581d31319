"""``mailroom operators``: who there is, and whose mailbox is kept in step; one by one, or from a file."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from api.commands.importing import Import, import_file
from api.commands.output import AsJson, Items, Limit, most, print_items
from engine.errors import GatewayRefused, UnknownOperator

if TYPE_CHECKING:
    from api.client import GatewayClient

AT_ONCE = 8
"""Operators that are changed at once."""

Who = Annotated[str, typer.Argument(help="An operator's id or address.")]
Several = Annotated[list[str], typer.Argument(help="Ids or addresses.")]

operators = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@operators.command("import")
def import_operators(  # noqa: PLR0913  # a command has as many options
    file: Annotated[Path, typer.Argument(help="A CSV file whose first row names the columns; - reads standard input.")],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it, only show what would be done.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Do nothing if a row is in error.")] = False,
    disabled: Annotated[
        bool, typer.Option("--disabled", help="New operators the file does not say it of have email sync off.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(help="Write the rows in error there, to be mended and imported again.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as it is.")] = False,
) -> None:
    """Show what a file of operators would do, row by row; with --apply, do it."""
    import_file(file, Import(apply, strict, not disabled, errors), as_json=as_json)


@operators.command("list")
def list_operators(
    *,
    search: Annotated[str | None, typer.Option(help="Words of id, address or name.")] = None,
    enabled: Annotated[
        bool | None, typer.Option("--enabled/--disabled", help="Only those whose email sync is on, or off.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Only new, syncing, synced, failing, failed or disabled mailboxes.")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List operators and how each mailbox stands."""
    from api.terminal.operators import show_operators

    sync = None if enabled is None else str(enabled).lower()
    given = {"q": search, "email_sync": sync, "status": status}
    filters = {key: value for key, value in given.items() if value is not None}
    items, more = asyncio.run(_list(filters, most(limit, as_json=as_json)))
    print_items(items, show_operators, more=more, as_json=as_json, nothing="There is no such operator.")


@operators.command()
def show(who: Several, *, as_json: AsJson = False) -> None:
    """Show operators: everything about each, and what to do."""
    from api.terminal.operators import show_each

    items = asyncio.run(_each(who, None))
    print_items(items, show_each, more=False, as_json=as_json, nothing="")


@operators.command()
def enable(who: Several) -> None:
    """Switch email sync on; brings back a mailbox that has failed, too."""
    _say(asyncio.run(_each(who, {"email_sync": True})), "is enabled; its mailbox is synchronised now")


@operators.command()
def disable(who: Several) -> None:
    """Switch email sync off; what has landed stays."""
    _say(asyncio.run(_each(who, {"email_sync": False})), "is disabled; what has landed stays")


@operators.command()
def add(
    email: Annotated[str, typer.Argument(help="The mailbox's primary address.")],
    *,
    operator_id: Annotated[str | None, typer.Option("--id", help="By default the address.")] = None,
    name: Annotated[str, typer.Option()] = "",
    disabled: Annotated[bool, typer.Option("--disabled", help="With email sync off.")] = False,
) -> None:
    """Create an operator."""
    given = {"email": email, "name": name, "email_sync": not disabled}
    made = asyncio.run(
        _ask("POST", "operators", given if operator_id is None else {**given, "operator_id": operator_id})
    )
    off = ", with email sync off" if disabled else ""
    typer.echo(f"{made['operator_id']} ({made['email']}) has been created{off}.")


@operators.command("set")
def set_operator(
    who: Who,
    *,
    email: Annotated[str | None, typer.Option(help="The mailbox's primary address.")] = None,
    name: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Change an operator's address or name."""
    changes = {key: value for key, value in {"email": email, "name": name}.items() if value is not None}
    if not changes:
        raise typer.BadParameter("Nothing to change: give --email or --name.")
    [changed] = asyncio.run(_each([who], changes))
    typer.echo(f"{changed['operator_id']}: {changed['email']}, {changed['name'] or 'without a name'}.")


async def find_operator(client: "GatewayClient", who: str) -> dict[str, Any]:
    """The operator with this id, or else with this address, in any case.

    Raises:
        UnknownOperator: there is none.
    """
    try:
        return await client.ask("GET", path_of(who))
    except GatewayRefused as error:
        if error.code != "OPERATOR_UNKNOWN":
            raise
    found, _ = await client.items("operators", {"q": who}, None) if who.strip() else ([], False)
    for item in found:
        if item["email"].lower() == who.lower():
            return item
    raise UnknownOperator(f"There is no operator {who!r}, neither by id nor by address.")


def path_of(operator_id: str) -> str:
    """Where an operator is shown, below /api/v1/."""
    return f"operators/{quote(operator_id, safe='')}"


async def _each(who: Sequence[str], changes: Mapping[str, object] | None) -> Items:
    """The operators, changed if there is anything to change; nobody is, if one of them is not known."""
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        gate = asyncio.Semaphore(AT_ONCE)

        async def find(one: str) -> dict[str, Any]:
            async with gate:
                return await find_operator(client, one)

        async def change(one: dict[str, Any]) -> dict[str, Any]:
            async with gate:
                return await client.ask("PATCH", path_of(one["operator_id"]), changes)

        found = list(await asyncio.gather(*map(find, dict.fromkeys(who))))
        return found if changes is None else list(await asyncio.gather(*map(change, found)))


def _say(changed: Items, what: str) -> None:
    for one in changed:
        typer.echo(f"{one['operator_id']} ({one['email']}) {what}.")


async def _list(filters: dict[str, str], limit: int | None) -> tuple[Items, bool]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.items("operators", filters, limit)


async def _ask(method: str, name: str, body: object = None) -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.ask(method, name, body)
