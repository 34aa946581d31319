"""``mailroom crm`` as a user runs it."""

import json
from pathlib import Path

import pytest

from engine.crm.model import CrmRecord, RecordKind
from tests.api.conftest import TOKEN, Client
from tests.api.processes import run
from tests.fakes.mailroom import FakeMailroom

Environ = dict[str, str]
ANN = CrmRecord(RecordKind.CONTACT, "c/1", "Ann Lee", ("ann@example.com",), owner="op1")
BOB = CrmRecord(RecordKind.CONTACT, "c2", "Bob", owner="op2")
FILE = "id,name,email,phone\nc2,Robert,bob@example.com,1\nc3,Carl,nonsense,2\nc4,Dora,dora@example.com,3\n"


@pytest.fixture
def mailroom() -> FakeMailroom:
    found = FakeMailroom()
    found.crm.records = {(one.kind, one.record_id): one for one in (ANN, BOB)}
    return found


@pytest.fixture
def environ(client: Client) -> Environ:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    return str(path)


async def test_import(environ: Environ, mailroom: FakeMailroom, file: str) -> None:
    rehearsed = await run("crm", "import", "contacts", file, "--dry-run", environ=environ)
    text = " ".join(rehearsed.out.decode().split())
    assert (rehearsed.code, rehearsed.err) == (0, "")
    assert "people.csv: contacts that would be imported" in text
    assert "Rows New Changed Unchanged In error" in text
    assert "3 1 1 0 1" in text
    assert "3 email nonsense This is no email address." in text
    assert "Ignored: phone." in text
    assert "Nothing has been changed." in text
    assert len(mailroom.crm.records) == 2
    done = await run("crm", "import", "contacts", "-", environ=environ, stdin=FILE.encode())
    assert (done.code, "contacts imported" in done.out.decode()) == (0, True)
    assert mailroom.crm.records[RecordKind.CONTACT, "c2"].name == "Robert"
    again = await run("crm", "import", "contacts", file, "--json", environ=environ)
    assert json.loads(again.out)["unchanged"] == 2


async def test_strict_shows_the_rows_and_imports_none(environ: Environ, mailroom: FakeMailroom, file: str) -> None:
    strict = await run("crm", "import", "contacts", file, "--strict", environ=environ)
    assert (strict.code, strict.err.count("\n")) == (1, 1)
    assert "nothing was imported" in strict.err
    text = strict.out.decode()
    assert "would be imported" in text
    assert "nonsense" in text
    assert len(mailroom.crm.records) == 2


async def test_list_show_and_delete(environ: Environ, mailroom: FakeMailroom) -> None:
    listed = await run("crm", "list", "contacts", "--owner", "op1", "--search", "LEE", "--json", environ=environ)
    assert [one["record_id"] for one in json.loads(listed.out)] == ["c/1"]
    shown = await run("crm", "show", "contacts", "c/1", "--json", environ=environ)
    assert json.loads(shown.out)[0]["addresses"] == ["ann@example.com"]
    gone = await run("crm", "delete", "contacts", "c/1", environ=environ)
    assert (gone.code, gone.out) == (0, b"c/1 is no longer among the contacts.\n")
    assert list(mailroom.crm.records) == [(RecordKind.CONTACT, "c2")]
    again = await run("crm", "delete", "contacts", "c/1", environ=environ)
    assert (again.code, again.out, again.err.count("\n")) == (1, b"", 1)
    assert "There is no contact 'c/1'." in again.err


async def test_what_cannot_be(environ: Environ, file: str, tmp_path: Path) -> None:
    kind = await run("crm", "import", "people", file, environ=environ)
    assert (kind.code, kind.err.count("\n")) == (1, 1)
    assert "The kinds are contacts, leads" in kind.err
    missing = await run("crm", "import", "contacts", str(tmp_path / "none.csv"), environ=environ)
    assert (missing.code, "cannot be read" in missing.err) == (1, True)
    no_ids = await run("crm", "import", "contacts", "-", environ=environ, stdin=b"name\nAnn\n")
    assert (no_ids.code, no_ids.err.count("\n")) == (1, 1)
    assert "No column has the ids of the contacts." in no_ids.err
