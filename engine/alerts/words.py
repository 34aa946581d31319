"""What a digest says, as plain text: from the table of failures, without a word of markup.

Operators' data and Exchange's words come from outside: here they become one line each, without control characters and
without those that turn the direction of writing.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.alerts.decide import Digest, DigestKind
from engine.alerts.model import Affected
from engine.failures import Failure, failure_by_code, is_permanent

LONGEST_MESSAGE = 300
"""Characters of Exchange's words for one operator; the whole stands in the view ``failures``."""
MOST_ROWS = 200
SUBSCRIPTION_CODES = ("LISTENER_URL_INVALID", "LISTENER_UNREACHABLE", "SUBSCRIPTION_QUOTA")
"""Troubles of a subscription that somebody is told of: mail still comes, but late."""

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_RUN = "mailroom jobs run EmailSync"
_TIMED_OUT = "SYNC_TIMED_OUT"
_FREQUENCY = "email_sync.notification_frequency minutes"


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands below it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One operator of the list; empty where nothing is known."""

    operator: str
    email: str = ""
    message: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """Everything a digest says, for either form; without ``with_details``, rows have the operator only."""

    title: str
    code: str
    cause: str
    parts: tuple[Part, ...]
    table_title: str
    rows: tuple[Row, ...]
    more: int
    more_command: str
    footer: str
    with_details: bool


def say(digest: Digest, retried_for: timedelta) -> Said:
    """What a digest says; ``retried_for``: how long a passing cause is retried before it is given up."""
    failure = failure_by_code(digest.alert.code)
    code = one_line(digest.alert.code)
    cause = _in_minutes(failure.cause, retried_for) if failure else "Something that this version has no words for."
    over = digest.kind is DigestKind.RECOVERY
    people = [Row(one_line(one)) for one in digest.alert.operators] if over else [_row(one) for one in digest.affected]
    return Said(
        title=_title(digest, cause, code),
        code=code,
        cause=cause,
        parts=_recovery(digest) if over else _report(digest, failure, retried_for),
        table_title="Whom it had touched" if over else f"Whom it touches{_of(digest)}",
        rows=tuple(people[:MOST_ROWS]),
        more=max(0, len(people) - MOST_ROWS),
        more_command="mailroom alerts" if over else f"mailroom failures --code {code}",
        footer="Mailroom sends one such mail a cause, and one when it is over. Nobody reads replies to it.",
        with_details=not over,
    )


def one_line(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """Text from outside, fit to be shown: one line, nothing invisible, and no longer than that."""
    shown = "".join(" " if unicodedata.category(sign) in _HIDDEN else sign for sign in text[: longest * 4])
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."


def count_of_operators(number: int) -> str:
    """``1 operator``, ``20 operators``."""
    return f"{number:,} operator{'' if number == 1 else 's'}"


def _title(digest: Digest, cause: str, code: str) -> str:
    if digest.kind is DigestKind.RECOVERY:
        return f"Over: {cause.rstrip('.')} ({code})"
    further = " more" if digest.kind is DigestKind.FURTHER else ""
    who = count_of_operators(len(digest.affected)).replace(" operator", f"{further} operator")
    return f"{who}: {cause.rstrip('.')} ({code})"


def _of(digest: Digest) -> str:
    named = len(digest.affected)
    if named == digest.standing:
        return f": {count_of_operators(named)}"
    return f": {named:,} more, {count_of_operators(digest.standing)} altogether"


def _row(one: Affected) -> Row:
    since = _when(one.since) if one.since else ""
    return Row(one_line(one.operator_id), one_line(one.email), one_line(one.message), since)


def _report(digest: Digest, failure: Failure | None, retried_for: timedelta) -> tuple[Part, ...]:
    since = min((one.since for one in digest.affected if one.since), default=digest.alert.opened_at)
    remedy = failure.remedy if failure else "See Exchange's words below, and the logs."
    return (
        Part("Since", _when(since)),
        Part("What to do", remedy if _RUN in remedy else f"{remedy} To have it looked at now: {_RUN}."),
        Part("What Mailroom does meanwhile", _meanwhile(digest.alert.code, failure, retried_for)),
    )


def _meanwhile(code: str, failure: Failure | None, retried_for: timedelta) -> str:
    at_once = failure is not None and code != _TIMED_OUT and is_permanent(failure.action)
    if failure and (at_once or code in SUBSCRIPTION_CODES):
        return failure.meanwhile
    return (
        f"It has retried for {_how_long(retried_for)}, and then cancelled the synchronisation of these mailboxes. It "
        "looks now and then whether the cause is gone, and goes on by itself."
    )


def _in_minutes(cause: str, retried_for: timedelta) -> str:
    return cause.replace(_FREQUENCY, _how_long(retried_for))


def _recovery(digest: Digest) -> tuple[Part, ...]:
    alert = digest.alert
    end = alert.quiet_since or digest.written_at
    return (
        Part("What happened", "No operator is touched by this any more. There is nothing to do."),
        Part("How long", f"{_how_long(end - alert.opened_at)}, from {_when(alert.opened_at)} to {_when(end)}"),
    )


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _how_long(span: timedelta) -> str:
    """The two largest units: ``3 hours 20 minutes``."""
    seconds = max(0, round(span.total_seconds()))
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    counted = []
    for name, size in units:
        number, seconds = divmod(seconds, size)
        counted.append((number, name))
    first = next((at for at, (number, _) in enumerate(counted) if number), len(counted) - 1)
    shown = [one for one in counted[first : first + 2] if one[0]] or counted[-1:]
    return " ".join(f"{number} {name}{'' if number == 1 else 's'}" for number, name in shown)
