"""``mailroom serve``: the whole of Mailroom, from one configuration file, until it is told to stop."""

import asyncio
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from pydantic import SecretStr

from engine.errors import MailroomError

if TYPE_CHECKING:
    from engine.settings import Settings
    from engine.status import Status

WATCH_SECONDS = 2.0


class _Check(Enum):
    """What is asked of Exchange and the notification URL before and while starting, and what trouble there leads to."""

    NOTHING = "nothing"
    TOLERANT = "warn"
    STRICT = "stop"


class Running(Protocol):
    """What ``actors.cluster.start`` gives: a started cluster, as the commands need it."""

    @property
    def url(self) -> str:
        """Where its gateway answers."""
        ...

    def status(self) -> "Status":
        """The figures of ``GET /api/v1/status``, without a credential; raises errors of the tree."""
        ...

    def stop(self) -> None:
        """Stop everything that was started."""
        ...


def serve(
    *,
    config: Annotated[Path, typer.Option(help="The TOML file.", show_default=False)],
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Start without asking Exchange and the notification URL first.")
    ] = False,
) -> None:
    """Run Mailroom until Ctrl-C or SIGTERM: hosts, coordinator, store and gateway."""
    from api.commands.lifecycle import run_until_stopped, terminate_as_interrupt
    from engine import logs
    from engine.settings import load_settings

    with terminate_as_interrupt():
        logs.configure()
        settings = _with_key(load_settings(config))
        ruling = _ruling(settings)
        check = _Check.NOTHING if no_check else _how_strictly(settings)
        _check(ruling, check)
        from actors.cluster import start  # Ray takes a second to load; a wrong setting need not wait for it

        running = start(settings)
        try:
            _announce(ruling, config, running.url)
            with _tolerant(check):
                _check_listener(ruling, check)
            run_until_stopped(_watch(running))
            typer.echo("Stopping.")
        finally:
            running.stop()
    typer.echo("Stopped.")


def _with_key(settings: "Settings") -> "Settings":
    if settings.key.get_secret_value() or settings.admin_token.get_secret_value():
        return settings
    _warn(
        "MAILROOM_KEY is not set: after a restart, notifications of today's subscriptions will not be known. "
        "Set it to a long random text (`openssl rand -hex 32`) and keep it."
    )
    return settings.model_copy(update={"key": SecretStr(secrets.token_hex(32))})


def _ruling(settings: "Settings") -> "Settings":
    """With the Application Settings that will rule: the store's, where it has any and they can be seen from here."""
    from engine.application_settings.document import document_of, with_document
    from engine.store.settings import peek

    if settings.cluster.address:
        return settings
    return with_document(settings, peek(settings.store.path, document_of(settings)))


def _how_strictly(settings: "Settings") -> _Check:
    """Where mail has been synchronised before, the configuration was right once.

    What is wrong now may be an outage, and a Mailroom that has not started cannot go on when it is over.
    """
    from engine.store.peeking import has_synchronised

    known = not settings.cluster.address and has_synchronised(settings.store.path)
    return _Check.TOLERANT if known else _Check.STRICT


@contextmanager
def _tolerant(check: _Check) -> Iterator[None]:
    from api.words import error_lines

    try:
        yield
    except MailroomError as error:
        if check is not _Check.TOLERANT:
            raise
        for line in error_lines(error):
            _warn(line)
        _warn("Mailroom has synchronised by this store before, so it starts all the same.")


def _check(settings: "Settings", check: _Check) -> None:
    from api.preflight import check_store
    from api.serve_http import check_address, tls_context

    tls_context(settings.gateway)
    check_address(settings.gateway)
    if not settings.cluster.address:
        check_store(settings.store.path)
    if check is not _Check.NOTHING:
        with _tolerant(check):
            asyncio.run(_ask_exchange(settings))


async def _ask_exchange(settings: "Settings") -> None:
    from api.preflight import check_exchange, check_reachable
    from engine.sources.ews.source import EwsSource

    await check_reachable(settings.exchange.url)
    operators = [operator.record() for operator in settings.operators if operator.email_sync]
    source = EwsSource(settings.exchange, 1)
    try:
        await check_exchange(source, operators, settings.email_sync.folders, _warn)
    finally:
        await source.close()


def _check_listener(settings: "Settings", check: _Check) -> None:
    from api.preflight import check_listener
    from engine.callback import signing_key

    if check is _Check.NOTHING or not settings.email_sync.notification_url:
        return
    key = signing_key(settings.key.get_secret_value(), settings.admin_token.get_secret_value())
    asyncio.run(check_listener(settings.email_sync.notification_url, key, _warn))


def _announce(settings: "Settings", config: Path, url: str) -> None:
    typer.echo(f"Mailroom is up at {url}. `mailroom status` shows how it goes; Ctrl-C stops it.")
    if not settings.operators:
        _warn(f"{config} names no operator. `mailroom operators add` and `import` bring some, and [[operators]] there.")
    if not settings.admin_token.get_secret_value():
        _warn("MAILROOM_ADMIN_TOKEN is not set: nobody can ask the gateway anything. Set it and start again.")
    if not settings.email_sync.notification_url:
        _warn(
            f"email_sync.notification_url is empty: Exchange is told {url}, so push works only if it can reach that "
            "address. The EmailSync job synchronises either way."
        )


async def _watch(running: Running) -> None:
    """Print each trouble once when it starts and once when it is over."""
    from api.words import TroubleReport, error_lines

    report, unanswered = TroubleReport(), ""
    while True:
        try:
            status = await asyncio.to_thread(running.status)
        except MailroomError as error:
            line = " ".join(error_lines(error))
            if not unanswered:
                _warn(f"the store does not answer: {line}")
            unanswered = line
        else:
            if unanswered:
                _warn("the store answers again.")
            unanswered = ""
            for line in report.observe(status.troubles):
                _warn(line)
        await asyncio.sleep(WATCH_SECONDS)


def _warn(line: str) -> None:
    sys.stderr.write(f"mailroom: {line}\n")
    sys.stderr.flush()
