"""Whatever happens to the mailbox, to Exchange, to the store and to us: in the end the store equals Exchange.

Faults are injected into every call, and the process dies between any two actions, before or after a commit. The mailbox
is held and let go at any moment, and while it is held, nothing of its backfill is asked for.
"""

from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.errors import (
    AuthenticationFailed,
    FolderMissing,
    ImpersonationDenied,
    RequestRefused,
    ResponseUnreadable,
    SourceUnavailable,
    SyncTokenRefused,
    Throttled,
)
from engine.model import FolderId, ItemId, MailboxStatus
from engine.sync.actions import FetchItems, FindNewest, ReadPage, Rest, SubscribeAsked, SyncAsked
from tests.fakes.store import Fault
from tests.unit.sync.harness import ADDRESS, ANN, Harness

FOLDERS = st.sampled_from(["inbox", "sentitems"])
ERRORS = st.sampled_from(
    [
        Throttled("busy", retry_after=0),
        Throttled("busy", retry_after=30),
        SourceUnavailable("reset"),
        AuthenticationFailed("401"),
        ImpersonationDenied("no"),
        SyncTokenRefused("bad token"),
        ResponseUnreadable("not XML"),
        FolderMissing("gone"),
        RequestRefused("odd", code="ErrorOdd"),
    ]
)
METHODS = st.sampled_from([None, "resolve_folders", "read_changes", "find_newest", "fetch_items", "subscribe"])


def first_listed(harness: Harness) -> set[str]:
    """Ids of the pages that the first drain of their folder has queued, read from what has landed."""
    pages: set[str] = set()
    drained: set[FolderId] = set()
    for landing in harness.store.landings:
        queued = {page.page_id for page in landing.queued}
        halved = {page.page_id for page in landing.amended_pages} if landing.folder_record is None else set()
        if landing.folder is not None and (halved & pages or (not halved and landing.folder.folder_id not in drained)):
            pages |= queued
        if landing.folder_record is not None and landing.folder_record.drained:
            drained.add(landing.folder_record.folder_id)
    return pages


def leaves_the_backfill(harness: Harness) -> None:
    """Before each call: what is about to be asked is no backfill, if the mailbox is held."""
    state, box = harness.state, harness.store._mailboxes[ANN]
    if state is None or not state.held:
        return
    if isinstance(state.doing, ReadPage) or (isinstance(state.doing, FetchItems) and state.doing.direct):
        assert box.folders[state.doing.folder.folder_id].drained
    elif isinstance(state.doing, FindNewest):
        raise AssertionError("a look beside a listing")
    elif isinstance(state.doing, FetchItems) and state.doing.page_id:
        page, since = box.pages[state.doing.page_id], box.record.last_success_at
        is_recent = since is not None and page.newest_at is not None and page.newest_at >= since
        assert is_recent or page.page_id not in first_listed(harness)


class News(Enum):
    """What happens in the mailbox in the middle of a pass."""

    COME = auto()
    DELETED = auto()
    CHANGED = auto()
    READ = auto()
    FORGOTTEN = auto()


class MailboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.harness = Harness()
        self.calls = 0
        self.turns: frozenset[int] = frozenset()
        self.news: dict[int, News] = {}
        self.harness.on_call = lambda _method: self._before_call()
        self.source = self.harness.source
        self.serial = 0

    def _items(self) -> list[ItemId]:
        return [item for folder in ("inbox", "sentitems") for item in self.source.items(ADDRESS, folder)]

    def _has_items(self) -> bool:
        return bool(self._items())

    def _pick(self, data: st.DataObject) -> ItemId:
        return data.draw(st.sampled_from(self._items()))

    @rule(folder=FOLDERS, count=st.integers(1, 8), age=st.sampled_from([0, 1, 10, 29, 31, 400]))
    def deliver(self, folder: str, count: int, age: int) -> None:
        for _ in range(count):
            received = self.harness.clock.now() - timedelta(days=age)
            self.source.deliver(ADDRESS, folder, received_at=received.replace(microsecond=0))

    @precondition(_has_items)
    @rule(data=st.data())
    def update(self, data: st.DataObject) -> None:
        self.source.update(ADDRESS, self._pick(data), subject="changed")

    @precondition(_has_items)
    @rule(data=st.data(), is_read=st.booleans())
    def mark_read(self, data: st.DataObject, is_read: bool) -> None:
        self.source.mark_read(ADDRESS, self._pick(data), is_read)

    @precondition(_has_items)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.source.delete(ADDRESS, self._pick(data))

    @precondition(_has_items)
    @rule(data=st.data(), folder=FOLDERS)
    def move(self, data: st.DataObject, folder: str) -> None:
        self.source.move(ADDRESS, self._pick(data), folder)

    @precondition(_has_items)
    @rule(data=st.data(), how=st.sampled_from(["unreadable", "unreadable_in_batches", "moody", "vanish"]))
    def spoil(self, data: st.DataObject, how: str) -> None:
        getattr(self.source, how)(self._pick(data))

    @rule()
    def refuse_tokens(self) -> None:
        self.source.refuse_tokens(ADDRESS)

    @precondition(lambda self: self._all_folders_keep_a_landed_item())
    @rule()
    def forget_tokens_silently(self) -> None:
        """The next listing begins anew without a word. A landed item in it gives that away, so there must be one."""
        self.source.clear_faults()
        self.harness.store._faults.clear()
        self.source.refuse_tokens(ADDRESS, silently=True)
        self.harness.settle()

    def _all_folders_keep_a_landed_item(self) -> bool:
        landed = self.harness.store.current(ANN)
        return all(
            any(landed.get(item, {}).get("folder") == folder for item in self.source.items(ADDRESS, folder))
            for folder in ("inbox", "sentitems")
        )

    @rule(folder=FOLDERS)
    def replace_folder(self, folder: str) -> None:
        self.source.remove_folder(ADDRESS, folder)
        self.source.add_folder(ADDRESS, folder)

    @rule(folder=FOLDERS)
    def pretend_empty_and_refuse(self, folder: str) -> None:
        self.source.pretend_empty(ADDRESS, folder)
        self.source.refuse_tokens(ADDRESS)

    @rule(folder=FOLDERS)
    def hide_folder_for_a_pass(self, folder: str) -> None:
        """Exchange says for a moment that there is no such folder; then it is back as it was."""
        folders = self.source._mailboxes[ADDRESS]
        hidden = folders.pop(folder)
        self._sync(wait=False, again=False)
        folders[folder] = hidden

    @rule()
    def widen_window(self) -> None:
        policy = self.harness.policy
        self.harness.policy = replace(policy, sync_from=min(policy.sync_from * 2, timedelta(days=500)))
        self.harness.restart()

    @rule(error=ERRORS, method=METHODS, after=st.booleans(), times=st.integers(1, 3))
    def fail(self, error: Exception, method: str | None, after: bool, times: int) -> None:
        self.source.fail_next(error, method=method, after=after, times=times)  # type: ignore[arg-type]

    @rule(fault=st.sampled_from(Fault), sound=st.integers(0, 3))
    def store_fails(self, fault: Fault, sound: int) -> None:
        self.harness.store.script(*[None] * sound, fault)

    @rule()
    def store_restarts(self) -> None:
        self.harness.store.restart()

    @rule()
    def fenced(self) -> None:
        """Another host activates the mailbox: what this one still does must not count."""
        self.harness.store._activate(self.harness.store._mailboxes[ANN])

    @rule(within=st.integers(0, 12), after=st.booleans(), wait=st.booleans(), again=st.booleans())
    def sync_and_die(self, within: int, after: bool, wait: bool, again: bool) -> None:
        self.harness.kill_in, self.harness.kill_after = within, after
        self._sync(wait, again)
        self.harness.kill_in = None

    @rule(wait=st.booleans(), again=st.booleans())
    def sync(self, wait: bool, again: bool) -> None:
        self._sync(wait, again)

    @rule(held=st.booleans())
    def hold(self, held: bool) -> None:
        self.harness.hold(held)

    @rule(turns=st.frozensets(st.integers(1, 14), min_size=1, max_size=3), again=st.booleans())
    def sync_held_and_let_go(self, turns: frozenset[int], again: bool) -> None:
        """At these calls of the pass the mailbox is held, or let go."""
        self.calls, self.turns = 0, turns
        self._sync(wait=True, again=again)
        self.turns = frozenset()

    @rule(
        news=st.dictionaries(st.integers(1, 14), st.sampled_from([*News]), min_size=1, max_size=4),
        within=st.none() | st.integers(0, 20),
        after=st.booleans(),
    )
    def sync_while_mail_comes(self, news: dict[int, News], within: int | None, after: bool) -> None:
        """At these calls of the pass somebody gets or deletes mail, and Exchange tells of it."""
        self.calls, self.news = 0, news
        self.harness.kill_in, self.harness.kill_after = within, after
        self._sync(wait=True, again=False)
        self.harness.kill_in = None
        self.news = {}

    def _before_call(self) -> None:
        leaves_the_backfill(self.harness)
        self.calls += 1
        if (news := self.news.get(self.calls)) is not None:
            self._tell(news)
        if self.calls in self.turns:
            self.harness.hold(not self.harness.held)

    def _tell(self, news: News) -> None:
        # What came last: it is what a look beside a listing finds
        last = max(self._items(), key=lambda item: int(item.rpartition("-")[2]), default=None)
        if news is News.COME:
            self.source.deliver(ADDRESS, "inbox")
        elif last is not None and news is News.DELETED:
            self.source.delete(ADDRESS, last)
        elif last is not None and news is News.CHANGED:
            self.source.update(ADDRESS, last, subject="changed")
        elif last is not None and news is News.READ:
            self.source.mark_read(ADDRESS, last)
        elif news is News.FORGOTTEN:
            self.source.refuse_tokens(ADDRESS)
        self.harness.ask(SyncAsked(urgent=True))

    @invariant()
    def the_record_says_all_or_nothing(self) -> None:
        record = self.harness.store._mailboxes[ANN].record
        trouble = (record.failing_since, record.error_code, record.error, record.error_at)
        if record.status in (MailboxStatus.FAILING, MailboxStatus.FAILED):
            assert None not in (*trouble, record.next_sync_at)
            assert record.attempts > 0
        else:
            assert set(trouble) == {None}
            assert record.attempts == 0
        if record.status is MailboxStatus.SYNCED:
            aside = self.harness.store._mailboxes[ANN].quarantined.values()
            assert record.next_sync_at in (None, *(entry.next_attempt_at for entry in aside))
            assert record.last_success_at is not None

    @rule()
    def subscribe(self) -> None:
        self.serial += 1
        self.harness.run(SubscribeAsked(f"serial-{self.serial}", "http://127.0.0.1/x", 30))

    def _sync(self, wait: bool, again: bool) -> None:
        if wait:
            self.harness.clock.advance(timedelta(minutes=20))
        self.harness.run(between=[SyncAsked(urgent=True)] if again else [])

    @rule()
    def quiet(self) -> None:
        """Trouble is over for a while."""
        self._settle_and_compare()

    def teardown(self) -> None:
        self._settle_and_compare()

    def _settle_and_compare(self) -> None:
        self.harness.store._faults.clear()
        self.harness.settle()
        self.harness.settle(passes=1)
        self.harness.compare()


MailboxMachine.TestCase.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)
TestMailboxMachine = MailboxMachine.TestCase


def test_a_server_that_silently_forgets_a_token_leaves_no_ghost() -> None:
    harness = Harness()
    items = [harness.source.deliver(ADDRESS) for _ in range(7)]
    assert isinstance(harness.run(), Rest)
    harness.source.delete(ADDRESS, items[2])
    harness.source.refuse_tokens(ADDRESS, silently=True)
    harness.run()
    harness.compare()


@pytest.mark.parametrize("count", [2, 3, 4, 7])
@pytest.mark.parametrize("kill_in", range(12))
def test_a_death_right_after_the_silent_listing_leaves_no_ghost(count: int, kill_in: int) -> None:
    """That the server began anew is known by the landing that shows it, or by nobody."""
    harness = Harness()
    items = [harness.source.deliver(ADDRESS) for _ in range(count)]
    harness.run()
    harness.source.delete(ADDRESS, items[1])
    harness.source.refuse_tokens(ADDRESS, silently=True)
    harness.kill_in, harness.kill_after = kill_in, True
    harness.run()
    harness.settle()
    harness.compare()
