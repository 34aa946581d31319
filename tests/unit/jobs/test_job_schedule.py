"""When a job runs next: intervals, cron expressions, changes to summer time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SettingsError
from engine.jobs.model import Job, JobName
from engine.jobs.schedule import check, checked_every, checked_timezone, next_run_at

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def job(every: str, last: datetime | None = None, timezone: str = "UTC", *, enabled: bool = True) -> Job:
    return Job(JobName.EMAIL_SYNC, enabled, every, timezone, last_run_at=last)


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN).astimezone(UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("every", ["15m", "0 6 * * *"])
def test_a_job_that_never_ran_runs_at_once(every: str) -> None:
    assert next_run_at(job(every), NOON) == NOON


def test_a_disabled_job_runs_never() -> None:
    assert next_run_at(job("15m", enabled=False), NOON) is None
    assert next_run_at(job("15m", NOON, enabled=False), NOON) is None


def test_an_interval_counts_from_the_last_run() -> None:
    assert next_run_at(job("15m", NOON - timedelta(minutes=5)), NOON) == NOON + timedelta(minutes=10)
    assert next_run_at(job("90s", NOON), NOON) == NOON + timedelta(seconds=90)


@pytest.mark.parametrize("every", ["15m", "0 * * * *"])
def test_what_was_missed_is_made_up_for_at_once(every: str) -> None:
    assert next_run_at(job(every, NOON - timedelta(days=3)), NOON) == NOON


@pytest.mark.parametrize(("every", "following"), [("15m", timedelta(minutes=15)), ("0 13 * * *", timedelta(hours=1))])
def test_a_last_run_in_the_future_puts_nothing_off(every: str, following: timedelta) -> None:
    assert next_run_at(job(every, NOON + timedelta(days=9)), NOON) == NOON + following


def test_a_cron_expression_is_read_in_its_zone() -> None:
    last = berlin(2026, 11, 23, 6, 0)
    assert next_run_at(job("0 6 * * *", last, "Europe/Berlin"), last) == berlin(2026, 11, 24, 6, 0)
    assert next_run_at(job("0 6 * * *", last), last) == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_weekdays() -> None:
    friday = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
    assert next_run_at(job("0 6 * * mon-fri", friday), friday) == datetime(2026, 11, 30, 6, 0, tzinfo=UTC)


def test_what_the_missing_hour_of_spring_holds_comes_right_after_it() -> None:
    last = berlin(2026, 3, 28, 2, 30)
    assert next_run_at(job("30 2 * * *", last, "Europe/Berlin"), last) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_what_the_twofold_hour_of_autumn_holds_comes_once() -> None:
    last = berlin(2026, 10, 24, 2, 30)
    first = next_run_at(job("30 2 * * *", last, "Europe/Berlin"), last)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = next_run_at(job("30 2 * * *", first, "Europe/Berlin"), first)
    assert second == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_run_by_hand_in_the_second_of_the_hours_it_waits_for_the_next_day() -> None:
    second_half_past_two = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    following = next_run_at(job("30 2 * * *", second_half_past_two, "Europe/Berlin"), second_half_past_two)
    assert following == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_every_quarter_of_both_hours_of_autumn() -> None:
    at, seen = datetime(2026, 10, 24, 23, 50, tzinfo=UTC), []
    while at < datetime(2026, 10, 25, 2, 0, tzinfo=UTC):
        following = next_run_at(job("*/15 * * * *", at, "Europe/Berlin"), at)
        assert following is not None
        seen.append(at := following)
    assert seen == [datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=15 * step) for step in range(9)]


@pytest.mark.parametrize(
    ("every", "message"),
    [
        (
            "",
            "every: '' is no schedule; write an interval such as \"15m\", or a cron expression of five fields such as",
        ),
        ("5 min", "every: '5 min' is no schedule; write an interval"),
        ("@daily", "every: '@daily' is no schedule; write an interval"),
        ("0 0 6 * * *", "every: '0 0 6 * * *' is no schedule; write an interval"),
        ("60 * * * *", "every: '60 * * * *' is no cron expression (bad minute); write an interval"),
        ("* * * 13 *", "every: '* * * 13 *' is no cron expression (bad month); write an interval"),
        ("0 0 30 2 *", "every: '0 0 30 2 *' never comes: the months it names have no such day."),
        ("0 0 31 4,6 *", "every: '0 0 31 4,6 *' never comes: the months it names have no such day."),
        ("0.5s", "every: at least one second."),
        ("4000d", "every: write an interval between 0 seconds and 3650 days."),
    ],
)
def test_what_is_no_schedule_is_told_with_what_to_write(every: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check(every, "UTC")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("zone", ["", "Europe", "../etc/passwd", "/etc/passwd", "Mars/Phobos", "\0", "x" * 999])
def test_what_is_no_time_zone_is_told_with_what_to_write(zone: str) -> None:
    with pytest.raises(SettingsError, match=r"^jobs.X.timezone: .* is not a time zone; write an IANA name such as"):
        check("15m", zone, "jobs.X.")


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(ValueError, match=r'such as "Europe/Berlin"$'):
        checked_timezone("europe/berln")


FIELD = st.one_of(
    st.just("*"),
    st.sampled_from(
        ["*/2", "*/7", "1", "2,5", "0", "3-6", "30", "29", "L", "LW", "5#2", "5L", "MON", "FEB", "1/3", "99", ""]
    ),
)
EXPRESSIONS = st.lists(FIELD, min_size=5, max_size=5).map(" ".join) | st.text(max_size=20)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
TIMES = st.integers(-6 * 365 * 86400, 9 * 365 * 86400).map(lambda seconds: NOON + timedelta(seconds=seconds))


@given(every=EXPRESSIONS, zone=ZONES, last=TIMES, later=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_whatever_is_taken_has_a_next_time_after_the_last(
    every: str, zone: str, last: datetime, later: timedelta
) -> None:
    try:
        checked_every(every)
    except ValueError:
        return
    now = last + later
    following = next_run_at(job(every, last, zone), now)
    assert following is not None
    assert following.tzinfo is UTC
    assert following >= now
    assert following > last
    assert next_run_at(job(every, last, zone), following) == following
    if len(every.split()) == 5 and following > now:
        assert following.second == following.microsecond == 0
