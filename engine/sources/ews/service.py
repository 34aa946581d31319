"""What all operations share: a request in, response messages out.

exchangelib's service writes the envelope (version, impersonation); the answer is read here: the whole body at once
(exchangelib feeds its parser byte by byte), refusals with all they say (exchangelib drops MessageXml), and never by
trying other versions.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from exchangelib.account import Identity
from exchangelib.credentials import IMPERSONATION
from exchangelib.services.common import EWSAccountService
from lxml import etree

from engine import errors
from engine.sources.ews.judge import retry_after
from engine.sources.ews.parsing import parse_answer
from engine.sources.ews.tags import SOAP, local_name, m, t
from engine.sources.ews.translate import Refusal, translate
from engine.sources.ews.transport import EwsProtocol

_NO_REFUSAL = ("NoError", "")


class Account:
    """A mailbox as exchangelib's services want to see it. ``exchangelib.Account`` itself would call the server."""

    access_type = IMPERSONATION
    default_timezone = None

    def __init__(self, protocol: EwsProtocol, mailbox: str) -> None:
        self.protocol = protocol
        self.version = protocol.version
        self.primary_smtp_address = mailbox
        self.identity = Identity(primary_smtp_address=mailbox)


class Message(NamedTuple):
    """One response message: its element, and the refusal it holds, if any."""

    element: etree._Element
    refusal: Refusal | None


class Operation(EWSAccountService):  # type: ignore[misc]
    """One EWS operation on one mailbox."""

    def __init__(self, account: Account) -> None:
        super().__init__(account=account)
        self.mailbox: str = account.primary_smtp_address

    def send(self, payload: etree._Element, *, folder: str | None = None) -> list[Message]:
        """Send a request; ``folder`` names the folder it is about, for errors.

        Raises:
            SourceError: no answer, an unreadable one, or a SOAP fault.
        """
        body = self.wrap(payload, api_version=self.protocol.version.api_version)
        # As bytes, because http.client takes str for latin-1 and addresses may be international
        anchor = {"X-AnchorMailbox": self.mailbox.encode()} if "@" in self.mailbox else {}
        answer = self.protocol.post(body, anchor)
        try:
            return self._messages(parse_answer(answer.body), folder, retry_after(answer.headers))
        except errors.ResponseUnreadable as error:
            raise errors.ResponseUnreadable(f"{self.mailbox}: {self.SERVICE_NAME}: {error}", code=error.code) from error

    def only(self, messages: Sequence[Message], *, folder: str | None = None) -> etree._Element:
        """The one response message of a request that asks one thing.

        Raises:
            SourceError: the refusal it holds.
        """
        for message in messages:
            if message.refusal is not None:
                raise translate(message.refusal, self.mailbox, folder=folder)
        if len(messages) != 1:
            raise errors.ResponseUnreadable(
                f"{self.mailbox}: {self.SERVICE_NAME}: {len(messages)} answers to one question."
            )
        return messages[0].element

    def _messages(self, root: etree._Element, folder: str | None, wait: float | None) -> list[Message]:
        body = root if root.tag == f"{{{SOAP}}}Body" else root.find(f"{{{SOAP}}}Body")
        answer = next((child for child in body if isinstance(child.tag, str)), None) if body is not None else None
        if answer is None:
            raise errors.EndpointInvalid(
                f"What answers at exchange.url speaks XML, but not SOAP ({local_name(root.tag)}). "
                "Set it to the EWS address, usually https://HOST/EWS/Exchange.asmx.",
            )
        if local_name(answer.tag) == "Fault":
            raise translate(fault(answer), self.mailbox, folder=folder, retry_after=wait)
        if answer.tag != m(f"{self.SERVICE_NAME}Response"):
            raise errors.ResponseUnreadable(f"Expected a {self.SERVICE_NAME}Response, not {local_name(answer.tag)}.")
        container = answer.find(m("ResponseMessages"))
        if container is None:
            return [_message(answer)]
        return [_message(element) for element in container if local_name(element.tag).endswith("ResponseMessage")]


def _message(element: etree._Element) -> Message:
    code = (element.findtext(m("ResponseCode")) or "").strip()
    if code in _NO_REFUSAL and element.get("ResponseClass") != "Error":
        return Message(element, None)
    text = (element.findtext(m("MessageText")) or "").strip()
    return Message(element, Refusal(code or "Error", text, _values(element.find(m("MessageXml")))))


def fault(element: etree._Element) -> Refusal:
    """What a SOAP fault says; its details stand in several namespaces, depending on the server."""
    found: dict[str, str] = {}
    values: dict[str, str] = {}
    for part in element.iter():
        name = local_name(part.tag)
        if name == "MessageXml":
            values = _values(part)
        elif name in ("ResponseCode", "Message", "faultcode", "faultstring", "ErrorCode") and part.text:
            found.setdefault(name, part.text.strip())
    code = found.get("ResponseCode") or found.get("faultcode", "").rpartition(":")[2] or "Fault"
    text = found.get("Message") or found.get("faultstring", "")
    if values.get("Violation"):
        text = f"{text} {values['Violation']}"
    return Refusal(code, text, values)


def _values(message_xml: etree._Element | None) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in message_xml if message_xml is not None else ():
        name = part.get("Name") or part.get("FieldURI") or local_name(part.tag)
        values[name] = (part.text or "").strip()
    return values


def element(name: str, *children: etree._Element | str, **attributes: str) -> etree._Element:
    """An element: ``m:Name`` or ``t:Name``, with text or children."""
    prefix, _, local = name.partition(":")
    made = etree.Element(m(local) if prefix == "m" else t(local), attributes)
    for child in children:
        if isinstance(child, str):
            made.text = child
        else:
            made.append(child)
    return made


def properties(tag: str, shape: str, fields: Sequence[str], *extra: etree._Element) -> etree._Element:
    """An ItemShape or FolderShape: the base shape and further properties by FieldURI."""
    uris: Iterator[etree._Element] = (element("t:FieldURI", FieldURI=field) for field in fields)
    additional: tuple[Any, ...] = (element("t:AdditionalProperties", *uris),) if fields else ()
    return element(tag, element("t:BaseShape", shape), *extra, *additional)
