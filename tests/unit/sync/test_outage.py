"""Hundreds of mailboxes in simulated time: outages, a wrong password, random refusals, one throttled mailbox."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine import errors
from engine.model import OperatorId
from tests.unit.sync.simulation import INBOX_ONLY, Landscape, simulate

MINUTE = 60.0


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of passes leave thousands of lines."""
    with capture_logs():
        yield


@pytest.mark.parametrize(
    ("error", "latency", "count"),
    [
        (errors.SourceUnavailable("refused", code="ConnectionError"), 0.01, 500),
        (errors.SourceUnavailable("no connection in time", code="ConnectTimeout"), 10.0, 100),
        (errors.Throttled("unavailable", code="HTTP 503"), 0.05, 100),
    ],
)
def test_three_minutes_of_outage_cost_few_requests_and_all_are_synced_a_minute_after(
    error: errors.SourceError, latency: float, count: int
) -> None:
    async def scenario() -> None:
        async with Landscape(count) as world:
            await world.all_synced(within=3 * MINUTE)
            begun = world.now()
            world.source.trouble, world.source.latency = lambda _: error, latency
            await world.make_all_due()
            await asyncio.sleep(3 * MINUTE)
            assert world.synced() < 10
            # Eight under way and five in a row open it; probes at 2, 4, 8, 15 and then every 20 seconds
            asked = world.asked_between(begun, world.now())
            assert asked <= 8 + 5 + 12, asked
            ended = world.now()
            world.source.trouble, world.source.latency = lambda _: None, 0.05
            await world.all_synced(within=MINUTE)
            first = next(at for at, _ in world.source.asked_at if at >= ended)
            assert first - ended <= 22 + 0.5

    simulate(scenario)


def test_a_wrong_password_from_the_start_is_tried_a_handful_of_times_and_found_right_within_a_minute() -> None:
    async def scenario() -> None:
        async with Landscape(200) as world:
            world.source.trouble = lambda _: errors.AuthenticationFailed("no", code="HTTP 401")
            await asyncio.sleep(14)
            assert world.asked_between(0, 14) <= 2
            await asyncio.sleep(5 * MINUTE - 14)
            assert len(world.source.asked_at) <= 10
            world.source.trouble = lambda _: None
            await world.all_synced(within=MINUTE + 30)
            assert world.subscribed() == 200
            right = next(moment for moment, _ in world.source.asked_at if moment >= 5 * MINUTE)
            assert right - 5 * MINUTE <= 50

    simulate(scenario)


def test_a_password_that_stops_being_right_is_tried_no_more_than_what_was_under_way() -> None:
    async def scenario() -> None:
        async with Landscape(200) as world:
            await world.all_synced(within=2 * MINUTE)
            await asyncio.sleep(MINUTE)
            begun = world.now()
            world.source.trouble = lambda _: errors.AuthenticationFailed("no", code="HTTP 401")
            await world.make_all_due()
            await asyncio.sleep(10)
            asked = world.asked_between(begun, world.now())
            assert asked <= 9
            world.source.trouble = lambda _: None
            await world.all_synced(within=MINUTE)

    simulate(scenario)


def test_random_refusals_heal_within_seconds() -> None:
    async def scenario() -> None:
        chance = random.Random(3)
        async with Landscape(100) as world:
            await world.all_synced(within=MINUTE)
            refused = errors.AuthenticationFailed("at random", code="HTTP 401")
            world.source.trouble = lambda _: refused if chance.random() < 0.1 else None
            opened, closed_for, since = 0, 0.0, None
            for _ in range(1200):
                await asyncio.sleep(0.05)
                await world.make_all_due()
                standing = world.host.endpoint.standing()
                if standing is not None and since is None:
                    opened, since = opened + 1, world.now()
                if standing is None and since is not None:
                    closed_for, since = closed_for + world.now() - since, None
            assert closed_for <= opened * 2.5
            world.source.trouble = lambda _: None
            await world.all_synced(within=MINUTE)

    simulate(scenario)


def test_one_throttled_mailbox_slows_no_other() -> None:
    async def finished(throttled: bool) -> tuple[float, int]:
        async with Landscape(51) as world:
            sick = world.address(OperatorId("op-000"))
            busy = errors.Throttled("busy", retry_after=0.0, code="ErrorServerBusy")
            world.source.trouble = lambda mailbox: busy if throttled and mailbox == sick else None
            await world.all_synced(within=MINUTE, but=int(throttled))
            others = sum(mailbox != sick for _, mailbox in world.source.asked_at)
            return world.now(), others

    alone = simulate(lambda: finished(throttled=False))
    beside = simulate(lambda: finished(throttled=True))
    assert beside[1] == pytest.approx(alone[1], abs=2)
    assert beside[0] <= alone[0] + 0.2


def test_a_moody_exchange_slows_everybody_down_a_little_and_stops_nobody() -> None:
    async def finished(moods: bool) -> float:
        chance = random.Random(5)

        def mood(mailbox: str) -> errors.SourceError | None:
            throw = chance.random()
            if throw < 0.10:
                return errors.Throttled(f"{mailbox}: busy", retry_after=0.0, code="ErrorServerBusy")
            if throw < 0.15:
                return errors.Throttled("overloaded", code="HTTP 503")
            return errors.SourceUnavailable("reset", code="ConnectionError") if throw < 0.17 else None

        async with Landscape(200) as world:
            if moods:
                world.source.trouble = mood
            await world.all_synced(within=5 * MINUTE)
            assert world.host.endpoint.standing() is None
            assert world.host.endpoint.outcomes["ok"] >= 4 * 200
            return world.now()

    calm, moody = simulate(lambda: finished(moods=False)), simulate(lambda: finished(moods=True))
    assert moody < 4 * calm, (calm, moody)


def test_of_four_hosts_one_looks_whether_the_password_is_right_by_now() -> None:
    async def scenario() -> None:
        async with Landscape(200, hosts=4) as world:
            await world.all_synced(within=2 * MINUTE)
            await asyncio.sleep(MINUTE)
            begun = world.now()
            world.source.trouble = lambda _: errors.AuthenticationFailed("no", code="HTTP 401")
            await world.make_all_due()
            await asyncio.sleep(5 * MINUTE)
            assert world.asked_between(begun + 2, world.now()) <= 8
            world.source.trouble = lambda _: None
            await world.all_synced(within=MINUTE)

    simulate(scenario)


def test_a_host_that_is_cut_off_keeps_no_other_from_its_work() -> None:
    async def scenario() -> None:
        async with Landscape(80, hosts=2) as world:
            await world.all_synced(within=2 * MINUTE)
            await asyncio.sleep(MINUTE)
            reset = errors.SourceUnavailable("no route", code="ConnectionError")
            world.source.trouble = lambda mailbox: reset if world.host_of(mailbox) == "0" else None
            begun = world.now()
            for _ in range(10):
                await world.make_all_due()
                await asyncio.sleep(MINUTE)
            assert world.synced() == 40, "the other host's"
            cut_off = sum(at >= begun and world.host_of(mailbox) == "0" for at, mailbox in world.source.asked_at)
            assert cut_off <= 10 * 20, "it asks no more than it would if it were alone"
            world.source.trouble = lambda _: None
            await world.make_all_due()
            await world.all_synced(within=MINUTE + 30)

    simulate(scenario)


@pytest.mark.parametrize("minutes", [1, 30])
@pytest.mark.parametrize("code", ["ConnectionError", "ErrorMailboxStoreUnavailable"])
def test_all_whom_an_outage_touches_are_given_up_within_seconds_and_nobody_else(minutes: int, code: str) -> None:
    """So that one report names them all; who was reported before keeps the cause of that."""

    async def scenario() -> None:
        async with Landscape(60, policy=replace(INBOX_ONLY, retry_for=timedelta(minutes=minutes))) as world:
            ghosts = {world.address(one) for one in world.who[:5]}
            unknown = errors.MailboxNotFound("no such mailbox", code="ErrorNonExistentMailbox")
            world.source.trouble = lambda mailbox: unknown if mailbox in ghosts else None
            await world.all_synced(within=MINUTE, but=5)
            down = errors.SourceUnavailable("down", code=code)
            world.source.trouble = lambda _: down
            begun = world.now()
            await world.make_all_due()
            await asyncio.sleep(minutes * MINUTE - 2)
            assert world.failed() == {"MAILBOX_NOT_FOUND": 5}
            await asyncio.sleep(begun + minutes * MINUTE + 10 - world.now())
            assert world.failed() == {"MAILBOX_NOT_FOUND": 5, "STORE_DOWN": 55}
            world.source.trouble = lambda mailbox: unknown if mailbox in ghosts else None
            await world.all_synced(within=MINUTE, but=5)

    simulate(scenario)
