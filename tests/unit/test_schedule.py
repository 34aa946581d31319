"""Whom to dispatch now."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import AuthenticationFailed
from engine.jobs.model import Shift
from engine.model import OperatorId
from engine.orders import HostReport, Standing
from engine.placement import Placement, literal_host
from engine.schedule import anybody, batches, homeless, next_limit, only_one, restarted, rooms, slow_ones
from engine.status import DueOperator

A, B, C, D = (OperatorId(name) for name in "abcd")
LITERAL = Placement(tuple(literal_host(one) for one in (A, B, C, D)), literal=True)
ONE = Placement(("host",))
IDLE = {"host": HostReport("1")}
ROOM = {"host": 8}
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def due(*operator_ids: OperatorId, sync: bool = True, subscribe: bool = False) -> list[DueOperator]:
    return [DueOperator(one, sync, subscribe) for one in operator_ids]


def test_each_goes_to_its_own_host() -> None:
    reports = {host: HostReport("1") for host in LITERAL.hosts}
    planned = batches(due(A, B), reports, LITERAL, rooms(reports, 8), Shift())
    assert planned == {literal_host(A): due(A), literal_host(B): due(B)}


UNKNOWN = HostReport("1")
SERVED = HostReport("1", answered_at=NOW)
WARNED = HostReport("1", standing=Standing(AuthenticationFailed("no"), NOW))


@pytest.mark.parametrize(
    ("reports", "one"),
    [
        ((UNKNOWN, UNKNOWN), True),
        ((UNKNOWN, SERVED), False),
        ((UNKNOWN, WARNED), True),  # the first has not been told of it yet
        ((WARNED, WARNED), False),  # all know, and ask nothing
    ],
)
def test_one_goes_ahead_until_somebody_is_served(reports: tuple[HostReport, ...], one: bool) -> None:
    assert only_one({str(number): report for number, report in enumerate(reports)}) is one


def test_whoever_goes_ahead_goes_alone() -> None:
    reports = {host: HostReport("1") for host in LITERAL.hosts}
    assert batches(due(A, B), reports, LITERAL, rooms(reports, 8), Shift(), one=True) == {literal_host(A): due(A)}
    reports[literal_host(C)] = HostReport("1", in_progress=(C,))
    assert batches(due(A, B), reports, LITERAL, rooms(reports, 8), Shift(), one=True) == {}


def test_the_order_given_is_kept() -> None:
    assert batches(due(C, A, B), IDLE, ONE, ROOM, Shift()) == {"host": due(C, A, B)}


def test_credit_counts_what_is_under_way() -> None:
    busy = {"host": HostReport("1", in_progress=(D,))}
    assert rooms(busy, 3) == {"host": 2}
    assert batches(due(A, B, C), busy, ONE, rooms(busy, 3), Shift()) == {"host": due(A, B)}
    assert batches(due(A), busy, ONE, rooms(busy, 1), Shift()) == {}


def test_the_busy_wait_wherever_they_are() -> None:
    elsewhere = {"host": HostReport("1"), "old": HostReport("1", in_progress=(A,))}
    assert batches(due(A, B), elsewhere, ONE, rooms(elsewhere, 8), Shift()) == {"host": due(B)}


def test_a_host_that_does_not_answer_gets_nothing() -> None:
    reports = {literal_host(A): HostReport("1")}
    assert batches(due(A, B), reports, LITERAL, rooms(reports, 8), Shift()) == {literal_host(A): due(A)}


@pytest.mark.parametrize(
    ("shift", "sync", "subscribe"),
    [
        (Shift(), True, True),
        (Shift(subscribe=False), True, False),
        (Shift(sync=False, subscribing=True), False, True),
    ],
)
def test_only_what_the_jobs_want(shift: Shift, sync: bool, subscribe: bool) -> None:
    planned = batches(due(A, subscribe=True), IDLE, ONE, ROOM, shift)
    assert planned == {"host": due(A, sync=sync, subscribe=subscribe)}


def test_who_only_wants_a_subscription_waits_for_a_run() -> None:
    waiting = due(A, sync=False, subscribe=True)
    assert batches(waiting, IDLE, ONE, ROOM, Shift()) == {}
    assert batches(waiting, IDLE, ONE, ROOM, Shift(subscribing=True)) == {"host": waiting}
    assert batches(waiting, IDLE, ONE, ROOM, Shift(subscribing=True, subscribe=False)) == {}


def test_due_for_nothing_that_runs() -> None:
    assert batches(due(A), IDLE, ONE, ROOM, Shift(sync=False)) == {}
    # and takes no credit from others
    assert batches([*due(A, sync=False, subscribe=True), *due(B)], IDLE, ONE, {"host": 1}, Shift()) == {"host": due(B)}


@pytest.mark.parametrize(
    ("shift", "somebody"),
    [
        (Shift(), True),
        (Shift(sync=False), False),
        (Shift(sync=False, subscribing=True), True),
        (Shift(sync=False, subscribe=False, subscribing=True), False),
    ],
)
def test_whether_it_is_worth_asking_who_is_due(shift: Shift, somebody: bool) -> None:
    assert anybody(shift) is somebody


def test_slow_passes_take_no_credit_as_long_as_they_are_not_too_many() -> None:
    everybody = tuple(OperatorId(str(number)) for number in range(20))
    report = {"host": HostReport("1", in_progress=everybody[:4])}
    assert rooms(report, 4) == {"host": 0}
    assert rooms(report, 4, frozenset(everybody[1:3])) == {"host": 2}
    assert rooms(report, 4, frozenset(everybody)) == {"host": 4}
    assert rooms({"host": HostReport("1", in_progress=everybody)}, 2, frozenset(everybody)) == {"host": 2 + 14 - 20}


def test_slow_is_who_is_under_way_for_a_minute() -> None:
    since = {A: NOW - timedelta(seconds=61), B: NOW - timedelta(seconds=59)}
    assert slow_ones(since, NOW) == {A}


def test_more_are_asked_for_where_those_found_stand_in_the_way() -> None:
    crowd = due(*(OperatorId(str(number)) for number in range(10)))
    assert next_limit(10, 10, crowd, {}, {"idle": 4, "full": -1}) == 40
    assert next_limit(40, 10, crowd, {}, {"idle": 4}) == 10  # everybody has been seen
    assert next_limit(10, 10, crowd, {"idle": crowd[:4]}, {"idle": 4, "full": 0}) == 10
    assert next_limit(10, 30, crowd, {"idle": crowd[:4]}, {"idle": 4}) == 30


@given(of_the_dead=st.integers(0, 500), of_the_living=st.integers(1, 20), credit=st.integers(1, 9))
def test_whoever_can_go_goes_soon_however_many_stand_before(of_the_dead: int, of_the_living: int, credit: int) -> None:
    names = [f"dead-{number}" for number in range(of_the_dead)] + [
        f"living-{number}" for number in range(of_the_living)
    ]
    waiting = [DueOperator(OperatorId(name), sync=True, subscribe=False) for name in names]
    placement = Placement(
        ("dead", "living"), _known={one.operator_id: one.operator_id.split("-")[0] for one in waiting}
    )
    reports, limit, ticks = {"living": HostReport("1")}, 0, 0
    while any(one.operator_id.startswith("living") for one in waiting):
        least = credit
        limit = max(limit, least)
        room = rooms(reports, credit)
        planned = batches(waiting[:limit], reports, placement, room, Shift())
        limit = next_limit(limit, least, waiting[:limit], planned, room)
        gone = {one.operator_id for one in planned.get("living", ())}
        waiting = [one for one in waiting if one.operator_id not in gone]
        ticks += 1
        assert ticks <= 8 * (1 + of_the_living / credit)


def test_who_came_later_wants_a_host_of_his_own() -> None:
    newcomers = tuple(OperatorId(f"new-{number}") for number in range(3))
    found = homeless([A, *newcomers, newcomers[1]], LITERAL, {literal_host(newcomers[0])})
    assert found == [literal_host(one) for one in newcomers[1:]]
    assert homeless(newcomers, ONE, set()) == []


def test_a_restarted_host_is_known_by_its_incarnation_and_a_new_one_may_have_had_predecessors() -> None:
    reports = {"a": HostReport("2"), "b": HostReport("1"), "new": HostReport("1")}
    assert restarted({"a": "1", "b": "1", "silent": "1"}, reports) == ["a", "new"]
