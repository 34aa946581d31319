"""Alerts and outbox, and the failures they are read from."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from engine.alerts.model import Affected, Alert, AlertStatus, OutgoingMail, StandingFailure
from engine.model import MailboxRecord, MailboxStatus, Operator, OperatorId, SubscriptionRecord, SubscriptionStatus
from engine.status import SubscriptionCounts
from tests.fakes.store_words import ANN, BOB, START, AnyStore, Lander, activate

MINUTE = timedelta(minutes=1)
CODES = ("SUBSCRIPTION_QUOTA", "LISTENER_UNREACHABLE")
FAILED = MailboxRecord(
    MailboxStatus.FAILED, START, None, START, START - MINUTE, 3, "AUTH_FAILED", "401", error_at=START
)
LIVE = SubscriptionRecord("s1", SubscriptionStatus.ACTIVE, "https://x/t", 30, "id", created_at=START, heard_at=START)
REFUSED = replace(LIVE, status=SubscriptionStatus.FAILED, error_code="SUBSCRIPTION_QUOTA", error="20 of 20")
ALERT = Alert("a1", "AUTH_FAILED", AlertStatus.GATHERING, START, START, (ANN, BOB))
MAIL = OutgoingMail("m1", "a1", ("x@example.com", "y@example.com"), "Subject", "text", "<p>html</p>", START)


async def test_mailboxes_that_are_given_up_stand(store: AnyStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    assert await store.standing_failures(CODES) == []
    await ann(mailbox=FAILED)
    await bob(mailbox=replace(FAILED, status=MailboxStatus.FAILING))
    mine = Affected(ANN, "ann@example.com", "401", START - MINUTE)
    assert await store.standing_failures(CODES) == [StandingFailure("AUTH_FAILED", (mine,))]
    await bob(mailbox=replace(FAILED, error=None, failing_since=None))
    both = (mine, Affected(BOB, "bob@example.com", ""))
    assert await store.standing_failures(()) == [StandingFailure("AUTH_FAILED", both)]
    await bob(mailbox=replace(FAILED, error_code="AAA"))
    assert [one.code for one in await store.standing_failures(CODES)] == ["AAA", "AUTH_FAILED"]


async def test_subscriptions_stand_for_the_codes_asked_for(store: AnyStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    await ann(subscription=REFUSED)
    await bob(subscription=replace(REFUSED, error_code="SUBSCRIPTION_LOST", status=SubscriptionStatus.LOST))
    affected = Affected(ANN, "ann@example.com", "20 of 20", START)
    assert await store.standing_failures(CODES) == [StandingFailure("SUBSCRIPTION_QUOTA", (affected,))]
    assert await store.standing_failures(()) == []


async def test_who_is_touched_twice_by_one_cause_stands_once(store: AnyStore) -> None:
    await Lander(store, await activate(store))(
        mailbox=FAILED, subscription=replace(REFUSED, error_code="AUTH_FAILED", error="401 too")
    )
    affected = Affected(ANN, "ann@example.com", "401", START - MINUTE)
    assert await store.standing_failures(("AUTH_FAILED",)) == [StandingFailure("AUTH_FAILED", (affected,))]


async def test_a_disabled_operator_stands_for_nothing(store: AnyStore) -> None:
    await Lander(store, await activate(store))(mailbox=FAILED, subscription=REFUSED)
    await store.put_operators([Operator(ANN, "ann@example.com", email_sync=False)])
    assert await store.standing_failures(CODES) == []


async def test_a_listener_that_is_never_reached_stands(store: AnyStore) -> None:
    carl = OperatorId("carl")
    await store.put_operators([Operator(carl, "carl@example.com")])
    ann, bob, car = (Lander(store, one) for one in await store.activate([ANN, BOB, carl]))
    await ann(subscription=replace(LIVE, unheard=2))
    await bob(subscription=replace(LIVE, unheard=1, heard_at=None))
    await car(subscription=LIVE)
    [standing] = await store.standing_failures(CODES)
    assert standing.code == "LISTENER_UNREACHABLE"
    assert [one.operator_id for one in standing.affected] == [ANN, BOB]
    assert "nor through 2 before it" in standing.affected[0].message
    assert await store.standing_failures(CODES[:1]) == []
    status = await store.status()
    assert status.subscriptions == SubscriptionCounts(active=1, wanted=3)
    assert [(one.code, one.operators) for one in status.troubles] == [("LISTENER_UNREACHABLE", 2)]
    assert {one.operator_id for one in await store.due(START, 9) if one.subscribe} == set(), "they live all the same"
    await store.heard([(ANN, "s1", START + MINUTE)])
    [standing] = await store.standing_failures(CODES)
    assert [one.operator_id for one in standing.affected] == [BOB]
    assert (await activate(store)).subscription == replace(LIVE, unheard=2, heard_at=START + MINUTE)


async def test_alerts_are_changed_by_id_and_leave_the_open_ones_when_closed(store: AnyStore) -> None:
    second = Alert("a0", "THROTTLED", AlertStatus.GATHERING, START + MINUTE, START + 2 * MINUTE)
    await store.put_alerts([second, ALERT], [])
    assert await store.open_alerts() == [ALERT, second]
    reported = replace(
        ALERT, status=AlertStatus.REPORTED, reported=(ANN,), reported_at=START, quiet_since=START + MINUTE
    )
    await store.put_alerts([reported], [])
    assert await store.open_alerts() == [reported, second]
    await store.put_alerts([replace(reported, status=AlertStatus.CLOSED, closed_at=START + 9 * MINUTE)], [])
    assert await store.open_alerts() == [second]
    await store.put_alerts([], [])
    assert await store.open_alerts() == [second]


async def test_mail_waits_until_it_is_sent(store: AnyStore) -> None:
    later = replace(MAIL, mail_id="m0", created_at=START + MINUTE)
    await store.put_alerts([ALERT], [later, MAIL])
    assert await store.unsent(START, 9) == [MAIL, later]
    assert await store.unsent(START, 1) == [MAIL]
    refused = replace(MAIL, attempts=1, next_attempt_at=START + 5 * MINUTE, error="421 later", recipients=("x@y.z",))
    await store.put_mail(refused)
    assert await store.unsent(START + 4 * MINUTE, 9) == [later]
    assert await store.unsent(START + 5 * MINUTE, 9) == [refused, later]
    await store.put_mail(replace(refused, sent_at=START + 6 * MINUTE))
    assert await store.unsent(START + 9 * MINUTE, 9) == [later]


async def test_mail_queued_again_is_as_it_was(store: AnyStore) -> None:
    """Whoever queued it and was told StoreUnavailable does not know whether it is there, or has been sent."""
    await store.put_alerts([ALERT], [MAIL])
    await store.put_mail(replace(MAIL, attempts=1, sent_at=START))
    await store.put_alerts([ALERT], [MAIL])
    assert await store.unsent(START + MINUTE, 9) == []


async def test_alerts_put_at_once_are_all_there(store: AnyStore) -> None:
    many = [replace(ALERT, alert_id=f"a{n}", opened_at=START + n * MINUTE) for n in range(9)]
    mails = [replace(MAIL, mail_id=f"m{n}", created_at=START + n * MINUTE) for n in range(9)]
    await asyncio.gather(*(store.put_alerts([one], [mail]) for one, mail in zip(many, mails, strict=True)))
    assert await store.open_alerts() == many
    assert await store.unsent(START, 99) == mails
