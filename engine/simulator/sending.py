"""Mail that operators send: into the inboxes of those who live here."""

from dataclasses import replace

from engine.simulator.errors import ResponseError
from engine.simulator.ids import guid_of
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Address, Message
from engine.simulator.organisation import Organisation


def send(organisation: Organisation, sender: Mailbox, message: Message) -> Message:
    """Deliver a message to its local recipients; gives it as the sender's copy shows it.

    Raises:
        ResponseError: ``ErrorInvalidRecipients`` when it has no recipients or one without an address.
    """
    recipients = (*message.to, *message.cc, *message.bcc)
    if not recipients or any("@" not in person.address for person in recipients):
        raise ResponseError("ErrorInvalidRecipients")
    now = sender.now()
    me = Address(sender.name, sender.address)
    sent = replace(
        message,
        is_draft=False,
        from_me=True,
        is_read=True,
        sent_at=now,
        received_at=now,
        sender=message.sender or me,
        author=message.author or me,
        message_id=message.message_id
        or f"<{guid_of(sender.address, sender.cn, message.item_id).hex()}@{sender.address.partition('@')[2]}>",
        read_cn=0,
    )
    for address in dict.fromkeys(person.address.lower() for person in recipients):
        mailbox = organisation.local(address)
        if mailbox is not None:
            arrived = replace(
                sent, bcc=(), is_read=False, from_me=False, created_at=now, modified_at=now, categories=()
            )
            mailbox.deliver(arrived, mailbox.standard["inbox"])
    return sent
