"""What a demo does once everything runs: wait for the first synchronisation, prove it, and let new mail arrive."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from api.client import GatewayClient
from api.demo.compare import Comparison, compare
from api.demo.exchange import SimulatedProcess
from api.demo.progress import display
from engine.errors import ClusterError, MailroomError
from engine.status import Status

POLL_SECONDS = 0.3
STALLED_SECONDS = 180.0
"""How long nothing at all may move before the demo is given up: longer than any retry or backoff of a first sync."""

LANDING_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_PAUSE_SECONDS = (2.0, 6.0)


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo. ``status`` blocks; ``emails`` is how many are served in all."""

    exchange: SimulatedProcess
    client: GatewayClient
    status: Callable[[], Status]
    operators: int
    emails: int


async def until_synced(demo: Demo) -> Status:
    """Show progress until every mailbox is synced and subscribed.

    Raises:
        ClusterError: nothing has moved for a long time.
    """
    moved_at, before = time.monotonic(), Status()
    with display(demo.operators, demo.emails) as shown:
        while True:
            status = await asyncio.to_thread(demo.status)
            shown.show(status)
            if _is_done(demo, status):
                return status
            if status != before:
                moved_at, before = time.monotonic(), status
            elif time.monotonic() - moved_at > STALLED_SECONDS:
                raise ClusterError(f"Nothing has moved for {STALLED_SECONDS:.0f} seconds. {_where(demo, status)}")
            await asyncio.sleep(POLL_SECONDS)


async def check_counts(demo: Demo, each: int) -> None:
    """Every operator has as many current emails as Exchange serves, and no other operator has any.

    Raises:
        MailroomError: not so.
    """
    rows = await demo.client.rows("SELECT operator_email, count(*) AS n FROM emails GROUP BY operator_email")
    stored = {row["operator_email"]: row["n"] for row in rows}
    served = {operator["email"]: each for operator in await demo.exchange.operators() if each}
    wrong = sorted(email for email in stored.keys() | served if stored.get(email) != served.get(email))
    if wrong:
        one = wrong[0]
        raise MailroomError(
            f"{len(wrong)} mailboxes do not have the emails Exchange serves; {one} has {stored.get(one, 0):,} instead "
            f"of {served.get(one, 0):,}."
        )


async def compare_all(demo: Demo, folders: tuple[str, ...]) -> Comparison:
    """Compare every message of every mailbox with its row."""
    found = Comparison()
    for operator in await demo.exchange.operators():
        served = [item for folder in folders for item in await demo.exchange.items(operator["email"], folder)]
        key = [operator["operator_id"]]
        stored = await demo.client.rows("SELECT * FROM emails WHERE operator_id = ?", key)
        names = await demo.client.rows(
            "SELECT item_id, list(name) AS names FROM attachments WHERE operator_id = ? GROUP BY item_id", key
        )
        reasons = await demo.client.rows(
            "SELECT item_id, code || ': ' || message AS reason FROM failures WHERE kind = 'item' AND operator_id = ?",
            key,
        )
        attachments = {row["item_id"]: [name or "" for name in row["names"]] for row in names}
        quarantined = {row["item_id"]: row["reason"] or "" for row in reasons}
        compare(found, served, stored, attachments, quarantined)
    return found


async def deliver_now_and_then(demo: Demo, say: Callable[[str], None]) -> None:
    """Let mail arrive for somebody every few seconds, and say when it has landed. Ends only when cancelled."""
    operators = await demo.exchange.operators()
    while True:
        await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311  # no secret
        operator = random.choice(operators)  # noqa: S311  # the same
        started = time.monotonic()
        item = await demo.exchange.arrive(operator["email"])
        landed = await _landing(demo, operator["operator_id"], item["item_id"], started)
        when = f"landed after {landed:.2f} s" if landed is not None else f"has not landed in {LANDING_SECONDS:.0f} s"
        say(f"New mail for {operator['email']}: {item['subject']!r} {when}.")


async def _landing(demo: Demo, operator_id: str, item_id: str, started: float) -> float | None:
    """Seconds until a query finds the email."""
    while time.monotonic() - started < LANDING_SECONDS:
        sql = "SELECT landed_at FROM emails WHERE operator_id = ? AND item_id = ?"
        if await demo.client.rows(sql, [operator_id, item_id]):
            return time.monotonic() - started
        await asyncio.sleep(_LOOK_SECONDS)
    return None


def _is_done(demo: Demo, status: Status) -> bool:
    synced = status.operators.synced >= demo.operators and not status.pending
    return synced and status.subscriptions.active >= demo.operators


def _where(demo: Demo, status: Status) -> str:
    reached = (
        f"{status.operators.synced:,} of {demo.operators:,} mailboxes are synced, {status.pending:,} emails are "
        f"pending, {status.subscriptions.active:,} subscriptions are active."
    )
    troubles = (
        f" {trouble.code}: {trouble.cause} ({trouble.example}: {trouble.message})" for trouble in status.troubles
    )
    return reached + "".join(troubles)
