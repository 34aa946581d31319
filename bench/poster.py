"""Posts heartbeats as Exchange does: run by ``notices`` as a process of its own.

On stdin come the subscriptions, as JSON on one line; once stdin ends it begins, and prints what became of it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from itertools import cycle

import aiohttp

from bench.report import quantiles

_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": "http://schemas.microsoft.com/exchange/services/2006/messages/SendNotification",
}
_BODY = """<?xml version="1.0" encoding="utf-8"?>\
<soap11:Envelope xmlns:soap11="http://schemas.xmlsoap.org/soap/envelope/"><soap11:Header>\
<t:RequestServerVersion xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" Version="Exchange2016"/>\
</soap11:Header><soap11:Body><m:SendNotification \
xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" \
xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><m:ResponseMessages>\
<m:SendNotificationResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Notification>\
<t:SubscriptionId>{subscription}</t:SubscriptionId><t:MoreEvents>false</t:MoreEvents><t:StatusEvent>\
<t:Watermark>AQAAAF0</t:Watermark></t:StatusEvent></m:Notification></m:SendNotificationResponseMessage>\
</m:ResponseMessages></m:SendNotification></soap11:Body></soap11:Envelope>"""


def heartbeat(subscription_id: str) -> bytes:
    """The body of a SendNotification that says the subscription lives."""
    return _BODY.format(subscription=subscription_id).encode()


async def post(subscriptions: Sequence[tuple[str, str]], seconds: float, at_once: int) -> dict[str, float]:
    """Post for a while, round robin over the subscriptions."""
    targets = cycle([(url, heartbeat(subscription_id)) for url, subscription_id in subscriptions])
    waits, refused = list[float](), 0
    began = time.monotonic()

    async def keep_posting(session: aiohttp.ClientSession) -> None:
        nonlocal refused
        while time.monotonic() - began < seconds:
            url, body = next(targets)
            started = time.perf_counter()
            async with session.post(url, data=body, headers=_HEADERS) as response:
                answer = await response.read()
            if response.status == 200 and b">OK<" in answer:
                waits.append(time.perf_counter() - started)
            else:
                refused += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:
        await asyncio.gather(*(keep_posting(session) for _ in range(at_once)))
    p50, p95 = quantiles(waits, 0.5, 0.95) if waits else (0.0, 0.0)
    took = time.monotonic() - began
    return {"answered": len(waits), "refused": refused, "seconds": took, "p50": p50, "p95": p95}


def main() -> None:
    """Read, wait, post, print."""
    subscriptions = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.read()
    print(json.dumps(asyncio.run(post(subscriptions, float(sys.argv[1]), int(sys.argv[2])))))


if __name__ == "__main__":
    main()
