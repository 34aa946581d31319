"""``mailroom settings`` as a user runs it."""

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from api.terminal.settings import show_history, show_settings
from tests.api.conftest import BEARER, TOKEN, Client
from tests.api.processes import run

Environ = dict[str, str]


@pytest.fixture
def environ(client: Client) -> Environ:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def test_set_says_what_has_changed_and_what_is_advised(environ: Environ) -> None:
    done = await run("settings", "set", "email_sync.notification_frequency", "5", environ=environ)
    assert (done.code, done.out.decode()) == (0, "email_sync.notification_frequency: 30 -> 5 (version 2)\n")
    assert done.err.startswith("mailroom: email_sync.notification_frequency: 30 minutes is advised; with 5 ")
    done = await run("settings", "set", "email_sync.folders", "inbox, Archive", environ=environ)
    assert done.out.decode() == "email_sync.folders: inbox, sentitems -> inbox, Archive (version 3)\n"
    done = await run("settings", "set", "email_sync.folders", "inbox,Archive", environ=environ)
    assert (done.code, done.out.decode()) == (0, "email_sync.folders is that already.\n")


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("email_sync.batch_size", "513", "mailroom: email_sync.batch_size: must be at most 512, not 513."),
        ("email_sync.batch_size", "all", "mailroom: email_sync.batch_size: must be a whole number, not 'all'."),
        ("batchsize", "1", "mailroom: batchsize: no such key. Did you mean email_sync.batch_size?"),
        ("exchange.password", "hunter2", "mailroom: exchange.password: secrets are not kept with the settings."),
    ],
)
async def test_what_will_not_do_is_one_line(environ: Environ, key: str, value: str, line: str) -> None:
    done = await run("settings", "set", key, value, environ=environ)
    assert (done.code, done.out.decode()) == (1, "")
    assert done.err.startswith(line)
    assert len(done.err.splitlines()) == 1
    assert "hunter2" not in done.err


async def test_show_and_history_for_pipes_and_programs(environ: Environ) -> None:
    await run("settings", "set", "email_sync.batch_size", "100", environ=environ)
    plain = await run("settings", "show", environ=environ)
    rows = [[cell.strip() for cell in line.split("|")] for line in plain.out.decode().splitlines()]
    assert rows[0] == ["key", "value"]
    assert ["email_sync.batch_size", "100"] in rows
    shown = json.loads((await run("settings", "show", "--json", environ=environ)).out)
    assert (shown["version"], shown["email_sync"]["batch_size"]) == (2, 100)
    history = await run("settings", "history", "--limit", "1", environ=environ)
    assert history.out.decode().splitlines()[0].split() == ["version", "|", "at", "|", "by", "|", "changes"]
    assert "email_sync.batch_size: 512 -> 100" in history.out.decode()
    items = json.loads((await run("settings", "history", "--json", environ=environ)).out)
    assert [one["version"] for one in items] == [2, 1]


async def test_on_a_terminal_of_80_columns(client: Client) -> None:
    async with client.get("/api/v1/settings", headers=BEARER) as response:
        state = await response.json()
    state["email_sync"]["notify_failures_to"] = "; ".join(f"operator{number}@example.com" for number in range(9))
    async with client.get("/api/v1/settings/history", headers=BEARER) as response:
        versions = (await response.json())["items"]
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    show_settings(console, state, datetime.now(UTC))
    changed = {"version": 2, "at": versions[0]["at"], "by": "ann", "changes": versions[0]["changes"][:3]}
    show_history(console, [changed, *versions], datetime.now(UTC))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    for words in ("exchange", "email_sync", "batch_size", "512", "Version 1,", "everything, as it stood there"):
        assert words in text
