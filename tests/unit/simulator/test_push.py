import asyncio
from collections.abc import Callable

import pytest

from tests.unit.simulator.ews import NS, OK_ANSWER, ONE, listening, serving

UNSUBSCRIBE = OK_ANSWER.replace(">OK<", ">Unsubscribe<")
MINUTE = 0.1


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, "it did not happen"
        await asyncio.sleep(0.005)


async def test_notifications_chain_their_watermarks() -> None:
    async with listening() as listener, serving(emails=40) as client:
        exchange = client.exchange
        answer = await client.subscribe(listener.url, 30)
        await until(lambda: listener.bodies)
        assert listener.events == ["StatusEvent"]
        item = exchange.deliver(ONE)
        exchange.mark_read(ONE, item.item_id)
        await until(lambda: len(listener.bodies) == 2)
        exchange.move(ONE, item.item_id, "deleteditems")
        exchange.delete(ONE, exchange.items(ONE, "inbox")[0].item_id)
        await until(lambda: len(listener.bodies) == 3)
        assert listener.events == [
            "StatusEvent",
            *("CreatedEvent", "NewMailEvent", "ModifiedEvent", "ModifiedEvent", "ModifiedEvent"),
            *("MovedEvent", "ModifiedEvent", "DeletedEvent", "ModifiedEvent"),
        ]
        mark = answer.text("m:Watermark")
        for notification in listener.notifications:
            assert notification.findtext("t:SubscriptionId", "", NS) == answer.text("m:SubscriptionId")
            assert notification.findtext("t:PreviousWatermark", "", NS) == mark
            mark = [e.text or "" for e in notification.iterfind("*/t:Watermark", NS)][-1]
        assert exchange.subscriptions[0].notifications == 3
        moved = listener.notifications[2].find("t:MovedEvent", NS)
        assert moved is not None
        assert moved.find("t:OldItemId", NS).get("Id") == item.item_id  # type: ignore[union-attr]


async def test_only_the_folders_and_events_subscribed_to() -> None:
    async with listening() as listener, serving() as client:
        await client.subscribe(listener.url, 30, events=("NewMailEvent",))
        client.exchange.deliver(ONE, "junkemail")
        client.exchange.deliver(ONE)
        await until(lambda: len(listener.bodies) == 2)
        assert listener.events == ["StatusEvent", "NewMailEvent"]


async def test_all_folders() -> None:
    async with listening() as listener, serving() as client:
        await client.subscribe(listener.url, 30, events=("NewMailEvent",), folders="")
        client.exchange.deliver(ONE, "junkemail")
        await until(lambda: len(listener.bodies) == 2)
        assert listener.events == ["StatusEvent", "NewMailEvent"]


async def test_many_events_come_in_several_notifications() -> None:
    async with listening() as listener, serving() as client:
        await client.subscribe(listener.url, 30, events=("NewMailEvent",))
        for _ in range(120):
            client.exchange.deliver(ONE)
        await until(lambda: listener.events.count("NewMailEvent") == 120)
        more = [n.findtext("t:MoreEvents", "", NS) for n in listener.notifications]
        assert more == ["false", "true", "true", "false"]


async def test_a_heartbeat_when_nothing_happens() -> None:
    async with listening() as listener, serving(time_scale=MINUTE / 60) as client:
        await client.subscribe(listener.url, 1)
        await until(lambda: len(listener.bodies) >= 4)
        assert set(listener.events) == {"StatusEvent"}
        gaps = [b - a for a, b in zip(listener.times, listener.times[1:], strict=False)]
        assert min(gaps) > MINUTE * 0.8


async def test_unsubscribe_as_answer_ends_it() -> None:
    async with listening(OK_ANSWER, UNSUBSCRIBE) as listener, serving() as client:
        await client.subscribe(listener.url)
        client.exchange.deliver(ONE)
        await until(lambda: not client.exchange.subscriptions)
        client.exchange.deliver(ONE)
        await asyncio.sleep(0.1)
        assert len(listener.bodies) == 2


async def test_retries_double_until_status_frequency_is_used_up() -> None:
    async with listening(OK_ANSWER, 500) as listener, serving(time_scale=MINUTE / 60, push_delay=0.0) as client:
        await client.subscribe(listener.url, 4)
        await until(lambda: listener.bodies)
        client.exchange.deliver(ONE)
        await until(lambda: not client.exchange.subscriptions)
        waits = [b - a for a, b in zip(listener.times[1:], listener.times[2:], strict=False)]
        assert [round(wait / (MINUTE / 2)) for wait in waits] == [1, 2, 4, 8]
        assert client.exchange.delivery.subscriptions.ended[0].ended == "listener silent"


async def test_a_listener_that_recovers_misses_nothing() -> None:
    async with listening(OK_ANSWER, 503, "not xml", OK_ANSWER) as listener, serving(time_scale=MINUTE / 60) as client:
        await client.subscribe(listener.url, 30, events=("NewMailEvent",))
        await until(lambda: listener.bodies)
        for _ in range(3):
            client.exchange.deliver(ONE)
            await asyncio.sleep(0.03)
        await until(lambda: len(listener.bodies) >= 4)
        assert listener.notifications[-1].findall("t:NewMailEvent", NS)
        assert len(listener.notifications[-1].findall("t:NewMailEvent", NS)) == 3
        assert len(client.exchange.subscriptions) == 1


@pytest.mark.parametrize("url", ["", "ftp://x.example/", "nonsense", "http://", "http://x.example/" + "y" * 2100])
async def test_urls_that_are_refused(url: str) -> None:
    async with serving() as client:
        assert (await client.subscribe(url)).codes == ["ErrorInvalidPushSubscriptionUrl"]


async def test_limits_of_subscribing() -> None:
    async with serving(subscription_quota=2) as client:
        url = "http://127.0.0.1:1/"
        assert (await client.subscribe(url, 0)).codes == ["ErrorSchemaValidation"]
        assert (await client.subscribe(url, 1441)).codes == ["ErrorSchemaValidation"]
        assert (await client.subscribe(url, events=("Gossip",))).codes == ["ErrorSchemaValidation"]
        first = await client.subscribe(url, 1440)
        assert (await client.subscribe(url)).codes == ["NoError"]
        assert (await client.subscribe(url)).codes == ["ErrorExceededSubscriptionCount"]
        end = "<m:Unsubscribe><m:SubscriptionId>{}</m:SubscriptionId></m:Unsubscribe>"
        pushed = await client.call(end.format(first.text("m:SubscriptionId")))
        assert pushed.codes == ["ErrorInvalidPullSubscriptionId"]
        assert (await client.call(end.format("AAAA"))).codes == ["ErrorSubscriptionNotFound"]


async def test_pull_subscriptions() -> None:
    async with serving(time_scale=MINUTE / 60) as client:
        subscribe = (
            '<m:Subscribe><m:PullSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>'
            "<t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes><t:Timeout>2</t:Timeout>"
            "</m:PullSubscriptionRequest></m:Subscribe>"
        )
        answer = await client.call(subscribe)
        name, mark = answer.text("m:SubscriptionId"), answer.text("m:Watermark")
        events = "<m:GetEvents><m:SubscriptionId>{}</m:SubscriptionId><m:Watermark>{}</m:Watermark></m:GetEvents>"
        assert len((await client.call(events.format(name, mark))).all("t:StatusEvent")) == 1
        client.exchange.deliver(ONE)
        assert len((await client.call(events.format(name, mark))).all("t:NewMailEvent")) == 1
        assert (await client.call(events.format(name, "AAAA"))).codes == ["ErrorInvalidWatermark"]
        await until(lambda: not client.exchange.subscriptions)
        assert (await client.call(events.format(name, mark))).codes == ["ErrorSubscriptionNotFound"]
        again = await client.call(subscribe)
        end = f"<m:Unsubscribe><m:SubscriptionId>{again.text('m:SubscriptionId')}</m:SubscriptionId></m:Unsubscribe>"
        assert (await client.call(end)).codes == ["NoError"]


async def test_streaming_is_refused() -> None:
    async with serving() as client:
        answer = await client.call(
            "<m:Subscribe><m:StreamingSubscriptionRequest><t:FolderIds>"
            '<t:DistinguishedFolderId Id="inbox"/></t:FolderIds>'
            "<t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes></m:StreamingSubscriptionRequest>"
            "</m:Subscribe>"
        )
        assert answer.codes == ["ErrorInvalidSubscriptionRequest"]


async def test_a_new_subscription_can_start_from_an_old_watermark() -> None:
    async with listening() as listener, serving() as client:
        mark = (await client.subscribe(listener.url, 30)).text("m:Watermark")
        client.exchange.drop_subscriptions()
        client.exchange.deliver(ONE)
        request = (
            '<m:Subscribe><m:PushSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>'
            f"<t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes><t:Watermark>{mark}</t:Watermark>"
            f"<t:StatusFrequency>30</t:StatusFrequency><t:URL>{listener.url}</t:URL></m:PushSubscriptionRequest></m:Subscribe>"
        )
        assert (await client.call(request)).codes == ["NoError"]
        await until(lambda: "NewMailEvent" in listener.events)
        bad = await client.call(request.replace(mark, "AAAA"))
        assert bad.codes == ["ErrorInvalidWatermark"]


async def test_hundreds_of_subscriptions_are_cheap() -> None:
    async with listening() as listener, serving(operators=400, emails=0) as client:
        people = [person.email for person in client.exchange.operators]
        for email in people:
            await client.subscribe(listener.url, 30, who=email, events=("NewMailEvent",))
        await until(lambda: len(listener.bodies) == 400, 20)
        for email in people:
            client.exchange.deliver(email)
        await until(lambda: listener.events.count("NewMailEvent") == 400, 20)
