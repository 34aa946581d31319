"""The Application Settings over HTTP and on the command line."""

from typing import Any

import pytest

from engine.access.roles import Role
from engine.listing import View
from tests.api.access import bearer, give_out
from tests.api.conftest import BEARER, Client
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

SETTINGS = "/api/v1/settings"


async def answer(
    client: Client, method: str, path: str = SETTINGS, status: int = 200, body: object = None, **headers: str
) -> dict[str, Any]:
    async with client.request(method, path, json=body, headers=headers or BEARER) as response:
        assert response.status == status, await response.text()
        return dict(await response.json())


async def refused(client: Client, body: object, code: str = "SETTINGS_INVALID") -> str:
    async with client.put(SETTINGS, json=body, headers=BEARER) as response:
        assert response.status == (409 if code == "SETTINGS_CONFLICT" else 400)
        return check_shape(await response.json(), code)["message"]


async def test_they_are_shown_whole_with_what_is_worth_a_word(client: Client) -> None:
    shown = await answer(client, "GET")
    assert (shown["version"], shown["updated_by"]) == (1, "configuration file")
    assert shown["exchange"] == {
        "url": "https://mail.example.com/EWS/Exchange.asmx",
        "version": "Exchange2016",
        "auth": "basic",
        "username": "service@example.com",
        "tenant_id": "",
        "client_id": "",
        "token_url": "",
        "verify_tls": True,
        "timeout": 60.0,
    }
    assert shown["email_sync"]["batch_size"] == 512
    assert shown["email_sync"]["debounce"] == "0.3s"
    assert [one.partition(":")[0] for one in shown["warnings"]] == [
        "email_sync.notification_url",
        "email_sync.notify_failures_to",
    ]


async def test_what_is_left_out_stays(client: Client) -> None:
    changed = await answer(client, "PUT", body={"email_sync": {"batch_size": 100, "folders": ["inbox"]}})
    assert changed["version"] == 2
    assert changed["changes"] == [
        {"key": "email_sync.batch_size", "old": 512, "new": 100},
        {"key": "email_sync.folders", "old": ["inbox", "sentitems"], "new": ["inbox"]},
    ]
    assert changed["email_sync"]["sync_from_days"] == 90
    shown = await answer(client, "GET")
    assert {**shown, "changes": changed["changes"]} == changed


async def test_a_whole_document_may_be_put_back(client: Client) -> None:
    shown = await answer(client, "GET")
    document = {name: shown[name] for name in ("version", "exchange", "email_sync")}
    assert (await answer(client, "PUT", body=document))["changes"] == []
    document["email_sync"]["skip_internal"] = True
    assert (await answer(client, "PUT", body=document))["version"] == 2
    assert "ersion 2 is by" in await refused(client, document, "SETTINGS_CONFLICT")


async def test_a_warning_goes_along_with_a_change(client: Client) -> None:
    changed = await answer(client, "PUT", body={"email_sync": {"notification_frequency": 5}})
    (line,) = [one for one in changed["warnings"] if one.startswith("email_sync.notification_frequency: 30")]
    assert "with 5" in line
    changed = await answer(
        client, "PUT", body={"exchange": {"url": "http://mail.example.com/EWS", "verify_tls": False}}
    )
    assert {"exchange.url", "exchange.verify_tls"} <= {one.partition(":")[0] for one in changed["warnings"]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"exchange": {"version": "Exchange2019"}}, "exchange.version: 'Exchange2019' is not one of"),
        ({"email_sync": {"batch_size": 513}}, "email_sync.batch_size: must be at most 512, not 513."),
        ({"email_sync": {"batch_size": "100"}}, "email_sync.batch_size: must be a whole number, not '100'."),
        (
            {"email_sync": {"notification_frequency": 0}},
            "email_sync.notification_frequency: must be at least 1, not 0.",
        ),
        ({"email_sync": {"sync_from_days": 0}}, "email_sync.sync_from_days: must be at least 1, not 0."),
        ({"email_sync": {"notification_url": "ftp://x"}}, "email_sync.notification_url: 'ftp://x' is not an address"),
        ({"exchange": {"url": "https://x/" + "a" * 2100}}, "exchange.url: longer than the 2,082 characters"),
        ({"email_sync": {"notify_failures_to": "a@x.com; b"}}, "email_sync.notify_failures_to: 'b' is not an email"),
        ({"email_sync": {"enabled": None}}, "email_sync.enabled: must be true or false, not None."),
        ({"email_sync": {"batchsize": 1}}, "email_sync.batchsize: no such key. Did you mean email_sync.batch_size?"),
        ({"exchange": {"batch_size": 1}}, "exchange.batch_size: no such key. Did you mean email_sync.batch_size?"),
        ({"smtp": {"host": "x"}}, "smtp: not one of the Application Settings. Set it in the configuration file."),
        ({"batch_size": 1}, "batch_size: no such key. Did you mean email_sync.batch_size?"),
        ({"email_sync": 3}, "email_sync: must be a section of its own"),
        ({"version": "1"}, "version: must be a whole number, not '1'."),
        ({"exchange": {"password": "hunter2"}}, "exchange.password: secrets are not kept with the settings. Set the "),
        ({"exchange": {"auth": "oauth2"}}, 'exchange: auth = "oauth2" wants client_id and tenant_id.'),
        (
            {"exchange": {"auth": "oauth2", "client_id": "c", "tenant_id": "t"}},
            'exchange: auth = "oauth2" wants the environment variable MAILROOM_CLIENT_SECRET.',
        ),
    ],
)
async def test_what_will_not_do_is_refused_and_explained(client: Client, body: object, words: str) -> None:
    message = await refused(client, body)
    assert words in message
    assert "hunter2" not in message
    assert (await answer(client, "GET"))["version"] == 1


@pytest.mark.parametrize("body", [[], None, 3])
async def test_a_body_that_is_no_object_is_refused(client: Client, body: object) -> None:
    assert "body" in await refused(client, body, "BAD_REQUEST")


async def test_each_problem_has_its_line(client: Client) -> None:
    message = await refused(client, {"email_sync": {"batch_size": 0, "sync_from_days": 0}})
    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "email_sync.sync_from_days",
        "email_sync.batch_size",
    ]


async def test_the_history_says_who_changed_what(client: Client, mailroom: FakeMailroom) -> None:
    token = give_out(mailroom, Role.ADMINISTRATOR)
    headers = bearer(token.text)
    async with client.put(SETTINGS, json={"email_sync": {"batch_size": 100}}, headers=headers) as response:
        assert response.status == 200
    first = await answer(client, "GET", f"{SETTINGS}/history?limit=1")
    (item,) = first["items"]
    assert (item["version"], item["by"]) == (2, token.record.name)
    assert item["changes"] == [{"key": "email_sync.batch_size", "old": 512, "new": 100}]
    rest = await answer(client, "GET", f"{SETTINGS}/history?limit=1&cursor={first['next']}")
    assert [one["version"] for one in rest["items"]] == [1]
    assert {"key": "email_sync.batch_size", "old": None, "new": 512} in rest["items"][0]["changes"]
    assert mailroom.listings[-1].view is View.SETTINGS_HISTORY


async def test_a_change_leaves_an_entry_in_the_trail(client: Client, mailroom: FakeMailroom) -> None:
    await answer(client, "PUT", body={"email_sync": {"batch_size": 100}})
    await answer(client, "PUT", body={"email_sync": {"batch_size": 100}})
    await client.close()
    entries = [one for one in mailroom.access.audited if one.action == "settings.change"]
    assert [(one.target, dict(one.before), dict(one.after)) for one in entries] == [
        ("version 2", {"email_sync.batch_size": 512}, {"email_sync.batch_size": 100})
    ]
