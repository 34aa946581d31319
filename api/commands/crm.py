"""``mailroom crm``: the records that emails are associated with; from a file, and one by one."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from api.commands.files import read_file
from api.commands.output import AsJson, Items, Limit, most, print_items
from engine.errors import GatewayRefused

IMPORT_SECONDS = 3600
"""How long the answer to an import may take: millions of records do."""

Kind = Annotated[str, typer.Argument(help="contacts, leads, accounts, organizations or opportunities.")]
Id = Annotated[str, typer.Argument(help="The record's id in the CRM.")]

crm = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@crm.command("import")
def import_records(
    kind: Kind,
    file: Annotated[
        Path, typer.Argument(help="A CSV file whose first row names the columns, or Parquet; - reads standard input.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Do nothing if a row is in error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as it is.")] = False,
) -> None:
    """Insert or replace the records of a file, by id; those that are not in it stay."""
    found, refused = asyncio.run(
        _import(kind, read_file(file, "a CSV or Parquet file"), dry_run=dry_run, strict=strict)
    )
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        from api.terminal.crm import show_import

        show_import(Console(), found, file.name, done=not dry_run and not refused)
    if refused or (strict and found["errors"]):
        typer.echo("mailroom: nothing was imported, because of the rows in error (--strict).", err=True)
        raise typer.Exit(1)
    if dry_run and not as_json:
        typer.echo("Nothing has been changed. Without --dry-run it is done.")


@crm.command("list")
def list_records(
    kind: Kind,
    *,
    search: Annotated[str | None, typer.Option(help="Words of id, name or addresses.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner's, as the CRM has it.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List the records of a kind, by id."""
    from api.terminal.crm import show_records

    given = {"q": search, "owner": owner}
    filters = {key: value for key, value in given.items() if value is not None}
    items, more = asyncio.run(_list(kind, filters, most(limit, as_json=as_json)))
    print_items(items, show_records, more=more, as_json=as_json, nothing="There is no such record.")


@crm.command()
def show(kind: Kind, record_id: Id, *, as_json: AsJson = False) -> None:
    """Show a record: everything about it."""
    from api.terminal.crm import show_each

    item = asyncio.run(_ask("GET", kind, record_id))
    print_items([item], show_each, more=False, as_json=as_json, nothing="")


@crm.command()
def delete(kind: Kind, record_id: Id) -> None:
    """Delete a record; emails that were associated with it are associated anew."""
    gone = asyncio.run(_ask("DELETE", kind, record_id))
    typer.echo(f"{gone['record_id']} is no longer among the {gone['kind']}.")


async def _import(kind: str, data: bytes, *, dry_run: bool, strict: bool) -> tuple[dict[str, Any], bool]:
    """The gateway's answer; and whether it refused, so that the answer is that of a dry run."""
    from api.client import connect_by_environment

    params = {"dry_run": str(dry_run).lower(), "strict": str(strict).lower()}
    async with connect_by_environment(IMPORT_SECONDS) as client:
        try:
            return dict(json.loads(await client.upload(_path(kind), data, params))), False
        except GatewayRefused as error:
            if error.code != "IMPORT_ERRORS":
                raise
        # An error has no room for the rows
        return dict(json.loads(await client.upload(_path(kind), data, {"dry_run": "true"}))), True


def _path(kind: str, record_id: str | None = None) -> str:
    base = f"crm/{quote(kind, safe='')}"
    return base if record_id is None else f"{base}/{quote(record_id, safe='')}"


async def _list(kind: str, filters: dict[str, str], limit: int | None) -> tuple[Items, bool]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.items(_path(kind), filters, limit)


async def _ask(method: str, kind: str, record_id: str) -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.ask(method, _path(kind, record_id))
