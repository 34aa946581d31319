"""How many requests at once: slow start, halving, growing back."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import AuthenticationFailed, MailboxNotFound, SourceUnavailable, Throttled
from engine.model import OperatorId
from engine.sync.pressure import Pressure, met, served

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
OVERLOAD = Throttled("too much", code="HTTP 503")
BUSY = Throttled("busy", code="ErrorServerBusy")
ANN, BOB = OperatorId("ann"), OperatorId("bob")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def grown(pressure: Pressure, answers: int) -> Pressure:
    for _ in range(answers):
        pressure = served(pressure)
    return pressure


def test_it_starts_with_one_and_one_more_with_each_answer_up_to_the_ceiling() -> None:
    assert [grown(Pressure(8), answers).limit for answers in (0, 1, 2, 6, 7, 8, 50)] == [1, 2, 3, 7, 8, 8, 8]
    assert grown(Pressure(1), 5).limit == 1


def test_pressure_halves_it_and_ends_the_start() -> None:
    eased = met(grown(Pressure(8), 7), OVERLOAD, ANN, NOW)
    assert eased.limit == 4
    assert [grown(eased, answers).limit for answers in (3, 5, 9)] == [4, 5, 5], "one more for each round of answers"
    assert grown(eased, 100).limit == 8


def test_pressure_at_the_very_start_ends_the_doubling_too() -> None:
    assert met(Pressure(8), OVERLOAD, ANN, NOW).starting is False


def test_what_was_under_way_lowers_it_no_further() -> None:
    pressure = grown(Pressure(32), 31)
    for n in range(10):
        pressure = met(pressure, OVERLOAD, ANN, at(n / 10))
    assert pressure.limit == 16
    assert met(pressure, OVERLOAD, ANN, at(1)).limit == 8


def test_it_never_falls_below_one() -> None:
    pressure = Pressure(8)
    for n in range(10):
        pressure = met(pressure, OVERLOAD, ANN, at(2 * n))
    assert pressure.limit == 1
    assert grown(pressure, 1).limit == 2


def test_one_throttled_mailbox_is_its_own_trouble() -> None:
    pressure = grown(Pressure(8), 7)
    for n in range(100):
        pressure = met(pressure, BUSY, ANN, at(n))
    assert pressure.limit == 8


@pytest.mark.parametrize(("apart", "limit"), [(0, 4), (10, 4), (10.1, 8)])
def test_several_at_the_same_time_are_everybodys(apart: float, limit: int) -> None:
    pressure = met(grown(Pressure(8), 7), BUSY, ANN, NOW)
    assert met(pressure, BUSY, BOB, at(apart)).limit == limit


def test_many_throttled_mailboxes_are_remembered_in_little_room() -> None:
    pressure = Pressure(8)
    for n in range(1000):
        pressure = met(pressure, BUSY, OperatorId(str(n)), NOW)
    assert len(pressure.busy) == 8


@pytest.mark.parametrize(
    "error",
    [
        SourceUnavailable("", code="ConnectionError"),
        SourceUnavailable("", code="ErrorMailboxStoreUnavailable"),
        AuthenticationFailed("", code="HTTP 401"),
        MailboxNotFound(""),
    ],
)
def test_other_failures_say_nothing_about_load(error: MailboxNotFound) -> None:
    pressure = grown(Pressure(8), 7)
    assert met(pressure, error, ANN, NOW) == pressure
