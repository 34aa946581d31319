"""From Exchange's words to our errors, by the response codes of ``engine.failure_triggers``.

Codes and what they ask of a client are Microsoft's:
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/handling-synchronization-related-errors-in-ews-in-exchange
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/handling-notification-related-errors-in-ews-in-exchange
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange

A code that is not in the table is a ``RequestRefused`` that carries it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine import errors
from engine.failures import failure_for

_ADDRESS = re.compile(r"[^\s@<>'\"(),;:]+@[^\s@<>'\"(),;:]+[^\s@<>'\"(),;:.]")

_ANSWERED: tuple[type[errors.SourceError], ...] = (
    errors.Throttled,
    errors.SourceUnavailable,
    errors.MailboxMoving,
    errors.AuthenticationFailed,
    errors.EwsBlocked,
    errors.ImpersonationDenied,
    errors.MailboxNotFound,
    errors.AccountDisabled,
    errors.VersionInvalid,
    errors.EndpointInvalid,
    errors.ListenerUrlInvalid,
    errors.SubscriptionQuota,
    errors.SubscriptionLost,
    errors.SyncTokenRefused,
    errors.FolderMissing,
    errors.ResponseUnreadable,
)
"""The errors that Exchange's response codes lead to; which codes, their rows of ``engine.failures`` say."""

KINDS: Mapping[str, type[errors.SourceError]] = {
    trigger: kind for kind in _ANSWERED for trigger in failure_for(kind("")).triggers if trigger.startswith("Error")
}
"""Response code to the class of our error."""

BAD_ID = frozenset(
    {
        "ErrorCannotUseFolderIdForItemId",
        "ErrorInvalidId",
        "ErrorInvalidIdEmpty",
        "ErrorInvalidIdMalformed",
        "ErrorInvalidIdMalformedEwsLegacyIdFormat",
        "ErrorInvalidIdMonikerTooLong",
        "ErrorInvalidIdNotAnItemAttachmentId",
        "ErrorInvalidIdStoreObjectIdTooLong",
        "ErrorInvalidIdTooManyAttachmentLevels",
        "ErrorInvalidIdXml",
        "ErrorItemNotFound",
    }
)
"""The id names nothing (any more). Exchange never calls an id it has listed malformed, unless the mailbox has moved."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer of Exchange: its response code, its words, and the named values of its MessageXml."""

    code: str
    text: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def innermost(self) -> "Refusal":
        """The cause an ErrorInternalServerError and the like carry inside, if any (a throttled inner call, say)."""
        inner = self.values.get("InnerErrorResponseCode", "")
        if not inner or inner == "NoError":
            return self
        return Refusal(inner, self.values.get("InnerErrorMessageText") or self.text, self.values)

    def words(self) -> str:
        """Code and text, on one line."""
        return " ".join(f"{self.code}: {self.text}".split()).removesuffix(":")

    def wait(self) -> float | None:
        """``BackOffMilliseconds`` in seconds; 0 is a hint too."""
        try:
            return max(0.0, float(self.values["BackOffMilliseconds"]) / 1000)
        except (KeyError, ValueError):
            return None

    def primary_address(self) -> str | None:
        """The address to use instead: a MessageXml value, or the one that stands in the words."""
        named = [text for name, text in self.values.items() if "primary" in name.lower() or "smtp" in name.lower()]
        for text in (*named, *self.values.values(), self.text):
            match = _ADDRESS.search(text)
            if match:
                return match[0]
        return None


def translate(
    refusal: Refusal, mailbox: str, *, folder: str | None = None, retry_after: float | None = None
) -> errors.SourceError:
    """The error to raise. With ``folder``, an id nobody knows means that the folder is gone.

    ``retry_after`` is the HTTP header's, for refusals without a hint of their own.
    """
    cause = refusal.innermost()
    kind = KINDS.get(cause.code, errors.RequestRefused)
    if folder is not None and cause.code in BAD_ID:
        kind = errors.FolderMissing
    message = f"{mailbox}{f', folder {folder}' if folder else ''}: {cause.words()}"
    if kind is errors.Throttled:
        wait = cause.wait()
        return errors.Throttled(message, retry_after=retry_after if wait is None else wait, code=cause.code)
    if kind is errors.MailboxNotFound:
        corrected = cause.primary_address() if cause.code == "ErrorNonPrimarySmtpAddress" else None
        if corrected and corrected.lower() != mailbox.lower():
            message += f" The primary address is {corrected}." if corrected not in message else ""
            return errors.MailboxNotFound(message, corrected_address=corrected, code=cause.code)
    return kind(message, code=cause.code)
