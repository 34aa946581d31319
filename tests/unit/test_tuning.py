"""A host follows the Application Settings: on fakes, in the middle of whatever it does."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from engine.application_settings.document import change, document_of
from engine.application_settings.model import NewSettings, SettingsVersion
from engine.errors import AuthenticationFailed, StoreUnavailable
from engine.model import OperatorId, SubscriptionStatus
from engine.settings import ExchangeSettings, Settings
from engine.sources.replaceable import ReplaceableSource
from engine.status import DueOperator
from engine.sync.endpoint import Endpoint
from engine.sync.mailboxes import Mailboxes
from engine.sync.policy import SyncPolicy
from engine.sync.runner import Runner
from engine.sync.watch import Callbacks
from engine.tuning import Makers, Parts, Tuner, stored_settings
from tests.fakes.clock import FakeClock
from tests.fakes.settings import file_settings
from tests.unit.sync.world import ANN, BOB, DEBOUNCE, GatedSource, World

BASE = file_settings(email_sync={"batch_size": 3, "sync_from_days": 30, "notification_url": "http://127.0.0.1"})
ADDRESS = "ann@example.com"


class Office(World):
    """``sources``: every source that was connected to, by the settings it was connected with; the last is spoken to."""

    def __init__(self) -> None:
        self.sources: list[tuple[ExchangeSettings, GatedSource]] = []
        super().__init__()

    async def open(self) -> None:
        """Seed the settings, and start a host that follows them."""
        await self.begin()
        await self.store.seed_settings(document_of(BASE))
        await self.start()

    async def start(self) -> None:
        """A host, by what the store says."""
        stored = await stored_settings(self.store, self.clock)
        self.sources = [(BASE.exchange, self.source)]
        replaceable = ReplaceableSource(self.source)
        self.endpoint = Endpoint(4, self.clock)
        runner = Runner(replaceable, self.store, self.endpoint, self.clock)
        self.mailboxes = Mailboxes(self.store, runner, SyncPolicy.of(BASE), self._call_back(BASE), self.clock)
        parts = Parts(replaceable, self.endpoint, self.mailboxes)
        self.tuner = Tuner(BASE, stored, self.store, parts, Makers(self._connect, self._call_back))

    async def set(self, changes: Mapping[str, Any], *, follow: bool = True) -> SettingsVersion:
        stored = await self.store.settings()
        put = await self.store.put_settings(NewSettings(stored.version, "ann", change(stored.document, changes)))
        if follow:
            await self.tuner.follow(put.version)
        return put

    def deliver(self, count: int, *, days_ago: float = 0) -> None:
        for number in range(count):
            at = self.clock.now() - timedelta(days=days_ago, minutes=count - number)
            self.source.deliver(ADDRESS, received_at=at)

    def limits(self) -> list[int]:
        read = [what for name, _, what in self.source.calls if name == "read_changes"]
        return [what[2] for what in read if isinstance(what, tuple)]

    def _connect(self, exchange: ExchangeSettings) -> GatedSource:
        source = GatedSource(self.clock)
        source.add_mailbox(ADDRESS)
        source.add_mailbox("bob@example.com")
        self.sources.append((exchange, source))
        return source

    def _call_back(self, settings: Settings) -> Callbacks:
        base = settings.email_sync.notification_url
        frequency, debounce = settings.email_sync.notification_frequency, settings.email_sync.debounce.total_seconds()
        return Callbacks(lambda operator_id, serial: f"{base}/{operator_id}/{serial}", frequency, debounce)


@pytest.fixture
async def office() -> Office:
    office = Office()
    await office.open()
    return office


async def begin(office: Office, *who: OperatorId) -> None:
    """A pass that stands at the gate, reading its first page."""
    office.source.gate.shut()
    await office.mailboxes.dispatch([DueOperator(one, sync=True, subscribe=False) for one in who])
    await office.turns()
    assert office.source.gate.waiting == len(who)


async def test_a_page_size_holds_from_the_next_page_on(office: Office) -> None:
    office.deliver(9)
    await begin(office, ANN)
    await office.set({"email_sync.batch_size": 5})
    office.source.gate.open()
    await office.rest()
    assert office.limits()[:3] == [3, 5, 5]
    assert len(office.store.current(ANN)) == 9
    await office.set({"email_sync.batch_size": 2})
    await office.sync(ANN)
    assert office.limits()[-2:] == [2, 2]
    await office.set({"email_sync.batch_size": 7})
    await office.sync(ANN)
    assert office.limits()[-2:] == [7, 7]


async def test_what_is_not_told_is_not_followed(office: Office) -> None:
    put = await office.set({"email_sync.batch_size": 5}, follow=False)
    assert not await office.tuner.follow(put.version - 1)
    await office.sync(ANN)
    assert set(office.limits()) == {3}
    assert not await office.tuner.follow(put.version)
    assert office.tuner.version == put.version


async def test_a_wider_window_is_listed_anew_by_the_next_pass(office: Office) -> None:
    office.deliver(2, days_ago=100)
    office.deliver(2)
    await office.sync(ANN)
    assert len(office.store.current(ANN)) == 2
    await office.set({"email_sync.sync_from_days": 365})
    assert ANN in office.store.made_due
    await office.sync(ANN)
    assert len(office.store.current(ANN)) == 4


async def test_a_wider_window_in_the_middle_of_a_pass_makes_another(office: Office) -> None:
    office.deliver(2, days_ago=100)
    await begin(office, ANN)
    await office.set({"email_sync.sync_from_days": 365})
    assert office.store.made_due == []
    office.source.gate.open()
    await office.rest()
    assert len(office.store.current(ANN)) == 2


async def test_a_narrower_one_costs_and_loses_nothing(office: Office) -> None:
    office.deliver(2, days_ago=20)
    await office.sync(ANN)
    office.source.calls.clear()
    await office.set({"email_sync.sync_from_days": 7})
    assert office.store.made_due == []
    await office.sync(ANN)
    assert office.calls("fetch_items") == 0
    assert len(office.store.current(ANN)) == 2


async def test_other_folders_are_looked_for_by_the_next_pass(office: Office) -> None:
    office.source.add_folder(ADDRESS, "archive")
    office.source.deliver(ADDRESS, "archive")
    await office.sync(ANN)
    await office.set({"email_sync.folders": ["inbox", "archive"]})
    await office.sync(ANN)
    assert len(office.store.current(ANN)) == 1
    assert {one.name: one.token is None for one in office.store.mailbox(ANN).folders.values()} == {
        "inbox": False,
        "sentitems": True,
        "archive": False,
    }


@pytest.mark.parametrize("method", ["resolve_folders", "read_changes"])
async def test_other_folders_in_the_middle_of_a_pass(office: Office, method: str) -> None:
    office.source.add_folder(ADDRESS, "archive")
    office.source.deliver(ADDRESS, "archive")
    told = False

    def on_call(called: str, _mailbox: str) -> None:
        nonlocal told
        if called == method and not told:
            told = True
            work = office.set({"email_sync.folders": ["inbox", "archive"]})
            with pytest.raises(StopIteration):
                work.send(None)

    office.source.before_call = on_call
    await office.sync(ANN)
    assert told
    assert len(office.store.current(ANN)) == 1


@pytest.mark.parametrize(
    "changes", [{"email_sync.notification_url": "http://other"}, {"email_sync.notification_frequency": 5}]
)
async def test_a_subscription_is_replaced_by_one_that_calls_elsewhere(office: Office, changes: dict[str, Any]) -> None:
    await office.sync(ANN, subscribe=True)
    office.clock.advance(timedelta(minutes=2))
    first = office.serial()
    await office.set(changes)
    due = await office.store.due(office.clock.now(), 9)
    assert [(one.operator_id, one.subscribe) for one in due if one.operator_id == ANN] == [(ANN, True)]
    office.clock.advance(timedelta(seconds=1))
    await office.mailboxes.dispatch([DueOperator(ANN, sync=False, subscribe=True)])
    await office.rest()
    made = office.store.mailbox(ANN).subscription
    assert made is not None
    assert (made.status, made.serial != first) == (SubscriptionStatus.ACTIVE, True)
    url, frequency = office.source.subscriptions[-1].callback_url, made.status_frequency
    assert url.startswith("http://other/") or frequency == 5
    assert not [one for one in await office.store.due(office.clock.now(), 9) if one.operator_id == ANN]


async def test_a_subscription_under_way_to_the_old_address_is_replaced_too(office: Office) -> None:
    office.source.gate.shut()
    office.clock.advance(timedelta(minutes=2))
    await office.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=True)])
    await office.turns()
    await office.set({"email_sync.notification_url": "http://other"})
    office.source.gate.open()
    await office.rest()
    assert [one.callback_url.split("/")[2] for one in office.source.subscriptions] == ["127.0.0.1", "other"]


async def test_a_debounce_holds_from_the_next_notice_on(office: Office) -> None:
    await office.sync(ANN, subscribe=True)
    await office.set({"email_sync.debounce": "2s"})
    office.clock.slept.clear()
    await office.notify(office.notice())
    assert office.clock.slept == [2.0]
    assert DEBOUNCE != 2.0


async def test_another_exchange_is_asked_once_what_is_under_way_has_ended(office: Office) -> None:
    await begin(office, ANN)
    await office.set({"exchange.url": "https://other.example.com/EWS", "exchange.username": "other"})
    (_, old), (settings, new) = office.sources
    assert (settings.url, settings.username) == ("https://other.example.com/EWS", "other")
    assert settings.password.get_secret_value() == "pass-word-1"
    new.deliver(ADDRESS)
    assert (old.closed, new.closed) == (False, False)
    office.source.gate.open()
    await office.rest()
    assert (old.closed, new.closed) == (True, False)
    assert [name for name, _, _ in new.calls][-1] == "fetch_items"
    assert len(office.store.current(ANN)) == 1


async def test_trouble_with_the_old_exchange_is_forgotten(office: Office) -> None:
    office.source.fail_next(AuthenticationFailed("401"), times=9)
    await office.sync(ANN, BOB)
    assert office.endpoint.standing() is not None
    assert await office.tuner.follow((await office.set({"exchange.username": "right"}, follow=False)).version)
    assert office.endpoint.standing() is None
    assert set(office.endpoint.recovered()) == {ANN, BOB}
    assert office.endpoint.concurrency == 1
    await office.sync(ANN)
    assert office.sources[-1][1].calls


async def test_an_answer_of_the_old_exchange_says_nothing_of_the_new_one(office: Office) -> None:
    await begin(office, ANN)
    office.source.fail_next(AuthenticationFailed("401"), method="read_changes")
    await office.set({"exchange.username": "right"})
    office.source.gate.open()
    await office.rest()
    assert office.endpoint.standing() is None


async def test_who_is_owed_a_pass_gets_it_once_the_store_answers(office: Office) -> None:
    await office.sync(ANN)
    put = await office.set({"email_sync.sync_from_days": 365}, follow=False)
    office.store.fail_next_call(StoreUnavailable("restarting"))
    with pytest.raises(StoreUnavailable):
        await office.tuner.follow(put.version)
    assert office.tuner.version == put.version - 1

    async def failing(operator_ids: Sequence[OperatorId]) -> None:
        del operator_ids
        raise StoreUnavailable("restarting")

    real, office.store.make_due = office.store.make_due, failing  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await office.tuner.follow(put.version)
    office.store.make_due = real  # type: ignore[method-assign]
    assert office.tuner.version == put.version
    await office.tuner.follow(put.version)
    assert office.store.made_due == [ANN]
    await office.tuner.follow(put.version)
    assert office.store.made_due == [ANN]


async def test_a_host_waits_for_the_store() -> None:
    office = Office()
    await office.begin()
    await office.store.seed_settings(document_of(BASE))
    for _ in range(3):
        office.store.fail_next_call(StoreUnavailable("restarting"))
    assert (await stored_settings(office.store, office.clock)).version == 1
    assert len(office.clock.slept) == 3


async def test_a_source_is_closed_with_all_that_went_before() -> None:
    clock = FakeClock()
    first, second = GatedSource(clock), GatedSource(clock)
    for source in (first, second):
        source.add_mailbox(ADDRESS)
    replaceable = ReplaceableSource(first)
    first.gate.shut()
    reading = asyncio.create_task(replaceable.read_changes(ADDRESS, first.folder(ADDRESS), None, 1))
    await asyncio.sleep(0)
    await replaceable.replace(second)
    await replaceable.close()
    assert (first.closed, second.closed) == (True, True)
    first.gate.open()
    await reading
