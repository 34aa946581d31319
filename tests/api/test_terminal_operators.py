"""Operators, imports and checks on a terminal of 80 columns."""

from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from api.terminal.checks import show_checks
from api.terminal.imports import show_import
from api.terminal.operators import show_each, show_operators
from engine.errors import MailboxNotFound
from engine.imports.report import row_data
from engine.imports.wizard import preview
from engine.model import Operator, OperatorId
from tests.fakes.people import People

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = Operator(OperatorId("ann"), "ann@example.com", "Ann \x1b[31mred")


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=80, color_system=None)


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


def people() -> People:
    found = People({ANN.operator_id: ANN})
    found.said[ANN.operator_id] = {"status": "failed", "error_code": "X", "cause": "Because.", "remedy": "Do it."}
    return found


def test_operators(console: Console) -> None:
    show_operators(console, people().rows(), NOW)
    show_each(console, people().rows(), NOW)
    text = printed(console)
    assert "\x1b" not in text
    for words in ("ann@example.com", "failed", "never", "What to do: Do it.", "Email sync: on"):
        assert words in text


def test_checks(console: Console) -> None:
    found = people()
    bob = Operator(OperatorId("bob"), "bob@example.com")
    found.broken[ANN.operator_id] = MailboxNotFound("no", corrected_address="ann.m@example.com")
    show_checks(console, [asdict(found.check(one, round_trip=True)) for one in (ANN, bob)])
    text = printed(console)
    assert "ann@example.com (ann): failed" in text
    assert "mailroom operators set ann --email ann.m@example.com" in text
    assert "bob@example.com (bob): ok" in text
    assert text.count("impersonation ") == 1, "who is well is a line"


def test_import(console: Console) -> None:
    file = b"id;email;name;age\nann;ann@example.com;Anna;3\nbob;nonsense;Bob;4\ncarl;carl@example.com;Carl;5\n"
    found = preview(file, {ANN.operator_id: ANN})
    left_out = {"new": 0, "changed": 0, "unchanged": 0, "error": 7}
    rows = [row_data(row) for row in found.rows]
    show_import(console, {"applied": False, **found.summary(), "rows": rows, "left_out": left_out}, "people.csv")
    text = printed(console)
    for words in (
        "people.csv: 1 new, 1 changed, 0 unchanged, 1 in error.",
        "Read as UTF-8, semicolon: operator_id from id, email from email, name from name.",
        "ignored: 'age'",
        "This is not an email address.",
        "And 7 more rows in error",
        "→ Anna",
    ):
        assert words in text
