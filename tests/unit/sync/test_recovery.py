"""The way back, on a host's mailboxes: who probes, and who is synchronised again."""

from datetime import timedelta

import pytest

from engine.errors import AuthenticationFailed, StoreUnavailable
from engine.model import MailboxStatus, Operator, OperatorId
from engine.orders import Orders
from engine.status import DueOperator
from engine.sync.recovery import Recovery
from tests.unit.sync.world import ANN, BOB, World

LOGIN = AuthenticationFailed("no", code="HTTP 401")


def recovery(world: World) -> Recovery:
    return Recovery(world.endpoint, world.mailboxes, world.store)


async def begin(world: World) -> Recovery:
    """Nobody is let in: Ann was asked, Bob was not."""
    world.source.fail_next(LOGIN)
    await world.sync(ANN)
    await world.sync(BOB)
    assert len(world.source.calls) == 1
    assert world.store.mailbox(BOB).record.status is MailboxStatus.FAILED
    return recovery(world)


async def test_one_probes_and_the_others_are_made_due(world: World) -> None:
    at_work = await begin(world)
    await at_work.tend()
    assert len(world.source.calls) == 1, "not yet"
    world.clock.advance(timedelta(seconds=17))
    await at_work.tend()
    await world.rest()
    assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED
    assert world.store.made_due == []
    await at_work.tend()
    await at_work.tend()
    assert world.store.made_due == [BOB]
    await world.sync(BOB)
    assert world.store.mailbox(BOB).record.status is MailboxStatus.SYNCED


async def test_a_prober_that_has_left_memory_is_brought_back(world: World) -> None:
    at_work = await begin(world)
    world.mailboxes.passivate(timedelta(seconds=-1))
    world.clock.advance(timedelta(seconds=17))
    await at_work.tend()
    await world.rest()
    assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED


async def test_a_prober_that_is_disabled_gives_way_to_another(world: World) -> None:
    at_work = await begin(world)
    await world.store.put_operators([Operator(ANN, "ann@example.com", email_sync=False)])
    world.mailboxes.forget([ANN])
    world.clock.advance(timedelta(seconds=17))
    await at_work.tend()
    await world.rest()
    assert world.store.mailbox(BOB).record.status is MailboxStatus.SYNCED


async def test_where_nobody_can_probe_nobody_waits(world: World) -> None:
    at_work = await begin(world)
    await world.store.put_operators([Operator(one, f"{one}@example.com", email_sync=False) for one in (ANN, BOB)])
    world.mailboxes.forget([ANN, BOB])
    world.clock.advance(timedelta(seconds=17))
    await at_work.tend()
    standing = world.endpoint.standing()
    assert standing is not None
    assert standing.waiting == 0


async def test_a_store_that_is_away_is_asked_again(world: World) -> None:
    at_work = await begin(world)
    world.clock.advance(timedelta(seconds=1))
    world.endpoint.follow(Orders(answered_at=world.clock.now()))
    world.store.fail_next_call(StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await at_work.tend()
    assert world.store.made_due == []
    await at_work.tend()
    await at_work.tend()
    assert world.store.made_due == [ANN, BOB]


async def test_a_pass_that_is_about_to_fail_of_what_is_over_is_followed_by_another(world: World) -> None:
    """Its landing would put off whoever was made due before it."""
    await world.sync(ANN, BOB)
    world.source.gate.shut()
    world.source.fail_next(LOGIN, mailbox="ann@example.com", method="read_changes")
    await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=False)])
    await world.turns()
    assert world.mailboxes.go_on([ANN, BOB, OperatorId("gone")]) == [BOB, OperatorId("gone")]
    world.source.gate.open()
    await world.rest()
    assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED


async def test_a_pass_that_succeeds_is_not_followed_by_another(world: World) -> None:
    await world.sync(ANN)
    world.source.calls.clear()
    world.source.gate.shut()
    await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=False)])
    await world.turns()
    assert world.mailboxes.go_on([ANN]) == []
    world.source.gate.open()
    await world.rest()
    assert world.calls("read_changes") == 2
    world.source.fail_next(LOGIN)
    await world.sync(ANN)
    assert world.store.mailbox(ANN).record.status is MailboxStatus.FAILING, "and it is not remembered"
