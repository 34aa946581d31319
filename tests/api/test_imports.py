import asyncio
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from api.resources import imports
from engine.model import Operator, OperatorId
from tests.api.conftest import BEARER, Client
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

IMPORT = "/api/v1/operators/import"
ANN = Operator(OperatorId("ann"), "ann@example.com", "Ann")
BOB = Operator(OperatorId("bob"), "bob@example.com", "Bob", email_sync=False)
FILE = b"""Operator ID;E-Mail;Name;Email sync
ann;ann@example.com;Ann;true
bob;bob@example.com;Robert;yes
carl;carl@example.com;Carl;
dora;dora@example;Dora;perhaps
eve;ann@example.com;Eve;
"""


@pytest.fixture
def mailroom() -> FakeMailroom:
    found = FakeMailroom()
    found.people.operators = {one.operator_id: one for one in (ANN, BOB)}
    return found


async def post(
    client: Client, query: str = "", data: bytes = FILE, status: int = 200, headers: dict[str, str] | None = None
) -> Any:
    async with client.post(f"{IMPORT}?{query}", data=BytesIO(data), headers={**BEARER, **(headers or {})}) as response:
        assert response.status == status, await response.text()
        return await (response.json() if response.content_type == "application/json" else response.read())


async def test_preview(client: Client, mailroom: FakeMailroom) -> None:
    shown = await post(client)
    assert shown["counts"] == {"new": 1, "changed": 1, "unchanged": 1, "error": 2}
    assert (shown["applied"], shown["delimiter"], shown["encoding"]) == (False, "semicolon", "UTF-8")
    changed, new, invalid, taken = shown["rows"]
    assert (changed["line"], changed["verdict"]) == (3, "changed")
    assert [(one["field"], one["old"], one["new"]) for one in changed["changes"]] == [
        ("name", "Bob", "Robert"),
        ("email_sync", False, True),
    ]
    assert new["operator"] == {
        "operator_id": "carl",
        "email": "carl@example.com",
        "name": "Carl",
        "email_sync": True,
    }
    assert [(one["code"], one["column"]) for one in invalid["problems"]] == [("EMAIL_SYNC_INVALID", "Email sync")]
    assert taken["problems"][0]["code"] in ("EMAIL_TAKEN", "EMAIL_TWICE")
    assert all(problem["reason"] and problem["remedy"] for row in shown["rows"] for problem in row["problems"])
    assert shown["left_out"] == {"new": 0, "changed": 0, "unchanged": 1, "error": 0}
    assert mailroom.people.changes == []


async def test_apply(client: Client, mailroom: FakeMailroom) -> None:
    digest = (await post(client))["digest"]
    done = await post(client, f"apply=true&digest={digest}")
    assert done["applied"]
    assert done["counts"] == {"new": 1, "changed": 1, "unchanged": 1, "error": 2}
    assert mailroom.people.operators == {
        "ann": ANN,
        "bob": replace(BOB, name="Robert", email_sync=True),
        "carl": Operator(OperatorId("carl"), "carl@example.com", "Carl"),
    }
    check_shape(await post(client, f"apply=true&digest={digest}", status=409), "IMPORT_STALE")
    again = await post(client, "apply=true")
    assert again["counts"] == {"new": 0, "changed": 0, "unchanged": 3, "error": 2}
    await client.close()
    entry = next(one for one in mailroom.access.audited if one.action == "operators.import")
    assert entry.after["new"] == 1


async def test_whoever_was_faster_is_not_undone(client: Client, mailroom: FakeMailroom) -> None:
    digest = (await post(client))["digest"]
    mailroom.people.operators[BOB.operator_id] = replace(BOB, name="Bobby")
    check_shape(await post(client, f"apply=true&digest={digest}", status=409), "IMPORT_STALE")
    assert len(mailroom.people.operators) == 2
    stale = (await post(client))["digest"]
    check_shape(await post(client, f"apply=true&digest={stale}", data=FILE + b"\n", status=409), "IMPORT_STALE")


async def test_strict(client: Client, mailroom: FakeMailroom) -> None:
    error = check_shape(await post(client, "apply=true&strict=true", status=400), "IMPORT_ERRORS")
    assert "2 rows" in error["message"]
    assert len(mailroom.people.operators) == 2
    right = b"\n".join(FILE.splitlines()[:4])
    assert (await post(client, "apply=true&strict=true", right))["applied"]


async def test_errors_as_a_file_to_be_mended(client: Client) -> None:
    lines = (await post(client, "format=csv")).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("line;operator_id;email;name;email_sync")
    assert [line.split(";")[1] for line in lines[1:]] == ["dora", "eve"]
    check_shape(await post(client, "format=csv&apply=true", status=400), "BAD_REQUEST")


async def test_what_is_listed_is_bounded_and_the_rest_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_ERRORS", 2)
    rows = [f"n{n};n{n}@example.com" for n in range(5)] + [f"e{n};nonsense" for n in range(4)]
    shown = await post(client, "rows=3", "\n".join(["id;email", *rows]).encode())
    assert [row["verdict"] for row in shown["rows"]] == ["new"] * 3 + ["error"] * 2
    assert shown["counts"]["new"] == 5
    assert shown["left_out"] == {"new": 2, "changed": 0, "unchanged": 0, "error": 2}


async def test_the_default_for_new_operators(client: Client, mailroom: FakeMailroom) -> None:
    await post(client, "apply=true&email_sync=false")
    assert not mailroom.people.operators[OperatorId("carl")].email_sync


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "EMPTY"),
        (b"PK\x03\x04rest", 400, "NOT_TEXT"),
        (b"\x00\x01\x02\x03" * 99, 400, "NOT_TEXT"),
        (b"name;age\nAnn;3\n", 400, "NO_EMAIL_COLUMN"),
        (b"sep=#\nemail#name\n", 400, "DELIMITER"),
    ],
)
async def test_files_that_are_refused(client: Client, data: bytes, status: int, code: str) -> None:
    refused = await post(client, data=data, status=status)
    assert refused["error"]["code"] == code
    assert refused["error"]["hint"]


async def test_a_file_that_is_too_large(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "BODY_LIMIT", 1000)
    check_shape(await post(client, data=b"x" * 1001, status=413), "REQUEST_ENTITY_TOO_LARGE")


async def test_larger_than_other_bodies_may_be(client: Client) -> None:
    rows = "".join(f"operator-{n:06},operator-{n:06}@example.com,A name that is rather long\n" for n in range(20_000))
    data = f"id,email,name\n{rows}".encode()
    assert len(data) > 1_200_000
    shown = await post(client, "rows=0", data)
    assert (shown["counts"]["new"], shown["rows"]) == (20_000, [])


@pytest.mark.parametrize(
    "query", ["apply=yes", "strict=1", "rows=-1", "rows=x", "rows=250001", "format=xml", "digest=", "dryrun=true"]
)
async def test_parameters_that_are_refused(client: Client, query: str) -> None:
    check_shape(await post(client, query, status=400), "BAD_REQUEST")


async def test_a_form_is_no_file(client: Client) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    check_shape(await post(client, status=415, headers=form), "UNSUPPORTED_MEDIA_TYPE")


async def test_others_are_answered_meanwhile(client: Client) -> None:
    data = b"id,email\n" + b"".join(b"n%d,n%d@example.com\n" % (n, n) for n in range(30_000))
    importing = asyncio.create_task(post(client, "rows=0", data))
    answered = 0
    while not importing.done():
        async with client.get("/healthz") as response:
            answered += response.status == 200
    assert (await importing)["counts"]["new"] == 30_000
    assert answered > 3
