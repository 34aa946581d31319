"""All mailboxes of the simulated organisation, made when first looked at, and who may open which."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine.simulator.eml import load, mail_files
from engine.simulator.errors import ResponseError
from engine.simulator.generate import DAY, Recipe, arrival, populate
from engine.simulator.ids import guid_of
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message
from engine.simulator.options import SimulatorOptions
from engine.simulator.people import Operator, operators


@dataclass(frozen=True, slots=True)
class Account:
    """Who a request is made by.

    ``service`` may open and impersonate every mailbox, ``operator`` has only its own, ``application`` (OAuth) has none
    and must impersonate.
    """

    kind: Literal["service", "operator", "application"]
    address: str


class Organisation:
    """The directory and the mailboxes behind it."""

    def __init__(self, options: SimulatorOptions, clock: Callable[[], float]) -> None:
        self.options = options
        self.clock = clock
        self.people: dict[str, Operator] = {person.email: person for person in operators(options.operators)}
        for address in options.missing:
            self.people.pop(address.lower(), None)
        service = options.username.lower()
        self.service = service if "@" in service else f"{service.rpartition(chr(92))[2]}@example.com"
        self.people[self.service] = Operator("service", self.service, "Mailroom Service")
        self.aliases = {alias.lower(): primary.lower() for alias, primary in options.aliases.items()}
        self.denied = {address.lower() for address in options.denied}
        self._open: dict[str, Mailbox] = {}
        self._arrived = 0
        self._guids = {guid_of(options.seed, address): address for address in self.people}
        midnight = int(clock()) // DAY * DAY
        self._recipe = Recipe(options.seed, options.emails, options.until or midnight, options.days)
        self._files = mail_files(options.mail_dir) if options.mail_dir else []
        self._numbers = {address: number for number, address in enumerate(self.people)}

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox with this primary address.

        Raises:
            ResponseError: ``ErrorNonExistentMailbox``, or ``ErrorNonPrimarySmtpAddress`` with the primary one.
        """
        key = address.lower()
        opened = self._open.get(key)
        if opened is not None:
            return opened
        person = self.people.get(key)
        if person is None:
            primary = self.aliases.get(key)
            if primary in self.people:
                raise ResponseError("ErrorNonPrimarySmtpAddress", values={"Primary": primary})
            raise ResponseError("ErrorNonExistentMailbox")
        mailbox = Mailbox(person.email, person.name, guid_of(self.options.seed, key), self.clock)
        self._open[key] = mailbox
        if key != self.service:
            self._fill(mailbox, self._numbers[key])
        return mailbox

    def local(self, address: str) -> Mailbox | None:
        """The mailbox mail to this address lands in, aliases included; None for the world outside."""
        key = address.lower()
        key = self.aliases.get(key, key)
        return self.mailbox(key) if key in self.people else None

    def of_guid(self, guid: bytes) -> Mailbox | None:
        """The mailbox an id belongs to."""
        address = self._guids.get(guid)
        return self.mailbox(address) if address in self.people else None

    def opened(self) -> list[Mailbox]:
        """The mailboxes somebody has looked at so far."""
        return list(self._open.values())

    def warm(self) -> None:
        """Make every mailbox now."""
        for address in tuple(self.people):
            self.mailbox(address)

    def arrive(self, mailbox: Mailbox) -> Message:
        """A generated message arrives in an inbox."""
        self._arrived += 1
        message = arrival(mailbox, self._recipe, self._arrived)
        return mailbox.deliver(message, message.folder)

    def account(self, username: str, password: str) -> Account | None:
        """Who these credentials are, if anyone; a domain before a backslash does not matter."""
        if password != self.options.password:
            return None
        name = username.rpartition("\\")[2].lower()
        if name in {self.service, self.options.username.lower(), self.service.partition("@")[0]}:
            return Account("service", self.service)
        return Account("operator", name) if name in self.people else None

    def may_open(self, account: Account, acting: Mailbox | None, mailbox: Mailbox) -> bool:
        """Whether a request may look into a mailbox: its own, the impersonated one, or any for the service account."""
        return mailbox is acting or (
            account.kind == "service"
            and (acting is None or acting.address == self.service)
            and mailbox.address not in self.denied
        )

    def _fill(self, mailbox: Mailbox, number: int) -> None:
        if self.options.mail_dir is None:
            populate(mailbox, self._recipe)
            return
        mine = [load(path, mailbox) for path in self._files[number :: max(1, self.options.operators)]]
        for message in sorted(mine, key=lambda message: message.received_at):
            mailbox.place(message, mailbox.standard["inbox"])
