"""``mailroom failures``, ``mailboxes``, ``subscriptions`` and ``alerts`` as a user runs them."""

import json
from datetime import UTC, datetime

import pytest

from engine.listing import View
from tests.api.conftest import TOKEN, Client
from tests.api.processes import run
from tests.api.standing import SAID, troubled
from tests.fakes.mailroom import FakeMailroom

Environ = dict[str, str]


@pytest.fixture
def mailroom() -> FakeMailroom:
    return troubled(datetime.now(UTC))


@pytest.fixture
def environ(client: Client) -> Environ:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def test_failures_for_pipes_are_whole(environ: Environ) -> None:
    result = await run("failures", environ=environ)
    assert (result.code, result.err) == (0, "")
    heads, _, *rows = result.out.decode().splitlines()
    assert len(rows) == 21
    assert "remedy" in heads
    assert SAID in rows[0]
    assert "AAMk" * 40 in rows[-1]


async def test_failures_by_cause_and_kind(environ: Environ) -> None:
    result = await run("failures", "--code", "MAILBOX_NOT_FOUND", "--json", environ=environ)
    assert len(json.loads(result.out)) == 20
    result = await run("failures", "--kind", "item", "--json", environ=environ)
    assert [row["operator_id"] for row in json.loads(result.out)] == ["operator0003"]


@pytest.mark.parametrize("who", ["operator0490", "operator0490@example.com"])
async def test_an_operator_goes_by_id_or_address(environ: Environ, who: str) -> None:
    result = await run("failures", "--operator", who, "--json", environ=environ)
    assert [row["operator_id"] for row in json.loads(result.out)] == ["operator0490"]


async def test_an_operator_without_failures_is_no_error(environ: Environ) -> None:
    result = await run("failures", "--operator", "operator0001", "--json", environ=environ)
    assert (result.code, json.loads(result.out)) == (0, [])


@pytest.mark.parametrize("command", [["failures", "--operator", "nobody"], ["mailboxes", "operator0001", "nobody"]])
async def test_an_unknown_operator_is_said(environ: Environ, command: list[str]) -> None:
    result = await run(*command, environ=environ)
    assert (result.code, result.out) == (1, b"")
    assert result.err == "mailroom: There is no operator 'nobody', neither by id nor by address.\n"


async def test_mailboxes_of_some(environ: Environ) -> None:
    result = await run("mailboxes", "operator0481", "operator0001@example.com", "--json", environ=environ)
    assert [row["status"] for row in json.loads(result.out)] == ["failed", "synced"]
    result = await run("mailboxes", "--status", "failed", "--json", environ=environ)
    assert [row["operator_id"] for row in json.loads(result.out)] == ["operator0481"]


async def test_subscriptions_and_alerts(environ: Environ) -> None:
    rows = json.loads((await run("subscriptions", "--json", environ=environ)).out)
    assert [row["live"] for row in rows] == [True, False, True]
    rows = json.loads((await run("alerts", "--status", "closed", "--json", environ=environ)).out)
    assert [row["code"] for row in rows] == ["AUTH_FAILED"]


@pytest.mark.parametrize("command", ["failures", "alerts"])
async def test_nothing_for_pipes_is_nothing(environ: Environ, mailroom: FakeMailroom, command: str) -> None:
    mailroom.rows.clear()
    result = await run(command, environ=environ)
    assert (result.code, result.out, result.err) == (0, b"", "")


async def test_a_pipe_gets_all_pages_and_a_limit_is_told(environ: Environ, mailroom: FakeMailroom) -> None:
    mailroom.rows[View.FAILURES] = mailroom.rows[View.FAILURES][:1] * 2_345
    result = await run("failures", environ=environ)
    assert (len(result.out.splitlines()), result.err) == (2_347, "")
    result = await run("failures", "--limit", "1500", "--json", environ=environ)
    assert len(json.loads(result.out)) == 1_500
    assert result.err == "mailroom: there are more than these 1,500; --limit N shows more.\n"
    assert [listing.limit for listing in mailroom.listings] == [1000, 1000, 1000, 1000, 500]


async def test_a_word_the_gateway_does_not_know(environ: Environ) -> None:
    result = await run("mailboxes", "--status", "Failed", environ=environ)
    assert (result.code, result.out, result.err.count("\n")) == (1, b"", 1)
    assert "status: 'Failed' is not one of its values. They are: new, syncing" in result.err
