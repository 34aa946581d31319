"""What passes leave in the log: once when it begins, once when it ends."""

from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from engine.errors import AuthenticationFailed, MailboxNotFound, SourceUnavailable
from engine.model import MailboxStatus
from engine.orders import Orders
from tests.unit.sync.world import ANN, BOB, World

GONE = MailboxNotFound("nobody", code="ErrorNonExistentMailbox")
MOVING = SourceUnavailable("moving", code="ErrorMailboxMoveInProgress")

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def told() -> Iterator[Lines]:
    """All that is said, whatever level somebody has set up before."""
    before = structlog.get_config()
    structlog.reset_defaults()
    with capture_logs() as lines:
        yield lines
    structlog.configure(**before)


def said(lines: Lines, who: str = ANN) -> list[tuple[str, str]]:
    """Level and event of what was said of a mailbox since the last time."""
    found = [(line["log_level"], line["event"]) for line in lines if line.get("operator") == who]
    lines.clear()
    return found


async def test_failing_giving_up_and_recovering_are_told_once_each(world: World, told: Lines) -> None:
    for _ in range(3):
        world.source.fail_next(MOVING)
        await world.sync(ANN)
    assert said(told) == [("warning", "sync failed"), ("debug", "sync failed"), ("debug", "sync failed")]
    world.clock.advance(timedelta(hours=1))
    for _ in range(2):
        world.source.fail_next(MOVING)
        await world.sync(ANN)
    assert said(told) == [("warning", "sync given up, reported"), ("debug", "sync given up, reported")]
    await world.sync(ANN)
    await world.sync(ANN)
    assert said(told) == [("info", "sync recovered"), ("info", "sync finished")]


async def test_a_permanent_cause_is_told_with_its_remedy(world: World, told: Lines) -> None:
    world.source.fail_next(GONE)
    await world.sync(ANN)
    (line,) = told
    assert (line["log_level"], line["event"], line["code"]) == (
        "warning",
        "sync given up, reported",
        "MAILBOX_NOT_FOUND",
    )
    assert line["remedy"]
    assert "nobody" in line["message"]


async def test_a_host_that_begins_anew_does_not_tell_again(world: World, told: Lines) -> None:
    world.source.fail_next(GONE, times=2)
    await world.sync(ANN)
    world.mailboxes = world.host()
    await world.sync(ANN)
    assert [level for level, _ in said(told)] == ["warning", "debug"]


async def test_what_is_everybodys_is_not_told_of_each(world: World, told: Lines) -> None:
    world.source.fail_next(AuthenticationFailed("no", code="HTTP 401"))
    await world.sync(ANN)
    told.clear()
    await world.sync(BOB)
    assert world.store.mailbox(BOB).record.status is MailboxStatus.FAILED
    assert said(told, BOB) == [("debug", "sync given up, reported")]
    world.clock.advance(timedelta(minutes=1))
    await world.sync(BOB)
    assert said(told, BOB) == [("info", "sync finished")]


async def test_a_backfill_on_hold_is_told_once_and_goes_on_when_let(world: World, told: Lines) -> None:
    world.mailboxes.on_orders(Orders(sync=False))
    world.source.deliver("ann@example.com")
    for _ in range(2):
        await world.sync(ANN)
    assert said(told) == [("info", "backfill on hold"), ("debug", "backfill on hold")]
    assert not world.store.current(ANN)
    world.mailboxes.on_orders(Orders(sync=True))
    await world.sync(ANN)
    assert said(told) == [("info", "sync finished")]
    assert len(world.store.current(ANN)) == 1


async def test_a_pass_under_way_is_held_at_its_next_page(world: World) -> None:
    for _ in range(40):
        world.source.deliver("ann@example.com")
    reads: list[str] = []

    def hold(method: str, _mailbox: str) -> None:
        reads.append(method)
        if method == "read_changes":
            world.mailboxes.on_orders(Orders(sync=False))

    world.source.before_call = hold
    await world.sync(ANN)
    assert reads == ["resolve_folders", "read_changes"]
    world.source.before_call = None
    world.mailboxes.on_orders(Orders())
    await world.sync(ANN)
    assert len(world.store.current(ANN)) == 40


async def test_a_listener_nobody_reaches_is_told_once(world: World, told: Lines) -> None:
    for _ in range(3):
        await world.sync(ANN, subscribe=True)
        world.clock.advance(timedelta(hours=2))
    lines = [line for line in told if line["event"] == "Exchange does not call back"]
    assert [(line["log_level"], line["code"], line["unheard"]) for line in lines] == [
        ("warning", "LISTENER_UNREACHABLE", 1)
    ]
    assert lines[0]["remedy"]
    told.clear()
    await world.notify(world.notice())
    await world.sync(ANN, subscribe=True)
    for _ in range(2):
        world.clock.advance(timedelta(hours=2))
        await world.sync(ANN, subscribe=True)
    assert sum(line["event"] == "Exchange does not call back" for line in told) == 1, "once more after it was heard"
