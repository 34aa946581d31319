"""A real local Ray and a real DuckDB file follow a simulated Exchange."""

from typing import Any

from tests.cluster.conftest import BEGIN_WITH, EMAILS, Room
from tests.cluster.processes import eventually

SOON = 20.0


def test_the_backfill_is_what_exchange_has_field_by_field(room: Room) -> None:
    emails = room.emails[:BEGIN_WITH]
    room.settle(emails)
    count = room.query("SELECT count(*) AS n FROM emails").to_pylist()[0]["n"]
    assert count > BEGIN_WITH * EMAILS / 2
    eventually(lambda: _quiet(room), SOON, "all synced and subscribed")
    assert room.status().emails == count


def test_what_happens_at_exchange_arrives_within_seconds(room: Room) -> None:
    ann, bob, *_ = room.emails
    room.settle([ann, bob])
    eventually(lambda: _quiet(room), SOON, "all synced and subscribed")
    exchange = room.exchange

    new = exchange.do(lambda it: it.deliver(ann, subject="Brand new", body_text="Good news."))
    room.settle([ann, bob], SOON)
    assert (_row(room, new.item_id)["subject"], _row(room, new.item_id)["folder"]) == ("Brand new", "inbox")

    exchange.do(lambda it: it.update(ann, new.item_id, subject="Better news", categories=("Blue",)))
    room.settle([ann, bob], SOON)
    exchange.do(lambda it: it.mark_read(ann, new.item_id, not new.is_read))
    room.settle([ann, bob], SOON)
    moved = exchange.do(lambda it: it.move(ann, new.item_id, "sentitems"))
    room.settle([ann, bob], SOON)
    assert _row(room, moved.item_id)["moved_from"] == new.item_id
    exchange.do(lambda it: it.delete(ann, moved.item_id))
    room.settle([ann, bob], SOON)
    assert _row(room, moved.item_id)["deleted_at"] is not None


def test_a_burst_of_mail_arrives_as_well(room: Room) -> None:
    emails = room.emails[:BEGIN_WITH]
    room.settle(emails)
    eventually(lambda: _quiet(room), SOON, "all synced and subscribed")
    for number in range(40):
        email = emails[number % len(emails)]
        room.exchange.do(lambda it, email=email, number=number: it.deliver(email, subject=f"Burst {number}"))  # type: ignore[misc]
    room.settle(emails, SOON)


def test_a_disabled_operator_is_unsubscribed(room: Room) -> None:
    email = room.emails[BEGIN_WITH - 1]
    room.settle([email])
    eventually(lambda: _quiet(room), SOON, "all synced and subscribed")
    room.enable([email], email_sync=False)
    before = room.query("SELECT count(*) AS n FROM emails").to_pylist()
    room.exchange.do(lambda it: it.deliver(email, subject="Too late"))
    eventually(lambda: email not in _subscribed(room), SOON, "Exchange has been told")
    assert room.query("SELECT count(*) AS n FROM emails").to_pylist() == before
    room.enable([email])
    room.settle([email], SOON)
    eventually(lambda: email in _subscribed(room), SOON, "subscribed again")


def _subscribed(room: Room) -> set[str]:
    return room.exchange.do(lambda it: {one.mailbox.address for one in it.subscriptions})


def _quiet(room: Room) -> bool:
    """Whether every enabled operator is synced and subscribed, also as Exchange sees it."""
    status = room.status()
    synced = status.operators.synced == status.operators.enabled and not status.pending
    wanted = status.subscriptions.active == status.subscriptions.wanted
    heard = len(_subscribed(room)) >= status.subscriptions.wanted
    return synced and wanted and heard


def _row(room: Room, item_id: str) -> dict[str, Any]:
    (row,) = room.query("SELECT * FROM all_emails WHERE item_id = ?", item_id).to_pylist()
    return dict(row)
