"""``mailroom demo``: everything on this machine, with a simulated Exchange, until Ctrl-C."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import AddressUnavailable, SettingsError

if TYPE_CHECKING:
    from api.commands.serve import Running
    from api.demo import steps
    from api.demo.exchange import SimulatedProcess
    from engine.settings import Settings

_MAIL_FOLDERS = ("inbox", "sentitems")
_GENERATED_FOLDERS = (*_MAIL_FOLDERS, "inbox/Customers", "inbox/Projects", "msgfolderroot/Archive/Contracts")
_PORT = 8080
_ALL_DAYS = 200_000
"""Mail of a folder may be of any age; everything is synchronised."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was asked for."""

    operators: int
    emails: int
    mail: Path | None
    once: bool

    def total(self) -> int:
        """How many emails Exchange serves."""
        return sum(1 for _ in self.mail.rglob("*.eml")) if self.mail else self.operators * self.emails

    def folders(self) -> tuple[str, ...]:
        """Everywhere mail is served from."""
        return _GENERATED_FOLDERS if self.emails and not self.mail else _MAIL_FOLDERS


def demo(  # noqa: PLR0913  # its options
    *,
    operators: Annotated[int, typer.Option(min=1, max=9999, help="Mailboxes.")] = 200,
    emails: Annotated[int, typer.Option(min=0, help="Generated emails in each mailbox.")] = 50,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The gateway's; 8080, or a free one.", show_default=False)
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Keep the store in this folder.", show_default=False)] = None,
    mail: Annotated[
        Path | None, typer.Option(help="Serve the .eml files of this folder instead.", show_default=False)
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when synced and verified.")] = False,
) -> None:
    """Start a simulated Exchange with mail and a whole Mailroom, synchronise, and show it."""
    from api.commands.lifecycle import run_until_stopped, terminate_as_interrupt
    from api.commands.simulate import check_mail

    check_mail(mail)
    plan, chosen = _Plan(operators, emails, mail, once), _port(port)
    with terminate_as_interrupt(), contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder(data))
        typer.echo(f"Starting a simulated Exchange with {operators:,} mailboxes, and Mailroom.")
        exchange = stack.enter_context(_exchange(plan, folder))
        settings = _settings(plan, exchange, folder, chosen)
        running = _start(settings)
        stack.callback(_stop, running)
        failed = run_until_stopped(_show(plan, settings, running, exchange))
    if failed:
        raise typer.Exit(1)


async def _show(plan: _Plan, settings: "Settings", running: "Running", exchange: "SimulatedProcess") -> bool:
    """Synchronise, prove it, and go on delivering unless it is for once; whether the proof failed."""
    from api.client import connect
    from api.demo import steps
    from api.demo.report import where_to_ask

    token = settings.admin_token.get_secret_value()
    async with connect(running.url, token) as client:
        demo = steps.Demo(exchange, client, running.status, plan.operators, plan.total())
        status = await steps.until_synced(demo)
        typer.echo(f"Synced: {status.operators.synced:,} mailboxes, {status.emails:,} emails.")
        right = await _prove(plan, demo)
        if right and not plan.once:
            for line in where_to_ask(running.url, token):
                typer.echo(line)
            await steps.deliver_now_and_then(demo, typer.echo)
    return not right


async def _prove(plan: _Plan, demo: "steps.Demo") -> bool:
    from rich.console import Console

    from api.demo import steps
    from api.demo.report import show_comparison

    if plan.mail:
        found = await steps.compare_all(demo, plan.folders())
        show_comparison(Console(), found)
        return found.right
    await steps.check_counts(demo, plan.emails)
    typer.echo("Verified: every mailbox has as many emails in the store as Exchange serves.")
    return True


def _exchange(plan: _Plan, folder: Path) -> "SimulatedProcess":
    from api.demo.exchange import SimulatedProcess

    arguments = ["--operators", str(plan.operators), "--emails", str(plan.emails)]
    if plan.mail:
        arguments += ["--mail", str(plan.mail.absolute())]
    return SimulatedProcess(arguments, secrets.token_urlsafe(24), folder / "simulator.log")


def _settings(plan: _Plan, exchange: "SimulatedProcess", folder: Path, port: int) -> "Settings":
    from engine.settings import build_settings
    from engine.simulator import operators as people

    raw: dict[str, Any] = {
        "exchange": {"url": exchange.url, "username": exchange.username},
        # Everything lands, private mail too, so that all of it can be compared.
        "email_sync": {
            "folders": plan.folders(),
            "sync_from_days": _ALL_DAYS,
            "notification_frequency": 2,
            "skip_private": False,
        },
        "jobs": {"EmailSync": {"every": "1m"}},
        "store": {"path": folder / "mailroom.duckdb"},
        "gateway": {"port": port},
        "operators": [person._asdict() for person in people(plan.operators)],
    }
    environ = {
        "MAILROOM_EXCHANGE_PASSWORD": exchange.password,
        "MAILROOM_ADMIN_TOKEN": secrets.token_urlsafe(24),
        # With a folder that is used again, whom it keeps out is known by the key it was made with.
        "MAILROOM_KEY": os.environ.get("MAILROOM_KEY") or secrets.token_hex(32),
    }
    return build_settings(raw, environ, "demo")


def _start(settings: "Settings") -> "Running":
    from actors.cluster import start

    running = start(settings, quiet=True)
    total = running.status().operators.total
    if total > len(settings.operators):
        running.stop()
        raise SettingsError(
            f"--data: {settings.store.path.parent} holds {total:,} operators of an earlier demo. "
            f"Give an empty folder, or --operators {total}."
        )
    return running


def _stop(running: "Running") -> None:
    typer.echo("Stopping.")
    running.stop()


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """Where the store is kept: the given folder, or one that goes away with the demo."""
    if data is None:
        with tempfile.TemporaryDirectory(prefix="mailroom-demo-") as name:
            yield Path(name)
        return
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"--data: {data} cannot be made: {error.strerror}. Give another folder.") from error
    yield data


def _port(wanted: int | None) -> int:
    from api.serve_http import check_address
    from engine.settings import GatewaySettings

    try:
        check_address(GatewaySettings(port=_PORT if wanted is None else wanted))
    except AddressUnavailable:
        if wanted is not None:
            raise
        return 0
    return _PORT if wanted is None else wanted
