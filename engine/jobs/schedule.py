"""When a job runs next. Pure: an interval since the last run, or a cron expression read in a time zone.

A cron expression has five fields (minute, hour, day of month, month, day of week) and means what it means to Debian's
cron: of a change to summer time, what is named inside the missing hour comes right after it; of the hour that comes
twice in autumn, what is named by its hour comes once. https://manpages.debian.org/stable/cron/cron.8.en.html

Whatever came due while nobody ran is made up for once, at once.
"""

import difflib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from engine.errors import SettingsError
from engine.intervals import INTERVAL, interval
from engine.jobs.model import Job

SHORTEST = timedelta(seconds=1)
_FIELDS = 5
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_WRITE = 'write an interval such as "15m", or a cron expression of five fields such as "0 6 * * MON-FRI"'


def next_run_at(job: Job, now: datetime) -> datetime | None:
    """When the job is to begin a run: ``now`` if that has passed or it never ran, None if it is disabled."""
    if not job.enabled:
        return None
    if job.last_run_at is None:
        return now
    last = min(job.last_run_at, now)  # a clock that was put back must not put the job off until it has caught up
    if _is_cron(job.every):
        return max(_first_match(job.every, last.astimezone(ZoneInfo(job.timezone))), now)
    return max(last + interval(job.every), now)


def check(every: str, timezone: str, where: str = "") -> None:
    """Find fault with a schedule; ``where`` goes before the name of the key.

    Raises:
        SettingsError: what is wrong and what to write, with the key.
    """
    for key, value, checked in (("every", every, checked_every), ("timezone", timezone, checked_timezone)):
        try:
            checked(value)
        except ValueError as error:
            raise SettingsError(f"{where}{key}: {error}.") from None


def checked_every(every: str) -> str:
    """The text, if it is an interval of a second or more, or a cron expression that comes at some time.

    Raises:
        ValueError: it is neither; the message says what to write.
    """
    if _is_cron(every):
        _check_cron(every)
    elif not INTERVAL.match(every):
        raise ValueError(f"{every!r} is no schedule; {_WRITE}")
    elif interval(every) < SHORTEST:
        raise ValueError("at least one second")
    return every


def checked_timezone(timezone: str) -> str:
    """The name, if it is one of the IANA time zone database.

    Raises:
        ValueError: it is not; the message says what to write.
    """
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder of the database
        close = difflib.get_close_matches(timezone, available_timezones(), n=1) or ["Europe/Berlin"]
        raise ValueError(f'{timezone!r} is not a time zone; write an IANA name such as "{close[0]}"') from None
    return timezone


def _is_cron(every: str) -> bool:
    return len(every.split()) == _FIELDS


def _check_cron(expression: str) -> None:
    try:
        _first_match(expression, _ANY_DAY)
    except CronSimError as error:
        minute, hour, day, _, weekday = expression.split()
        if _parses(f"{minute} {hour} {day} * {weekday}") and _parses(f"* * * {expression.split()[3]} *"):
            raise _never(expression) from None
        raise ValueError(f"{expression!r} is no cron expression ({str(error).lower()}); {_WRITE}") from None
    except StopIteration:
        raise _never(expression) from None


def _never(expression: str) -> ValueError:
    return ValueError(f"{expression!r} never comes: the months it names have no such day")


def _parses(expression: str) -> bool:
    try:
        CronSim(expression, _ANY_DAY)
    except CronSimError:
        return False
    return True


def _first_match(expression: str, after: datetime) -> datetime:
    """In UTC, since times of one zone are compared by the clock on the wall, which goes back once a year."""
    begin = after.astimezone(UTC)
    matches = CronSim(expression, after)
    while (match := next(matches).astimezone(UTC)) <= begin:
        pass
    return match
