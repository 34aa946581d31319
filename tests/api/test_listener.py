import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from api import listener
from engine.errors import HostUnavailable, StoreUnavailable
from engine.notices import NoticeKind
from tests.api.conftest import Client, callback_path
from tests.fakes.mailroom import FakeMailroom

M = "http://schemas.microsoft.com/exchange/services/2006/messages"
T = "http://schemas.microsoft.com/exchange/services/2006/types"
WILD = Path(__file__).parents[3] / "shared" / "ews-samples" / "wild"
SAMPLES = [(path.name, path.read_bytes()) for path in sorted(WILD.glob("SendNotification.response.*.xml"))]


def notification(*subscription_ids: str, event: str = "NewMailEvent") -> bytes:
    messages = "".join(
        '<m:SendNotificationResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
        f"<m:Notification><t:SubscriptionId>{escape(one)}</t:SubscriptionId>"
        f"<t:PreviousWatermark>w1</t:PreviousWatermark><t:{event}><t:Watermark>w2</t:Watermark></t:{event}>"
        "</m:Notification></m:SendNotificationResponseMessage>"
        for one in subscription_ids
    )
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="{M}" xmlns:t="{T}"><s:Body>'
        f"<m:SendNotification><m:ResponseMessages>{messages}</m:ResponseMessages></m:SendNotification>"
        "</s:Body></s:Envelope>"
    ).encode()


async def post(client: Client, body: bytes, path: str | None = None) -> tuple[int, str]:
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    async with client.post(path or callback_path(), data=io.BytesIO(body), headers=headers) as response:
        if response.status == 200:
            assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
        return response.status, await response.text()


async def test_a_notification_becomes_a_notice(client: Client, mailroom: FakeMailroom) -> None:
    status, text = await post(client, notification("sub"), callback_path("Ärger/1", "serial 7"))
    assert status == 200
    assert "<m:SubscriptionStatus>OK</m:SubscriptionStatus>" in text
    (notice,) = mailroom.notices
    assert (notice.operator_id, notice.serial, notice.subscription_id) == ("Ärger/1", "serial 7", "sub")
    assert (notice.kind, notice.previous_watermark, notice.watermark) == (NoticeKind.EVENTS, "w1", "w2")


async def test_a_heartbeat_is_told_from_events(client: Client, mailroom: FakeMailroom) -> None:
    await post(client, notification("sub", event="StatusEvent"))
    assert [notice.kind for notice in mailroom.notices] == [NoticeKind.HEARTBEAT]


@pytest.mark.skipif(not SAMPLES, reason="the samples of real servers are not here")
@pytest.mark.parametrize(("name", "body"), SAMPLES, ids=[name for name, _ in SAMPLES])
async def test_what_real_servers_send(client: Client, mailroom: FakeMailroom, name: str, body: bytes) -> None:
    status, text = await post(client, body)
    assert (status, ">OK<" in text) == (200, True)
    expected = NoticeKind.HEARTBEAT if "status" in name else NoticeKind.EVENTS
    assert [notice.kind for notice in mailroom.notices] == [expected]
    assert mailroom.notices[0].subscription_id


@pytest.mark.parametrize(
    ("ids", "unsubscribe", "answer"),
    [
        (["a"], ["a"], "Unsubscribe"),
        (["a", "b"], ["a", "b"], "Unsubscribe"),
        (["a", "b"], ["a"], "OK"),
        (["a", "b"], ["b"], "OK"),
        (["a", "b"], [], "OK"),
    ],
)
async def test_unsubscribe_only_if_all_say_so(
    client: Client, mailroom: FakeMailroom, ids: Sequence[str], unsubscribe: Sequence[str], answer: str
) -> None:
    mailroom.unsubscribe = frozenset(unsubscribe)
    status, text = await post(client, notification(*ids))
    assert (status, f">{answer}<" in text) == (200, True)
    assert [notice.subscription_id for notice in mailroom.notices] == list(ids)


@pytest.mark.parametrize("error", [HostUnavailable("restarting"), StoreUnavailable("restarting")])
async def test_what_nobody_has_is_asked_for_again(client: Client, mailroom: FakeMailroom, error: Exception) -> None:
    mailroom.error = error
    status, text = await post(client, notification("a"))
    assert status == 503
    assert ">OK<" not in text


async def test_a_bug_is_no_ok_either(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.error = RuntimeError("bug")
    status, _ = await post(client, notification("a"))
    assert status == 500


@pytest.mark.parametrize("away", ["a", "b"])
async def test_half_taken_is_not_taken(client: Client, mailroom: FakeMailroom, away: str) -> None:
    mailroom.away = frozenset([away])
    mailroom.unsubscribe = frozenset("ab")
    status, _ = await post(client, notification("a", "b"))
    assert status == 503


async def test_a_host_that_hangs_is_given_up(
    client: Client, mailroom: FakeMailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "HAND_OVER_SECONDS", 0.05)
    mailroom.hang = True
    status, _ = await asyncio.wait_for(post(client, notification("a")), 5)
    assert status == 503


@pytest.mark.parametrize("path", ["/ews/notifications/x", callback_path()[:-1], callback_path() + "A"])
async def test_forged_tokens_reach_nobody_and_learn_nothing(client: Client, mailroom: FakeMailroom, path: str) -> None:
    status, text = await post(client, notification("a"), path)
    assert status == 404
    assert "anna" not in text
    status, known = await post(client, b"garbage", path)
    assert (status, known) == (404, text)
    assert not mailroom.notices


async def test_entities_are_not_expanded(client: Client, mailroom: FakeMailroom) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;&b;">]>' + notification("&d;")
    status, _ = await post(client, bomb)
    assert status == 400 or not mailroom.notices[0].subscription_id.startswith("c")


async def test_a_get_shows_the_listener_only_to_who_holds_a_token(client: Client) -> None:
    async with client.get(callback_path()) as response:
        assert response.status == 200
        assert await response.json() == {"listener": "mailroom"}
    async with client.get("/ews/notifications/ping") as response:
        assert response.status == 404


async def test_a_notification_of_a_busy_hour_is_taken(client: Client, mailroom: FakeMailroom) -> None:
    body = notification(*("x" * 400 for _ in range(4_000)))
    assert 2 * 1024 * 1024 < len(body) < listener.BODY_LIMIT
    assert (await post(client, body))[0] == 200
    assert len(mailroom.notices) == 4_000
