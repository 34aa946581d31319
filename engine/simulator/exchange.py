"""The simulated Exchange as one object: start it, drive it, ask it for the truth."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from engine.simulator import ids
from engine.simulator.auth import Authenticator
from engine.simulator.compose import compose
from engine.simulator.control import Control
from engine.simulator.delivery import Delivery
from engine.simulator.errors import ResponseError
from engine.simulator.faults import Faults
from engine.simulator.folders import Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Item, Message
from engine.simulator.options import SimulatorOptions
from engine.simulator.organisation import Organisation
from engine.simulator.people import Operator, operators
from engine.simulator.server import Server
from engine.simulator.service import Service
from engine.simulator.stats import Requests
from engine.simulator.subscriptions import Subscription

_EAGER = 20_000
"""Up to so many messages are generated at the start, in about half a second; more when somebody looks at them."""


class SimulatedExchange:
    """A simulated Exchange server on a loopback port.

    Use it as an async context manager. Everything but starting and stopping is immediate; call it from the event loop
    it runs in.

    Args:
        options: What to serve; keyword arguments replace single options.
        clock: Unix seconds, for dates of what happens while it runs and for tokens.
    """

    def __init__(
        self, options: SimulatorOptions | None = None, *, clock: Callable[[], float] = time.time, **changes: Any
    ) -> None:
        self.options = replace(options or SimulatorOptions(), **changes)
        self.organisation = Organisation(self.options, clock)
        self.faults = Faults(self.options.seed, time.monotonic)
        self.requests = Requests()
        self.delivery = Delivery(self.options, self.faults)
        service = Service(
            self.options.version,
            self.organisation,
            self.delivery.subscriptions,
            self.faults,
            self.options.cache_bytes,
        )
        authenticator = Authenticator(self.options, self.organisation, clock)
        self._server = Server(
            options=self.options,
            organisation=self.organisation,
            service=service,
            authenticator=authenticator,
            faults=self.faults,
            requests=self.requests,
            control=Control(self).handle,
        )
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._arriving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and be ready to push."""
        if self.options.mail_dir is not None or self.options.operators * self.options.emails <= _EAGER:
            self.organisation.warm()
        await self.delivery.start()
        self._runner = web.AppRunner(self._server.app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.options.host, self.options.port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        if self.options.arrivals_per_minute > 0:
            self._arriving = asyncio.get_running_loop().create_task(self._traffic())

    async def _traffic(self) -> None:
        """Mail arrives now here, now there."""
        rng = random.Random(f"{self.options.seed}:traffic")
        people = self.operators
        while people:
            await asyncio.sleep(60.0 / self.options.arrivals_per_minute)
            self.organisation.arrive(self.mailbox(rng.choice(people).email))

    async def stop(self) -> None:
        """Stop listening and pushing."""
        if self._arriving is not None:
            self._arriving.cancel()
            await asyncio.wait([self._arriving])
        await self.delivery.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    # Where and who

    @property
    def base_url(self) -> str:
        """The server without a path."""
        return f"http://{self.options.host}:{self._port}"

    @property
    def url(self) -> str:
        """The EWS endpoint."""
        return f"{self.base_url}/EWS/Exchange.asmx"

    @property
    def token_url(self) -> str:
        """The OAuth token endpoint."""
        return f"{self.base_url}/{self.options.tenant_id}/oauth2/v2.0/token"

    @property
    def operators(self) -> list[Operator]:
        """The operators with a mailbox here."""
        return [person for person in operators(self.options.operators) if person.email in self.organisation.people]

    @property
    def subscriptions(self) -> list[Subscription]:
        """The subscriptions alive."""
        return self.delivery.subscriptions.alive()

    # What happens

    def deliver(self, email: str, folder: str = "inbox", **fields: Any) -> Item:
        """A message arrives; see :func:`~engine.simulator.compose.compose` for the fields."""
        mailbox = self.mailbox(email)
        message = compose(mailbox, mailbox.folder(folder), **fields)
        mailbox.deliver(message, message.folder, new_mail=not message.is_draft and not message.from_me)
        return self.describe(mailbox, message)

    def arrive(self, email: str, count: int = 1) -> list[Item]:
        """Messages like the generated ones arrive in an inbox."""
        mailbox = self.mailbox(email)
        return [self.describe(mailbox, self.organisation.arrive(mailbox)) for _ in range(count)]

    def update(self, email: str, item_id: str, **fields: Any) -> Item:
        """Somebody changes properties of a message, such as ``subject`` or ``categories``."""
        mailbox, message = self._found(email, item_id)
        return self.describe(mailbox, mailbox.update(message, **fields))

    def mark_read(self, email: str, item_id: str, is_read: bool = True) -> Item:
        """Somebody reads a message, or marks it unread."""
        mailbox, message = self._found(email, item_id)
        return self.describe(mailbox, mailbox.mark_read(message, is_read))

    def delete(self, email: str, item_id: str) -> None:
        """Somebody deletes a message for good."""
        mailbox, message = self._found(email, item_id)
        mailbox.delete(message)

    def move(self, email: str, item_id: str, folder: str) -> Item:
        """Somebody moves a message; the result has its new id."""
        mailbox, message = self._found(email, item_id)
        return self.describe(mailbox, mailbox.move(message, mailbox.folder(folder)))

    def copy(self, email: str, item_id: str, folder: str) -> Item:
        """Somebody copies a message."""
        mailbox, message = self._found(email, item_id)
        return self.describe(mailbox, mailbox.copy(message, mailbox.folder(folder)))

    def create_folder(self, email: str, path: str) -> str:
        """Somebody makes a folder below the top of the mailbox or, with slashes, below another; gives its id."""
        mailbox = self.mailbox(email)
        parent = mailbox.standard["msgfolderroot"]
        for name in path.split("/"):
            known = next((child for child in mailbox.children(parent) if child.name == name), None)
            parent = known or mailbox.create_folder(parent, name)
        return parent.folder_id

    def drop_subscriptions(self, email: str | None = None) -> int:
        """Subscriptions are lost without a word, as when a server restarts; gives how many."""
        lost = [s for s in self.subscriptions if email is None or s.mailbox.address == email.lower()]
        for subscription in lost:
            self.delivery.subscriptions.end(subscription, "lost")
        return len(lost)

    # The truth

    def mailbox(self, email: str) -> Mailbox:
        """The mailbox of an operator."""
        return self.organisation.mailbox(email)

    def items(self, email: str, folder: str | None = None) -> list[Item]:
        """What a client would be served now: all messages, or those of one folder, by arrival."""
        mailbox = self.mailbox(email)
        messages: Sequence[Message] = (
            mailbox.items() if folder is None else list(mailbox.folder(folder).entries.values())
        )
        return [self.describe(mailbox, message) for message in messages]

    def item(self, email: str, item_id: str) -> Item:
        """What a client would be served for one id; ``ResponseError`` when there is nothing."""
        return self.describe(*self._found(email, item_id))

    def folders(self, email: str) -> list[Folder]:
        """The folders of a mailbox."""
        return list(self.mailbox(email).folders.values())

    @staticmethod
    def describe(mailbox: Mailbox, message: Message) -> Item:
        """The ground truth about one message."""
        return Item(
            item_id=message.item_id,
            change_key=mailbox.change_key(message),
            mailbox=mailbox.address,
            folder=message.folder.path,
            folder_id=message.folder.folder_id,
            subject=message.subject,
            sender=message.sender,
            author=message.author,
            to=message.to,
            cc=message.cc,
            bcc=message.bcc,
            sent_at=message.sent_at,
            received_at=message.received_at,
            created_at=message.created_at,
            modified_at=message.modified_at,
            message_id=message.message_id,
            in_reply_to=message.in_reply_to,
            references=message.references,
            conversation_id=ids.conversation_id(mailbox.guid, message.conversation),
            conversation_topic=message.topic,
            body_text=message.content.text(),
            body_html=message.content.html(),
            attachments=tuple(attachment.name for attachment in message.content.attachments()),
            has_attachments=message.has_attachments,
            is_read=message.is_read,
            is_draft=message.is_draft,
            importance=message.importance,
            sensitivity=message.sensitivity,
            categories=message.categories,
            size=message.size,
            item_class=message.item_class,
        )

    def _found(self, email: str, item_id: str) -> tuple[Mailbox, Message]:
        mailbox = self.mailbox(email)
        message = mailbox.find(item_id)
        if message is None:
            raise ResponseError("ErrorItemNotFound")
        return mailbox, message


async def run(options: SimulatorOptions, started: Callable[[SimulatedExchange], None] | None = None) -> None:
    """Serve until cancelled; ``started`` is called once the port is open."""
    async with SimulatedExchange(options) as exchange:
        if started is not None:
            started(exchange)
        await asyncio.Event().wait()
