"""What a digest says, as plain text: from the table of failures, without a word of markup.

Operators' data and Exchange's words come from outside: here they become one line each, without control characters and
without those that turn the direction of writing.
"""

import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from engine.alerts.decide import Digest, DigestKind
from engine.alerts.model import Affected, OutgoingMail
from engine.alerts.spans import shown_moment, shown_span
from engine.failures import Failure, failure_by_code, is_permanent

LONGEST_MESSAGE = 300
"""Characters of Exchange's words for one operator; the whole stands in the view ``failures``."""
MOST_ROWS = 200
SUBSCRIPTION_CODES = ("LISTENER_URL_INVALID", "LISTENER_UNREACHABLE", "SUBSCRIPTION_QUOTA")
"""Troubles of a subscription that somebody is told of: mail still comes, but late."""

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_RUN = "mailroom jobs run EmailSync"
_TIMED_OUT = "SYNC_TIMED_OUT"
_NEARLY = timedelta(seconds=10)
_FREQUENCY = "email_sync.notification_frequency minutes"
_UNKNOWN = "Something that this version has no words for."


@dataclass(frozen=True, slots=True)
class Background:
    """What a digest is to say beside its alert.

    ``retried_for``: how long a passing cause is retried before it is given up. ``everybody``: how many operators the
    cause touches, met or not, where Exchange as a whole serves nobody because of it. ``untold``: mail about the cause
    that some never got and that is withdrawn.
    """

    retried_for: timedelta
    everybody: int | None = None
    untold: tuple[OutgoingMail, ...] = ()


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
    """Everything a digest says, for either form; without ``with_details``, rows have the operator only.

    ``codes``: the cause's, and SYNC_TIMED_OUT where that is what it has turned into.
    """

    title: str
    codes: str
    cause: str
    parts: tuple[Part, ...]
    table_title: str
    rows: tuple[Row, ...]
    more: int
    more_command: str
    footer: str
    with_details: bool


def say(digest: Digest, background: Background) -> Said:
    """What a digest says."""
    failure = failure_by_code(digest.alert.code)
    code = one_line(digest.alert.code)
    codes = f"{code}, {_TIMED_OUT}" if _is_given_up(code, failure) else code
    cause = _in_minutes(failure.cause, background.retried_for) if failure else _UNKNOWN
    over = digest.kind is DigestKind.RECOVERY
    people = [Row(one_line(one)) for one in digest.alert.operators] if over else [_row(one) for one in digest.affected]
    return Said(
        title=f"{_subject(digest, background)}: {cause.rstrip('.')} ({codes})",
        codes=codes,
        cause=cause,
        parts=_recovery(digest, failure, background) if over else _report(digest, failure, background),
        table_title="Whom it had touched" if over else _whom(digest, background),
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


def _subject(digest: Digest, background: Background) -> str:
    """Whom it is about."""
    if digest.kind is DigestKind.RECOVERY:
        return "Over"
    named = len(digest.affected)
    if digest.kind is DigestKind.FURTHER:
        return count_of_operators(named).replace(" operator", " more operator")
    everybody = background.everybody or named
    return f"All {count_of_operators(everybody)}" if everybody > named else count_of_operators(named)


def _whom(digest: Digest, background: Background) -> str:
    named = len(digest.affected)
    if background.everybody is not None and background.everybody > digest.standing:
        return f"Who have met it so far: {count_of_operators(named)}"
    if named == digest.standing:
        return f"Whom it touches: {count_of_operators(named)}"
    return f"Whom it touches: {named:,} more, {count_of_operators(digest.standing)} altogether"


def _row(one: Affected) -> Row:
    since = shown_moment(one.since) if one.since else ""
    return Row(one_line(one.operator_id), one_line(one.email), one_line(one.message), since)


def _report(digest: Digest, failure: Failure | None, background: Background) -> tuple[Part, ...]:
    since = min((one.since for one in digest.affected if one.since), default=digest.alert.opened_at)
    remedy = failure.remedy if failure else "See Exchange's words below, and the logs."
    return (
        Part("Since", shown_moment(since)),
        *_everybody(background, digest.standing),
        Part("What to do", remedy if _RUN in remedy else f"{remedy} To have it looked at now: {_RUN}."),
        Part("What Mailroom does meanwhile", _meanwhile(digest, failure, background.retried_for)),
    )


def _everybody(background: Background, met: int) -> tuple[Part, ...]:
    if background.everybody is None:
        return ()
    everybody = count_of_operators(background.everybody)
    text = f"Exchange serves nobody at the moment: {everybody}, all who are enabled and do not fail of something else."
    rest = f" {met:,} have met it so far, the others will when they are synchronised next."
    return (Part("Everybody", text + (rest if background.everybody > met else "")),)


def _is_given_up(code: str, failure: Failure | None) -> bool:
    """Whether this cause usually passes, so that it is told only when a mailbox has been retried in vain."""
    return failure is not None and code not in SUBSCRIPTION_CODES and code != _TIMED_OUT and not _is_lasting(failure)


def _is_lasting(failure: Failure) -> bool:
    return failure.code != _TIMED_OUT and is_permanent(failure.action)


def _meanwhile(digest: Digest, failure: Failure | None, retried_for: timedelta) -> str:
    if failure and (_is_lasting(failure) or failure.code in SUBSCRIPTION_CODES):
        return failure.meanwhile
    long_enough = digest.written_at - retried_for + _NEARLY
    true_of_all = all(one.since is not None and one.since <= long_enough for one in digest.affected)
    return (
        f"It has retried{f' for {shown_span(retried_for)}' if true_of_all else ''}, and then cancelled the "
        f"synchronisation of these mailboxes ({_TIMED_OUT}). It looks now and then whether the cause is gone, and goes "
        "on by itself."
    )


def _in_minutes(cause: str, retried_for: timedelta) -> str:
    return cause.replace(_FREQUENCY, shown_span(retried_for))


def _recovery(digest: Digest, failure: Failure | None, background: Background) -> tuple[Part, ...]:
    alert = digest.alert
    end = alert.quiet_since or digest.written_at
    lasted = f"{shown_span(end - alert.opened_at)}, from {shown_moment(alert.opened_at)} to {shown_moment(end)}"
    if _is_given_up(alert.code, failure):
        lasted += ". It had been retried before that."
    return (
        Part("What happened", "No operator is touched by this any more. There is nothing to do."),
        Part("How long", lasted),
        *(Part("Not told before", _untold(mail)) for mail in background.untold),
    )


def _untold(mail: OutgoingMail) -> str:
    """What became of a mail that is withdrawn."""
    to = one_line(", ".join(mail.recipients))
    why = f" ({one_line(mail.error)})" if mail.error else ""
    return f"A report was written at {shown_moment(mail.created_at)} and could not be sent to {to}{why}."
