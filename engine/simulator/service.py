"""From the bytes of a request to the bytes of its answer: no HTTP, no waiting."""

from typing import NamedTuple

from lxml import etree

from engine.simulator import soap
from engine.simulator.context import Context
from engine.simulator.errors import ResponseError, SchemaViolation, SoapFault
from engine.simulator.faults import Fault, Faults
from engine.simulator.impersonation import acting_mailbox
from engine.simulator.mailbox import Mailbox
from engine.simulator.operations import OPERATIONS
from engine.simulator.options import ServerVersion
from engine.simulator.organisation import Account, Organisation
from engine.simulator.requests import violation
from engine.simulator.shapes import Shapes
from engine.simulator.subscriptions import Subscriptions
from engine.simulator.versions import BUILDS, RANK
from engine.simulator.xml import MESSAGES, SOAP, MalformedError, S, T, local, parse


class Parsed(NamedTuple):
    """A request taken apart."""

    operation: str
    header: etree._Element | None
    request: etree._Element
    address: str


class Service:
    """The EWS service of one server."""

    def __init__(
        self,
        version: ServerVersion,
        organisation: Organisation,
        subscriptions: Subscriptions,
        faults: Faults,
        cache_bytes: int,
    ) -> None:
        self._build = BUILDS[version]
        self._head = soap.envelope_head(version)
        self._organisation = organisation
        self._subscriptions = subscriptions
        self._faults = faults
        self._shapes = Shapes(cache_bytes, self._build.newest)

    def parse(self, body: bytes) -> Parsed:
        """Take a request apart; a schema violation when it is not an envelope with one operation."""
        try:
            root = parse(body)
        except MalformedError as error:
            text = f"{error.reason} Line {error.line}, position {error.position}."
            raise SchemaViolation(text, error.line, error.position) from error
        envelope = root.find(f"{S}Body") if root.tag == f"{S}Envelope" else None
        if envelope is None:
            raise violation(root, f"The root element must be an Envelope with a Body in namespace '{SOAP}'.")
        if not len(envelope):
            raise SoapFault("ErrorInvalidRequest")
        header, request = root.find(f"{S}Header"), envelope[0]
        found = None if header is None else header.find(f"{T}ExchangeImpersonation/{T}ConnectingSID/*")
        address = "" if found is None else (found.text or "").strip()
        return Parsed(local(request), header, request, address)

    def answer(self, parsed: Parsed, account: Account) -> bytes:
        """The response to a request; SOAP faults are raised."""
        version = self._version(parsed.header)
        operation = OPERATIONS.get(parsed.operation)
        if operation is None or parsed.request.tag != f"{{{MESSAGES}}}{parsed.operation}":
            raise SoapFault("ErrorInvalidRequest", f"The operation {parsed.operation} is not supported.")
        operation.model.check(parsed.request)
        acting = acting_mailbox(self._organisation, account, parsed.header, self._faults)
        self._fail(parsed, acting)
        context = Context(
            self._organisation,
            self._shapes,
            self._subscriptions,
            self._faults,
            account,
            acting,
            version,
            parsed.operation,
        )
        busy = self._refusal(parsed, acting)
        messages = [soap.failure(parsed.operation, busy, _TAILS.get(parsed.operation, b""))] if busy else None
        return soap.envelope(self._head, parsed.operation, messages or operation.handle(context, parsed.request))

    def _version(self, header: etree._Element | None) -> int:
        """Rank of RequestServerVersion; without one, a client from before 2010 is assumed, as documented."""
        element = None if header is None else header.find(f"{T}RequestServerVersion")
        if element is None:
            return RANK["Exchange2007_SP1"]
        rank = RANK.get(element.get("Version", ""))
        if rank is None or rank > self._build.newest:
            raise SoapFault("ErrorInvalidServerVersion")
        return rank

    def _fail(self, parsed: Parsed, acting: Mailbox | None) -> None:
        """Raise the SOAP fault that is ordered for this request."""
        address = acting.address if acting else ""
        fault = self._faults.take("busy_fault", parsed.operation, address)
        if fault:
            raise SoapFault("ErrorServerBusy", values=_backoff(fault))
        fault = self._faults.take("fault", parsed.operation, address)
        if fault:
            raise SoapFault(fault.code or "ErrorInternalServerError", fault.text)

    def _refusal(self, parsed: Parsed, acting: Mailbox | None) -> ResponseError | None:
        """The error in a response message that is ordered for this request."""
        address = acting.address if acting else ""
        fault = self._faults.take("busy", parsed.operation, address)
        if fault:
            return ResponseError("ErrorServerBusy", values=_backoff(fault))
        fault = self._faults.take("busy_inner", parsed.operation, address)
        if fault:
            inner = {
                "InnerErrorMessageText": "The server cannot service this request right now. Try again later.",
                "InnerErrorResponseCode": "ErrorServerBusy",
                "InnerErrorDescriptiveLinkKey": "0",
                **_backoff(fault),
            }
            return ResponseError("ErrorInternalServerError", values=inner)
        fault = self._faults.take("error", parsed.operation, address)
        return ResponseError(fault.code or "ErrorInternalServerError", fault.text) if fault else None


_TAILS = {
    "GetItem": b"<m:Items/>",
    "CreateItem": b"<m:Items/>",
    "UpdateItem": b"<m:Items/>",
    "MoveItem": b"<m:Items/>",
    "CopyItem": b"<m:Items/>",
    "SyncFolderItems": b"<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>",
    "SyncFolderHierarchy": b"<m:SyncState/><m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange>",
}
"""What the schema wants of some operations even when they fail."""


def _backoff(fault: Fault) -> dict[str, str]:
    return {} if fault.backoff_ms is None else {"BackOffMilliseconds": str(fault.backoff_ms)}
