import asyncio
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.resources import crm_imports
from engine.access.audit import AuditOutcome
from engine.access.roles import Role
from engine.crm import batches
from engine.crm.model import CrmRecord, RecordKind
from tests.api.access import bearer, give_out
from tests.api.conftest import BEARER, Client
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

ANN = CrmRecord(RecordKind.CONTACT, "c1", "Ann Lee", ("ann@example.com",), owner="op1")
BOB = CrmRecord(RecordKind.CONTACT, "c2", "Bob Müller", ("bob@example.org", "b@example.org"), owner="op2")
LEAD = CrmRecord(RecordKind.LEAD, "c1", "Another Ann")
FILE = b"""Contact ID;Full Name;E-Mail;Phone
c1;Ann Lee;ann@example.com;1
c3;Carl;carl@example;2
c4;Dora;dora@example.com;3
"""
FIGURES = ("rows", "new", "changed", "unchanged", "deleted", "missing", "errors")


@pytest.fixture
def mailroom() -> FakeMailroom:
    found = FakeMailroom()
    found.crm.records = {(one.kind, one.record_id): one for one in (ANN, BOB, LEAD)}
    return found


async def ask(client: Client, method: str, path: str, status: int = 200, **given: Any) -> Any:
    headers = {**BEARER, **given.pop("headers", {})}
    async with client.request(method, f"/api/v1/crm/{path}", headers=headers, **given) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def send(client: Client, data: bytes, query: str = "", status: int = 200, media: str = "text/csv") -> Any:
    path = f"contacts?{query}"
    return await ask(client, "POST", path, status, data=BytesIO(data), headers={"Content-Type": media})


def figures(answer: dict[str, Any]) -> list[int]:
    return [answer[name] for name in FIGURES]


async def test_insert_replace_and_delete(client: Client, mailroom: FakeMailroom) -> None:
    records = [
        {"id": "c1", "name": "Ann Lee", "addresses": ["ann@example.com"], "owner": "op1"},
        {"id": "c5", "name": "Eve", "addresses": "eve@example.com; e@example.com"},
        {"id": "c6", "name": "Flo"},
        {"id": "c6", "name": "Florence"},
    ]
    answer = await ask(client, "POST", "contacts", json={"records": records, "deleted": [" c2", "none", "c9"]})
    assert figures(answer) == [4, 2, 0, 1, 1, 2, 0]
    assert (answer["kind"], len(answer["warnings"])) == ("contacts", 1)
    kept = {key[1]: one for key, one in mailroom.crm.records.items() if key[0] is RecordKind.CONTACT}
    assert kept == {
        "c1": ANN,
        "c5": CrmRecord(RecordKind.CONTACT, "c5", "Eve", ("eve@example.com", "e@example.com")),
        "c6": CrmRecord(RecordKind.CONTACT, "c6", "Florence"),
    }
    answer = await ask(client, "POST", "contacts", json={"records": [{"id": "c1"}, {"id": "c5"}], "deleted": ["c5"]})
    assert figures(answer) == [2, 0, 1, 0, 1, 0, 0]
    assert mailroom.crm.records[RecordKind.CONTACT, "c1"] == CrmRecord(RecordKind.CONTACT, "c1"), "it is given whole"
    assert mailroom.crm.records[RecordKind.LEAD, "c1"] == LEAD, "another kind's is another's"
    await client.close()
    entries = [one for one in mailroom.access.audited if one.action == "crm.import"]
    assert [(one.target, one.after["new"], one.after["deleted"]) for one in entries] == [
        ("contacts", 2, 1),
        ("contacts", 0, 1),
    ]


async def test_a_file_and_what_is_wrong_by_line(client: Client, mailroom: FakeMailroom) -> None:
    answer = await send(client, FILE)
    assert figures(answer) == [3, 1, 1, 0, 0, 0, 1]
    [problem] = answer["problems"]
    assert (problem["line"], problem["column"], problem["value"]) == (3, "E-Mail", "carl@example")
    assert problem["problem"].startswith("This is no email address.")
    assert (answer["ignored"], answer["columns"]["name"]) == (["Phone"], "Full Name")
    assert {key[1] for key in mailroom.crm.records} == {"c1", "c2", "c4"}


async def test_wrong_records_by_their_position(client: Client, mailroom: FakeMailroom) -> None:
    records: list[dict[str, Any]] = [{"name": "x"}, {"id": "c8", "phone": 1}, {"id": "c9", "addresses": {}}, {"id": 7}]
    answer = await ask(client, "POST", "contacts", json={"records": records})
    assert [(one["line"], one["column"]) for one in answer["problems"]] == [(1, "id"), (2, "phone"), (3, "addresses")]
    assert figures(answer) == [4, 1, 0, 0, 0, 0, 3]
    assert (RecordKind.CONTACT, "7") in mailroom.crm.records


@pytest.mark.parametrize("media", ["application/vnd.apache.parquet", "application/octet-stream", "text/csv"])
async def test_parquet_is_told_by_its_first_bytes(client: Client, mailroom: FakeMailroom, media: str) -> None:
    table = pa.table({"id": [1, 2], "email": [["x@example.com"], []], "size": [1.0, 2.0]})
    sink = BytesIO()
    pq.write_table(table, sink)
    answer = await send(client, sink.getvalue(), media=media)
    assert (figures(answer), answer["ignored"]) == ([2, 2, 0, 0, 0, 0, 0], ["size"])
    assert mailroom.crm.records[RecordKind.CONTACT, "1"].addresses == ("x@example.com",)


async def test_strict(client: Client, mailroom: FakeMailroom) -> None:
    error = check_shape(await send(client, FILE, "strict=true", 400), "IMPORT_ERRORS")
    assert "1 row is in error" in error["message"]
    assert "line 3, E-Mail" in error["message"]
    assert len(mailroom.crm.records) == 3
    assert figures(await send(client, FILE.replace(b"carl@example;", b"carl@example.com;"), "strict=true"))[1] == 2


@pytest.mark.parametrize("query", ["dry_run=true", "dry_run=true&strict=true"])
async def test_a_dry_run_changes_nothing(client: Client, mailroom: FakeMailroom, query: str) -> None:
    before = dict(mailroom.crm.records)
    assert figures(await send(client, FILE, query)) == [3, 1, 1, 0, 0, 0, 1]
    answer = await ask(client, "POST", f"contacts?{query}", json={"deleted": ["c2", "c7"]})
    assert figures(answer) == [0, 0, 0, 0, 1, 1, 0]
    assert mailroom.crm.records == before
    await client.close()
    assert mailroom.access.audited == []


async def test_many_are_put_some_at_a_time(
    client: Client, mailroom: FakeMailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST", 2)
    monkeypatch.setattr(crm_imports, "MOST_PROBLEMS", 3)
    rows = [*(f"n{n};n{n}@example.com" for n in range(5)), *("e;nonsense" for _ in range(4)), "n0;z@example.com"]
    answer = await send(client, "\n".join(["id;email", *rows]).encode())
    assert figures(answer) == [10, 5, 0, 0, 0, 0, 4]
    assert len(answer["problems"]) == 3
    assert mailroom.crm.queued == 3
    assert mailroom.crm.records[RecordKind.CONTACT, "n0"].addresses == ("z@example.com",)


async def test_what_breaks_off_is_in_the_trail(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.broken = frozenset({"put_crm"})
    check_shape(await send(client, FILE, "", 503), "CLUSTER_UNAVAILABLE")
    await client.close()
    [entry] = mailroom.access.audited
    assert (entry.action, entry.target, entry.outcome) == ("crm.import", "contacts", AuditOutcome.FAILED)


@pytest.mark.parametrize(
    ("data", "media", "status", "code"),
    [
        (b"name;email\nAnn;ann@example.com\n", "text/csv", 400, "NO_ID_COLUMN"),
        (b"PAR1 and no more", "text/csv", 400, "BROKEN_PARQUET"),
        (b"", "text/csv", 400, "EMPTY"),
        (b'{"records": []}', "text/csv", 400, "BAD_REQUEST"),
        (b'{"records": {}}', "application/json", 400, "BAD_REQUEST"),
        (b'{"record": []}', "application/json", 400, "BAD_REQUEST"),
        (b"id\n1", "multipart/form-data; boundary=x", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_what_cannot_be_read(*, client: Client, data: bytes, media: str, status: int, code: str) -> None:
    check_shape(await send(client, data, "", status, media), code)


async def test_bodies_have_a_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm_imports, "BODY_LIMIT", 2_000_000)
    monkeypatch.setattr(crm_imports, "JSON_LIMIT", 1000)
    rows = b"id\n" + b"c1\n" * 500_000
    assert (await send(client, rows, "dry_run=true"))["rows"] == 500_000
    check_shape(await send(client, rows * 2, "", 413), "REQUEST_ENTITY_TOO_LARGE")
    large = json.dumps({"deleted": ["x"] * 1000}).encode()
    check_shape(await send(client, large, "", 413, "application/json"), "REQUEST_ENTITY_TOO_LARGE")


async def test_a_file_that_does_not_come_holds_nobody_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm_imports, "UPLOAD_SECONDS", 0.3)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"id\nc1\n"
        await asyncio.sleep(60)

    first = asyncio.create_task(ask(client, "POST", "contacts", 400, data=stalled()))
    await asyncio.sleep(0.1)
    assert (await send(client, FILE))["new"] == 1
    check_shape(await first, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "people"), ("POST", "contact"), ("GET", "x/1"), ("DELETE", "x/1")]
)
async def test_another_kind_is_404_and_says_which_there_are(client: Client, method: str, path: str) -> None:
    error = check_shape(await ask(client, method, path, 404), "KIND_UNKNOWN")
    assert "contacts, leads, accounts, organizations, opportunities" in error["hint"]


async def test_a_list_is_searched_filtered_and_paged(client: Client) -> None:
    first = await ask(client, "GET", "contacts?limit=1")
    assert [one["record_id"] for one in first["items"]] == ["c1"]
    rest = await ask(client, "GET", "contacts", params={"limit": "1", "cursor": first["next"]})
    assert ([one["record_id"] for one in rest["items"]], rest["next"]) == (["c2"], None)
    check_shape(
        await ask(client, "GET", "leads", 400, params={"limit": "1", "cursor": first["next"]}), "CURSOR_INVALID"
    )
    for query, found in (
        ("q=MULLER%20b@", ["c2"]),
        ("owner=op1", ["c1"]),
        ("owner=op1&q=bob", []),
        ("q=c", ["c1", "c2"]),
    ):
        assert [one["record_id"] for one in (await ask(client, "GET", f"contacts?{query}"))["items"]] == found
    assert (await ask(client, "GET", "opportunities"))["items"] == []


async def test_one_record(client: Client, mailroom: FakeMailroom) -> None:
    shown = await ask(client, "GET", "contacts/c2")
    assert (shown["kind"], shown["email"], shown["is_open"]) == ("contact", "bob@example.org", True)
    assert await ask(client, "DELETE", "contacts/c2") == {"kind": "contacts", "record_id": "c2"}
    for method in ("GET", "DELETE"):
        check_shape(await ask(client, method, "contacts/c2", 404), "RECORD_UNKNOWN")
    assert len(mailroom.crm.records) == 2
    await client.close()
    assert [(one.action, one.target) for one in mailroom.access.audited] == [("crm.delete", "contacts/c2")]


async def test_a_viewer_reads_and_changes_nothing(client: Client, mailroom: FakeMailroom) -> None:
    viewer, ops = (bearer(give_out(mailroom, role).text) for role in (Role.VIEWER, Role.SALES_OPS))
    assert (await ask(client, "GET", "contacts/c1", headers=viewer))["name"] == "Ann Lee"
    for method, path, who in (("POST", "contacts", viewer), ("DELETE", "contacts/c1", viewer), ("GET", "leads", ops)):
        check_shape(await ask(client, method, path, 403, headers=who), "FORBIDDEN")
    assert len(mailroom.crm.records) == 3
