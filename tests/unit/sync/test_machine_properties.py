"""Whatever happens to the mailbox, to Exchange, to the store and to us: in the end the store equals Exchange.

Faults are injected into every call, and the process dies between any two actions, before or after a commit.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from engine.errors import (
    AuthenticationFailed,
    FolderMissing,
    RequestRefused,
    ResponseUnreadable,
    SourceUnavailable,
    SyncTokenRefused,
    Throttled,
)
from engine.model import ItemId
from engine.sync.actions import Rest, SubscribeAsked, SyncAsked
from tests.fakes.store import Fault
from tests.unit.sync.harness import ADDRESS, ANN, Harness

FOLDERS = st.sampled_from(["inbox", "sentitems"])
ERRORS = st.sampled_from(
    [
        Throttled("busy", retry_after=0),
        Throttled("busy", retry_after=30),
        SourceUnavailable("reset"),
        AuthenticationFailed("401"),
        SyncTokenRefused("bad token"),
        ResponseUnreadable("not XML"),
        FolderMissing("gone"),
        RequestRefused("odd", code="ErrorOdd"),
    ]
)
METHODS = st.sampled_from([None, "resolve_folders", "read_changes", "fetch_items", "subscribe"])


class MailboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.harness = Harness()
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
    @rule(data=st.data(), how=st.sampled_from(["unreadable", "unreadable_in_batches", "vanish"]))
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
