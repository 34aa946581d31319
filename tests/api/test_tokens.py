"""Tokens and the audit trail over HTTP: what is shown, what holds from when on, and what is left of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.access.audit import Action, AuditOutcome
from engine.access.roles import Role
from engine.errors import QueryRefused, StoreUnavailable
from engine.jobs.model import JobName
from engine.listing import View
from tests.api.access import bearer, give_out, not_known, wrong_secret
from tests.api.conftest import BEARER, TOKEN, Client
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

TOKENS = "/api/v1/tokens"
STATUS = "/api/v1/status"
QUERY = "/api/v1/query"
AUDIT = "/api/v1/audit"


async def create(client: Client, headers: dict[str, str] = BEARER, **body: Any) -> dict[str, Any]:
    async with client.post(TOKENS, json={"name": "grafana", "role": "viewer", **body}, headers=headers) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


async def status_with(client: Client, token: str, path: str = STATUS) -> int:
    async with client.get(path, headers=bearer(token)) as response:
        return response.status


async def trail(client: Client, **filters: str) -> list[dict[str, Any]]:
    async with client.get(AUDIT, params=filters, headers=BEARER) as response:
        assert response.status == 200, await response.text()
        return list((await response.json())["items"])


async def test_a_token_works_from_the_moment_it_is_made_to_the_moment_it_is_revoked(client: Client) -> None:
    made = await create(client)
    assert await status_with(client, made["token"]) == 200
    async with client.delete(f"{TOKENS}/{made['token_id']}", headers=BEARER) as response:
        assert (await response.json())["revoked_at"] is not None
    async with client.get(STATUS, headers=bearer(made["token"])) as response:
        assert response.status == 401
        assert "revoked" in check_shape(await response.json(), "UNAUTHORIZED")["message"]


async def test_it_expires(client: Client, mailroom: FakeMailroom) -> None:
    async with client.get(STATUS, headers=bearer(give_out(mailroom, expired=True).text)) as response:
        assert "expired" in check_shape(await response.json(), "UNAUTHORIZED")["message"]


async def test_its_text_is_shown_once_and_its_digest_never(client: Client, mailroom: FakeMailroom) -> None:
    made = await create(client, groups=["night shift"])
    digest = mailroom.access.issued[made["token_id"]].digest
    async with client.get(TOKENS, headers=BEARER) as response:
        text = await response.text()
    assert json.loads(text)["items"] == [{key: value for key, value in made.items() if key != "token"}]
    for secret in (made["token"], made["token"].rpartition("_")[2], digest.hex()):
        assert secret not in text
        assert secret not in json.dumps(await trail(client))


async def test_the_trail_says_who_made_it_and_what_it_may(client: Client) -> None:
    made = await create(client, expires_at="2100-01-01T00:00:00Z")
    async with client.delete(f"{TOKENS}/{made['token_id']}", headers=BEARER):
        pass
    revoked, created = await trail(client)
    assert (created["action"], created["outcome"], created["principal"]) == (
        "tokens.create",
        "done",
        "admin (environment)",
    )
    assert (created["role"], created["address"], created["target"]) == ("administrator", "127.0.0.1", "grafana")
    assert created["after"]["token_id"] == made["token_id"]
    assert created["after"]["role"] == "viewer"
    assert created["after"]["expires_at"].startswith("2100-01-01")
    assert (revoked["action"], revoked["after"]) == ("tokens.revoke", {"token_id": made["token_id"]})


async def test_an_administrators_token_makes_others_in_its_own_name(client: Client, mailroom: FakeMailroom) -> None:
    boss = give_out(mailroom, Role.ADMINISTRATOR, name="the boss")
    made = await create(client, bearer(boss.text))
    assert made["created_by"] == "the boss"
    assert (await trail(client))[0]["token_id"] == boss.record.token_id


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"name": ""}, "BAD_REQUEST", "name"),
        ({"name": " "}, "SETTINGS_INVALID", "name"),
        ({"name": "a\nb"}, "SETTINGS_INVALID", "name"),
        ({"name": "x" * 65}, "BAD_REQUEST", "name"),
        ({"name": "admin (environment)"}, "SETTINGS_INVALID", "MAILROOM_ADMIN_TOKEN"),
        ({"role": "root"}, "BAD_REQUEST", "administrator"),
        ({"role": None}, "BAD_REQUEST", "role"),
        ({"groups": "night shift"}, "BAD_REQUEST", "groups"),
        ({"groups": [""]}, "BAD_REQUEST", "groups"),
        ({"groups": ["x"] * 51}, "BAD_REQUEST", "groups"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "SETTINGS_INVALID", "past"),
        ({"expires_at": "2100-01-01T00:00:00"}, "BAD_REQUEST", "timezone"),
        ({"expires_at": "tomorrow"}, "BAD_REQUEST", "expires_at"),
        ({"digest": "x"}, "BAD_REQUEST", "digest"),
    ],
)
async def test_what_makes_no_token(client: Client, body: dict[str, Any], code: str, word: str) -> None:
    async with client.post(TOKENS, json={"name": "n", "role": "viewer", **body}, headers=BEARER) as response:
        assert response.status == 400
        assert word in check_shape(await response.json(), code)["message"]


async def test_a_name_in_use_is_refused(client: Client) -> None:
    await create(client)
    async with client.post(TOKENS, json={"name": "grafana", "role": "viewer"}, headers=BEARER) as response:
        assert response.status == 409
        check_shape(await response.json(), "TOKEN_REFUSED")
    async with client.delete(f"{TOKENS}/nobody", headers=BEARER) as response:
        assert response.status == 404
        check_shape(await response.json(), "TOKEN_UNKNOWN")


async def test_while_the_store_is_away_only_the_environments_token_is_known(
    client: Client, mailroom: FakeMailroom
) -> None:
    token = give_out(mailroom).text
    mailroom.broken = frozenset({"tokens"})
    async with client.get(STATUS, headers=bearer(token)) as response:
        assert response.status == 503, "and not 401, on which a client would throw its token away"
        assert response.headers["Retry-After"]
    assert await status_with(client, TOKEN) == 200
    assert await status_with(client, "a guess") == 401
    mailroom.broken = frozenset()
    assert await status_with(client, token) == 200


async def test_guesses_are_limited_and_a_right_token_is_not(client: Client, mailroom: FakeMailroom) -> None:
    right = give_out(mailroom)
    for number in range(10):
        assert await status_with(client, f"guess {number}") == 401
    async with client.get(STATUS, headers=bearer("guess")) as response:
        assert (response.status, int(response.headers["Retry-After"])) == (429, 30)
        check_shape(await response.json(), "TOO_MANY_ATTEMPTS")
    assert await status_with(client, TOKEN) == 429, "nothing is learned by guessing on"
    assert await status_with(client, wrong_secret(right)) == 429
    assert await status_with(client, not_known()) == 429
    assert await status_with(client, right.text) == 200
    entries = [one for one in mailroom.access.audited if one.action is Action.LOGIN]
    assert [(one.outcome, one.after) for one in entries] == [(AuditOutcome.REFUSED, {"reason": "unknown"})] * 2
    assert "guess" not in str(entries)


async def test_a_job_is_run_by_those_of_its_group(client: Client, mailroom: FakeMailroom) -> None:
    inside = give_out(mailroom, Role.SALES_OPS, groups=("night shift",)).text
    outside = give_out(mailroom, Role.SALES_OPS, name="outside", groups=("Night shift",)).text
    run, patch = "/api/v1/jobs/EmailSync/run", "/api/v1/jobs/EmailSync"
    async with client.post(run, headers=bearer(inside)) as response:
        assert response.status == 403
        assert "no access group" in (await response.json())["error"]["message"]
    async with client.patch(patch, json={"access_group": "night shift"}, headers=BEARER) as response:
        assert response.status == 200
    async with client.post(run, headers=bearer(outside)) as response:
        assert response.status == 403
        assert "'night shift'" in (await response.json())["error"]["message"]
    async with client.patch(patch, json={"access_group": ""}, headers=bearer(inside)) as response:
        assert response.status == 403, "being in the group is no right to change it"
    async with client.post(run, headers=bearer(inside)) as response:
        assert response.status == 202
    entries = [(one["action"], one["outcome"], one["target"]) for one in reversed(await trail(client))]
    assert entries == [
        ("jobs.run", "refused", f"POST {run}"),
        ("jobs.change", "done", "EmailSync"),
        ("jobs.run", "refused", f"POST {run}"),
        ("jobs.change", "refused", f"PATCH {patch}"),
        ("jobs.run", "done", "EmailSync"),
    ]
    changed = (await trail(client, action="jobs.change", outcome="done"))[0]
    assert (changed["before"], changed["after"]) == ({"access_group": ""}, {"access_group": "night shift"})
    assert mailroom.states[JobName.EMAIL_SYNC].job.access_group == "night shift"


async def test_what_was_allowed_and_did_not_work_is_in_the_trail(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.broken = frozenset({"run_job"})
    async with client.post("/api/v1/jobs/EmailSync/run", headers=BEARER) as response:
        assert response.status == 503
    mailroom.error = StoreUnavailable("away")
    async with client.post(QUERY, json={"sql": "SELECT 1"}, headers=BEARER) as response:
        assert response.status == 503
    mailroom.error = None
    async with client.get("/api/v1/failures", headers=BEARER) as response:
        assert response.status == 200
    entries = [(one["action"], one["outcome"], one["after"]) for one in await trail(client)]
    assert entries == [("query.run", "failed", {"sql": "SELECT 1"}), ("jobs.run", "failed", {"status": 503})]


async def test_a_query_is_in_the_trail_as_it_was_written(client: Client, mailroom: FakeMailroom) -> None:
    asked = {"sql": "SELECT * FROM emails WHERE sender_address = $1", "params": ["s3cret@example.com"]}
    async with client.post(QUERY, json=asked, headers=BEARER) as response:
        assert response.status == 200
    mailroom.error = QueryRefused("only SELECT")
    async with client.post(QUERY, json={"sql": "DROP TABLE emails"}, headers=BEARER) as response:
        assert response.status == 400
    mailroom.error = None
    entries = await trail(client, action="query.run")
    assert sorted((one["outcome"], one["after"]["sql"]) for one in entries) == [
        ("done", asked["sql"]),
        ("refused", "DROP TABLE emails"),
    ]
    assert "s3cret" not in json.dumps(entries), "what was looked for is not written down"


async def test_the_trail_is_paged_and_filtered(client: Client, mailroom: FakeMailroom) -> None:
    for number in range(5):
        await create(client, name=f"token {number}")
    found: list[str] = []
    params = {"limit": "2", "action": "tokens.create"}
    while True:
        async with client.get(AUDIT, params=params, headers=BEARER) as response:
            page = await response.json()
        found += [item["target"] for item in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert sorted(found) == [f"token {number}" for number in range(5)]
    assert mailroom.listings[-1].view is View.AUDIT
    assert await trail(client, principal="nobody") == []
    async with client.get(AUDIT, params={"action": "nonsense"}, headers=BEARER) as response:
        assert response.status == 400


async def test_the_list_says_when_a_token_was_last_used(client: Client, mailroom: FakeMailroom) -> None:
    made = await create(client)
    assert await status_with(client, made["token"]) == 200
    async with client.get(TOKENS, headers=BEARER) as response:
        used = (await response.json())["items"][0]["last_used_at"]
    assert datetime.now(UTC) - datetime.fromisoformat(used) < timedelta(minutes=1)
