"""docs/alerts.md shows what is really sent. ``MAILROOM_WRITE_DOCS=1`` writes the examples anew."""

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.alerts.decide import Digest, DigestKind
from engine.alerts.digest import write
from engine.alerts.model import Affected, Alert, AlertStatus
from engine.alerts.policy import AlertPolicy
from engine.alerts.words import Background
from engine.model import OperatorId
from engine.settings import SmtpSettings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "alerts.md"
START = datetime(2026, 11, 24, 9, tzinfo=UTC)
PLAIN = Background(timedelta(minutes=30))
WORDS = "{}: ErrorNonExistentMailbox: The SMTP address has no mailbox associated with it."


def example(kind: DigestKind) -> str:
    affected = tuple(
        Affected(OperatorId(name), f"{name}@example.com", WORDS.format(f"{name}@example.com"), START)
        for name in ("ann", "bob")
    )
    names = tuple(one.operator_id for one in affected)
    alert = Alert("a", "MAILBOX_NOT_FOUND", AlertStatus.REPORTED, START, START, names)
    if kind is DigestKind.RECOVERY:
        alert, affected = replace(alert, quiet_since=START + timedelta(hours=3, minutes=2)), ()
    mail = write(Digest("m", kind, alert, affected, len(affected), START), ["admin@example.com"], PLAIN)
    return f"Subject: {mail.subject}\n\n{mail.text}".replace(" \n", "\n")


@pytest.mark.parametrize("kind", [DigestKind.REPORT, DigestKind.RECOVERY])
def test_the_examples_are_what_is_sent(kind: DigestKind) -> None:
    page = PAGE.read_text(encoding="utf-8")
    wanted = f"<!-- {kind.value} -->\n```\n{example(kind)}```\n"
    if os.environ.get("MAILROOM_WRITE_DOCS"):
        page = re.sub(rf"<!-- {kind.value} -->\n```\n.*?```\n", lambda _: wanted, page, flags=re.DOTALL)
        PAGE.write_text(page, encoding="utf-8")
    assert wanted in page


def test_the_waits_are_as_written() -> None:
    policy = AlertPolicy()
    assert (policy.quiet, policy.quiet_in_run) == (timedelta(seconds=20), timedelta(seconds=60))
    assert (policy.longest_gathering, policy.same_cause_within) == (timedelta(minutes=5), timedelta(minutes=10))
    assert (policy.remind_after, policy.recovered_after) == (timedelta(days=1), timedelta(minutes=1))


def test_every_key_of_smtp_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    keys = {field.alias or name for name, field in SmtpSettings.model_fields.items()} - {"password"}
    assert [key for key in sorted(keys) if key not in page] == []
