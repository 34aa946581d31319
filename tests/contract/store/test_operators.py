"""Operators, what is due, signs of life, and the figures of ``status``."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine import errors
from engine.model import (
    FolderRecord,
    ItemId,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    QuarantinedItem,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.status import DueOperator, OperatorCounts, Status, SubscriptionCounts
from tests.fakes.store_emails import emails
from tests.fakes.store_words import ANN, BOB, INBOX, SENT, START, AnyStore, Lander, Time, activate, page

HOUR = timedelta(hours=1)
SYNCED = MailboxRecord(MailboxStatus.SYNCED, START, last_success_at=START, next_sync_at=START + HOUR)
SUBSCRIPTION = SubscriptionRecord(
    "s1", SubscriptionStatus.ACTIVE, "https://x/ews/notifications/t", 30, "id", "wm", created_at=START, heard_at=START
)


async def test_operators_are_listed_by_id_and_changed_by_id(store: AnyStore) -> None:
    await store.put_operators([Operator(BOB, "bob@new.example.com", "Robert", email_sync=False)])
    await store.put_operators([Operator(OperatorId("aaa"), "a@example.com")])
    assert await store.operators() == [
        Operator(OperatorId("aaa"), "a@example.com"),
        Operator(ANN, "ann@example.com", "Ann"),
        Operator(BOB, "bob@new.example.com", "Robert", email_sync=False),
    ]


async def test_a_new_operator_is_due_at_once(store: AnyStore) -> None:
    assert (await activate(store)).mailbox == MailboxRecord(next_sync_at=START)
    assert await store.due(START, 10) == [DueOperator(ANN, True, True), DueOperator(BOB, True, True)]
    assert await store.due(START, 1) == [DueOperator(ANN, True, True)]


async def test_an_operator_new_and_disabled_is_not_due(store: AnyStore) -> None:
    carl = OperatorId("carl")
    await store.put_operators([Operator(carl, "carl@example.com", email_sync=False)])
    assert (await activate(store, carl)).mailbox.status is MailboxStatus.DISABLED
    assert carl not in {one.operator_id for one in await store.due(START, 10)}


async def test_disabling_keeps_the_subscription_and_enabling_makes_due(store: AnyStore, time: Time) -> None:
    land = Lander(store, await activate(store))
    failing = replace(
        SYNCED, status=MailboxStatus.FAILING, attempts=3, error_code="AUTH_FAILED", next_sync_at=START + 9 * HOUR
    )
    await land(mailbox=failing, subscription=SUBSCRIPTION)
    await store.put_operators([Operator(ANN, "ann@example.com", email_sync=False)])
    activation = await activate(store)
    assert activation.mailbox.status is MailboxStatus.DISABLED
    assert activation.subscription == SUBSCRIPTION
    land.epoch = activation.epoch
    await land(mailbox=SYNCED)
    assert (await activate(store)).mailbox == replace(SYNCED, status=MailboxStatus.DISABLED), "it stays disabled"
    time.pass_by(hours=3)
    await store.put_operators([Operator(ANN, "ann@example.com")])
    expected = MailboxRecord(MailboxStatus.SYNCING, START, last_success_at=START, next_sync_at=time.now)
    again = await activate(store)
    assert again.mailbox == expected
    assert again.subscription == replace(SUBSCRIPTION, status=SubscriptionStatus.LOST), "it may have ended meanwhile"
    assert DueOperator(ANN, sync=True, subscribe=True) in await store.due(time.now, 10)


async def test_putting_an_operator_unchanged_changes_nothing(store: AnyStore, time: Time) -> None:
    await Lander(store, await activate(store))(mailbox=SYNCED)
    time.pass_by(minutes=5)
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann Other")])
    assert (await activate(store)).mailbox == SYNCED


async def test_a_new_address_makes_the_mailbox_due(store: AnyStore, time: Time) -> None:
    await Lander(store, await activate(store))(
        mailbox=SYNCED,
        subscription=replace(SUBSCRIPTION, status=SubscriptionStatus.FAILED, next_attempt_at=START + 9 * HOUR),
    )
    time.pass_by(minutes=5)
    await store.put_operators([Operator(ANN, "ann@new.example.com", "Ann")])
    assert DueOperator(ANN, True, True) in await store.due(time.now, 10)


async def test_those_never_synced_come_first_then_those_who_waited_longest(store: AnyStore) -> None:
    carl, dora = OperatorId("carl"), OperatorId("dora")
    await store.put_operators([Operator(carl, "carl@example.com"), Operator(dora, "dora@example.com")])
    ann, bob, dor = (Lander(store, one) for one in await store.activate([ANN, BOB, dora]))
    await ann(mailbox=replace(SYNCED, next_sync_at=START + 2 * HOUR), subscription=SUBSCRIPTION)
    await bob(mailbox=SYNCED, subscription=SUBSCRIPTION)
    await dor(mailbox=replace(SYNCED, next_sync_at=START + 9 * HOUR))
    now = START + 2 * HOUR
    await store.heard([(ANN, "s1", now)])
    assert await store.due(now, 10) == [
        DueOperator(carl, True, True),
        DueOperator(BOB, True, True),
        DueOperator(ANN, True, False),
        DueOperator(dora, False, True),
    ]


async def test_make_due_overrules_a_backoff(store: AnyStore, time: Time) -> None:
    await Lander(store, await activate(store))(mailbox=replace(SYNCED, next_sync_at=START + 9 * HOUR))
    time.pass_by(minutes=1)
    await store.make_due([ANN, OperatorId("nobody")])
    assert (await activate(store)).mailbox.next_sync_at == time.now


@pytest.mark.parametrize(
    ("subscription", "minutes", "wanted"),
    [
        (SUBSCRIPTION, 60, False),
        (SUBSCRIPTION, 61, True),
        (replace(SUBSCRIPTION, heard_at=None), 60, False),
        (replace(SUBSCRIPTION, heard_at=None), 61, True),
        (replace(SUBSCRIPTION, status=SubscriptionStatus.LOST), 0, True),
        (replace(SUBSCRIPTION, status=SubscriptionStatus.RETIRED), 0, True),
        (replace(SUBSCRIPTION, status=SubscriptionStatus.FAILED, next_attempt_at=START + HOUR), 59, False),
        (replace(SUBSCRIPTION, status=SubscriptionStatus.FAILED, next_attempt_at=START + HOUR), 60, True),
    ],
)
async def test_when_a_subscription_is_wanted(
    store: AnyStore, subscription: SubscriptionRecord, minutes: int, wanted: bool
) -> None:
    await Lander(store, await activate(store))(mailbox=SYNCED, subscription=subscription)
    due = {one.operator_id: one.subscribe for one in await store.due(START + timedelta(minutes=minutes), 10)}
    assert due.get(ANN, False) is wanted


async def test_signs_of_life_move_forward_only_and_count_for_their_serial(store: AnyStore) -> None:
    land = Lander(store, await activate(store))
    await land(subscription=SUBSCRIPTION)
    await store.heard(
        [(ANN, "s1", START + HOUR), (ANN, "s1", START), (ANN, "s0", START + 5 * HOUR), (BOB, "s1", START)]
    )
    activation = await activate(store)
    assert activation.subscription == replace(SUBSCRIPTION, heard_at=START + HOUR)
    land.epoch = activation.epoch
    await land(subscription=replace(SUBSCRIPTION, watermark="later"))
    assert (await activate(store)).subscription == replace(SUBSCRIPTION, watermark="later", heard_at=START + HOUR)
    land.epoch = (await activate(store)).epoch
    await land(subscription=replace(SUBSCRIPTION, serial="s2"))
    assert (await activate(store)).subscription == replace(SUBSCRIPTION, serial="s2")


async def test_status_of_an_empty_house(store: AnyStore) -> None:
    counts = OperatorCounts(total=2, enabled=2, syncing=2)
    assert await store.status() == Status(counts, subscriptions=SubscriptionCounts(0, 2))


async def test_status_counts_operators_emails_and_what_is_pending(store: AnyStore) -> None:
    carl, dora = OperatorId("carl"), OperatorId("dora")
    await store.put_operators(
        [Operator(carl, "carl@example.com", email_sync=False), Operator(dora, "dora@example.com")]
    )
    ann, bob, dor = (Lander(store, one) for one in await store.activate([ANN, BOB, dora]))
    drained = FolderRecord(INBOX.folder_id, "inbox", drained=True)
    await ann(folder=INBOX, emails=emails({"item_id": "1"}, {"item_id": "2"}), folder_record=drained, mailbox=SYNCED)
    await ann(folder=INBOX, emails=emails({"item_id": "1", "change_key": "2"}), deleted=(ItemId("2"),))
    await ann(subscription=SUBSCRIPTION)
    await bob(folder=INBOX, queued=(page("p", "1", "2", "3"),), folder_record=drained, mailbox=SYNCED)
    await dor(mailbox=SYNCED, folder_record=FolderRecord(SENT.folder_id, "sent"))
    await dor(quarantined=(QuarantinedItem(SENT.folder_id, ItemId("x"), "ITEM_UNREADABLE", "bad", 1, START),))
    assert await store.status() == Status(
        OperatorCounts(total=4, enabled=3, synced=1, syncing=2, disabled=1),
        emails=1,
        pending=3,
        quarantined=1,
        subscriptions=SubscriptionCounts(1, 3),
    )


async def test_status_groups_troubles_by_code(store: AnyStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    failing = replace(SYNCED, status=MailboxStatus.FAILING, error_code="AUTH_FAILED", error="401", attempts=2)
    await ann(mailbox=replace(failing, failing_since=START + HOUR))
    await bob(
        mailbox=replace(failing, failing_since=START, error="401 too", next_sync_at=START + 2 * HOUR),
        subscription=replace(SUBSCRIPTION, status=SubscriptionStatus.FAILED, error_code="NEW_CODE", error="?"),
    )
    status = await store.status()
    assert (status.operators.failing, status.operators.synced) == (2, 0)
    auth, other = status.troubles
    assert (auth.code, auth.operators, auth.example, auth.message) == ("AUTH_FAILED", 2, BOB, "401 too")
    assert (auth.since, auth.next_attempt_at) == (START, START + HOUR)
    assert "credentials" in auth.cause
    assert (other.code, other.operators, other.since) == ("NEW_CODE", 1, START)
    assert other.remedy


async def test_after_closing_nothing_is_taken(store: AnyStore, kind: str) -> None:
    if kind == "memory":
        pytest.skip("MemoryStore does not close")
    await store.close()
    with pytest.raises(errors.StoreUnavailable):
        await store.activate([ANN])
    with pytest.raises(errors.StoreUnavailable):
        await store.status()
