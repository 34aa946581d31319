"""``mailroom tokens``: give out tokens, see which there are, and let one be valid no more."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from api.commands.output import AsJson, Items, print_items
from engine.errors import UnknownToken

tokens = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for, such as grafana; the audit trail shows it.")],
    *,
    role: Annotated[str, typer.Option(help="administrator, sales_ops or viewer.")],
    expires: Annotated[str, typer.Option(help='"90d", "12h", or never.')] = "never",
    group: Annotated[list[str] | None, typer.Option(help="An access group of jobs; may be repeated.")] = None,
) -> None:
    """Make a token and print it: this once, alone on standard output."""
    body = {"name": name, "role": role, "groups": group or [], "expires_at": _until(expires)}
    made = asyncio.run(_ask("POST", "tokens", body))
    typer.echo(made["token"])
    until = f"until {made['expires_at']}" if made["expires_at"] else "until it is revoked"
    typer.echo(f"mailroom: {made['name']} ({made['role']}), {until}. It is not shown again.", err=True)


@tokens.command("list")
def list_tokens(
    *,
    every: Annotated[bool, typer.Option("--all", help="Revoked and expired ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List tokens: id, name, role, groups, by whom, until when, last used."""
    from api.terminal.access import show_tokens

    found = asyncio.run(_ask("GET", "tokens"))["items"]
    shown = found if every else [one for one in found if _is_valid(one)]
    print_items(shown, show_tokens, more=False, as_json=as_json, nothing="No token has been given out.")


@tokens.command()
def revoke(token: Annotated[str, typer.Argument(help="Its id, or the name of one that is not revoked.")]) -> None:
    """Let a token be valid no more, at once."""
    revoked = asyncio.run(_revoke(token))
    sys.stdout.write(f"{revoked['name']} ({revoked['token_id']}) is revoked.\n")


def _until(expires: str) -> str | None:
    from engine.intervals import interval

    if expires.strip().lower() == "never":
        return None
    try:
        span = interval(expires)
    except ValueError as error:
        raise typer.BadParameter(f"--expires: {error}, or never.") from None
    return (datetime.now(UTC) + span).isoformat()


def _is_valid(token: dict[str, Any]) -> bool:
    expires_at = token["expires_at"]
    expired = expires_at is not None and datetime.fromisoformat(expires_at) <= datetime.now(UTC)
    return token["revoked_at"] is None and not expired


async def _ask(method: str, name: str, body: object = None) -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.ask(method, name, body)


async def _revoke(token: str) -> dict[str, Any]:
    """Revoke by id, or by the name of one in use.

    Raises:
        UnknownToken: there is none such.
    """
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        found: Items = (await client.ask("GET", "tokens"))["items"]
        named = [one for one in found if one["name"] == token and one["revoked_at"] is None]
        chosen = [one for one in found if one["token_id"] == token] or named
        if not chosen:
            raise UnknownToken(f"There is no token {token!r}, neither by id nor by name. See `mailroom tokens list`.")
        return await client.ask("DELETE", f"tokens/{quote(chosen[0]['token_id'], safe='')}")
