"""The errors of EWS, as response messages and as SOAP faults.

```
SimulatedError
├── ResponseError   one id of a batch failed: ResponseClass="Error" inside an HTTP 200
└── SoapFault       the whole request failed: HTTP 500 with a soap:Fault
```
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode
"""

TEXTS = {
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorBatchProcessingStopped": "Batch processing stopped.",
    "ErrorChangeKeyRequired": "The change key is required for this operation.",
    "ErrorChangeKeyRequiredForWriteOperations": "The change key passed in the request does not match the current "
    "change key for the item.",
    "ErrorContentConversionFailed": "Content conversion failed.",
    "ErrorCrossMailboxMoveCopy": "Items can not be moved or copied between mailboxes.",
    "ErrorDeleteDistinguishedFolder": "Distinguished folders cannot be deleted.",
    "ErrorExceededSubscriptionCount": "You have exceeded the available subscriptions for your account.  Remove "
    "unnecessary subscriptions and try your request again.",
    "ErrorFolderExists": "A folder with the specified name already exists.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorImpersonateUserDenied": "The account does not have permission to impersonate the requested user.",
    "ErrorImpersonationRequired": "ExchangeImpersonation SOAP header must be present for this type of OAuth token.",
    "ErrorIncorrectSchemaVersion": "The request is valid but does not specify the correct server version in the "
    "RequestServerVersion SOAP header.  Ensure that the RequestServerVersion SOAP header is set with the correct "
    "RequestServerVersionValue.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInvalidArgument": "The argument is invalid.",
    "ErrorInvalidAttachmentId": "The attachment ID is invalid.",
    "ErrorInvalidExchangeImpersonationHeaderData": "The ExchangeImpersonation header data is invalid.",
    "ErrorInvalidFolderId": "The specified folder ID is invalid.",
    "ErrorInvalidIdEmpty": "Id must be non-empty.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorInvalidIndexedPagingParameters": "The indexed paging parameters are invalid.",
    "ErrorInvalidNameForNameResolution": "The name is invalid for resolution.",
    "ErrorInvalidOperation": "The operation is not valid.",
    "ErrorInvalidPagingMaxRows": "The maximum number of rows must be positive.",
    "ErrorInvalidPropertyDelete": "The property does not support deletion.",
    "ErrorInvalidPropertyForExists": "The property can not be used with Exists.",
    "ErrorInvalidPropertyRequest": "Property is not valid for this object type.",
    "ErrorInvalidPropertySet": "Set action is invalid for property.",
    "ErrorInvalidPullSubscriptionId": "The subscription is not a pull subscription.",
    "ErrorInvalidPushSubscriptionUrl": "The push subscription URL is invalid.",
    "ErrorInvalidRecipients": "At least one recipient isn't valid.",
    "ErrorInvalidRequest": "The request is invalid.",
    "ErrorInvalidSendItemSaveSettings": "The save settings of SendItem are invalid.",
    "ErrorInvalidServerVersion": "The specified server version is invalid.",
    "ErrorInvalidSubscription": "The subscription is invalid.",
    "ErrorInvalidSubscriptionRequest": "The subscription request is invalid.",
    "ErrorInvalidSyncStateData": "Synchronization state data is corrupt or otherwise invalid.",
    "ErrorInvalidWatermark": "The watermark used for creating this subscription was not found.",
    "ErrorIrresolvableConflict": "The send or update operation could not be performed because the change key passed "
    "in the request does not match the current change key for the item.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorMessageDispositionRequired": "Message disposition attribute is required.",
    "ErrorMissingEmailAddress": "When making a request as an account that does not have a mailbox, you must specify "
    "the mailbox primary SMTP address for any distinguished folder Ids.",
    "ErrorMissingRecipients": "No recipients were specified.",
    "ErrorNameResolutionMultipleResults": "Multiple results were found.",
    "ErrorNameResolutionNoResults": "No results were found.",
    "ErrorNonExistentMailbox": "The SMTP address has no mailbox associated with it.",
    "ErrorNonPrimarySmtpAddress": "The primary SMTP address must be specified when referencing a mailbox.",
    "ErrorParentFolderNotFound": "The specified parent folder could not be found.",
    "ErrorSchemaValidation": "The request failed schema validation.",
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "ErrorSubscriptionAccessDenied": "Access to the subscription is denied.",
    "ErrorSubscriptionDelegateAccessNotSupported": "Subscriptions are not supported for delegate user access.",
    "ErrorSubscriptionNotFound": "The specified subscription was not found.",
    "ErrorSyncFolderNotFound": "The folder to be synchronized could not be found.",
    "ErrorToFolderNotFound": "The destination folder could not be found.",
    "ErrorUnsupportedPathForQuery": "The property can not be used in a query.",
    "ErrorUnsupportedPathForSortGroup": "The property can not be used to sort or group.",
}


class SimulatedError(Exception):
    """An EWS error on its way to the client.

    Attributes:
        code: The ResponseCode.
        text: The MessageText or faultstring.
        values: Named values of MessageXml, such as BackOffMilliseconds.
    """

    def __init__(self, code: str, text: str = "", values: dict[str, str] | None = None) -> None:
        super().__init__(code, text, values)
        self.code = code
        self.text = text or TEXTS.get(code, code)
        self.values = values or {}


class ResponseError(SimulatedError):
    """One part of a request failed."""


class SoapFault(SimulatedError):
    """The whole request failed."""


class SchemaViolation(SoapFault):
    """The request is not what the schema allows; carries where."""

    def __init__(self, violation: str, line: int = 1, position: int = 1) -> None:
        super().__init__("ErrorSchemaValidation", f"The request failed schema validation: {violation}")
        self.args = (violation, line, position)
        self.violation = violation
        self.line = line
        self.position = position
