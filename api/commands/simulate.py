"""``mailroom simulate``: a simulated Exchange by itself, to point a Mailroom or another client at."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import SettingsError

if TYPE_CHECKING:
    from engine.simulator import SimulatedExchange, SimulatorOptions


def simulate(  # noqa: PLR0913  # its options
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 0,
    operators: Annotated[int, typer.Option(min=1, help="Mailboxes.")] = 3,
    emails: Annotated[int, typer.Option(min=0, help="Generated emails in each mailbox.")] = 20,
    mail: Annotated[Path | None, typer.Option(help="Serve the .eml files of this folder instead.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same mail.")] = 1,
    with_stdin: Annotated[bool, typer.Option("--stop-with-stdin", hidden=True)] = False,
) -> None:
    """Run a simulated Exchange until Ctrl-C. Its password is MAILROOM_EXCHANGE_PASSWORD, or "simulated"."""
    from api.commands.lifecycle import run_until_stopped
    from api.serve_http import check_address
    from engine.settings import GatewaySettings
    from engine.simulator import SimulatorOptions

    check_mail(mail)
    check_address(GatewaySettings(port=port))
    password = os.environ.get("MAILROOM_EXCHANGE_PASSWORD") or SimulatorOptions().password
    options = SimulatorOptions(
        port=port, operators=operators, emails=emails, mail_dir=mail, seed=seed, password=password
    )
    run_until_stopped(_serve(options, with_stdin=with_stdin))


def check_mail(folder: Path | None) -> None:
    """Whether a folder given with --mail has mail in it.

    Raises:
        SettingsError: it has not.
    """
    if folder is None:
        return
    if not folder.is_dir():
        raise SettingsError(f"--mail: {folder} is not a folder. Give one with .eml files in it.")
    if not any(folder.rglob("*.eml")):
        raise SettingsError(f"--mail: there is no .eml file in {folder}.")


async def _serve(options: "SimulatorOptions", *, with_stdin: bool) -> None:
    from engine.simulator import run

    server = asyncio.ensure_future(run(options, _announce))
    waits = [server, asyncio.ensure_future(asyncio.to_thread(_drain_stdin))] if with_stdin else [server]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if server.done():
            server.result()
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


def _drain_stdin() -> None:
    """Ends when the other end of stdin is closed: the process that started this one is gone."""
    while sys.stdin.buffer.read(1024):
        pass


def _announce(exchange: "SimulatedExchange") -> None:
    options = exchange.options
    if not sys.stdout.isatty():
        about = {"url": exchange.url, "base_url": exchange.base_url, "username": options.username}
        typer.echo(json.dumps({**about, "operators": [person.email for person in exchange.operators]}))
        sys.stdout.flush()
        return
    typer.echo(f"Simulated Exchange ({options.version}) at {exchange.url}")
    typer.echo(f"  account {options.username}, which may impersonate everybody")
    typer.echo(f"  {options.operators} mailboxes, {exchange.operators[0].email} and on")
    typer.echo("Ctrl-C stops it.")
