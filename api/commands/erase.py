"""``mailroom erase``: erase one person's mail and keep it out; ``mailroom erasures``: the receipts, and lifting one."""

import asyncio
import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from api.commands.output import AsJson, Items, Limit, most, print_items

erasures = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_Id = Annotated[str, typer.Argument(help="The receipt's id.")]


def erase(  # noqa: PLR0913  # its options
    address: Annotated[str, typer.Argument(help="The person's address; tagged ones (ann+x@…) are meant with it.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; nothing is erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    including_operator: Annotated[
        bool, typer.Option("--including-operator", help="Also an operator's own address: the whole mailbox goes.")
    ] = False,
    later: Annotated[
        bool, typer.Option("--later", help="Write the file anew at the next erasure or start, and not now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase one person's mail from every mailbox's landing, keep it out from now on, and print a receipt."""
    body = {"address": address, "dry_run": True, "including_operator": including_operator}
    if dry_run or not yes:
        preview = asyncio.run(_ask("POST", "erasures", body))
        if dry_run:
            _print(preview, as_json=as_json)
            return
        typer.echo(f"{preview['emails']:,} emails in {len(preview['mailboxes']):,} mailboxes name {address}.", err=True)
        typer.confirm("Erase them, and keep out what comes later? It cannot be undone", abort=True, err=True)
    _print(asyncio.run(_ask("POST", "erasures", {**body, "dry_run": False, "later": later})), as_json=as_json)


@erasures.command("list")
def list_erasures(*, limit: Limit = None, as_json: AsJson = False) -> None:
    """List the receipts, newest first."""
    from api.terminal.erasures import show_erasures

    items, more = asyncio.run(_items(most(limit, as_json=as_json)))
    print_items(items, show_erasures, more=more, as_json=as_json, nothing="Nobody has been erased.")


@erasures.command()
def show(erasure_id: _Id, *, as_json: AsJson = False) -> None:
    """Print one receipt."""
    _print(asyncio.run(_ask("GET", _path(erasure_id))), as_json=as_json)


@erasures.command()
def lift(
    erasure_id: _Id,
    *,
    relist: Annotated[
        bool, typer.Option("--relist", help="List every folder of every mailbox anew, so that the mail comes back.")
    ] = False,
) -> None:
    """Keep the mail of an erasure's address out no longer."""
    lifted = asyncio.run(_ask("POST", f"{_path(erasure_id)}/lift", {"relist": relist}))
    typer.echo(f"The address of erasure {lifted['erasure_id']} is off the list.")
    typer.echo(
        "Every folder is being listed anew; what is missing comes back as it is fetched."
        if relist
        else "New mail lands again. What was kept out comes back when it changes or its folder is listed anew."
    )


def _print(receipt: dict[str, Any], *, as_json: bool) -> None:
    from api.terminal.erasures import receipt_lines

    if as_json:
        typer.echo(json.dumps(receipt, indent=2, ensure_ascii=False))
        return
    for line in receipt_lines(receipt):
        typer.echo(line)


def _path(erasure_id: str) -> str:
    return f"erasures/{quote(erasure_id, safe='')}"


async def _ask(method: str, path: str, body: object = None) -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.ask(method, path, body)


async def _items(limit: int | None) -> tuple[Items, bool]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.items("erasures", {}, limit)
