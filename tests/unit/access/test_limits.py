from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access.limits import FailedLogins, LoginLimits

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIMITS = LoginLimits(attempts=3, refill=10 * SECOND, all_attempts=8, all_refill=SECOND, clients=50)
ANN, BEN = ip_address("192.0.2.1"), ip_address("192.0.2.2")


def used_up(client: IPv4Address | IPv6Address | None = ANN, limits: LoginLimits = LIMITS) -> FailedLogins:
    failed = FailedLogins(limits)
    for _ in range(limits.attempts):
        assert failed.wait(client, NOW) == 0
        failed.failed(client, NOW)
    return failed


def test_a_client_waits_when_its_attempts_are_used_up() -> None:
    failed = used_up()
    assert failed.wait(ANN, NOW) == 10
    assert failed.wait(ANN, NOW + 4 * SECOND) == 6
    assert failed.wait(ANN, NOW + 10 * SECOND) == 0
    failed.failed(ANN, NOW + 10 * SECOND)
    assert failed.wait(ANN, NOW + 10 * SECOND) == 10
    assert failed.wait(ANN, NOW + 40 * SECOND) == 0


def test_others_are_not_touched() -> None:
    assert used_up().wait(BEN, NOW) == 0


def test_a_subscriber_of_ipv6_is_one_client() -> None:
    failed = used_up(ip_address("2001:db8:1:2::1"))
    assert failed.wait(ip_address("2001:db8:1:2:ffff::9"), NOW) == 10
    assert failed.wait(ip_address("2001:db8:1:3::1"), NOW) == 0


def test_clients_without_an_address_are_one_client() -> None:
    assert used_up(None).wait(None, NOW) == 10


def test_while_all_have_failed_too_often_only_the_clean_get_a_try() -> None:
    failed = FailedLogins(LIMITS)
    crowd = [ip_address(f"203.0.113.{number}") for number in range(8)]
    for client in crowd:
        failed.failed(client, NOW)
    assert failed.wait(crowd[0], NOW) == 1
    assert failed.wait(ANN, NOW) == 0
    assert failed.wait(crowd[0], NOW + SECOND) == 0


def test_failures_beyond_the_limit_of_all_are_forgotten_as_fast() -> None:
    failed = FailedLogins(LIMITS)
    for number in range(40):
        failed.failed(ip_address(f"203.0.113.{number}"), NOW)
    assert failed.wait(ip_address("203.0.113.39"), NOW) == 1


def test_the_first_and_the_last_attempt_are_notable() -> None:
    failed = FailedLogins(LIMITS)
    assert [failed.failed(ANN, NOW) for _ in range(3)] == [True, False, True]
    assert failed.failed(ANN, NOW + 60 * SECOND)


def test_a_flood_of_failures_is_not_notable() -> None:
    failed = FailedLogins(LIMITS)
    notable = [failed.failed(ip_address(f"203.0.113.{number}"), NOW) for number in range(40)]
    assert notable == [True] * 8 + [False] * 32


def test_memory_is_bounded_and_the_longest_quiet_are_forgotten_first() -> None:
    failed = FailedLogins(LIMITS)
    for number in range(200):
        failed.failed(IPv4Address(number), NOW)
    assert len(failed) == 50
    later = NOW + 8 * SECOND
    for _ in range(2):
        failed.failed(IPv4Address(199), later)
    assert failed.wait(IPv4Address(199), later) > 0


def test_a_client_that_goes_on_failing_is_not_forgotten_before_the_quiet_ones() -> None:
    limits = LoginLimits(attempts=3, refill=10 * SECOND, clients=3)
    failed = FailedLogins(limits)
    for client in (ANN, BEN, IPv4Address(1), ANN, ANN, IPv4Address(2), IPv4Address(3)):
        failed.failed(client, NOW)
    assert failed.wait(ANN, NOW) == 10


def test_a_clock_put_back_locks_nobody_out_for_longer() -> None:
    assert used_up().wait(ANN, NOW - timedelta(days=1)) == 10


@given(steps=st.lists(st.tuples(st.integers(0, 2), st.timedeltas(timedelta(0), timedelta(seconds=15))), max_size=60))
def test_no_client_gets_more_attempts_than_it_has(steps: list[tuple[int, timedelta]]) -> None:
    clients = [ANN, BEN, ip_address("2001:db8::1")]
    limits = LoginLimits(attempts=3, refill=10 * SECOND, all_attempts=10**6, clients=50)
    failed, now = FailedLogins(limits), NOW
    made: dict[int, list[datetime]] = {0: [], 1: [], 2: []}
    for who, after in steps:
        now += after
        if failed.wait(clients[who], now) == 0:
            failed.failed(clients[who], now)
            made[who].append(now)
    for times in made.values():
        for start, first in enumerate(times):
            for count, last in enumerate(times[start:], start=1):
                assert count <= 3 + (last - first) / (10 * SECOND)


@given(after=st.timedeltas(timedelta(0), timedelta(minutes=2)), failures=st.integers(0, 5))
def test_the_wait_is_exactly_as_long_as_it_says(after: timedelta, failures: int) -> None:
    failed = FailedLogins(LIMITS)
    for _ in range(failures):
        failed.failed(ANN, NOW)
    now = NOW + after
    wait = failed.wait(ANN, now)
    assert failed.wait(ANN, now + timedelta(seconds=wait)) == 0
    if wait:
        assert failed.wait(ANN, now + timedelta(seconds=wait) - timedelta(microseconds=1)) > 0


@pytest.mark.parametrize("limits", [LoginLimits(), LIMITS])
def test_the_limits_leave_room_for_a_typing_error(limits: LoginLimits) -> None:
    assert limits.attempts >= 3
    assert limits.all_attempts >= limits.attempts
