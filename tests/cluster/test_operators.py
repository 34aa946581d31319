"""Operators through the gateway of a running Mailroom: what is changed takes effect, and what is checked is so."""

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from tests.cluster.conftest import CHANGING, Room
from tests.cluster.processes import eventually

SOON = 8.0
"""Seconds: a tick, a pass, and a machine that is busy with other tests."""


def ask(room: Room, method: str, path: str, body: object = None, data: bytes | None = None) -> Any:
    content = data if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310  # loopback
        f"{room.cluster.url}/api/v1/operators{path}",
        data=content,
        method=method,
        headers={"Authorization": "Bearer token", "Content-Type": "text/csv" if data else "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            return json.loads(answer.read())
    except HTTPError as error:
        return json.loads(error.read())


def landed(room: Room, operator_id: str, subject: str) -> int:
    sql = "SELECT count(*) AS n FROM emails WHERE operator_id = ? AND subject = ?"
    return int(room.query(sql, operator_id, subject).column("n")[0].as_py())


def pending(room: Room, operator_id: str) -> int:
    table = room.query("SELECT pending FROM operators WHERE operator_id = ?", operator_id)
    return int(table.column("pending")[0].as_py())


@pytest.mark.timeout(120)
def test_enabling_disabling_and_a_new_address_take_effect_at_once(room: Room) -> None:
    first, second, *_ = room.emails[CHANGING]
    made = ask(room, "POST", "", {"email": first, "operator_id": "moving man/1"})
    assert made["operator_id"] == "moving man/1", made
    who = "/" + quote("moving man/1", safe="")
    eventually(lambda: ask(room, "GET", who)["status"] == "synced", 30, "the newcomer is synced")
    subscribed = "SELECT count(*) AS n FROM subscriptions WHERE operator_id = 'moving man/1' AND status = 'active'"
    eventually(lambda: room.query(subscribed).column("n")[0].as_py() == 1, SOON, "subscribed")

    ask(room, "PATCH", who, {"email_sync": False})
    room.exchange.do(lambda exchange: exchange.deliver(first, subject="While nobody listens"))
    ask(room, "PATCH", who, {"email_sync": True})
    eventually(lambda: landed(room, "moving man/1", "While nobody listens"), SOON, "what came meanwhile is there")
    room.exchange.do(lambda exchange: exchange.deliver(first, subject="Heard again"))
    eventually(lambda: landed(room, "moving man/1", "Heard again"), SOON, "and push works again")

    room.exchange.do(lambda exchange: exchange.deliver(second, subject="At the new address"))
    assert ask(room, "PATCH", who, {"email": second})["email"] == second
    eventually(lambda: landed(room, "moving man/1", "At the new address"), SOON, "the new address counts")
    # Whoever is disabled in the middle of a backfill keeps what is pending, and other tests wait for none to be.
    eventually(lambda: ask(room, "GET", who)["status"] == "synced" and not pending(room, "moving man/1"), 30, "synced")
    ask(room, "PATCH", who, {"email_sync": False})
    eventually(lambda: ask(room, "GET", who)["status"] == "disabled", SOON, "disabled")


@pytest.mark.timeout(120)
def test_enable_brings_a_failed_mailbox_back(room: Room) -> None:
    email = room.emails[CHANGING][2]
    fault = room.exchange.do(lambda exchange: exchange.faults.add("denied", mailbox=email))
    ask(room, "POST", "", {"email": email, "operator_id": "fails"})
    eventually(lambda: ask(room, "GET", "/fails")["error_code"] == "IMPERSONATION_DENIED", 30, "it fails")
    room.exchange.do(lambda exchange: exchange.faults.remove(fault))
    answer = ask(room, "PATCH", "/fails", {"email_sync": True})
    assert answer["error_code"] is None
    eventually(lambda: ask(room, "GET", "/fails")["status"] == "synced", SOON, "it is back")
    eventually(lambda: not pending(room, "fails"), 30, "nothing is pending")
    ask(room, "PATCH", "/fails", {"email_sync": False})


@pytest.mark.timeout(120)
def test_checks_prove_the_way_there_and_back(room: Room) -> None:
    followed, *_, disabled, denied = room.emails[0], *room.emails[CHANGING]
    for email in (disabled, denied):
        ask(room, "POST", "", {"email": email, "email_sync": False})
    before = room.query("SELECT serial FROM subscriptions WHERE operator_id = ?", followed).to_pylist()
    fault = room.exchange.do(lambda exchange: exchange.faults.add("denied", mailbox=denied))
    answer = ask(room, "POST", "/check", {"operators": [followed, disabled, denied]})
    room.exchange.do(lambda exchange: exchange.faults.remove(fault))
    well, off, refused = answer["items"]
    assert [step["result"] for step in well["steps"]] == ["ok"] * 9, well
    assert (well["verdict"], off["verdict"], refused["verdict"]) == ("ok", "warned", "failed")
    assert [step["result"] for step in off["steps"]] == ["warned"] + ["ok"] * 8, off
    assert [step["code"] for step in refused["steps"] if step["result"] == "failed"] == ["IMPERSONATION_DENIED"]
    room.exchange.do(lambda exchange: exchange.deliver(followed, subject="After the check"))
    eventually(lambda: landed(room, followed, "After the check"), SOON, "the mailbox's own subscription lives")
    assert room.query("SELECT serial FROM subscriptions WHERE operator_id = ?", followed).to_pylist() == before


@pytest.mark.timeout(120)
def test_a_file_is_imported_through_the_gateway(room: Room) -> None:
    rows = [f"csv{n:03},csv{n:03}@elsewhere.example.com,Nr {n},no" for n in range(300)]
    rows[7], rows[70] = "csv007,nonsense,Nr 7,no", f"csv070,{room.emails[0]},Nr 70,no"
    data = "\n".join(["operator_id,email,name,email_sync", *rows]).encode()
    found = ask(room, "POST", "/import", data=data)
    assert found["counts"] == {"new": 298, "changed": 0, "unchanged": 0, "error": 2}, found
    done = ask(room, "POST", f"/import?apply=true&digest={found['digest']}", data=data)
    assert done["applied"]
    listed = ask(room, "GET", "?q=elsewhere&limit=1000")
    assert (len(listed["items"]), listed["items"][0]["status"]) == (298, "disabled")
    stale = ask(room, "POST", f"/import?apply=true&digest={found['digest']}", data=data)
    assert stale["error"]["code"] == "IMPORT_STALE"
