"""The views are an interface: their names and columns are DESIGN section 8's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.failures import failure_by_code
from engine.model import (
    FolderRecord,
    ItemId,
    MailboxRecord,
    MailboxStatus,
    QuarantinedItem,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.store import DuckDBStore
from engine.store.views import view_names
from tests.fakes.store_emails import attachments, emails
from tests.fakes.store_words import ANN, BOB, INBOX, START, Lander, Time, activate

EMAILS = [
    "operator_id",
    "operator_email",
    "item_id",
    "change_key",
    "folder",
    "subject",
    "sender_name",
    "sender_address",
    "to_recipients",
    "cc_recipients",
    "bcc_recipients",
    "sent_at",
    "received_at",
    "modified_at",
    "landed_at",
    "deleted_at",
    "message_id",
    "conversation_id",
    "in_reply_to",
    "references",
    "body_text",
    "body_html",
    "is_read",
    "importance",
    "sensitivity",
    "has_attachments",
    "size",
    "categories",
    "item_class",
    "folder_id",
    "first_landed_at",
    "moved_from",
    "mass_mail",
]
VIEWS = [
    "operators",
    "emails",
    "all_emails",
    "attachments",
    "associations",
    "all_associations",
    "ambiguous_matches",
    "threads",
    "thread_emails",
    "thread_messages",
    "unmatched_addresses",
    "crm_records",
    "kept_out",
    "mailboxes",
    "subscriptions",
    "failures",
    "job_runs",
    "alerts",
]


@pytest.mark.parametrize("view", ["emails", "all_emails"])
async def test_columns_of_emails(store: DuckDBStore, view: str) -> None:
    assert (await store.query(f"SELECT * FROM {view}"))[0].schema.names == EMAILS  # noqa: S608


def test_the_views_are_listed_from_one_place() -> None:
    assert sorted(view_names()) == sorted(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_answers(store: DuckDBStore, view: str) -> None:
    assert (await store.query(f"SELECT * FROM {view}"))[0].num_columns > 1  # noqa: S608


async def test_emails_are_current_and_all_emails_are_all(store: DuckDBStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}, {"item_id": "2"}))
    await land(folder=INBOX, deleted=(ItemId("1"),))
    for view, count in (("emails", 1), ("all_emails", 2)):
        assert (await store.query(f"SELECT * FROM {view}"))[0].num_rows == count  # noqa: S608


async def test_attachments_and_mailboxes(store: DuckDBStore, land: Lander) -> None:
    await land(
        folder=INBOX,
        emails=emails({"item_id": "1"}),
        attachments=attachments({"item_id": "1", "attachment_id": "a", "name": "x.pdf", "size": 3}),
        folder_record=FolderRecord(INBOX.folder_id, "inbox", drained=True),
    )
    [attachment] = (await store.query("FROM attachments"))[0].to_pylist()
    assert (attachment["operator_id"], attachment["name"], attachment["size"]) == (ANN, "x.pdf", 3)
    ann, bob = (await store.query("FROM mailboxes ORDER BY operator_id"))[0].to_pylist()
    assert (ann["operator_email"], ann["folders"], ann["folders_drained"], ann["pending"]) == (
        "ann@example.com",
        1,
        1,
        0,
    )
    assert (bob["folders"], bob["quarantined"], bob["status"]) == (0, 0, "new")


async def test_failures_show_mailboxes_subscriptions_and_items(store: DuckDBStore, land: Lander, time: Time) -> None:
    failing = MailboxRecord(
        MailboxStatus.FAILED, failing_since=START, attempts=4, error_code="AUTH_FAILED", error="401", next_sync_at=START
    )
    inbox = FolderRecord(INBOX.folder_id, "inbox")
    item = QuarantinedItem(INBOX.folder_id, ItemId("1"), "ErrorCorruptData", "corrupt", 1, START)
    await land(folder=INBOX, mailbox=failing, folder_record=inbox, quarantined=(item,))
    time.pass_by(hours=1)
    await land(folder=INBOX, quarantined=(replace(item, attempts=2, next_attempt_at=START + timedelta(days=1)),))
    subscription = SubscriptionRecord(
        "s", SubscriptionStatus.FAILED, "https://x/secret", 30, error_code="SUBSCRIPTION_QUOTA"
    )
    await Lander(store, await activate(store, BOB))(subscription=subscription)
    found = (await store.query("FROM failures ORDER BY kind"))[0].to_pylist()
    quarantined, mailbox, subscribing = found
    assert (mailbox["operator_id"], mailbox["code"], mailbox["attempts"], mailbox["since"]) == (
        ANN,
        "AUTH_FAILED",
        4,
        START,
    )
    assert "credentials" in mailbox["cause"]
    assert "MAILROOM_EXCHANGE_PASSWORD" in mailbox["remedy"]
    assert (quarantined["folder"], quarantined["item_id"], quarantined["attempts"]) == ("inbox", "1", 2)
    assert (quarantined["since"], quarantined["message"]) == (START, "corrupt")
    unreadable = failure_by_code("ITEM_UNREADABLE")
    assert unreadable is not None
    assert quarantined["remedy"] == unreadable.remedy, "an unknown code still says what to do"
    assert (subscribing["operator_email"], subscribing["code"]) == ("bob@example.com", "SUBSCRIPTION_QUOTA")


async def test_a_disabled_operator_fails_no_more(store: DuckDBStore, land: Lander) -> None:
    await land(mailbox=MailboxRecord(MailboxStatus.FAILING, error_code="AUTH_FAILED"))
    operators = await store.operators()
    await store.put_operators([replace(one, email_sync=False) for one in operators])
    assert (await store.query("FROM failures"))[0].num_rows == 0
    assert (await store.status()).troubles == ()


async def test_callback_urls_are_not_shown(store: DuckDBStore, land: Lander) -> None:
    await land(subscription=SubscriptionRecord("s", SubscriptionStatus.ACTIVE, "https://x/secret", 30))
    assert "secret" not in str((await store.query("FROM subscriptions"))[0].to_pylist())
