"""``mailroom tokens`` and ``mailroom audit`` as a user runs them."""

import json
import re

import pytest

from engine.access.tokens import TOKEN_PATTERN
from tests.api.conftest import TOKEN, Client
from tests.api.processes import run

Environ = dict[str, str]


@pytest.fixture
def environ(client: Client) -> Environ:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def make(environ: Environ, *arguments: str) -> str:
    made = await run("tokens", "create", *arguments, environ=environ)
    assert made.code == 0, made.err
    token = made.out.decode().strip()
    assert re.fullmatch(TOKEN_PATTERN, token)
    assert token not in made.err
    assert "not shown again" in made.err
    return token


async def test_from_making_to_revoking(environ: Environ) -> None:
    group = ("--group", "night shift", "--group", "day shift")
    token = await make(environ, "grafana", "--role", "viewer", "--expires", "90d", *group)
    theirs = {**environ, "MAILROOM_TOKEN": token}
    assert (await run("status", environ=theirs)).code == 0
    (listed,) = json.loads((await run("tokens", "list", "--json", environ=environ)).out)
    assert (listed["name"], listed["role"], listed["groups"]) == ("grafana", "viewer", ["day shift", "night shift"])
    assert token not in json.dumps(listed)
    refused = await run("tokens", "list", environ=theirs)
    assert (refused.code, refused.out) == (1, b"")
    assert "tokens:manage" in refused.err
    revoked = await run("tokens", "revoke", "grafana", environ=environ)
    assert (revoked.code, revoked.out.decode()) == (0, f"grafana ({listed['token_id']}) is revoked.\n")
    late = await run("status", environ=theirs)
    assert (late.code, "MAILROOM_TOKEN" in late.err) == (1, True)
    assert json.loads((await run("tokens", "list", "--json", environ=environ)).out) == []
    assert len(json.loads((await run("tokens", "list", "--all", "--json", environ=environ)).out)) == 1
    again = await run("tokens", "revoke", "grafana", environ=environ)
    assert (again.code, "no token 'grafana'" in again.err) == (1, True)
    assert (await run("tokens", "revoke", listed["token_id"], environ=environ)).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("x", "--role", "root"), 1, "administrator"),
        (("x",), 2, "--role"),
        (("x", "--role", "viewer", "--expires", "soon"), 2, "never"),
        (("x", "--role", "viewer", "--expires", "0d"), 1, "past"),
        (("", "--role", "viewer"), 1, "name"),
    ],
)
async def test_what_makes_none(environ: Environ, arguments: tuple[str, ...], code: int, word: str) -> None:
    result = await run("tokens", "create", *arguments, environ=environ)
    assert (result.code, result.out) == (code, b"")
    assert word in result.err


async def test_the_trail(environ: Environ) -> None:
    await make(environ, "grafana", "--role", "viewer")
    await run("jobs", "disable", "EmailSync", environ=environ)
    found = json.loads((await run("audit", "--json", environ=environ)).out)
    assert [(one["action"], one["target"]) for one in found] == [
        ("jobs.change", "EmailSync"),
        ("tokens.create", "grafana"),
    ]
    plain = await run("audit", "--action", "jobs.change", "--outcome", "done", environ=environ)
    assert (plain.code, plain.err) == (0, "")
    assert "jobs.change" in plain.out.decode()
    assert "tokens.create" not in plain.out.decode()
