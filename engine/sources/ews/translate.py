"""From Exchange's words to our errors: one table of response codes.

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

_ADDRESS = re.compile(r"[^\s@<>'\"(),;:]+@[^\s@<>'\"(),;:]+[^\s@<>'\"(),;:.]")

_CODES: dict[type[errors.SourceError], tuple[str, ...]] = {
    errors.Throttled: (
        "ErrorServerBusy",
        "ErrorExceededConnectionCount",
        "ErrorExceededFindCountLimit",
        "ErrorTooManyObjectsOpened",
        "ErrorBatchProcessingStopped",
    ),
    errors.SourceUnavailable: (
        "ErrorADOperation",
        "ErrorADUnavailable",
        "ErrorAutoDiscoverFailed",
        "ErrorClientDisconnected",
        "ErrorConnectionFailed",
        "ErrorConnectionFailedTransientError",
        "ErrorCrossSiteRequest",
        "ErrorDataSourceOperation",
        "ErrorInsufficientResources",
        "ErrorInternalServerError",
        "ErrorInternalServerTransientError",
        "ErrorLogonAsNetworkServiceFailed",
        "ErrorMailboxConfiguration",
        "ErrorMailboxFailover",
        "ErrorMailboxLogonFailed",
        "ErrorMailboxStoreUnavailable",
        "ErrorNoApplicableProxyCASServersAvailable",
        "ErrorNoRespondingCASInDestinationSite",
        "ErrorNotEnoughMemory",
        "ErrorProxiedSubscriptionCallFailure",
        "ErrorProxyCallFailed",
        "ErrorProxyRequestProcessingFailed",
        "ErrorProxyServiceDiscoveryFailed",
        "ErrorProxySoapException",
        "ErrorProxyTokenExpired",
        "ErrorRequestAborted",
        "ErrorServiceDiscoveryFailed",
        "ErrorServiceUnavailable",
        "ErrorTimeoutExpired",
        "ErrorWebRequestInInvalidState",
        "ErrorWin32InteropError",
    ),
    errors.MailboxMoving: ("ErrorMailboxMoveInProgress",),
    errors.AuthenticationFailed: (
        "ErrorInvalidAuthorizationContext",
        "ErrorInvalidClientSecurityContext",
        "ErrorInvalidSerializedAccessToken",
        "ErrorPasswordChangeRequired",
        "ErrorPasswordExpired",
        "ErrorTokenSerializationDenied",
    ),
    errors.EwsBlocked: ("ErrorOrganizationAccessBlocked", "ErrorUserNotAllowedByPolicy"),
    errors.ImpersonationDenied: (
        "ErrorAccessDenied",
        "ErrorCallerIsInvalidADAccount",
        "ErrorImpersonateUserDenied",
        "ErrorImpersonationDenied",
        "ErrorImpersonationFailed",
        "ErrorInvalidExchangeImpersonationHeaderData",
        "ErrorSubscriptionDelegateAccessNotSupported",
    ),
    errors.MailboxNotFound: (
        "ErrorCannotFindUser",
        "ErrorInvalidMailbox",
        "ErrorInvalidSmtpAddress",
        "ErrorInvalidUserPrincipalName",
        "ErrorInvalidUserSid",
        "ErrorMissingEmailAddress",
        "ErrorMissingExchangePrincipal",
        "ErrorNonExistentMailbox",
        "ErrorNonPrimarySmtpAddress",
    ),
    errors.AccountDisabled: (
        "ErrorAccountDisabled",
        "ErrorAccountSuspend",
        "ErrorAccountSuspendShowTierUpgrade",
    ),
    errors.VersionInvalid: (
        "ErrorIncorrectSchemaVersion",
        "ErrorInvalidSchemaVersionForMailboxVersion",
        "ErrorInvalidServerVersion",
        "ErrorNoDestinationCASDueToVersionMismatch",
        "ErrorWrongServerVersion",
        "ErrorWrongServerVersionDelegate",
    ),
    errors.EndpointInvalid: (
        "ErrorNoDestinationCASDueToKerberosRequirements",
        "ErrorNoDestinationCASDueToSSLRequirements",
        "ErrorProxyRequestNotAllowed",
    ),
    errors.ListenerUrlInvalid: ("ErrorInvalidPushSubscriptionUrl",),
    errors.SubscriptionQuota: ("ErrorExceededSubscriptionCount",),
    errors.SubscriptionLost: (
        "ErrorEventNotFound",
        "ErrorExpiredSubscription",
        "ErrorInvalidPullSubscriptionId",
        "ErrorInvalidSubscription",
        "ErrorInvalidWatermark",
        "ErrorMissedNotificationEvents",
        "ErrorReadEventsFailed",
        "ErrorSubscriptionAccessDenied",
        "ErrorSubscriptionNotFound",
        "ErrorSubscriptionUnsubscribed",
    ),
    errors.SyncTokenRefused: ("ErrorInvalidSyncStateData",),
    errors.FolderMissing: (
        "ErrorArchiveMailboxNotEnabled",
        "ErrorCannotUseItemIdForFolderId",
        "ErrorFolderCorrupt",
        "ErrorFolderNotFound",
        "ErrorInvalidFolderId",
        "ErrorInvalidParentFolder",
        "ErrorManagedFolderNotFound",
        "ErrorNoPublicFolderReplicaAvailable",
        "ErrorParentFolderNotFound",
        "ErrorSyncFolderNotFound",
    ),
    errors.ResponseUnreadable: (
        "ErrorContentConversionFailed",
        "ErrorCorruptData",
        "ErrorDataSizeLimitExceeded",
        "ErrorItemCorrupt",
        "ErrorItemPropertyRequestFailed",
        "ErrorMessageSizeExceeded",
        "ErrorMimeContentConversionFailed",
        "ErrorMimeContentInvalid",
        "ErrorResponseSchemaValidation",
        "ErrorResultSetTooBig",
        "ErrorUnsupportedMimeConversion",
        "ErrorUnsupportedTypeForConversion",
        "ErrorVirusDetected",
        "ErrorVirusMessageDeleted",
    ),
}
KINDS: Mapping[str, type[errors.SourceError]] = {code: kind for kind, codes in _CODES.items() for code in codes}
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
