import time
from typing import Any

import aiohttp
import pytest
from lxml import etree

from engine.simulator import FaultKind
from tests.unit.simulator.ews import ONE, SHAPE, TWO, Client, listening, serving
from tests.unit.simulator.test_push import until

NANO = ".123456789Z"


async def statuses(client: Client, calls: int) -> list[int]:
    return [(await client.sync()).status for _ in range(calls)]


async def test_nothing_goes_wrong_unasked_and_scripts_end() -> None:
    async with serving() as client:
        client.exchange.faults.add("unavailable", operation="SyncFolderItems", times=2, retry_after=7)
        first = await client.sync()
        assert (first.status, first.headers["Retry-After"]) == (503, "7")
        assert await statuses(client, 2) == [503, 200]


async def test_a_fault_can_aim() -> None:
    async with serving() as client:
        client.exchange.faults.add("unavailable", operation="SyncFolderItems", mailbox=TWO)
        item = client.exchange.items(TWO)[0].item_id
        assert (await client.sync()).status == 200
        assert (await client.get_items([item], who=TWO)).status == 200
        assert (await client.sync(who=TWO)).status == 503
        client.exchange.faults.clear()
        assert (await client.sync(who=TWO)).status == 200


async def test_rates_are_seeded() -> None:
    runs = []
    for _ in range(2):
        async with serving(seed=5) as client:
            client.exchange.faults.add("bad_request", rate=0.5)
            runs.append(await statuses(client, 30))
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 400}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("busy", 200, "ErrorServerBusy"),
        ("busy_fault", 500, "ErrorServerBusy"),
        ("busy_inner", 200, "ErrorInternalServerError"),
    ],
)
async def test_a_busy_server_in_its_three_forms(kind: str, status: int, code: str) -> None:
    async with serving() as client:
        client.exchange.faults.add(kind, backoff_ms=250)
        answer = await client.sync()
        assert (answer.status, answer.codes) == (status, [code])
        values = {e.get("Name"): e.text for e in answer.all("t:Value")}
        assert values["BackOffMilliseconds"] == "250"
        assert ("InnerErrorResponseCode" in values) is (kind == "busy_inner")


@pytest.mark.parametrize(("kind", "status"), [("bad_request", 400), ("ews_disabled", 403), ("wrong_password", 401)])
async def test_failures_below_soap(kind: str, status: int) -> None:
    async with serving() as client:
        client.exchange.faults.add(kind, times=1)
        assert await statuses(client, 2) == [status, 200]


@pytest.mark.parametrize(("kind", "fields"), [("reset", {}), ("outage", {"text": "reset"})])
async def test_connections_are_cut(kind: str, fields: dict[str, Any]) -> None:
    async with serving() as client:
        fault = client.exchange.faults.add(kind, **fields)
        with pytest.raises(aiohttp.ClientError):
            await client.sync()
        client.exchange.faults.remove(fault)
        assert (await client.sync()).status == 200


async def test_an_outage_ends_and_the_curve_shows_it() -> None:
    async with serving() as client:
        client.exchange.faults.add("outage", seconds=0.2)
        assert await statuses(client, 3) == [503] * 3
        await until(lambda: client.exchange.faults.take("outage") is None)
        assert await statuses(client, 2) == [200] * 2
        requests = client.exchange.requests
        assert sum(requests.curve(0.05)) == requests.total == 5
        assert [call.status for call in requests.timeline] == [503, 503, 503, 200, 200]
        assert requests.operations["SyncFolderItems"] == 2


async def test_latency() -> None:
    async with serving() as client:
        client.exchange.faults.add("latency", seconds=0.1)
        started = time.monotonic()
        await client.sync()
        assert time.monotonic() - started >= 0.1


async def test_items_vanish_or_cannot_be_read() -> None:
    async with serving() as client:
        first, second, third = [item.item_id for item in client.exchange.items(ONE)[:3]]
        client.exchange.faults.add("vanished", item_id=first, times=1)
        client.exchange.faults.add("unreadable", item_id=second, code="ErrorMimeContentConversionFailed")
        answer = await client.get_items([first, second, third])
        assert answer.codes == ["ErrorItemNotFound", "ErrorMimeContentConversionFailed", "NoError"]
        assert (await client.get_items([first])).codes == ["NoError"]


async def test_tokens_refused_or_silently_ignored() -> None:
    async with serving() as client:
        whole = await client.sync()
        state = whole.text("m:SyncState")
        client.exchange.faults.add("token_refused", times=1)
        assert (await client.sync(state=state)).codes == ["ErrorInvalidSyncStateData"]
        client.exchange.faults.add("token_ignored", times=1)
        assert (await client.sync(state=state)).ids == whole.ids
        assert (await client.sync(state=state)).ids == []


async def test_people_denied_and_gone() -> None:
    async with serving() as client:
        client.exchange.faults.add("denied", mailbox=ONE, times=1)
        client.exchange.faults.add("missing_mailbox", mailbox=TWO, times=1)
        assert (await client.sync()).codes == ["ErrorImpersonateUserDenied"]
        assert (await client.sync(who=TWO)).codes == ["ErrorNonExistentMailbox"]
        assert (await client.sync()).codes == (await client.sync(who=TWO)).codes == ["NoError"]


async def test_subscriptions_are_lost_without_a_word() -> None:
    async with listening() as listener, serving() as client:
        client.exchange.faults.add("no_watermark", times=1)
        assert (await client.subscribe(listener.url, 30)).all("m:Watermark") == []
        await until(lambda: listener.bodies)
        client.exchange.faults.add("lost_subscription", times=1)
        client.exchange.deliver(ONE)
        await until(lambda: not client.exchange.subscriptions)
        assert len(listener.bodies) == 1
        await client.subscribe(listener.url, 30)
        assert client.exchange.drop_subscriptions(ONE) == 1


async def test_notifications_lost_and_doubled() -> None:
    async with listening() as listener, serving() as client:
        await client.subscribe(listener.url, 30, events=("NewMailEvent",))
        await until(lambda: listener.bodies)
        client.exchange.faults.add("push_lost", times=1)
        client.exchange.deliver(ONE)
        await until(lambda: not client.exchange.faults.active[0].times)
        client.exchange.faults.add("push_twice", times=1)
        client.exchange.deliver(ONE)
        await until(lambda: len(listener.bodies) == 3)
        assert listener.events == ["StatusEvent", "NewMailEvent", "NewMailEvent"]


async def test_oddities_of_real_servers() -> None:
    shape = SHAPE.format("AllProperties")
    async with serving() as client:
        faults, item = client.exchange.faults, client.exchange.items(ONE)[0].item_id
        faults.add("invalid_character", times=1)
        broken = await client.post(_get(item))
        assert b"&#x0B;" in broken.content
        with pytest.raises(etree.XMLSyntaxError):
            _ = broken.body
        faults.add("nanoseconds", times=1)
        assert (await client.get_items([item], shape)).text("t:DateTimeReceived").endswith(NANO)
        faults.add("no_charset", times=1)
        assert (await client.post(_get(item))).headers["Content-Type"] == "text/xml"
        state = (await client.sync()).text("m:SyncState")
        inbox = client.exchange.items(ONE, "inbox")[0].item_id
        client.exchange.delete(ONE, inbox)
        faults.add("no_change_key", times=1)
        answer = await client.post(_sync(state))
        assert answer.one("t:Delete/t:ItemId").get("ChangeKey") is None


def _get(item: str) -> str:
    from tests.unit.simulator.ews import envelope

    shape = SHAPE.format("Default")
    return envelope(f'<m:GetItem>{shape}<m:ItemIds><t:ItemId Id="{item}"/></m:ItemIds></m:GetItem>')


def _sync(state: str) -> str:
    from tests.unit.simulator.ews import envelope

    folder = '<m:SyncFolderId><t:DistinguishedFolderId Id="inbox"/></m:SyncFolderId>'
    return envelope(
        f"<m:SyncFolderItems>{SHAPE.format('IdOnly')}{folder}<m:SyncState>{state}</m:SyncState>"
        "<m:MaxChangesReturned>9</m:MaxChangesReturned></m:SyncFolderItems>"
    )


@pytest.mark.parametrize(("kind", "status"), [("error", 200), ("fault", 500)])
async def test_any_code_can_be_ordered(kind: str, status: int) -> None:
    async with serving() as client:
        client.exchange.faults.add(kind, code="ErrorMailboxMoveInProgress", text="Moving.")
        answer = await client.sync()
        assert (answer.status, answer.codes) == (status, ["ErrorMailboxMoveInProgress"])


def test_every_kind_is_known_by_its_value() -> None:
    assert all(FaultKind(kind.value) is kind for kind in FaultKind)
