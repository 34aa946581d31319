"""Erasures over HTTP and as commands: what is asked, receipts, refusals, and what the trail says."""

import json
from typing import Any

import pytest

from engine.model import Operator, OperatorId
from tests.api.conftest import BEARER, TOKEN, Client
from tests.api.processes import run
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom
from tests.fakes.store_emails import emails
from tests.fakes.store_records import Mailbox
from tests.fakes.store_rows import Counts, Rows
from tests.fakes.store_words import INBOX, START

ERASURES = "/api/v1/erasures"
ZOE = "Zoe@Example.org"


@pytest.fixture
def mailroom() -> FakeMailroom:
    room, rows = FakeMailroom(), Rows()
    mail = emails(
        {"item_id": "1", "sender_address": "zoe@example.org"},
        {"item_id": "2", "to_recipients": [{"name": "Z", "address": "zoe+x@example.org"}]},
        {"item_id": "3", "sender_address": "bob@example.org"},
    )
    rows.upsert(INBOX, mail, None, START, Counts())
    room.erasures.boxes.append(Mailbox(Operator(OperatorId("ann"), "ann@example.com"), rows))
    return room


async def post(client: Client, path: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
    async with client.post(f"{ERASURES}{path}", json=body, headers=BEARER) as response:
        return response.status, await response.json()


async def get(client: Client, path: str = "") -> tuple[int, dict[str, Any]]:
    async with client.get(f"{ERASURES}{path}", headers=BEARER) as response:
        return response.status, await response.json()


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(client: Client, mailroom: FakeMailroom) -> None:
    status, preview = await post(client, address=ZOE, dry_run=True)
    assert (status, preview["emails"], preview["dry_run"]) == (200, 2, True)
    assert await get(client) == (200, {"items": [], "next": None})
    assert mailroom.erasures.kept_out == set()


async def test_a_receipt_is_answered_kept_and_names_nobody(client: Client) -> None:
    status, receipt = await post(client, address=ZOE)
    assert (status, receipt["emails"], receipt["by"]) == (201, 2, "admin (environment)")
    assert receipt["mailboxes"] == [
        {"operator_id": "ann", "emails": 2, "deleted_emails": 0, "attachments": 0, "associations": 0}
    ]
    assert "zoe" not in json.dumps(receipt).lower()
    kept = {key: value for key, value in receipt.items() if key != "dry_run"}
    assert await get(client, f"/{receipt['erasure_id']}") == (200, kept)
    assert await get(client, f"?hash={receipt['address_hash']}") == (200, {"items": [kept], "next": None})


async def test_the_trail_has_the_receipt_and_no_address(client: Client) -> None:
    _, receipt = await post(client, address=ZOE)
    await post(client, f"/{receipt['erasure_id']}/lift", relist=True)
    async with client.get("/api/v1/audit", headers=BEARER) as response:
        lifted, erased = (await response.json())["items"]
    assert (erased["action"], erased["target"], erased["after"]["emails"]) == ("erase.run", receipt["erasure_id"], 2)
    assert lifted["after"] == {"lifted": True, "relist": True}
    assert "zoe" not in json.dumps([lifted, erased]).lower()


async def test_an_address_is_lifted_once(client: Client) -> None:
    _, receipt = await post(client, address=ZOE)
    path = f"/{receipt['erasure_id']}/lift"
    async with client.post(f"{ERASURES}{path}", headers=BEARER) as response:
        assert (response.status, (await response.json())["lifted_by"]) == (200, "admin (environment)")
    status, answer = await post(client, path)
    assert status == 409
    check_shape(answer, "ERASURE_REFUSED")


async def test_an_operators_own_address_wants_a_second_word(client: Client, mailroom: FakeMailroom) -> None:
    status, answer = await post(client, address="ANN@example.com")
    assert (status, "including" in check_shape(answer, "ERASURE_REFUSED")["message"]) == (409, True)
    status, receipt = await post(client, address="ANN@example.com", including_operator=True)
    assert (status, receipt["operators"], receipt["emails"]) == (201, ["ann"], 3)
    assert not mailroom.erasures.boxes[0].operator.email_sync


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"address": ""},
        {"address": "zoe"},
        {"address": "zoe@example"},
        {"address": "a@b.c, d@e.f"},
        {"address": "zoe\u0000@example.org"},
        {"address": f"{'x' * 400}@example.org"},
        {"address": None},
        {"address": ZOE, "dry_run": "no"},
        {"address": ZOE, "colour": "blue"},
    ],
)
async def test_what_is_no_request(client: Client, mailroom: FakeMailroom, body: dict[str, Any]) -> None:
    status, answer = await post(client, **body)
    assert status == 400
    assert "Send JSON" in check_shape(answer, "BAD_REQUEST")["hint"]
    assert mailroom.erasures.receipts == {}


@pytest.mark.parametrize(("method", "path"), [("GET", "/nobody"), ("POST", "/nobody/lift")])
async def test_there_is_no_such_erasure(client: Client, method: str, path: str) -> None:
    status, answer = await (get(client, path) if method == "GET" else post(client, path))
    assert status == 404
    check_shape(answer, "ERASURE_UNKNOWN")


# As commands


@pytest.fixture
def environ(client: Client) -> dict[str, str]:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def test_the_command_prints_a_receipt_to_keep(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    preview = await run("erase", ZOE, "--dry-run", environ=environ)
    assert (preview.code, "Emails: 2" in preview.out.decode(), mailroom.erasures.receipts) == (0, True, {})
    done = await run("erase", ZOE, "--yes", environ=environ)
    text = done.out.decode()
    (receipt,) = mailroom.erasures.receipts.values()
    assert done.code == 0
    for part in (receipt.erasure_id, "Emails: 2", "ann: 2 emails", "written anew", "What remains:", "At Exchange"):
        assert part in text
    listed = await run("erasures", "list", "--json", environ=environ)
    assert [one["erasure_id"] for one in json.loads(listed.out)] == [receipt.erasure_id]
    again = await run("erasures", "show", receipt.erasure_id, environ=environ)
    assert again.out == done.out
    lifted = await run("erasures", "lift", receipt.erasure_id, "--relist", environ=environ)
    assert (lifted.code, "listed anew" in lifted.out.decode(), mailroom.erasures.kept_out) == (0, True, set())


async def test_the_file_may_be_written_anew_later(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    done = await run("erase", ZOE, "--yes", "--later", environ=environ)
    assert "still to be written anew. It is done at the next erasure" in done.out.decode()
    assert [one.rewritten_at for one in mailroom.erasures.receipts.values()] == [None]


async def test_the_command_asks_first(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    result = await run("erase", ZOE, environ=environ)
    assert (result.code, "2 emails in 1 mailboxes" in result.err) == (1, True), "nobody said yes"
    assert mailroom.erasures.receipts == {}


async def test_the_command_says_what_to_ask_for_instead(environ: dict[str, str]) -> None:
    result = await run("erase", "ann@example.com", "--yes", environ=environ)
    assert (result.code, "--including-operator" in result.err) == (1, True)
