"""What leads to each row of ``engine.failures``, as Exchange says it: response codes, HTTP statuses, and plain words.

Response codes are translated by these very tuples (``engine.sources.ews.translate``), so the documents cannot differ.
"""

THROTTLED = (
    "ErrorServerBusy",
    "ErrorExceededConnectionCount",
    "ErrorExceededFindCountLimit",
    "ErrorTooManyObjectsOpened",
    "ErrorBatchProcessingStopped",
    "HTTP 429",
    "HTTP 503",
)
STORE_DOWN = (
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
    "HTTP 400",
    "HTTP 407",
    "HTTP 408",
    "HTTP 500",
    "HTTP 502",
    "HTTP 504",
    "no connection, a broken one, or no answer within exchange.timeout",
)
MAILBOX_MOVING = ("ErrorMailboxMoveInProgress",)
AUTH_FAILED = (
    "ErrorInvalidAuthorizationContext",
    "ErrorInvalidClientSecurityContext",
    "ErrorInvalidSerializedAccessToken",
    "ErrorPasswordChangeRequired",
    "ErrorPasswordExpired",
    "ErrorTokenSerializationDenied",
    "HTTP 401",
    "HTTP 456",
    "the token endpoint refuses the client",
)
EWS_BLOCKED = ("ErrorOrganizationAccessBlocked", "ErrorUserNotAllowedByPolicy", "HTTP 403")
IMPERSONATION_DENIED = (
    "ErrorAccessDenied",
    "ErrorCallerIsInvalidADAccount",
    "ErrorImpersonateUserDenied",
    "ErrorImpersonationDenied",
    "ErrorImpersonationFailed",
    "ErrorInvalidExchangeImpersonationHeaderData",
    "ErrorSubscriptionDelegateAccessNotSupported",
)
MAILBOX_NOT_FOUND = (
    "ErrorCannotFindUser",
    "ErrorInvalidMailbox",
    "ErrorInvalidSmtpAddress",
    "ErrorInvalidUserPrincipalName",
    "ErrorInvalidUserSid",
    "ErrorMissingEmailAddress",
    "ErrorMissingExchangePrincipal",
    "ErrorNonExistentMailbox",
    "ErrorNonPrimarySmtpAddress",
)
ACCOUNT_DISABLED = ("ErrorAccountDisabled", "ErrorAccountSuspend", "ErrorAccountSuspendShowTierUpgrade")
VERSION_INVALID = (
    "ErrorIncorrectSchemaVersion",
    "ErrorInvalidSchemaVersionForMailboxVersion",
    "ErrorInvalidServerVersion",
    "ErrorNoDestinationCASDueToVersionMismatch",
    "ErrorWrongServerVersion",
    "ErrorWrongServerVersionDelegate",
)
ENDPOINT_INVALID = (
    "ErrorNoDestinationCASDueToKerberosRequirements",
    "ErrorNoDestinationCASDueToSSLRequirements",
    "ErrorProxyRequestNotAllowed",
    "HTTP 301",
    "HTTP 302",
    "HTTP 404",
    "HTTP 405",
    "a web page instead of an answer",
)
LISTENER_URL_INVALID = ("ErrorInvalidPushSubscriptionUrl",)
LISTENER_UNREACHABLE = ("no notification within 2 x email_sync.notification_frequency of subscribing",)
SUBSCRIPTION_QUOTA = ("ErrorExceededSubscriptionCount",)
SUBSCRIPTION_LOST = (
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
)
STATE_INVALID = ("ErrorInvalidSyncStateData",)
FOLDER_MISSING = (
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
)
FOLDER_SUDDENLY_EMPTY = ("a folder listed anew shows nothing, though emails of it had landed",)
ITEM_UNREADABLE = (
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
    "an answer that is not well-formed, or too long",
)
SYNC_TIMED_OUT = ("a passing cause that lasts longer than email_sync.notification_frequency",)
REQUEST_REFUSED = ("HTTP 413", "any other response code")
