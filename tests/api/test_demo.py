"""The demo's parts: does the comparison see what it should, and does the simulator obey."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from api.demo.compare import FIELDS, Comparison, compare
from api.demo.exchange import SimulatedProcess
from api.demo.progress import Lines, Rate
from api.demo.report import show_comparison
from engine.errors import ClusterError
from engine.status import OperatorCounts, Status, SubscriptionCounts

NOON = int(datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp())


def served(item_id: str = "1", **changes: Any) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "subject": "Hello",
        "author": ["Anna", "anna@x"],
        "sender": ["Delegate", "d@x"],
        "to": [["Berta", "b@x"], ["", "c@x"]],
        "cc": [],
        "bcc": [],
        "sent_at": NOON,
        "received_at": NOON + 5,
        "body_text": "text\r\n",
        "body_html": None,
        "attachments": ["b.pdf", "a.pdf"],
        **changes,
    }


def stored(item_id: str = "1", **changes: Any) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "subject": "Hello",
        "sender_name": "Anna",
        "sender_address": "anna@x",
        "to_recipients": [{"name": "Berta", "address": "b@x"}, {"name": None, "address": "c@x"}],
        "cc_recipients": [],
        "bcc_recipients": None,
        "sent_at": "2026-01-02T12:00:00Z",
        "received_at": "2026-01-02T12:00:05Z",
        "body_text": "text\r\n",
        "body_html": None,
        **changes,
    }


def compared(
    items: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    names: tuple[str, ...] = ("a.pdf", "b.pdf"),
    **quarantined: str,
) -> Comparison:
    found = Comparison()
    compare(found, items, rows, {"1": names}, {key[1:]: reason for key, reason in quarantined.items()})
    return found


def test_equal_items_are_equal() -> None:
    found = compared([served()], [stored()])
    assert found.right
    assert (found.equal, found.differing_items) == (1, 0)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("subject", {"subject": "hello"}),
        ("sender", {"sender_address": "other@x"}),
        ("to", {"to_recipients": [{"name": "Berta", "address": "b@x"}]}),
        ("cc", {"cc_recipients": [{"name": "", "address": "x@x"}]}),
        ("bcc", {"bcc_recipients": [{"name": "", "address": "x@x"}]}),
        ("sent_at", {"sent_at": None}),
        ("received_at", {"received_at": "2026-01-02T12:00:06Z"}),
        ("body_text", {"body_text": "text\n"}),
        ("body_html", {"body_html": ""}),
    ],
)
def test_every_field_counts(field: str, change: dict[str, Any]) -> None:
    found = compared([served()], [stored(**change)])
    assert [difference.field for difference in found.differences] == [field]
    assert not found.right
    assert field in FIELDS


def test_attachment_names_count() -> None:
    assert [one.field for one in compared([served()], [stored()], names=("a.pdf",)).differences] == ["attachments"]


def test_missing_ghost_and_quarantined_items() -> None:
    found = compared([served("1"), served("2"), served("3")], [stored("1"), stored("4")], _2="ITEM_UNREADABLE: broken")
    assert found.quarantined == {"2": "ITEM_UNREADABLE: broken"}
    assert {(one.item_id, one.stored) for one in found.differences} == {("3", "missing"), ("4", "stored")}


def test_quarantine_without_a_reason_does_not_count() -> None:
    assert not compared([served("2")], [], _2="").right


def test_the_report_names_what_differs() -> None:
    out = io.StringIO()
    found = compared([served("1"), served("2")], [stored("1", subject="[b]other")], _2="ITEM_UNREADABLE: broken")
    show_comparison(Console(file=out, width=200), found)
    text = out.getvalue()
    assert "quarantined 2: ITEM_UNREADABLE: broken" in text
    assert "subject of 'Hello' (1): served 'Hello', stored '[b]other'" in text


def test_the_rate_is_over_the_last_seconds() -> None:
    rate = Rate()
    assert rate.add(0.0, 0) == 0.0
    assert rate.add(1.0, 100) == 100.0
    assert rate.add(12.0, 100) == 0.0


def test_lines_tell_the_last_step(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines(operators=2, emails=10) as lines:
        lines.show(Status())
        lines.show(Status(emails=5))
        lines.show(Status(OperatorCounts(2, 2, 2), emails=10, subscriptions=SubscriptionCounts(2, 2)))
    first, last = capsys.readouterr().out.splitlines()
    assert "0/2 mailboxes synced, 0/10 emails landed" in first
    assert "2/2 mailboxes synced, 10/10 emails landed" in last


async def test_the_simulator_runs_obeys_and_ends(tmp_path: Path) -> None:
    with SimulatedProcess(["--operators", "2", "--emails", "3"], "a password", tmp_path / "log") as exchange:
        assert exchange.url.endswith("/EWS/Exchange.asmx")
        operator, _ = await exchange.operators()
        before = await exchange.items(operator["email"], "inbox")
        arrived = await exchange.arrive(operator["email"])
        after = await exchange.items(operator["email"], "inbox")
        assert {item["item_id"] for item in after} - {item["item_id"] for item in before} == {arrived["item_id"]}
        with pytest.raises(ClusterError, match="refuses items"):
            await exchange.items("nobody@example.com", "inbox")
    with pytest.raises(ClusterError, match="does not answer"):
        await exchange.operators()


def test_a_simulator_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"has not started\. Its last line: --mail: .* is not a folder"):
        SimulatedProcess(["--mail", str(tmp_path / "none")], "a password", tmp_path / "log")


def test_the_simulator_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from api.demo.exchange import SimulatedProcess\n"
        f"child = SimulatedProcess(['--operators', '1'], 'p', Path({str(tmp_path / 'log')!r}))\n"
        "print(child._process.pid, flush=True); os._exit(9)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)  # noqa: S603  # our own
    assert result.returncode == 9
    assert _ends(int(result.stdout))


def _ends(pid: int) -> bool:
    import psutil

    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True
