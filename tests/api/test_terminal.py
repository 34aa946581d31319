"""Tables as people see them: 80 columns, nothing cut, no tricks from what strangers wrote."""

import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from api.rows import dump_json
from api.terminal.access import show_audit, show_tokens
from api.terminal.jobs import changed_line, show_jobs, show_runs
from api.terminal.lists import show_alerts, show_failures, show_mailbox, show_mailboxes, show_subscriptions
from api.terminal.status import show_status
from api.terminal.times import ago, lasting
from engine.listing import View
from tests.api.conftest import BEARER, Client
from tests.api.standing import SAID, troubled
from tests.fakes.mailroom import FakeMailroom

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture
def mailroom() -> FakeMailroom:
    return troubled(NOW)


def rows(mailroom: FakeMailroom, view: View) -> list[Row]:
    """The rows of a view as a command gets them: times are text."""
    return list(json.loads(dump_json(mailroom.rows[view])))


def shown(show: Callable[..., None], *given: Any, width: int = 80) -> str:
    file = io.StringIO()
    show(Console(file=file, width=width, force_terminal=True, color_system=None), *given, NOW)
    text = file.getvalue()
    assert all(cell_len(line) <= width for line in text.split("\n"))
    return text


def squeezed(text: str) -> str:
    return "".join(text.split())


async def test_status(client: Client) -> None:
    async with client.get("/api/v1/status", headers=BEARER) as response:
        text = shown(show_status, await response.json())
    assert "475 synced, 25 failing" in text
    assert "EmailSync ran 4 min ago (partial, 25 fail); next run: in 11 min" in text
    assert "ManagePushSubscriptions has not run yet" in text
    assert "MAILBOX_NOT_FOUND (reported)" in text
    assert "Exchange as a whole: AUTH_FAILED" in text
    assert "130 mailboxes wait" in text
    assert "What to do: Correct the operator's email address" in text


async def test_status_without_a_coordinator(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.broken = frozenset({"jobs", "hosts", "page"})
    async with client.get("/api/v1/status", headers=BEARER) as response:
        answer = await response.json()
    assert (answer["jobs"], answer["alerts"], answer["exchange"]) == (None, None, None)
    assert "the coordinator does not answer" in shown(show_status, answer)


def test_one_cause_is_told_once_and_names_everybody(mailroom: FakeMailroom) -> None:
    text = shown(show_failures, rows(mailroom, View.FAILURES))
    assert text.count("Exchange knows no mailbox with this primary address.") == 1
    assert text.count(SAID) == 1
    assert all(f"operator{number:04}@example.com" in text for number in range(481, 501))
    assert text.index("MAILBOX_NOT_FOUND") < text.index("ErrorMimeContentInvalid")


def test_different_messages_are_each_told(mailroom: FakeMailroom) -> None:
    given = rows(mailroom, View.FAILURES)[:2]
    given[1]["message"] = "Something else that is rather long, so that it has to be folded somewhere."
    text = squeezed(shown(show_failures, given))
    assert all(squeezed(row["message"]) in text for row in given)


def test_mailboxes(mailroom: FakeMailroom) -> None:
    text = shown(show_mailboxes, rows(mailroom, View.MAILBOXES))
    assert "operator0481@example.com" in text
    assert "MAILBOX_NOT_FOUND" in text
    assert "in 57 min" in text


def test_one_mailbox_says_what_to_do(mailroom: FakeMailroom) -> None:
    text = shown(show_mailbox, rows(mailroom, View.MAILBOXES)[-1])
    assert "operator0481@example.com: failed" in text
    for line in (
        "Last success: never",
        "Next attempt: in 57 min",
        "Failing since: 3 min ago, 2 attempts",
        "What to do:",
    ):
        assert line in text


def test_subscriptions_that_are_not_heard(mailroom: FakeMailroom) -> None:
    text = shown(show_subscriptions, rows(mailroom, View.SUBSCRIPTIONS))
    assert [word for word in text.split() if word in {"live", "unheard"}] == ["live", "unheard", "live"]


def test_alerts_say_why_mail_waits(mailroom: FakeMailroom) -> None:
    text = shown(show_alerts, rows(mailroom, View.ALERTS))
    assert "MAILBOX_NOT_FOUND" in text
    assert "has not gone out: Connection refused by" in text


async def test_jobs_and_runs(client: Client, mailroom: FakeMailroom) -> None:
    async with client.get("/api/v1/jobs", headers=BEARER) as response:
        listed = (await response.json())["items"]
    text = shown(show_jobs, listed)
    assert "ManagePushSubscriptions" in text
    assert "partial, 25 fail" in text
    text = shown(show_runs, "EmailSync", rows(mailroom, View.JOB_RUNS))
    assert "500/500" in text
    assert "25 fail: MAILBOX_NOT_FOUND 20" in text
    assert changed_line({**listed[0], "enabled": False}, NOW) == "EmailSync is disabled."


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_nothing_is_cut_at_any_width(mailroom: FakeMailroom, width: int) -> None:
    given = rows(mailroom, View.MAILBOXES)
    letters = [
        one for row in given for one in squeezed(row["operator_email"] + row["status"] + (row["error_code"] or ""))
    ]
    text = shown(show_mailboxes, given, width=width)
    assert not Counter(letters) - Counter(text)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_tokens() -> None:
    token = {
        "token_id": "k3v9x0q2m7ab", "name": "grafana", "role": "administrator", "groups": ["night shift"],
        "created_at": NOW.isoformat(), "created_by": "admin (environment)", "last_used_at": None, "revoked_at": None,
        "expires_at": (NOW + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    text = shown(show_tokens, [token])
    for words in ("grafana", "k3v9x0q2m7ab", "administrator", "ends in 90 d", "never"):
        assert words in text
    assert "nightshift" in squeezed(text)
    for changed, word in (
        ({"expires_at": None}, "always"),
        ({"expires_at": (NOW - timedelta(days=1)).isoformat()}, "expired"),
        ({"revoked_at": NOW.isoformat()}, "revoked"),
    ):
        assert word in shown(show_tokens, [{**token, **changed}])


def test_the_audit_trail() -> None:
    entry = {
        "at": (NOW - timedelta(minutes=3)).isoformat(), "action": "settings.change", "outcome": "done",
        "principal": "the boss", "role": "administrator", "token_id": "", "address": "2001:db8::1",
        "target": "version 4", "before": {"batch_size": 512, "gone": "x"}, "after": {"batch_size": 100, "new": None},
        "entry_id": "e",
    }  # fmt: skip
    text = shown(show_audit, [entry], width=200)
    assert "3 min ago" in text
    assert "version 4 batch_size: 512 → 100, new: null, gone: x → null" in text
    assert "nobody" in shown(show_audit, [{**entry, "principal": "", "before": {}, "after": {"reason": "wrong"}}])


def test_a_message_cannot_move_the_cursor(mailroom: FakeMailroom) -> None:
    given = rows(mailroom, View.FAILURES)[:1]
    given[0]["message"] = "\x1b[2J[red]x[/red]\n\u202egnp.exe"
    text = shown(show_failures, given)
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert "[red]x[/red]" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "now"),
        (1, "1 s ago"),
        (59.4, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (7200, "2 h ago"),
        (86_400 * 20, "20 d ago"),
        (-12, "in 12 s"),
        (-3600, "in 1 h"),
    ],
)
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    at = NOW - timedelta(seconds=seconds)
    assert ago(at.isoformat(), NOW) == words
    assert ago(at.replace(tzinfo=None).isoformat(), NOW) == words


def test_no_time_is_no_words() -> None:
    assert ago(None, NOW) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (60, "1 min"), (200, "3 min 20 s"), (18_060, "5 h 1 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert lasting(seconds) == words
