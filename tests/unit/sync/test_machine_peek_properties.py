"""Mail comes, changes and goes while a mailbox is listed from nothing, with deaths in between: no ghost, no gap."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import SourceUnavailable
from engine.model import ItemId
from engine.sync.actions import Rest, SyncAsked
from tests.unit.sync.harness import ADDRESS, Harness, asked, deliver

HAPPENING = st.sampled_from(["come", "come to sentitems", "delete", "change", "read", "move"])
MOMENTS = st.dictionaries(st.integers(4, 30), st.tuples(HAPPENING, st.integers(0, 1)), min_size=1, max_size=8)


class Bustle:
    """What happens at which call; changes are made to the mail that has come since, the latest or the one before."""

    def __init__(self, harness: Harness, happenings: dict[int, tuple[str, int]]) -> None:
        self._harness = harness
        self._happenings = happenings
        self._came: list[ItemId] = []
        self._calls = 0
        harness.on_call = self._on_call

    def _on_call(self, _method: str) -> None:
        self._calls += 1
        if self._calls in self._happenings:
            self._happen(*self._happenings[self._calls])
            self._harness.ask(SyncAsked(urgent=True))

    def _happen(self, what: str, which: int) -> None:
        source = self._harness.source
        if what.startswith("come"):
            self._came += deliver(self._harness, 1, "sentitems" if "sent" in what else "inbox")
            return
        if len(self._came) <= which:
            return
        item = self._came[-1 - which]
        if what == "delete":
            source.delete(ADDRESS, self._came.pop(-1 - which))
        elif what == "change":
            source.update(ADDRESS, item, subject="changed")
        elif what == "read":
            source.mark_read(ADDRESS, item)
        else:
            self._came[-1 - which] = source.move(ADDRESS, item, "sentitems")


@given(
    count=st.integers(4, 20),
    happenings=MOMENTS,
    kill_in=st.none() | st.integers(4, 40),
    kill_after=st.booleans(),
    snapshots=st.booleans(),
    known=st.booleans(),
    missed=st.integers(0, 2),
)
@settings(max_examples=300)
def test_the_store_comes_to_equal_exchange(
    *,
    count: int,
    happenings: dict[int, tuple[str, int]],
    kill_in: int | None,
    kill_after: bool,
    snapshots: bool,
    known: bool,
    missed: int,
) -> None:
    harness = Harness()
    harness.source.snapshots = snapshots
    deliver(harness, count)
    if known:  # the listing is one begun anew, which buries what it does not see
        assert isinstance(harness.run(), Rest)
        harness.source.refuse_tokens(ADDRESS)
    if missed:
        harness.source.fail_next(SourceUnavailable("reset"), method="find_newest", times=missed)
    Bustle(harness, happenings)
    harness.kill_in, harness.kill_after = kill_in, kill_after
    end = harness.run()
    if end is not None:
        assert isinstance(end, Rest)
        assert end.failure is None
        harness.compare()
    harness.on_call = None
    harness.settle()
    harness.compare()


@pytest.mark.parametrize("snapshots", [False, True])
@given(happenings=MOMENTS, count=st.integers(4, 20))
def test_nothing_is_listed_twice_for_new_mail(
    snapshots: bool, count: int, happenings: dict[int, tuple[str, int]]
) -> None:
    harness = Harness()
    harness.source.snapshots = snapshots
    deliver(harness, count)
    Bustle(harness, happenings)
    harness.run()
    from_nothing = [what for what in asked(harness, "read_changes") if what[1] is None]
    assert sorted(what[0] for what in from_nothing) == ["inbox", "sentitems"]
    assert not any(landing.reconciled for landing in harness.store.landings)
    harness.settle()  # what came and went unlisted is asked for again before it is let go
    harness.compare()


@given(happenings=MOMENTS)
def test_mail_that_came_is_not_buried_for_a_while(happenings: dict[int, tuple[str, int]]) -> None:
    """A listing begun anew buries what it has not seen, but not what was landed ahead of it."""
    harness = Harness()
    harness.source.snapshots = True
    deliver(harness, 12)
    harness.run()
    harness.source.refuse_tokens(ADDRESS)
    coming = dict.fromkeys(happenings, ("come", 0))
    harness.clock.advance(timedelta(hours=1))
    Bustle(harness, coming)
    end = harness.run(SyncAsked(urgent=True))
    assert isinstance(end, Rest)
    assert end.summary.deleted == 0
    harness.compare()
