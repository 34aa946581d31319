"""The Application Settings: seeding, versions, and what a change of them asks of mailboxes and subscriptions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.application_settings.document import change, document_of
from engine.application_settings.model import BY_FILE, Document, NewSettings, SettingChange, SettingsVersion
from engine.errors import SettingsConflict, SettingsError
from engine.jobs.model import JobName, JobRun, Trigger
from engine.listing import Listing, View
from engine.model import (
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.settings import build_settings
from engine.store import DuckDBStore, StoreOptions
from engine.store.settings import peek
from tests.fakes.store_emails import emails
from tests.fakes.store_words import ANN, BOB, INBOX, START, AnyStore, Lander, Time, activate, ids

SETTINGS = build_settings(
    {"exchange": {"url": "https://mail.example.com/EWS/Exchange.asmx", "username": "service"}},
    {"MAILROOM_EXCHANGE_PASSWORD": "p"},
)
FILE = document_of(SETTINGS)
SYNCED = MailboxRecord(MailboxStatus.SYNCED, START, last_success_at=START)
LIVE = SubscriptionRecord("s1", SubscriptionStatus.ACTIVE, "https://x/t", 30, "id", created_at=START, heard_at=START)


def edited(document: Document = FILE, **email_sync: Any) -> Document:
    return change(document, {f"email_sync.{key}": value for key, value in email_sync.items()})


async def put(store: AnyStore, changes: Mapping[str, Any], by: str = "ann") -> SettingsVersion:
    stored = await store.settings()
    return await store.put_settings(NewSettings(stored.version, by, change(stored.document, changes)))


async def due(store: AnyStore, now: datetime) -> dict[OperatorId, tuple[bool, bool]]:
    return {one.operator_id: (one.sync, one.subscribe) for one in await store.due(now, 9)}


@pytest.fixture
async def seeded(store: AnyStore) -> AnyStore:
    await store.seed_settings(FILE)
    return store


async def at_rest(store: AnyStore, **subscription: Any) -> None:
    """Both operators are synced, and Ann has a subscription."""
    for who in (ANN, BOB):
        land = Lander(store, await activate(store, who))
        made = replace(LIVE, **subscription) if who == ANN else None
        await land(mailbox=SYNCED, subscription=made)


# Versions


async def test_before_the_first_seeding_there_are_none(store: AnyStore) -> None:
    with pytest.raises(SettingsError):
        await store.settings()


async def test_the_first_seeding_takes_everything(store: AnyStore) -> None:
    stored = await store.seed_settings(FILE)
    assert (stored.version, stored.at, stored.by, stored.document) == (1, START, BY_FILE, FILE)
    assert SettingChange("email_sync.batch_size", None, 512) in stored.changes
    assert await store.settings() == stored


async def test_a_change_is_a_version(seeded: AnyStore, time: Time) -> None:
    time.pass_by(minutes=1)
    stored = await put(seeded, {"email_sync.batch_size": 100, "email_sync.folders": ["inbox"]})
    assert (stored.version, stored.at, stored.by) == (2, time.now, "ann")
    assert stored.changes == (
        SettingChange("email_sync.batch_size", 512, 100),
        SettingChange("email_sync.folders", ["inbox", "sentitems"], ["inbox"]),
    )
    assert stored.document == edited(batch_size=100, folders=["inbox"])
    assert await seeded.settings() == stored


async def test_what_changes_nothing_is_no_version(seeded: AnyStore) -> None:
    first = await seeded.settings()
    assert await put(seeded, {"email_sync.batch_size": 512}) == first
    assert await seeded.settings() == first


async def test_of_two_changes_for_one_version_the_second_is_refused(seeded: AnyStore) -> None:
    await put(seeded, {"email_sync.batch_size": 100}, "bob")
    with pytest.raises(SettingsConflict, match="bob"):
        await seeded.put_settings(NewSettings(1, "ann", edited(batch_size=10)))
    assert (await seeded.settings()).document == edited(batch_size=100)


async def test_the_file_counts_where_it_was_edited(seeded: AnyStore) -> None:
    await put(seeded, {"email_sync.batch_size": 100, "email_sync.sync_from_days": 30})
    assert (await seeded.seed_settings(FILE)).version == 2, "the file says the same as before"
    stored = await seeded.seed_settings(edited(sync_from_days=7, skip_internal=True))
    assert (stored.version, stored.by) == (3, BY_FILE)
    assert stored.document == edited(batch_size=100, sync_from_days=7, skip_internal=True)
    assert stored.changes == (
        SettingChange("email_sync.sync_from_days", 30, 7),
        SettingChange("email_sync.skip_internal", False, True),
    )
    assert (await seeded.seed_settings(edited(sync_from_days=7, skip_internal=True))).version == 3
    assert (await seeded.seed_settings(FILE)).document == edited(batch_size=100)


async def test_keys_come_and_go_with_versions_of_mailroom(seeded: AnyStore) -> None:
    grown = {**FILE, "email_sync": {**FILE["email_sync"], "colour": "blue"}}
    await put(seeded, {"email_sync.batch_size": 100})
    assert (await seeded.seed_settings(grown)).document["email_sync"]["colour"] == "blue"
    stored = await seeded.seed_settings(FILE)
    assert stored.document == edited(batch_size=100)
    assert stored.changes == (SettingChange("email_sync.colour", "blue", None),)


async def test_the_history_is_listed_newest_first(seeded: AnyStore, time: Time) -> None:
    for size in (100, 50):
        time.pass_by(minutes=1)
        await put(seeded, {"email_sync.batch_size": size})
    page = await seeded.page(Listing(View.SETTINGS_HISTORY, limit=2))
    assert [(row["version"], row["changed_by"]) for row in page.items] == [(3, "ann"), (2, "ann")]
    assert page.items[0]["changed_at"] == time.now
    assert page.items[0]["changes"] == '[["email_sync.batch_size",100,50]]'
    rest = await seeded.page(Listing(View.SETTINGS_HISTORY, after=page.after, limit=2))
    assert [row["version"] for row in rest.items] == [1]
    assert set(rest.items[0]) == {"version", "changed_at", "changed_by", "changes", "document", "resubscribe"}
    assert rest.after is None


async def test_settings_and_history_cannot_be_queried(tmp_path: Path, time: Time) -> None:
    store = await DuckDBStore.open(tmp_path / "asked.duckdb", time)
    for table in ("settings_history", "_mailroom.settings_file"):
        with pytest.raises(Exception, match=r"."):
            await store.query(f"SELECT * FROM {table}")  # noqa: S608
    await store.close()


# What follows


@pytest.mark.parametrize(
    "changes",
    [
        {"email_sync.notification_url": "https://listener.example.com"},
        {"email_sync.notification_frequency": 10},
        {"exchange.url": "https://other.example.com/EWS/Exchange.asmx"},
    ],
)
async def test_subscriptions_made_before_are_wanted_anew(seeded: AnyStore, time: Time, changes: dict[str, Any]) -> None:
    await at_rest(seeded)
    time.pass_by(minutes=1)
    assert ANN not in {who for who, (_, subscribe) in (await due(seeded, time.now)).items() if subscribe}
    await put(seeded, changes)
    run = JobRun("r", JobName.MANAGE_PUSH_SUBSCRIPTIONS, Trigger.MANUAL, time.now)
    assert (await due(seeded, time.now))[ANN][1]
    assert (await seeded.progress(run, time.now)).done == 0
    time.pass_by(seconds=1)
    land = Lander(seeded, await activate(seeded))
    await land(subscription=replace(LIVE, serial="s2", created_at=time.now, heard_at=time.now))
    assert not (await due(seeded, time.now)).get(ANN, (False, False))[1]
    assert (await seeded.progress(run, time.now)).done == 1


async def test_an_outdated_one_is_replaced_no_sooner_than_its_next_attempt(seeded: AnyStore, time: Time) -> None:
    await at_rest(seeded, next_attempt_at=START.replace(hour=12))
    time.pass_by(minutes=1)
    await put(seeded, {"email_sync.notification_frequency": 10})
    assert not (await due(seeded, time.now)).get(ANN, (False, False))[1]


async def test_failed_subscriptions_wait_no_longer(seeded: AnyStore, time: Time) -> None:
    await at_rest(seeded, status=SubscriptionStatus.FAILED, next_attempt_at=START.replace(hour=12))
    assert ANN not in await due(seeded, time.now)
    await put(seeded, {"email_sync.notification_url": "https://listener.example.com"})
    assert (await due(seeded, time.now))[ANN] == (False, True)


@pytest.mark.parametrize(
    ("changes", "synced"),
    [
        ({"email_sync.sync_from_days": 365}, True),
        ({"email_sync.sync_from_days": 7}, False),
        ({"email_sync.folders": ["inbox"]}, True),
        ({"exchange.username": "other"}, True),
        ({"email_sync.batch_size": 7, "email_sync.deletions": "remove", "email_sync.debounce": "1s"}, False),
    ],
)
async def test_everybody_is_due_where_there_is_more_to_do(
    seeded: AnyStore, time: Time, changes: dict[str, Any], synced: bool
) -> None:
    await at_rest(seeded)
    await seeded.put_operators([Operator(BOB, "bob@example.com", email_sync=False)])
    time.pass_by(minutes=1)
    await put(seeded, changes)
    assert {who for who, (sync, _) in (await due(seeded, time.now)).items() if sync} == ({ANN} if synced else set())


async def test_deletions_hold_from_the_next_landing_on(seeded: AnyStore) -> None:
    land = Lander(seeded, await activate(seeded))
    await land(folder=INBOX, emails=emails(*({"item_id": one} for one in "abc")))
    await land(folder=INBOX, deleted=ids("a"))
    await put(seeded, {"email_sync.deletions": "remove"})
    await land(folder=INBOX, deleted=ids("b"))
    await put(seeded, {"email_sync.deletions": "mark"})
    await land(folder=INBOX, deleted=ids("c"))
    if isinstance(seeded, DuckDBStore):
        rows, _ = await seeded.query("SELECT item_id FROM all_emails ORDER BY item_id")
        left = rows.column("item_id").to_pylist()
    else:
        left = sorted(seeded.all_rows(ANN))
    assert left == ["a", "c"]


async def test_deletions_hold_after_a_restart(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "again.duckdb"
    store = await DuckDBStore.open(path, time)
    await store.put_operators([Operator(ANN, "ann@example.com")])
    await store.seed_settings(FILE)
    await put(store, {"email_sync.deletions": "remove"})
    await store.close()
    store = await DuckDBStore.open(path, time, StoreOptions(deletions="mark"))
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=emails({"item_id": "a"}))
    await land(folder=INBOX, deleted=ids("a"))
    rows, _ = await store.query("SELECT * FROM all_emails")
    assert rows.num_rows == 0
    await store.close()


async def test_what_will_rule_can_be_seen_before_a_start(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "seen.duckdb"
    assert peek(path, FILE) == FILE
    assert not path.exists()
    store = await DuckDBStore.open(path, time)
    await store.seed_settings(FILE)
    await put(store, {"email_sync.batch_size": 100})
    await store.close()
    assert peek(path, edited(sync_from_days=7)) == edited(batch_size=100, sync_from_days=7)
    path.with_name("other").write_text("no database")
    assert peek(path.with_name("other"), FILE) == FILE
