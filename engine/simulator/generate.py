"""Mailboxes out of a seed: threads of business mail between an operator and customers.

Deterministic for (seed, operator, number of emails, newest date). Only what listings need is made at once; bodies,
headers and attachments are composed from phrases when asked for.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from engine.simulator.composed import Composed
from engine.simulator.corpus import CATEGORIES, CUSTOM_FOLDERS, PRODUCTS
from engine.simulator.folders import Folder
from engine.simulator.ids import guid_of
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Address, Message
from engine.simulator.people import Contact, contacts
from engine.simulator.xml import timestamp

DAY = 86400
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a generated mailbox is made from."""

    seed: int
    emails: int
    until: int
    days: int


class _Thread(NamedTuple):
    contact: Contact
    subject: str
    topic: str
    conversation: bytes
    folder: Folder
    sensitivity: str
    importance: str
    categories: tuple[str, ...]
    copied: tuple[Address, ...]


def populate(mailbox: Mailbox, recipe: Recipe) -> None:
    """Fill a new mailbox with generated mail."""
    rng = random.Random(f"{recipe.seed}:{mailbox.address}")
    folders = _folders(mailbox) if recipe.emails else []
    made: list[tuple[int, Message]] = []
    while len(made) < recipe.emails:
        room = recipe.emails - len(made)
        thread = _thread(rng, mailbox, folders if made else folders[:1], recipe, len(made))
        at = recipe.until - int(rng.random() * recipe.days * DAY)
        earlier: list[Message] = []
        for _ in range(min(room, _pick(rng, (1, 1, 1, 2, 2, 3, 5)))):
            earlier.append(_message(rng, mailbox, thread, at, earlier))
            made.append((at, earlier[-1]))
            at = min(recipe.until, at + int(rng.random() * 2 * DAY) + 600)
    for _, message in sorted(made, key=lambda pair: pair[0]):
        mailbox.place(message, message.folder)


def arrival(mailbox: Mailbox, recipe: Recipe, number: int) -> Message:
    """The nth message a customer sends while the server runs, now, for the inbox."""
    rng = random.Random(f"{recipe.seed}:{mailbox.address}:arrival:{number}")
    while True:
        thread = _thread(rng, mailbox, [mailbox.standard["inbox"]], recipe, -1 - number)
        message = _message(rng, mailbox, thread, mailbox.now(), [])
        if not message.from_me:
            message.received_at, message.is_read = message.sent_at, False
            return message


def _folders(mailbox: Mailbox) -> list[Folder]:
    """The inbox, mostly, and the operator's own folders."""
    inbox = mailbox.standard["inbox"]
    own = []
    for path in CUSTOM_FOLDERS:
        parent = mailbox.standard["msgfolderroot"]
        for name in path.split("/"):
            found = next((child for child in mailbox.children(parent) if child.name == name), None)
            parent = found or mailbox.create_folder(parent, name)
        own.append(parent)
    return [inbox] * 9 + own


def _thread(rng: random.Random, mailbox: Mailbox, folders: list[Folder], recipe: Recipe, number: int) -> _Thread:
    known = contacts(recipe.seed)
    contact = known[int(rng.random() * len(known))]
    subject = _pick(rng, contact.language.subjects).format_map(_values(rng, recipe.until))
    chance = rng.random()
    return _Thread(
        contact,
        subject,
        subject,
        guid_of(recipe.seed, mailbox.address, number),
        _pick(rng, folders),
        "Normal" if chance < 0.92 else "Private" if chance < 0.96 else "Confidential",
        "Normal" if rng.random() < 0.88 else _pick(rng, ("High", "Low")),
        (_pick(rng, CATEGORIES),) if rng.random() < 0.15 else (),
        tuple(known[int(rng.random() * len(known))].person for _ in range(_pick(rng, (0, 0, 0, 1, 1, 2)))),
    )


def _values(rng: random.Random, until: int) -> dict[str, str]:
    return {
        "p": _pick(rng, PRODUCTS),
        "n": str(10 + int(rng.random() * 9000)),
        "t": str(7 * (1 + int(rng.random() * 8))),
        "a": f"{int(rng.random() * 90000) + 500:,} EUR",
        "d": timestamp(until + int(rng.random() * 60) * DAY)[:10],
    }


def _content(
    rng: random.Random, thread: _Thread, people: tuple[Address, Address], at: int, previous: Message | None
) -> Composed:
    author, to = people
    language = thread.contact.language
    return Composed(
        language,
        author,
        to,
        thread.contact.company if author is thread.contact.person else "Mailroom Example Ltd.",
        _paragraphs(rng, len(language.paragraphs)),
        _values(rng, at),
        plain=rng.random() < 0.18,
        files=_pick(rng, (1, 1, 1, 2)) if rng.random() < 0.14 else 0,
        picture=rng.random() < 0.04,
        quoted=previous,
    )


def _pick(rng: random.Random, values: Sequence[Value]) -> Value:
    return values[int(rng.random() * len(values))]


def _paragraphs(rng: random.Random, known: int) -> tuple[int, ...]:
    """Which paragraphs a message has: a few neighbours, in their order."""
    first, number = int(rng.random() * known), 1 + int(rng.random() * 3)
    return tuple(sorted((first + step) % known for step in range(min(number, known))))


def _message(rng: random.Random, mailbox: Mailbox, thread: _Thread, at: int, earlier: list[Message]) -> Message:
    position, previous = len(earlier), earlier[-1] if earlier else None
    me = Address(mailbox.name, mailbox.address)
    them = thread.contact.person
    outgoing = position % 2 == 1 if rng.random() < 0.95 else position % 2 == 0
    author, to = (me, them) if outgoing else (them, me)
    language = thread.contact.language
    content = _content(rng, thread, (author, to), at, previous)
    message_id = f"<{guid_of(thread.conversation.hex(), position).hex()}@{author.address.rpartition('@')[2]}>"
    reply = language.reply if position else ""
    return Message(
        item_id="",
        folder=mailbox.standard["sentitems"] if outgoing else thread.folder,
        subject=reply + thread.subject,
        sender=author,
        author=author,
        to=(to,),
        cc=thread.copied,
        bcc=(Address("Sales Archive", "sales.archive@example.com"),) if outgoing and rng.random() < 0.2 else (),
        reply_to=(),
        sent_at=at,
        received_at=at + (0 if outgoing else int(rng.random() * 40)),
        created_at=at,
        modified_at=at + 60,
        message_id=message_id,
        in_reply_to=previous.message_id if previous else "",
        references=f"{previous.references} {previous.message_id}".strip() if previous else "",
        conversation=thread.conversation,
        topic=thread.topic,
        importance=thread.importance,
        sensitivity=thread.sensitivity,
        categories=thread.categories,
        is_read=outgoing or rng.random() < 0.6,
        is_draft=False,
        from_me=outgoing,
        has_attachments=content.files > 0,
        size=content.size(),
        content=content,
    )
