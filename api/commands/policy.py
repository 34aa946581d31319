"""``mailroom policy``: what is kept out, one operator's own policy, and purging what has landed."""

import asyncio
import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from api.commands.output import AsJson

policy = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_Id = Annotated[str, typer.Argument(help="The operator's id.")]
_Several = "An address or a domain; may be given several times."


@policy.command()
def show(
    *,
    operator: Annotated[str, typer.Option("--operator", help="Of this operator, by id; else everybody's.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what does not land, and how many emails did not."""
    from api.terminal.policy import kept_lines, policy_lines

    found = asyncio.run(_ask("GET", _path(operator) if operator else "policy"))
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    effective = found["effective"] if operator else found["policy"]
    typer.echo("What does not land:")
    _print([*policy_lines(effective)] or ["  nothing is kept out"])
    typer.echo("Was kept out:")
    _print([*kept_lines(found["kept_out"])] or ["  nothing yet"])
    if not operator:
        typer.echo(f"Own domains: {', '.join(found['own_domains']) or 'none'}")
        if found["operators"]:
            typer.echo(f"With a policy of their own: {', '.join(found['operators'][:20])}")


@policy.command("set")
def set_own(  # noqa: PLR0913  # its options
    operator_id: _Id,
    *,
    skip_private: Annotated[bool, typer.Option("--skip-private", help="Private and confidential mail.")] = False,
    skip_internal: Annotated[bool, typer.Option("--skip-internal", help="Mail between own domains.")] = False,
    deny: Annotated[list[str] | None, typer.Option("--deny", help=f"Mail with it. {_Several}")] = None,
    allow: Annotated[list[str] | None, typer.Option("--allow", help=f"All other mail. {_Several}")] = None,
    skip_folder: Annotated[list[str] | None, typer.Option("--skip-folder", help="Mail of this folder.")] = None,
    only_known: Annotated[bool, typer.Option("--only-known", help="Mail that concerns no CRM record.")] = False,
) -> None:
    """Keep more out of one operator's mail than of everybody's; it replaces the operator's own policy whole."""
    body = {
        "skip_private": skip_private, "skip_internal": skip_internal, "deny": deny or [], "allow": allow or [],
        "skip_folders": skip_folder or [], "only_known": only_known,
    }  # fmt: skip
    if not any(body.values()):
        raise typer.BadParameter("Say what to keep out, or take the policy away: mailroom policy clear ID")
    _put(operator_id, body)


@policy.command()
def clear(operator_id: _Id) -> None:
    """Take an operator's own policy away; everybody's goes on holding."""
    _put(operator_id, {})


@policy.command()
def purge(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; nothing is taken out.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    later: Annotated[
        bool, typer.Option("--later", help="Write the file anew at the next purge, erasure or start, and not now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take out what has landed and the policies would keep out by now."""
    from api.terminal.policy import purge_lines

    if dry_run or not yes:
        preview = asyncio.run(_ask("POST", "policy/purge", {"dry_run": True}))
        if dry_run and as_json:
            typer.echo(json.dumps(preview, indent=2, ensure_ascii=False))
            return
        for line in purge_lines(preview):
            typer.echo(line, err=not dry_run)
        if dry_run:
            return
        typer.confirm("Take them out? They come back only if the policies change", abort=True, err=True)
    receipt = asyncio.run(_ask("POST", "policy/purge", {"later": later}))
    _print([json.dumps(receipt, indent=2, ensure_ascii=False)] if as_json else [*purge_lines(receipt)])


def _put(operator_id: str, body: dict[str, Any]) -> None:
    from api.terminal.policy import policy_lines

    changed = asyncio.run(_ask("PUT", _path(operator_id), body))
    typer.echo(f"What does not land of {operator_id}'s mail:")
    _print([*policy_lines(changed["effective"])] or ["  nothing is kept out"])


def _print(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)


def _path(operator_id: str) -> str:
    return f"operators/{quote(operator_id, safe='')}/policy"


async def _ask(method: str, path: str, body: object = None) -> dict[str, Any]:
    from api.client import connect_by_environment

    async with connect_by_environment() as client:
        return await client.ask(method, path, body)
