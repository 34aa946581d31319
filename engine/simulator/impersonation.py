"""As whom a request acts: the ExchangeImpersonation header.

https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/impersonation-and-ews-in-exchange
"""

from lxml import etree

from engine.simulator.errors import ResponseError, SoapFault
from engine.simulator.faults import Faults
from engine.simulator.mailbox import Mailbox
from engine.simulator.organisation import Account, Organisation
from engine.simulator.xml import T

_ADDRESSES = ("PrimarySmtpAddress", "SmtpAddress", "PrincipalName")


def acting_mailbox(
    organisation: Organisation, account: Account, header: etree._Element | None, faults: Faults
) -> Mailbox | None:
    """The mailbox a request acts in: the impersonated one, else the account's own.

    Raises:
        SoapFault: When there is no such mailbox or the account may not act as it.
    """
    wanted = None if header is None else header.find(f"{T}ExchangeImpersonation")
    if wanted is None:
        if account.kind == "application":
            raise SoapFault("ErrorImpersonationRequired")
        return organisation.mailbox(account.address) if account.address in organisation.people else None
    kind, address = _connecting(wanted)
    if not address:
        raise SoapFault("ErrorInvalidExchangeImpersonationHeaderData")
    try:
        mailbox = _resolve(organisation, kind, address)
    except ResponseError as error:
        raise SoapFault(error.code, error.text, error.values) from error
    if faults.take("missing_mailbox", "", mailbox.address):
        raise SoapFault("ErrorNonExistentMailbox")
    denied = account.kind == "operator" and account.address != mailbox.address
    if denied or mailbox.address in organisation.denied or faults.take("denied", "", mailbox.address):
        raise SoapFault("ErrorImpersonateUserDenied")
    return mailbox


def _resolve(organisation: Organisation, kind: str, address: str) -> Mailbox:
    """The mailbox of an address; only PrimarySmtpAddress insists on the primary one."""
    if kind == "PrimarySmtpAddress":
        return organisation.mailbox(address)
    found = organisation.local(address)
    if found is None:
        raise ResponseError("ErrorInvalidUserPrincipalName" if kind == "PrincipalName" else "ErrorNonExistentMailbox")
    return found


def _connecting(wanted: etree._Element) -> tuple[str, str]:
    """The kind and value of the ConnectingSID."""
    for kind in _ADDRESSES:
        found = wanted.find(f"{T}ConnectingSID/{T}{kind}")
        if found is not None:
            return kind, (found.text or "").strip()
    return "", ""
