"""``mailroom operators`` and ``mailroom check`` as a user runs them."""

import json
from pathlib import Path

import pytest

from engine.errors import AuthenticationFailed
from engine.model import Operator, OperatorId
from tests.api.conftest import TOKEN, Client
from tests.api.processes import run
from tests.fakes.mailroom import FakeMailroom

Environ = dict[str, str]
ANN = Operator(OperatorId("ann/1"), "ann@example.com", "Ann")
BOB = Operator(OperatorId("bob"), "bob@example.com", "Bob", email_sync=False)


@pytest.fixture
def mailroom() -> FakeMailroom:
    found = FakeMailroom()
    found.people.operators = {one.operator_id: one for one in (ANN, BOB)}
    return found


@pytest.fixture
def environ(client: Client) -> Environ:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def test_list(environ: Environ) -> None:
    plain = await run("operators", "list", environ=environ)
    assert (plain.code, plain.err) == (0, "")
    assert [line.split(" ")[0] for line in plain.out.decode().splitlines()[2:]] == ["ann/1", "bob"]
    found = await run("operators", "list", "--disabled", "--search", "BOB", "--json", environ=environ)
    assert [one["operator_id"] for one in json.loads(found.out)] == ["bob"]
    nobody = await run("operators", "list", "--enabled", "--search", "bob", "--json", environ=environ)
    assert json.loads(nobody.out) == []


@pytest.mark.parametrize("who", ["ann/1", "ANN@example.com"])
async def test_show_by_id_and_by_address(environ: Environ, who: str) -> None:
    shown = await run("operators", "show", who, "--json", environ=environ)
    assert json.loads(shown.out)[0]["operator_id"] == "ann/1"


async def test_enable_and_disable(environ: Environ, mailroom: FakeMailroom) -> None:
    result = await run("operators", "enable", "bob", "ann@example.com", environ=environ)
    assert (result.code, result.err) == (0, "")
    assert result.out.decode().splitlines() == [
        "bob (bob@example.com) is enabled; its mailbox is synchronised now.",
        "ann/1 (ann@example.com) is enabled; its mailbox is synchronised now.",
    ]
    assert all(one.again for one in mailroom.people.changes)
    await run("operators", "disable", "ann/1", environ=environ)
    assert not mailroom.people.operators[ANN.operator_id].email_sync


async def test_nobody_is_changed_if_one_is_unknown(environ: Environ, mailroom: FakeMailroom) -> None:
    result = await run("operators", "enable", "bob", "dora", environ=environ)
    assert (result.code, result.out) == (1, b"")
    assert result.err == "mailroom: There is no operator 'dora', neither by id nor by address.\n"
    assert mailroom.people.changes == []


async def test_add_and_set(environ: Environ, mailroom: FakeMailroom) -> None:
    added = await run("operators", "add", "carl@example.com", "--id", "c", "--disabled", environ=environ)
    assert added.out.decode() == "c (carl@example.com) has been created, with email sync off.\n"
    changed = await run("operators", "set", "carl@example.com", "--name", "Carl", environ=environ)
    assert changed.out.decode() == "c: carl@example.com, Carl.\n"
    taken = await run("operators", "add", "BOB@example.com", environ=environ)
    assert (taken.code, taken.err.count("\n")) == (1, 1)
    assert "another operator: bob" in taken.err
    nothing = await run("operators", "set", "c", environ=environ)
    assert (nothing.code, "Nothing to change" in nothing.err) == (2, True)


async def test_import(environ: Environ, mailroom: FakeMailroom, tmp_path: Path) -> None:
    file, wrong = tmp_path / "people.csv", tmp_path / "wrong.csv"
    file.write_text("id,email,name\nbob,bob@example.com,Robert\ncarl,carl@example.com,Carl\ndora,nonsense,Dora\n")
    shown = await run("operators", "import", str(file), "--errors", str(wrong), environ=environ)
    assert shown.code == 0
    text = " ".join(shown.out.decode().split())
    assert "people.csv: 1 new, 1 changed, 0 unchanged, 1 in error." in text
    assert "This is not an email address." in text
    assert "name: Bob → Robert" in text
    assert "--apply does it" in text
    assert "dora" in wrong.read_text(encoding="utf-8-sig")
    assert mailroom.people.changes == []
    strict = await run("operators", "import", str(file), "--apply", "--strict", environ=environ)
    assert (strict.code, mailroom.people.changes) == (1, [])
    done = await run("operators", "import", "-", "--apply", environ=environ, stdin=file.read_bytes())
    assert done.code == 0
    assert "has been imported: 1 new, 1 changed" in done.out.decode()
    assert mailroom.people.operators[BOB.operator_id].name == "Robert"
    again = await run("operators", "import", str(file), "--json", environ=environ)
    assert json.loads(again.out)["counts"] == {"new": 0, "changed": 0, "unchanged": 2, "error": 1}


async def test_files_that_cannot_be_read(environ: Environ, tmp_path: Path) -> None:
    missing = await run("operators", "import", str(tmp_path / "none.csv"), environ=environ)
    assert (missing.code, missing.err.count("\n")) == (1, 1)
    assert "cannot be read" in missing.err
    workbook = await run("operators", "import", "-", environ=environ, stdin=b"PK\x03\x04")
    assert (workbook.code, workbook.err.count("\n")) == (1, 1)
    assert "Save the sheet as CSV" in workbook.err


async def test_check(environ: Environ, mailroom: FakeMailroom) -> None:
    mailroom.people.broken[ANN.operator_id] = AuthenticationFailed("401")
    result = await run("check", "ann@example.com", "bob", "--no-round-trip", environ=environ)
    assert result.code == 1
    lines = result.out.decode().splitlines()
    assert [head.strip() for head in lines[0].split(" | ")][:4] == ["operator_id", "email", "step", "result"]
    assert any("AUTH_FAILED" in line and "MAILROOM_EXCHANGE_PASSWORD" in line for line in lines)
    assert len(lines) == 2 + 2 * 9
    assert mailroom.people.checked == [("ann/1", False), ("bob", False)]


async def test_check_and_enable(environ: Environ, mailroom: FakeMailroom) -> None:
    mailroom.people.broken[ANN.operator_id] = AuthenticationFailed("401")
    result = await run("check", "bob", "ann/1", "--enable", "--json", environ=environ)
    assert result.code == 1
    assert [one["verdict"] for one in json.loads(result.out)] == ["warned", "failed"]
    assert result.err == "mailroom: bob (bob@example.com) is enabled.\n"
    assert [one.after for one in mailroom.people.changes] == [Operator(BOB.operator_id, BOB.email, BOB.name)]


async def test_check_of_those_that_fail(environ: Environ, mailroom: FakeMailroom) -> None:
    nobody = await run("check", environ=environ)
    assert (nobody.code, nobody.out) == (0, b"")
    assert "no operator fails" in nobody.err
    mailroom.people.said[ANN.operator_id] = {"status": "failing"}
    result = await run("check", "--json", environ=environ)
    assert (result.code, [one["operator_id"] for one in json.loads(result.out)]) == (0, ["ann/1"])
