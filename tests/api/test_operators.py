from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from engine.model import Operator, OperatorId
from engine.operators import OperatorChange
from tests.api.conftest import BEARER, Client
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

OPERATORS = "/api/v1/operators"
ANN = Operator(OperatorId("ann"), "ann@example.com", "Ann Müller")
BOB = Operator(OperatorId("bob"), "bob@example.com", "Bob", email_sync=False)
STRANGE = ("a/b", "a b", "a%2Fb", "Jörg", "a+b", "a?b#c", "50%", "a;b", "日本", "a\\b", "a{b}", "import", "check")


@pytest.fixture
def mailroom() -> FakeMailroom:
    found = FakeMailroom()
    found.people.operators = {one.operator_id: one for one in (ANN, BOB)}
    found.people.said[ANN.operator_id] = {"status": "failed", "error_code": "AUTH_FAILED"}
    return found


def at(operator_id: str) -> URL:
    return URL(f"{OPERATORS}/{quote(operator_id, safe='')}", encoded=True)


async def ask(client: Client, method: str, path: str | URL, status: int, body: object = None) -> dict[str, Any]:
    async with client.request(method, path, json=body, headers=BEARER) as response:
        assert response.status == status, await response.text()
        return dict(await response.json())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ann", "bob"]),
        ("email_sync=false", ["bob"]),
        ("email_sync=true", ["ann"]),
        ("status=failed", ["ann"]),
        ("code=AUTH_FAILED", ["ann"]),
        ("q=muller", ["ann"]),
        ("q=EXAMPLE.com%20bob", ["bob"]),
        ("q=bob&email_sync=true", []),
    ],
)
async def test_list(client: Client, query: str, found: list[str]) -> None:
    listed = await ask(client, "GET", f"{OPERATORS}?{query}", 200)
    assert ([row["operator_id"] for row in listed["items"]], listed["next"]) == (found, None)


async def test_pages_of_a_search(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.people.operators |= {
        OperatorId(f"c{n}"): Operator(OperatorId(f"c{n}"), f"c{n}@example.org") for n in range(3)
    }
    first = await ask(client, "GET", f"{OPERATORS}?q=example.org&limit=2", 200)
    second = await ask(client, "GET", f"{OPERATORS}?q=example.org&limit=2&cursor={first['next']}", 200)
    assert [row["operator_id"] for row in first["items"] + second["items"]] == ["c0", "c1", "c2"]
    refused = await ask(client, "GET", f"{OPERATORS}?q=example.com&limit=2&cursor={first['next']}", 400)
    assert "cursor" in refused["error"]["message"]


@pytest.mark.parametrize("query", ["status=away", "email_sync=1", "q=", "name=Ann", "q=a&q=b", "limit=0"])
async def test_parameters_that_are_refused(client: Client, query: str) -> None:
    check_shape(await ask(client, "GET", f"{OPERATORS}?{query}", 400), "BAD_REQUEST")


async def test_show(client: Client) -> None:
    shown = await ask(client, "GET", at("ann"), 200)
    assert shown["email"] == "ann@example.com"
    assert shown["status"] == "failed"
    refused = check_shape(await ask(client, "GET", at("carl"), 404), "OPERATOR_UNKNOWN")
    assert "'carl'" in refused["message"]


async def test_create(client: Client, mailroom: FakeMailroom) -> None:
    body = {"email": " carl@example.com ", "operator_id": "c/1", "name": " Carl "}
    async with client.post(OPERATORS, json=body, headers=BEARER) as response:
        assert (response.status, response.headers["Location"]) == (201, f"{OPERATORS}/c%2F1")
        shown = await response.json()
    assert [shown[key] for key in ("operator_id", "email", "name", "email_sync")] == [
        "c/1",
        "carl@example.com",
        "Carl",
        True,
    ]
    assert (await ask(client, "POST", OPERATORS, 201, {"email": "dora@example.com"}))["operator_id"] == (
        "dora@example.com"
    )
    assert len(mailroom.people.operators) == 4


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "new@example.com", "operator_id": "ann"}, "OPERATOR_EXISTS"),
        ({"email": "ANN@example.com", "operator_id": "ann2"}, "ADDRESS_TAKEN"),
    ],
)
async def test_what_is_taken(client: Client, mailroom: FakeMailroom, body: Mapping[str, object], code: str) -> None:
    check_shape(await ask(client, "POST", OPERATORS, 409, body), code)
    assert mailroom.people.changes == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "email: "),
        ([], "body"),
        ({"email": "ann"}, "email: "),
        ({"email": "a@x.com, b@x.com"}, "several addresses"),
        ({"email": "Ann <ann@x.com>"}, "email: "),
        ({"email": "a@x.com" + "m" * 300}, "email: "),
        ({"email": "c@x.com", "operator_id": ""}, "operator_id: "),
        ({"email": "c@x.com", "operator_id": "  "}, "operator_id: "),
        ({"email": "c@x.com", "operator_id": "a\u200bb"}, "U+200B"),
        ({"email": "c@x.com", "operator_id": "a\x00b"}, "U+0000"),
        ({"email": "c@x.com", "operator_id": "x" * 256}, "operator_id: "),
        ({"email": "c@x.com", "name": "a\u202eb"}, "U+202E"),
        ({"email": "c@x.com", "name": None}, "name: "),
        ({"email": "c@x.com", "email_sync": "yes"}, "email_sync: "),
        ({"email": "c@x.com", "role": "boss"}, "role: there is no such key"),
    ],
)
async def test_bodies_that_are_refused(client: Client, body: object, words: str) -> None:
    refused = await ask(client, "POST", OPERATORS, 400, body)
    assert refused["error"]["code"] in {"BAD_REQUEST", "VALUE_INVALID"}
    assert words in refused["error"]["message"]


async def test_a_change_leaves_the_rest(client: Client, mailroom: FakeMailroom) -> None:
    changed = await ask(client, "PATCH", at("ann"), 200, {"name": "Anna"})
    assert (changed["name"], changed["email"], changed["email_sync"]) == ("Anna", "ann@example.com", True)
    assert not mailroom.people.changes[-1].again
    assert not mailroom.people.changes[-1].matters(), "a name is nothing to the mailbox"
    changed = await ask(client, "PATCH", at("ann"), 200, {"email_sync": False, "name": ""})
    assert (changed["name"], changed["email_sync"]) == ("", False)
    await ask(client, "PATCH", at("carl"), 404, {"name": "C"})
    check_shape(await ask(client, "PATCH", at("ann"), 409, {"email": "BOB@example.com"}), "ADDRESS_TAKEN")


async def test_enabling_says_so_even_where_nothing_changes(client: Client, mailroom: FakeMailroom) -> None:
    await ask(client, "PATCH", at("ann"), 200, {"email_sync": True})
    assert mailroom.people.changes == [OperatorChange(ANN, ANN, again=True)]


@pytest.mark.parametrize("body", [{}, {"email": None}, {"operator_id": "x"}, {"email_sync": 1}, {"email": "x y"}, None])
async def test_changes_that_are_refused(client: Client, mailroom: FakeMailroom, body: object) -> None:
    refused = await ask(client, "PATCH", at("ann"), 400, body)
    check_shape(refused, "VALUE_INVALID" if body == {"email": "x y"} else "BAD_REQUEST")
    assert mailroom.people.changes == []


class Crowded(FakeMailroom):
    """Somebody else changes the operator between each look and each change, ``busy`` times."""

    busy = 2

    async def change_operators(self, changes: Any) -> None:
        if self.busy:
            self.busy -= 1
            who = changes[0].after.operator_id
            self.people.operators[who] = Operator(who, "ann@example.com", f"Ann {self.busy}")
        await super().change_operators(changes)


async def test_a_change_is_made_of_what_is_there(mailroom: FakeMailroom, make_client: Any) -> None:
    mailroom.__class__ = Crowded
    client = await make_client()
    changed = await ask(client, "PATCH", at("ann"), 200, {"email": "ann@new.example.com"})
    assert (changed["name"], changed["email"]) == ("Ann 0", "ann@new.example.com")
    mailroom.busy = 99  # type: ignore[attr-defined]
    check_shape(await ask(client, "PATCH", at("ann"), 409, {"name": "A"}), "OPERATORS_CHANGED")


@pytest.mark.parametrize("operator_id", STRANGE)
async def test_ids_of_any_kind(client: Client, operator_id: str) -> None:
    made = {"email": "x@example.com", "operator_id": operator_id}
    assert (await ask(client, "POST", OPERATORS, 201, made))["operator_id"] == operator_id
    assert (await ask(client, "GET", at(operator_id), 200))["operator_id"] == operator_id
    assert (await ask(client, "PATCH", at(operator_id), 200, {"name": "X"}))["operator_id"] == operator_id


async def test_nobody_is_deleted(client: Client, mailroom: FakeMailroom) -> None:
    async with client.delete(at("ann"), headers=BEARER) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,PATCH".replace(",", ", "))
        error = check_shape(await response.json(), "METHOD_NOT_ALLOWED")
    assert "disable" in error["hint"]
    assert ANN in mailroom.people.operators.values()


async def test_changes_are_in_the_trail(client: Client, mailroom: FakeMailroom) -> None:
    await ask(client, "PATCH", at("bob"), 200, {"email_sync": True})
    await ask(client, "POST", OPERATORS, 201, {"email": "carl@example.com"})
    await client.close()
    changed, created = (one for one in mailroom.access.audited if one.action == "operators.change")
    assert (changed.target, changed.before, changed.after) == ("bob", {"email_sync": False}, {"email_sync": True})
    assert (created.target, created.after["email"]) == ("carl@example.com", "carl@example.com")
