"""A bare EWS client for the tests: it posts bodies and validates every answer against Microsoft's schema if at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from lxml import etree

from engine.simulator import SimulatedExchange

SHARED = Path(__file__).parents[4] / "shared"
MAIL = SHARED / "mail"
NS = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "t": "http://schemas.microsoft.com/exchange/services/2006/types",
    "m": "http://schemas.microsoft.com/exchange/services/2006/messages",
    "e": "http://schemas.microsoft.com/exchange/services/2006/errors",
}
ONE = "operator0001@example.com"
TWO = "operator0002@example.com"
OK_ANSWER = (
    f'<s:Envelope xmlns:s="{NS["s"]}"><s:Body><SendNotificationResult xmlns="{NS["m"]}"><SubscriptionStatus>OK'
    "</SubscriptionStatus></SendNotificationResult></s:Body></s:Envelope>"
)
SHAPE = "<m:ItemShape><t:BaseShape>{}</t:BaseShape></m:ItemShape>"
FULL = (
    "<m:ItemShape><t:BaseShape>AllProperties</t:BaseShape><t:IncludeMimeContent>true</t:IncludeMimeContent>"
    '<t:AdditionalProperties><t:FieldURI FieldURI="item:TextBody"/><t:FieldURI FieldURI="item:UniqueBody"/>'
    '<t:FieldURI FieldURI="item:NormalizedBody"/><t:FieldURI FieldURI="item:DisplayBcc"/>'
    '<t:FieldURI FieldURI="calendar:Start"/><t:FieldURI FieldURI="item:PolicyTag"/>'
    '<t:IndexedFieldURI FieldURI="item:InternetMessageHeader" FieldIndex="Message-ID"/>'
    '<t:ExtendedFieldURI PropertyTag="0x300B" PropertyType="Binary"/>'
    '<t:ExtendedFieldURI PropertyTag="0x007D" PropertyType="String"/></t:AdditionalProperties></m:ItemShape>'
)
FOLDER_SHAPE = "<m:FolderShape><t:BaseShape>{}</t:BaseShape></m:FolderShape>"


@cache
def schema() -> etree.XMLSchema | None:
    path = SHARED / "ews-schema" / "messages.xsd"
    return etree.XMLSchema(etree.parse(str(path))) if path.exists() else None


def validate(element: etree._Element) -> None:
    known = schema()
    if known is not None:
        alone = etree.ElementTree(etree.fromstring(etree.tostring(element, with_tail=False), _huge()))
        assert known.validate(alone), known.error_log


def _huge() -> etree.XMLParser:
    return etree.XMLParser(huge_tree=True)


@dataclass
class Answer:
    status: int
    headers: Any
    content: bytes

    @property
    def body(self) -> etree._Element:
        body = etree.fromstring(self.content, _huge()).find("s:Body", NS)
        assert body is not None
        return body[0]

    @property
    def codes(self) -> list[str]:
        return [str(e.text) for e in self.body.iter(f"{{{NS['m']}}}ResponseCode", f"{{{NS['e']}}}ResponseCode")]

    def all(self, path: str) -> list[etree._Element]:
        return self.body.findall(f".//{path}", NS)

    def one(self, path: str) -> etree._Element:
        found = self.all(path)
        assert len(found) == 1, (path, self.content)
        return found[0]

    def text(self, path: str) -> str:
        return self.one(path).text or ""

    @property
    def ids(self) -> list[str]:
        return [e.get("Id", "") for e in self.all("t:ItemId")]


class Client:
    def __init__(self, exchange: SimulatedExchange, session: aiohttp.ClientSession) -> None:
        self.exchange = exchange
        self.session = session
        options = exchange.options
        self.headers = {
            "Authorization": aiohttp.encode_basic_auth(options.username, options.password),
            "Content-Type": "text/xml; charset=utf-8",
        }

    async def post(self, data: str | bytes, **headers: str) -> Answer:
        async with self.session.post(self.exchange.url, data=data, headers={**self.headers, **headers}) as response:
            return Answer(response.status, response.headers, await response.read())

    async def call(self, body: str, who: str | None = ONE, version: str | None = "Exchange2016") -> Answer:
        answer = await self.post(envelope(body, who, version))
        if answer.status == 200:
            assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
            validate(answer.body)
        return answer

    async def get_items(self, ids: list[str], shape: str = FULL, **options: Any) -> Answer:
        items = "".join(f'<t:ItemId Id="{item}"/>' for item in ids)
        return await self.call(f"<m:GetItem>{shape}<m:ItemIds>{items}</m:ItemIds></m:GetItem>", **options)

    async def sync(self, folder: str = "inbox", state: str = "", most: int = 512, **options: Any) -> Answer:
        shape = options.pop("shape", SHAPE.format("IdOnly"))
        ignore = options.pop("ignore", "")
        return await self.call(
            f'<m:SyncFolderItems>{shape}<m:SyncFolderId><t:DistinguishedFolderId Id="{folder}"/></m:SyncFolderId>'
            f"<m:SyncState>{state}</m:SyncState>{ignore}<m:MaxChangesReturned>{most}</m:MaxChangesReturned>"
            "</m:SyncFolderItems>",
            **options,
        )

    async def subscribe(self, url: str, minutes: int = 1, **options: Any) -> Answer:
        folders = options.pop("folders", '<t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>')
        events = options.pop("events", ("NewMailEvent", "CreatedEvent", "ModifiedEvent", "MovedEvent", "DeletedEvent"))
        kinds = "".join(f"<t:EventType>{event}</t:EventType>" for event in events)
        everything = ' SubscribeToAllFolders="true"' if not folders else ""
        return await self.call(
            f"<m:Subscribe><m:PushSubscriptionRequest{everything}>{folders}<t:EventTypes>{kinds}</t:EventTypes>"
            f"<t:StatusFrequency>{minutes}</t:StatusFrequency><t:URL>{url}</t:URL></m:PushSubscriptionRequest>"
            "</m:Subscribe>",
            **options,
        )


def envelope(body: str, who: str | None = ONE, version: str | None = "Exchange2016") -> str:
    sid = f"<t:PrimarySmtpAddress>{who}</t:PrimarySmtpAddress>"
    impersonation = f"<t:ExchangeImpersonation><t:ConnectingSID>{sid}</t:ConnectingSID></t:ExchangeImpersonation>"
    asked = f'<t:RequestServerVersion Version="{version}"/>' if version else ""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope {spaces}><s:Header>{asked}{impersonation if who else ""}'
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Client]:
    async with SimulatedExchange(**options) as exchange, aiohttp.ClientSession() as session:
        yield Client(exchange, session)


class Listener:
    """A real listener for notifications; ``answers`` are given in turn, the last for ever."""

    def __init__(self, *answers: str | int) -> None:
        self.answers: list[str | int] = list(answers or (OK_ANSWER,))
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notify"

    @property
    def notifications(self) -> list[etree._Element]:
        found = [etree.fromstring(body).find(".//m:Notification", NS) for body in self.bodies]
        return [n for n in found if n is not None]

    @property
    def events(self) -> list[str]:
        return [etree.QName(child).localname for n in self.notifications for child in list(n)[3:]]

    async def handle(self, request: web.Request) -> web.Response:
        import asyncio

        self.bodies.append(await request.read())
        self.times.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(body=answer.encode(), content_type="text/xml")


@asynccontextmanager
async def listening(*answers: str | int) -> AsyncIterator[Listener]:
    listener = Listener(*answers)
    app = web.Application()
    app.router.add_post("/notify", listener.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.port = runner.addresses[0][1]
    try:
        yield listener
    finally:
        await runner.cleanup()
