"""Mail that is kept out, in the sync: it does not come back, costs one fetch, and holds up nothing else."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from engine.model import ItemId
from engine.privacy.addresses import names_of
from engine.privacy.erasure import ErasureRequest, LiftRequest
from engine.sync.actions import Rest
from tests.fakes.mailboxes import FakeItem
from tests.fakes.store_erasures import addresses_of
from tests.unit.sync.harness import ADDRESS, ANN, Harness, fetched, finish, passed
from tests.unit.sync.test_machine_properties import FOLDERS, MailboxMachine

ZOE, YAN = "zoe@example.org", "yan@example.org"


class ErasingHarness(Harness):
    """Compares the store with Exchange without whom it keeps out."""

    def __init__(self) -> None:
        super().__init__()
        everything = self.source.items

        def without_the_erased(mailbox: str, folder: str = "inbox") -> dict[ItemId, dict[str, Any]]:
            found = everything(mailbox, folder)
            return {one: row for one, row in found.items() if not self.is_kept_out(row)} if self.comparing else found

        self.comparing = False
        self.source.items = without_the_erased  # type: ignore[method-assign]

    def is_kept_out(self, row: dict[str, Any]) -> bool:
        return any(not self.store.kept_out.isdisjoint(names_of(one)) for one in addresses_of(row))

    def compare(self) -> None:
        self.comparing = True
        try:
            super().compare()
        finally:
            self.comparing = False

    def erase(self, address: str = ZOE, erasure_id: str = "e1") -> int:
        return finish(self.store.erase(ErasureRequest(erasure_id, address, "tester"))).emails


class ErasingMachine(MailboxMachine):
    """As the machine, with people who write, are erased and are let in again."""

    def __init__(self) -> None:
        super().__init__()
        self.harness = ErasingHarness()
        self.harness.on_call = lambda _method: self._before_call()
        self.source = self.harness.source
        self.erased: dict[str, str] = {}
        self.lifted_at: list[datetime] = []

    @rule(folder=FOLDERS, who=st.sampled_from([ZOE, YAN, "Zoe+x@Example.org"]), count=st.integers(1, 4))
    def write(self, folder: str, who: str, count: int) -> None:
        for number in range(count):
            named = {"sender_address": who} if number % 2 else {"cc_recipients": [{"name": "", "address": who}]}
            self.source.deliver(ADDRESS, folder, received_at=self.harness.clock.now(), **named)

    @precondition(lambda self: self._has_items())
    @rule(data=st.data(), who=st.sampled_from([ZOE, YAN, "somebody@else.example"]))
    def name_somebody_else(self, data: st.DataObject, who: str) -> None:
        self.source.update(ADDRESS, self._pick(data), sender_address=who, cc_recipients=[])

    @rule(who=st.sampled_from([ZOE, YAN]))
    def erase(self, who: str) -> None:
        self.erased[who] = f"e{len(self.harness.store.receipts)}"
        assert isinstance(self.harness, ErasingHarness)
        self.harness.erase(who, self.erased[who])

    @precondition(lambda self: self.erased)
    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(sorted(self.erased)))
        finish(self.harness.store.lift_erasure(LiftRequest(self.erased.pop(who), "tester", relist=True)))
        self.lifted_at.append(self.harness.clock.now())

    @invariant()
    def the_record_says_all_or_nothing(self) -> None:
        if (
            self.harness.store._mailboxes[ANN].record.next_sync_at not in self.lifted_at
        ):  # else made due, as by a notice
            super().the_record_says_all_or_nothing()

    @invariant()
    def nobody_who_was_erased_is_named(self) -> None:
        assert isinstance(self.harness, ErasingHarness)
        assert not any(self.harness.is_kept_out(row) for row in self.harness.store.all_rows(ANN).values())


ErasingMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestErasingMachine = ErasingMachine.TestCase


def delivered(harness: Harness, *who: str) -> list[ItemId]:
    return [harness.source.deliver(ADDRESS, sender_address=one) for one in who]


def test_what_is_kept_out_is_fetched_once_and_not_asked_for_again() -> None:
    harness = ErasingHarness()
    harness.erase()
    delivered(harness, ZOE, "bob@example.org", ZOE)
    passed(harness)
    assert sorted(one for ids in fetched(harness) for one in ids) == sorted(harness.source.items(ADDRESS))
    before = len(fetched(harness))
    for _ in range(3):
        assert passed(harness) == [] or not fetched(harness)[before:]
    harness.compare()


@pytest.mark.parametrize(("silently", "most"), [(False, 0), (True, 1)])
def test_a_listing_from_the_beginning_fetches_none_of_it(silently: bool, most: int) -> None:
    """But for a last page alone, as which a server may begin anew without a word: that is fetched at once."""
    harness = ErasingHarness()
    delivered(harness, ZOE, "bob@example.org", ZOE, "bob@example.org")
    passed(harness)
    assert harness.erase() == 2
    harness.source.refuse_tokens(ADDRESS, silently=silently)
    before = len(fetched(harness))
    for _ in range(3):
        end = harness.run()
        assert isinstance(end, Rest) or harness.mailbox is None
    assert len(fetched(harness)[before:]) <= most
    harness.settle()
    harness.compare()


def test_a_move_of_it_does_not_bring_it_back() -> None:
    harness = ErasingHarness()
    (item, *_) = delivered(harness, ZOE, "bob@example.org")
    passed(harness)
    harness.erase()
    harness.source.move(ADDRESS, item, "sentitems")
    harness.settle()
    harness.compare()
    assert len(harness.store.current(ANN)) == 1


def test_lifted_with_a_new_listing_it_is_there_again() -> None:
    harness = ErasingHarness()
    delivered(harness, ZOE, "bob@example.org", ZOE)
    passed(harness)
    harness.erase()
    finish(harness.store.lift_erasure(LiftRequest("e1", "tester", relist=True)))
    harness.settle()
    harness.compare()
    assert len(harness.store.current(ANN)) == 3


def test_without_a_new_listing_only_what_comes_lands_again() -> None:
    harness = ErasingHarness()
    delivered(harness, ZOE)
    passed(harness)
    harness.erase()
    finish(harness.store.lift_erasure(LiftRequest("e1", "tester")))
    harness.settle()
    assert harness.store.current(ANN) == {}
    (later,) = delivered(harness, ZOE)
    harness.settle()
    assert list(harness.store.current(ANN)) == [later]


def test_an_item_at_which_reading_fails_and_that_is_kept_out_later_leaves_quarantine() -> None:
    harness = ErasingHarness()
    (item,) = delivered(harness, ZOE)
    harness.source.unreadable(item)
    harness.run()
    assert harness.store.mailbox(ANN).quarantined
    harness.erase()
    harness.source.readable(item)
    harness.settle()
    harness.settle(passes=1)
    harness.compare()


def test_a_mailbox_of_nothing_else_is_synced_and_not_suddenly_empty() -> None:
    harness = ErasingHarness()
    delivered(harness, ZOE, ZOE, ZOE)
    passed(harness)
    harness.erase()
    harness.source.refuse_tokens(ADDRESS)
    harness.settle(passes=2)
    harness.compare()
    assert harness.store.current(ANN) == {}


def test_items_are_seen_as_fake_items() -> None:
    """The fake's items have the columns that addresses are read from."""
    harness = ErasingHarness()
    delivered(harness, ZOE)
    items = [one for folder in harness.source._mailboxes[ADDRESS].values() for one in folder.items.values()]
    assert all(isinstance(one, FakeItem) and addresses_of(one.row) for one in items)
