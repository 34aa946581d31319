"""From error to action: one table, in plain words. Nothing else in Mailroom decides what an error leads to.

``docs/failures.md`` is made from it (``make docs``). Codes, causes and retry rules follow Microsoft's guides:
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/handling-synchronization-related-errors-in-ews-in-exchange
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/handling-notification-related-errors-in-ews-in-exchange
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
"""

from dataclasses import dataclass
from enum import StrEnum

from engine import errors
from engine import failure_triggers as triggers


class Action(StrEnum):
    """What a mailbox does about an error: its retry class."""

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


_MEANWHILE = {
    Action.RETRY: "Tries again, with growing pauses of up to 5 minutes.",
    Action.BACK_OFF: "Waits as long as it is told to, and longer each time.",
    Action.RESYNC: "Lists the folder anew and compares: nothing is lost and nothing lands twice.",
    Action.RE_AUTHENTICATE: "Stops but for a probe now and then, so that no account is locked; goes on by itself "
    "within a minute of being let in.",
    Action.DISABLE: "Stops this mailbox but for a probe, every 20 seconds at first and every 15 minutes later; goes on "
    "by itself when the cause is gone.",
    Action.QUARANTINE: "Sets the item aside with its reason and tries it again after 1, 5 and 15 minutes, then more "
    "and more seldom, at last once a day.",
    Action.RESUBSCRIBE: "Subscribes anew, and synchronises what came meanwhile.",
    Action.LOOK_AGAIN: "Deletes nothing until a second look has confirmed it.",
    Action.DEACTIVATE: "Lets the mailbox leave memory, and reads what is durable when it comes back.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One row of the table: our code, its retry class, and the words for people.

    ``triggers``: the EWS response codes, HTTP statuses and circumstances that lead here. ``page``: where Microsoft
    describes it. ``instead``: what Mailroom does by itself, where that differs from others of the class.
    """

    code: str
    action: Action
    cause: str
    remedy: str
    triggers: tuple[str, ...] = ()
    page: str = ""
    instead: str = ""

    @property
    def meanwhile(self) -> str:
        """What Mailroom does by itself, in a sentence or two without a subject."""
        return self.instead or _MEANWHILE[self.action]


_GUIDES = "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/"
_THROTTLING = f"{_GUIDES}ews-throttling-in-exchange"
_ACCESS = f"{_GUIDES}how-to-control-access-to-ews-in-exchange"
_IMPERSONATION = f"{_GUIDES}how-to-configure-impersonation"
_SYNC = f"{_GUIDES}handling-synchronization-related-errors-in-ews-in-exchange"
_NOTIFICATION = f"{_GUIDES}handling-notification-related-errors-in-ews-in-exchange"
_CODES = "https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode"
_WITHOUT_PUSH = "New mail arrives with each run of EmailSync, and not within seconds."

_TABLE: dict[type[errors.MailroomError], Failure] = {
    errors.Throttled: Failure(
        "THROTTLED",
        Action.BACK_OFF,
        "Exchange asked us to slow down.",
        "Nothing at first. If it persists, lower cluster.sync_concurrency. On your own Exchange servers the service "
        "account may be given a policy of its own: New-ThrottlingPolicy Mailroom -EwsMaxConcurrency 50, then "
        "Set-ThrottlingPolicyAssociation SERVICEACCOUNT -ThrottlingPolicy Mailroom. Exchange Online has no such "
        "cmdlets.",
        triggers.THROTTLED,
        _THROTTLING,
    ),
    errors.SourceUnavailable: Failure(
        "STORE_DOWN",
        Action.RETRY,
        "Exchange, or this mailbox's database, cannot be reached at the moment.",
        "See whether exchange.url answers from the machines Mailroom runs on (DNS, firewall, proxy). On your own "
        "Exchange servers, Test-ServiceHealth and Get-MailboxDatabase -Status tell what is down; for Exchange Online, "
        "the service health page of the Microsoft 365 admin center does.",
        triggers.STORE_DOWN,
        _CODES,
    ),
    errors.MailboxMoving: Failure(
        "MAILBOX_MOVING",
        Action.RETRY,
        "The mailbox is being moved to another database.",
        "Let the move come to its end; Get-MoveRequest ADDRESS | Get-MoveRequestStatistics shows how far it is. If the "
        "mailbox has left this Exchange, set exchange.url to the one it is in now.",
        triggers.MAILBOX_MOVING,
        _CODES,
    ),
    errors.AuthenticationFailed: Failure(
        "AUTH_FAILED",
        Action.RE_AUTHENTICATE,
        "Exchange does not accept the service account's credentials.",
        "Check exchange.username and MAILROOM_EXCHANGE_PASSWORD (with oauth2: exchange.tenant_id, exchange.client_id "
        "and MAILROOM_CLIENT_SECRET, which expires), that the account is neither locked nor disabled, and that "
        "exchange.auth is a method the server offers. Exchange Online takes oauth2 only.",
        triggers.AUTH_FAILED,
        f"{_GUIDES}authentication-and-ews-in-exchange",
    ),
    errors.EwsBlocked: Failure(
        "EWS_BLOCKED",
        Action.DISABLE,
        "Exchange Web Services are switched off for the organisation, the mailbox or this application.",
        "Look at Get-OrganizationConfig | fl Ews* and Get-CASMailbox ADDRESS | fl Ews*. Allow it with "
        "Set-OrganizationConfig -EwsEnabled $true and Set-CASMailbox ADDRESS -EwsEnabled $true. Where an allow list is "
        "enforced, add what it lacks: the user agent Mailroom to EwsAllowList, or, in Exchange Online, "
        "exchange.client_id to EwsAllowedAppIDs.",
        triggers.EWS_BLOCKED,
        _ACCESS,
    ),
    errors.ImpersonationDenied: Failure(
        "IMPERSONATION_DENIED",
        Action.DISABLE,
        "The service account may not act as this operator.",
        "On your own Exchange servers: New-ManagementRoleAssignment -Name Mailroom -Role ApplicationImpersonation "
        "-User SERVICEACCOUNT. If there is one already, its -CustomRecipientWriteScope must include the operator. In "
        "Exchange Online: grant the application full_access_as_app with admin consent, or the role "
        '"Application EWS.AccessAsApp" by RBAC for Applications with a scope that includes the operator.',
        triggers.IMPERSONATION_DENIED,
        _IMPERSONATION,
    ),
    errors.MailboxNotFound: Failure(
        "MAILBOX_NOT_FOUND",
        Action.DISABLE,
        "Exchange knows no mailbox with this primary address.",
        "Correct the operator's email address; where Exchange names the primary one, the message does too. Get-Mailbox "
        "ADDRESS | fl PrimarySmtpAddress shows it. An operator who has left or has no mailbox here: disable the email "
        "sync.",
        triggers.MAILBOX_NOT_FOUND,
        _CODES,
    ),
    errors.AccountDisabled: Failure(
        "ACCOUNT_DISABLED",
        Action.DISABLE,
        "The operator's account is disabled in the directory.",
        "If the operator is to stay, enable the account (Enable-ADAccount, or Microsoft Entra admin center > Users). "
        "Otherwise disable the operator's email sync; what has landed stays.",
        triggers.ACCOUNT_DISABLED,
        _CODES,
    ),
    errors.VersionInvalid: Failure(
        "VERSION_INVALID",
        Action.DISABLE,
        "The server does not speak the configured Exchange version.",
        "Set exchange.version to the server's: Exchange2010, Exchange2013, Exchange2016 (2019 and later too) or "
        "Exchange365. Where servers differ, the oldest one's. Get-ExchangeServer | fl Name, AdminDisplayVersion shows "
        "them.",
        triggers.VERSION_INVALID,
        _CODES,
    ),
    errors.EndpointInvalid: Failure(
        "ENDPOINT_INVALID",
        Action.DISABLE,
        "What answers at exchange.url is not Exchange Web Services.",
        "Set exchange.url to the EWS address, usually https://HOST/EWS/Exchange.asmx; "
        "Get-WebServicesVirtualDirectory | fl ExternalUrl, InternalUrl shows it. A login page of a proxy or firewall "
        "in between has to let this address through.",
        triggers.ENDPOINT_INVALID,
        _CODES,
    ),
    errors.ListenerUrlInvalid: Failure(
        "LISTENER_URL_INVALID",
        Action.DISABLE,
        "Exchange refuses the notification URL.",
        "Set email_sync.notification_url to the http or https address under which Exchange reaches the gateway.",
        triggers.LISTENER_URL_INVALID,
        _NOTIFICATION,
        instead=f"Asks for a subscription again every few minutes. {_WITHOUT_PUSH}",
    ),
    errors.ListenerUnreachable: Failure(
        "LISTENER_UNREACHABLE",
        Action.RESUBSCRIBE,
        "Exchange does not call back: it cannot reach the notification URL.",
        "From an Exchange server, open email_sync.notification_url: a firewall, name resolution, or a certificate it "
        "does not trust stands in between. The certificate has to name the host and come from an authority the "
        "Exchange servers trust.",
        triggers.LISTENER_UNREACHABLE,
        _NOTIFICATION,
        instead=f"Subscribes anew each time Exchange should have called and has not. {_WITHOUT_PUSH}",
    ),
    errors.SubscriptionQuota: Failure(
        "SUBSCRIPTION_QUOTA",
        Action.BACK_OFF,
        "The mailbox has as many subscriptions as Exchange allows.",
        "Old ones expire by themselves after email_sync.notification_frequency. If it persists, another application "
        "subscribes to this mailbox too; on your own Exchange servers raise EwsMaxSubscriptions of the operator's "
        "throttling policy (it counts for the mailbox, not for the service account).",
        triggers.SUBSCRIPTION_QUOTA,
        _THROTTLING,
        instead=f"Asks again after a minute, then more seldom. {_WITHOUT_PUSH}",
    ),
    errors.SubscriptionLost: Failure(
        "SUBSCRIPTION_LOST",
        Action.RESUBSCRIBE,
        "Exchange no longer knows the push subscription.",
        "Nothing: it happens when Exchange restarts or a mailbox moves.",
        triggers.SUBSCRIPTION_LOST,
        _NOTIFICATION,
    ),
    errors.SyncTokenRefused: Failure(
        "STATE_INVALID",
        Action.RESYNC,
        "Exchange refuses the stored sync state of a folder.",
        "Nothing, unless it comes back time after time: then look at the mailbox with New-MailboxRepairRequest.",
        triggers.STATE_INVALID,
        _SYNC,
    ),
    errors.FolderMissing: Failure(
        "FOLDER_MISSING",
        Action.RETRY,
        "A folder that email_sync.folders names does not exist in the mailbox.",
        "Correct email_sync.folders, or create the folder in the mailbox; the message names it.",
        triggers.FOLDER_MISSING,
        _SYNC,
        instead="Keeps the other folders in step, and looks for this one again and again.",
    ),
    errors.FolderSuddenlyEmpty: Failure(
        "FOLDER_SUDDENLY_EMPTY",
        Action.LOOK_AGAIN,
        "A folder with landed emails is suddenly listed as empty.",
        "If it was emptied on purpose, nothing. Otherwise look into the mailbox with Outlook, and at the health of its "
        "database.",
        triggers.FOLDER_SUDDENLY_EMPTY,
        _SYNC,
    ),
    errors.ResponseUnreadable: Failure(
        "ITEM_UNREADABLE",
        Action.QUARANTINE,
        "Exchange's answer about an item, or a list of them, cannot be read.",
        "Open the item in Outlook to see what is wrong with it. A corrupt one can be moved out of the folder or "
        "deleted; for many, run New-MailboxRepairRequest.",
        triggers.ITEM_UNREADABLE,
        _SYNC,
    ),
    errors.NotificationInvalid: Failure(
        "NOTIFICATION_INVALID",
        Action.RETRY,
        "What was sent to the notification URL is not an Exchange notification.",
        "Nothing, if it came from elsewhere; otherwise see whether a proxy changes what Exchange sends.",
        ("a body at the notification URL that is no SendNotification",),
        _NOTIFICATION,
        instead="Answers it with an error and takes nothing from it.",
    ),
    errors.RequestRefused: Failure(
        "REQUEST_REFUSED",
        Action.RETRY,
        "Exchange refused a request.",
        "Look up Exchange's own code, which stands in the message.",
        triggers.REQUEST_REFUSED,
        _CODES,
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
        "Mailroom's own store cannot be reached at the moment.",
        "Check disk space and permissions of store.path.",
    ),
    errors.MailroomError: Failure(
        "INTERNAL",
        Action.RETRY,
        "Something went wrong inside Mailroom.",
        "Please report it with the log lines of this operator.",
    ),
}

SYNC_TIMED_OUT = Failure(
    "SYNC_TIMED_OUT",
    Action.DISABLE,
    "A mailbox was retried for email_sync.notification_frequency minutes, and still fails.",
    "See the cause it is shown with: time was given to it and did not help. When it is gone, mailbox and alert recover "
    "by themselves; mailroom jobs run EmailSync tries at once.",
    triggers.SYNC_TIMED_OUT,
)
"""What a passing cause turns into when its retries are used up. A mailbox's record keeps the cause's own code."""


def failure_for(error: BaseException) -> Failure:
    """The row of the table for an error: its own class's, or the nearest ancestor's."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind]
    return _TABLE[errors.MailroomError]


def failure_by_code(code: str) -> Failure | None:
    """The row with this code of ours, as stored in ``mailboxes.error_code``."""
    return next((failure for failure in all_failures() if failure.code == code), None)


def all_failures() -> tuple[Failure, ...]:
    """Every row of the table."""
    return (*_TABLE.values(), SYNC_TIMED_OUT)
