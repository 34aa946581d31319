"""Push notifications on their way to listeners.

    wake ──(push_delay)──▶ POST ──OK──▶ more events? POST again : heartbeat after StatusFrequency
                            │ ├─Unsubscribe──▶ over
                            └─no or wrong answer──▶ again after 30 s, 60 s, 120 s … while the wait fits StatusFrequency
                                                     └─▶ over, and nobody is told

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/statusfrequency
"""

import asyncio

import aiohttp

from engine.simulator.events import Event
from engine.simulator.faults import Faults
from engine.simulator.options import SimulatorOptions
from engine.simulator.subscriptions import MINUTE, Subscription, Subscriptions, notification_xml
from engine.simulator.xml import MESSAGES, SOAP, TYPES, M, parse, text_of

FIRST_RETRY = 30.0
BATCH = 50
_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": f"{MESSAGES}/SendNotification",
    "User-Agent": "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)",
}
_HEAD = (
    f'<?xml version="1.0" encoding="utf-8"?><soap11:Envelope xmlns:soap11="{SOAP}"><soap11:Header>'
    f'<t:RequestServerVersion xmlns:m="{MESSAGES}" Version="Exchange2010" xmlns:t="{TYPES}" /></soap11:Header>'
    f'<soap11:Body><m:SendNotification xmlns:t="{TYPES}" xmlns:m="{MESSAGES}"><m:ResponseMessages>'
    '<m:SendNotificationResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
).encode()
_TAIL = (
    b"</m:SendNotificationResponseMessage></m:ResponseMessages></m:SendNotification></soap11:Body></soap11:Envelope>"
)


class Delivery:
    """Sends notifications, with one session and a bounded number at once."""

    def __init__(self, options: SimulatorOptions, faults: Faults) -> None:
        self._options = options
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(options.push_concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self.subscriptions = Subscriptions(options.subscription_quota, options.time_scale, self.wake)
        self.sent = 0
        self.failed = 0

    async def start(self) -> None:
        """Open the session."""
        connector = aiohttp.TCPConnector(limit=self._options.push_concurrency, ssl=False)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=self._options.push_timeout)
        )

    async def close(self) -> None:
        """Stop sending; subscriptions do not outlive their server."""
        for subscription in self.subscriptions.alive():
            self.subscriptions.end(subscription, "server stopped")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def wake(self, subscription: Subscription) -> None:
        """There is something to send: send it soon, unless a sending or a retry is under way."""
        if subscription.busy or subscription.retry_after:
            return
        subscription.busy = True
        self._later(subscription, self._options.push_delay)

    def _later(self, subscription: Subscription, seconds: float) -> None:
        if subscription.timer:
            subscription.timer.cancel()
        subscription.timer = asyncio.get_running_loop().call_later(seconds, self._begin, subscription)

    def _begin(self, subscription: Subscription) -> None:
        subscription.busy = True
        task = asyncio.get_running_loop().create_task(self._deliver(subscription))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, subscription: Subscription) -> None:
        """One attempt, and what follows from its answer."""
        if subscription not in self.subscriptions:
            return
        mailbox = subscription.mailbox
        if self._faults.take("lost_subscription", "", mailbox.address):
            self.subscriptions.end(subscription, "lost")
            return
        events = [] if subscription.fresh else subscription.waiting[:BATCH]
        reached = subscription.last_event if subscription.fresh else mailbox.event_number
        if events:
            reached = events[-1].number
        answer = await self._post(subscription, events, reached)
        if subscription not in self.subscriptions:
            return
        if answer == "OK":
            self._acknowledged(subscription, events, reached)
        elif answer == "Unsubscribe":
            self.subscriptions.end(subscription, "unsubscribed")
        else:
            self._failed(subscription)

    async def _post(self, subscription: Subscription, events: list[Event], reached: int) -> str:
        """The listener's SubscriptionStatus; empty when it gave none."""
        mailbox = subscription.mailbox.address
        if events and self._faults.take("push_lost", "", mailbox):
            return "OK"
        more = bool(events) and len(subscription.waiting) > len(events)
        previous = subscription.last_event
        body = _HEAD + notification_xml(subscription, events, previous, reached, more=more) + _TAIL
        if events and self._faults.take("push_twice", "", mailbox):
            await self._send(subscription.url, body)
        answer = await self._send(subscription.url, body)
        if answer:
            subscription.notifications += 1
            self.sent += 1
        else:
            subscription.failures += 1
            self.failed += 1
        return answer

    async def _send(self, url: str, body: bytes) -> str:
        if self._session is None:
            return ""
        try:
            async with self._gate, self._session.post(url, data=body, headers=_HEADERS) as response:
                content = await response.read()
                status = parse(content).find(f".//{M}SubscriptionStatus") if response.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return ""
        return text_of(status).strip()

    def _acknowledged(self, subscription: Subscription, events: list[Event], reached: int) -> None:
        subscription.fresh = False
        subscription.retry_after = 0.0
        subscription.last_event = max(reached, subscription.last_event)
        del subscription.waiting[: len(events)]
        if subscription.waiting:
            self._later(subscription, 0.0 if len(events) == BATCH else self._options.push_delay)
            return
        subscription.busy = False
        self._later(subscription, subscription.frequency * MINUTE * self._options.time_scale)

    def _failed(self, subscription: Subscription) -> None:
        """Wait twice as long as before, or give up when that exceeds StatusFrequency."""
        wait = subscription.retry_after * 2 or FIRST_RETRY
        if wait > subscription.frequency * MINUTE:
            self.subscriptions.end(subscription, "listener silent")
            return
        subscription.retry_after = wait
        subscription.busy = False
        self._later(subscription, wait * self._options.time_scale)
