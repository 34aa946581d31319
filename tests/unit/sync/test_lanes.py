"""Who may talk to Exchange next."""

import asyncio
from dataclasses import replace

import pytest

from engine.model import FolderRecord
from engine.sync.actions import Action, FetchItems, ReadPage, ResolveFolders
from engine.sync.lanes import Lane, Lanes, lane_of
from engine.sync.state import FolderState
from tests.unit.sync.harness import ADDRESS, Harness, passed


async def holder(lanes: Lanes, lane: Lane, name: str, order: list[str], release: asyncio.Event) -> None:
    async with lanes.slot(lane):
        order.append(name)
        await release.wait()


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_urgent_goes_first_and_within_a_lane_first_come_first_served() -> None:
    lanes, order, release = Lanes(1), list[str](), asyncio.Event()
    wanted = [
        (Lane.INCREMENTAL, "holds"),
        (Lane.BACKFILL, "backfill 1"),
        (Lane.INCREMENTAL, "incremental"),
        (Lane.BACKFILL, "backfill 2"),
        (Lane.NOTICE, "notice 1"),
        (Lane.NOTICE, "notice 2"),
    ]
    tasks = []
    for lane, name in wanted:
        tasks.append(asyncio.create_task(holder(lanes, lane, name, order, release)))
        await turns()
    assert order == ["holds"]
    release.set()
    await asyncio.gather(*tasks)
    assert order == ["holds", "notice 1", "notice 2", "incremental", "backfill 1", "backfill 2"]


async def test_no_more_than_the_slots_at_once_and_none_is_lost() -> None:
    lanes, order, release = Lanes(2), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(holder(lanes, Lane.NOTICE, str(n), order, release)) for n in range(5)]
    await turns()
    assert len(order) == 2
    tasks[3].cancel()  # waits
    tasks[0].cancel()  # holds
    await turns()
    assert len(order) == 3
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(order) == ["0", "1", "2", "4"]
    async with lanes.slot(Lane.NOTICE), lanes.slot(Lane.NOTICE):
        pass


async def test_a_slot_given_to_one_who_is_cancelled_goes_on() -> None:
    lanes, order, release = Lanes(1), list[str](), asyncio.Event()
    first = asyncio.create_task(holder(lanes, Lane.NOTICE, "first", order, release))
    await turns()
    second = asyncio.create_task(holder(lanes, Lane.NOTICE, "second", order, release))
    third = asyncio.create_task(holder(lanes, Lane.NOTICE, "third", order, release))
    await turns()
    first.cancel()
    await asyncio.sleep(0)  # the slot is given to the second, which has not woken up yet
    second.cancel()
    await turns()
    assert order == ["first", "third"]
    release.set()
    await third


@pytest.mark.parametrize("slots", [1, 2, 3, 8])
async def test_new_mail_never_waits_for_the_end_of_a_backfills_request(slots: int) -> None:
    lanes, order, release = Lanes(slots), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(holder(lanes, Lane.BACKFILL, "backfill", order, release)) for _ in range(20)]
    await turns()
    assert order == ["backfill"] * max(1, slots - 1)
    tasks += [asyncio.create_task(holder(lanes, Lane.NOTICE, "notice", order, release)) for _ in range(2)]
    await turns()
    assert order[max(1, slots - 1) :] == ["notice"], "one goes beside the backfill, and then all is taken"
    release.set()
    await asyncio.gather(*tasks)


async def test_fewer_slots_take_effect_as_those_held_are_given_back() -> None:
    lanes, order = Lanes(4), list[str]()
    releases = [asyncio.Event() for _ in range(8)]
    tasks = [
        asyncio.create_task(holder(lanes, Lane.INCREMENTAL, str(n), order, release))
        for n, release in enumerate(releases)
    ]
    await turns()
    assert order == ["0", "1", "2", "3"]
    lanes.slots = 2
    for release in releases[:2]:
        release.set()
    await turns()
    assert order == ["0", "1", "2", "3"], "two are held still, and two are allowed"
    releases[2].set()
    await turns()
    assert order == ["0", "1", "2", "3", "4"]
    lanes.slots = 3
    await turns()
    assert order == ["0", "1", "2", "3", "4", "5"], "more slots are given at once"
    for release in releases:
        release.set()
    await asyncio.gather(*tasks)
    assert order == [str(n) for n in range(8)]


async def test_when_slots_become_fewer_than_a_backfill_holds_a_notice_goes_all_the_same() -> None:
    lanes, order, release = Lanes(8), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(holder(lanes, Lane.BACKFILL, "backfill", order, release)) for _ in range(7)]
    await turns()
    lanes.slots = 2
    tasks.append(asyncio.create_task(holder(lanes, Lane.INCREMENTAL, "incremental", order, release)))
    await turns()
    tasks.append(asyncio.create_task(holder(lanes, Lane.NOTICE, "notice", order, release)))
    await turns()
    assert order == ["backfill"] * 7 + ["notice"]
    release.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("urgent", "drained", "page_id", "lane"),
    [
        (True, True, "", Lane.NOTICE),
        (True, False, "", Lane.NOTICE),
        (True, True, "page", Lane.BACKFILL),
        (False, True, "", Lane.INCREMENTAL),
        (False, False, "", Lane.BACKFILL),
        (False, True, "page", Lane.BACKFILL),
    ],
)
def test_lanes_of_fetches(harness: Harness, urgent: bool, drained: bool, page_id: str, lane: Lane) -> None:
    passed(harness)
    assert harness.state is not None
    folder = harness.source.folder(ADDRESS)
    known = FolderState(FolderRecord(folder.folder_id, folder.name, drained=drained))
    state = replace(harness.state, folders=(known,))
    actions: list[Action] = [FetchItems(folder, (), page_id)]
    if not page_id:
        actions.append(ReadPage(folder, None, 1))
    assert {lane_of(state, action, urgent=urgent) for action in actions} == {lane}


def test_lane_of_anything_else(harness: Harness) -> None:
    passed(harness)
    assert harness.state is not None
    assert lane_of(harness.state, ResolveFolders(()), urgent=False) is Lane.INCREMENTAL
    assert lane_of(harness.state, ResolveFolders(()), urgent=True) is Lane.NOTICE
