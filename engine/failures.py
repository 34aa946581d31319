"""From error to action: one table, in plain words. Nothing else in Mailroom decides what an error leads to.

Codes, causes and retry rules follow Microsoft's error handling guides:
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/handling-synchronization-related-errors-in-ews-in-exchange
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/handling-notification-related-errors-in-ews-in-exchange
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
"""

from dataclasses import dataclass
from enum import StrEnum

from engine import errors


class Action(StrEnum):
    """What a mailbox does about an error."""

    RETRY = "retry"
    BACK_OFF = "back_off"
    RESYNC = "resync"
    RE_AUTHENTICATE = "re_authenticate"
    DISABLE = "disable"
    QUARANTINE = "quarantine"
    RESUBSCRIBE = "resubscribe"
    LOOK_AGAIN = "look_again"
    DEACTIVATE = "deactivate"


def is_permanent(action: Action) -> bool:
    """Whether time alone will not help: stop, and look now and then whether somebody has removed the cause."""
    return action in (Action.RE_AUTHENTICATE, Action.DISABLE)


@dataclass(frozen=True, slots=True)
class Failure:
    """One row of the table: our code, what to do, and the words for people."""

    code: str
    action: Action
    cause: str
    remedy: str


_TABLE: dict[type[errors.MailroomError], Failure] = {
    errors.Throttled: Failure(
        "THROTTLED",
        Action.BACK_OFF,
        "Exchange asked us to slow down.",
        "Nothing; Mailroom waits as long as it is told. If it persists, lower cluster.sync_concurrency or raise the "
        "throttling policy of the service account.",
    ),
    errors.SourceUnavailable: Failure(
        "STORE_DOWN",
        Action.RETRY,
        "Exchange, or this mailbox's database, cannot be reached at the moment.",
        "Check that exchange.url is reachable from the cluster; Mailroom goes on by itself when it is.",
    ),
    errors.AuthenticationFailed: Failure(
        "AUTH_FAILED",
        Action.RE_AUTHENTICATE,
        "Exchange does not accept the service account's credentials.",
        "Check exchange.username and MAILROOM_EXCHANGE_PASSWORD (or MAILROOM_CLIENT_SECRET), and that exchange.auth "
        "is a method the server offers.",
    ),
    errors.EwsBlocked: Failure(
        "EWS_BLOCKED",
        Action.DISABLE,
        "Exchange Web Services are switched off for the tenant, the user or this application.",
        "Have the Exchange administrator allow EWS (EwsEnabled, EwsAllowedAppIDs).",
    ),
    errors.ImpersonationDenied: Failure(
        "IMPERSONATION_DENIED",
        Action.DISABLE,
        "The service account may not act as this operator.",
        "Grant it ApplicationImpersonation (or full_access_as_app) with a scope that includes the operator.",
    ),
    errors.MailboxNotFound: Failure(
        "MAILBOX_NOT_FOUND",
        Action.DISABLE,
        "Exchange knows no mailbox with this primary address.",
        "Correct the operator's email address.",
    ),
    errors.AccountDisabled: Failure(
        "ACCOUNT_DISABLED",
        Action.DISABLE,
        "The operator's Exchange account is disabled.",
        "Enable the account, or disable the operator's email sync.",
    ),
    errors.VersionInvalid: Failure(
        "VERSION_INVALID",
        Action.DISABLE,
        "The server does not speak the configured Exchange version.",
        "Set exchange.version to the server's: Exchange2010, Exchange2013, Exchange2016 or Exchange365.",
    ),
    errors.EndpointInvalid: Failure(
        "ENDPOINT_INVALID",
        Action.DISABLE,
        "What answers at exchange.url is not Exchange Web Services.",
        "Set exchange.url to the EWS address, usually https://HOST/EWS/Exchange.asmx.",
    ),
    errors.ListenerUrlInvalid: Failure(
        "LISTENER_URL_INVALID",
        Action.DISABLE,
        "Exchange refuses the notification URL.",
        "Set email_sync.notification_url to an http(s) address of this gateway that Exchange can reach.",
    ),
    errors.SubscriptionQuota: Failure(
        "SUBSCRIPTION_QUOTA",
        Action.BACK_OFF,
        "The mailbox has as many push subscriptions as Exchange allows.",
        "Old ones expire by themselves; check whether another application subscribes too.",
    ),
    errors.SubscriptionLost: Failure(
        "SUBSCRIPTION_LOST",
        Action.RESUBSCRIBE,
        "Exchange no longer knows the push subscription.",
        "Nothing; Mailroom subscribes anew and synchronises what it missed.",
    ),
    errors.SyncTokenRefused: Failure(
        "STATE_INVALID",
        Action.RESYNC,
        "Exchange refuses the stored sync state of a folder.",
        "Nothing; Mailroom lists the folder anew and reconciles.",
    ),
    errors.FolderMissing: Failure(
        "FOLDER_MISSING",
        Action.RETRY,
        "A folder that email_sync.folders names does not exist in the mailbox.",
        "Correct email_sync.folders, or create the folder.",
    ),
    errors.FolderSuddenlyEmpty: Failure(
        "FOLDER_SUDDENLY_EMPTY",
        Action.LOOK_AGAIN,
        "A folder with landed emails is suddenly listed as empty.",
        "If it was emptied on purpose, nothing: a second look confirms it. Otherwise check the mailbox at Exchange.",
    ),
    errors.ResponseUnreadable: Failure(
        "ITEM_UNREADABLE",
        Action.QUARANTINE,
        "Exchange's answer about an item cannot be read.",
        "The item is quarantined with its reason and tried again later; open it in Outlook to see what is wrong.",
    ),
    errors.NotificationInvalid: Failure(
        "NOTIFICATION_INVALID",
        Action.RETRY,
        "What was sent to the notification URL is not an Exchange notification.",
        "Nothing, if it came from elsewhere; otherwise see whether a proxy changes what Exchange sends.",
    ),
    errors.RequestRefused: Failure(
        "REQUEST_REFUSED",
        Action.RETRY,
        "Exchange refused a request.",
        "See the message for Exchange's own code and words.",
    ),
    errors.StaleEpoch: Failure(
        "STALE_EPOCH",
        Action.DEACTIVATE,
        "A newer activation of this mailbox has taken over.",
        "Nothing; this is how two hosts are kept from writing the same mailbox.",
    ),
    errors.StoreUnavailable: Failure(
        "STORE_UNAVAILABLE",
        Action.DEACTIVATE,
        "The store cannot be reached at the moment.",
        "Check disk space and permissions of store.path; Mailroom goes on by itself.",
    ),
    errors.MailroomError: Failure(
        "INTERNAL",
        Action.RETRY,
        "Something went wrong inside Mailroom.",
        "Please report it with the log lines of this operator.",
    ),
}


def failure_for(error: BaseException) -> Failure:
    """The row of the table for an error: its own class's, or the nearest ancestor's."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind]
    return _TABLE[errors.MailroomError]


def failure_by_code(code: str) -> Failure | None:
    """The row with this code of ours, as stored in ``mailboxes.error_code``."""
    return next((failure for failure in _TABLE.values() if failure.code == code), None)


def all_failures() -> tuple[Failure, ...]:
    """Every row of the table."""
    return tuple(_TABLE.values())
