"""Every error Mailroom raises on purpose, as one tree. Foreign errors are translated where they enter.

MailroomError
├── SettingsError               a setting or option is wrong; the message names it and says what to write instead
├── SourceError                 something about Exchange; ``engine.failures`` says what each one leads to
│   ├── Throttled               told to wait (``retry_after`` seconds, None where no hint was given)
│   ├── SourceUnavailable       no connection, a 5xx, a mailbox database that is down
│   │   └── MailboxMoving       the mailbox is being moved to another database
│   ├── AuthenticationFailed    401
│   ├── EwsBlocked              403: EWS is switched off for the tenant, user or application
│   ├── ImpersonationDenied
│   ├── MailboxNotFound         ``corrected_address`` where Exchange names the right one
│   ├── AccountDisabled
│   ├── VersionInvalid          the configured Exchange version is not the server's
│   ├── EndpointInvalid         what answers at the URL is not EWS
│   ├── ListenerUrlInvalid      Exchange refuses the notification URL
│   ├── ListenerUnreachable     Exchange has not called back in all the time it had for it
│   ├── SubscriptionQuota
│   ├── SubscriptionLost
│   ├── SyncTokenRefused
│   ├── FolderMissing
│   ├── FolderSuddenlyEmpty     a reconciling drain saw nothing although items had landed
│   ├── ResponseUnreadable      an answer that cannot be parsed, or is too large; ask for less at a time
│   ├── NotificationInvalid     what was posted to the listener is no SendNotification
│   └── RequestRefused          any other response code; ``code`` is Exchange's
├── StoreError
│   ├── StaleEpoch              a landing of an activation that is no longer the current one
│   ├── StoreUnavailable        the store is restarting, or its disk failed
│   ├── StoreLocked             another process holds the database file
│   ├── UnknownOperator
│   ├── OperatorExists          another operator has the id
│   ├── AddressTaken            another operator has the address
│   ├── OperatorsChanged        an operator is not any more what whoever changes it has seen
│   ├── UnknownJob
│   ├── SettingsConflict        the Application Settings have been changed meanwhile
│   ├── UnknownToken
│   ├── TokenRefused            a token in use has the name
│   ├── UnknownEmail
│   ├── EmailAmbiguous          several operators have an item of this id
│   ├── QueryBusy               too many queries run or wait already
│   └── QueryRefused            the SQL is wrong or not allowed; the message is for its author
│       ├── QueryTimedOut       it ran for as long as a query may
│       └── QueryTooLarge       it needs more memory than there is for queries
├── ErasureRefused              a person's mail cannot be erased as asked; the message says how
├── UnknownErasure              no erasure has this id
├── UnknownRecord               no CRM record of a kind has this id
├── ExportRefused               as many exports as may be are under way
├── ExportGone                  an export that is not there any more, or not so
├── JobRefused                  a job cannot be run now: it runs already, or is disabled
├── AccessError                 whoever asks is not let in, or not let do it
│   ├── Unauthenticated         no token, or none that is valid; ``reason`` says which, for the log
│   ├── Forbidden               the role, the job's access group or the network does not allow it
│   └── TooManyAttempts         too many failed logins; ``retry_after`` seconds
├── ImportRefused               a file cannot be read at all; the message says what to do about it
├── ClusterError
│   └── HostUnavailable         the actor that should answer is restarting
└── GatewayError                the HTTP side, as the listener and the command line meet it
    ├── CallbackForged          a callback token this Mailroom has not signed
    ├── AddressUnavailable      the gateway cannot listen at the configured host and port
    ├── GatewayUnreachable      no gateway answers a command
    └── GatewayRefused          the gateway answered a command with an error

Every error survives pickling with its type, message and fields (Ray sends them between processes).
"""

from typing import Any


def _restore(kind: type["MailroomError"], args: tuple[Any, ...], fields: dict[str, Any]) -> "MailroomError":
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class MailroomError(Exception):
    """Root of the tree. ``code`` is the foreign code that led here (an EWS ResponseCode, an HTTP status), if any."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, dict(self.__dict__))


class SettingsError(MailroomError):
    """A setting or option is wrong."""


class SourceError(MailroomError):
    """Something about Exchange. ``standing``: known from other requests; Exchange was not asked this time."""

    standing = False


class Throttled(SourceError):
    """Told to wait: ``retry_after`` seconds, None where the server gave no hint; 0 is a hint of "a little"."""

    def __init__(self, message: str, *, retry_after: float | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class SourceUnavailable(SourceError):
    """No connection, a 5xx, a mailbox database that is down: it passes."""


class MailboxMoving(SourceUnavailable):
    """The mailbox is being moved to another database, and is away for as long."""


class AuthenticationFailed(SourceError):
    """Exchange does not accept the credentials."""


class EwsBlocked(SourceError):
    """EWS is switched off for the tenant, the user or the application (HTTP 403)."""


class ImpersonationDenied(SourceError):
    """The service account may not act as this operator."""


class MailboxNotFound(SourceError):
    """No mailbox has this address; ``corrected_address`` where Exchange names the primary one."""

    def __init__(self, message: str, *, corrected_address: str | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.corrected_address = corrected_address


class AccountDisabled(SourceError):
    """The operator's account is disabled."""


class VersionInvalid(SourceError):
    """The configured Exchange version is not one the server speaks."""


class EndpointInvalid(SourceError):
    """What answers at the configured URL is not an EWS endpoint."""


class ListenerUrlInvalid(SourceError):
    """Exchange refuses the notification URL."""


class ListenerUnreachable(SourceError):
    """Exchange has not called back for a subscription within 2 x StatusFrequency: it cannot reach the listener."""


class SubscriptionQuota(SourceError):
    """The mailbox has as many subscriptions as Exchange allows."""


class SubscriptionLost(SourceError):
    """Exchange no longer knows the subscription."""


class SyncTokenRefused(SourceError):
    """The sync token is not valid (any more): drain from scratch and reconcile."""


class FolderMissing(SourceError):
    """The folder does not exist in the mailbox."""


class FolderSuddenlyEmpty(SourceError):
    """A reconciling drain saw nothing although items had landed: looks like trouble at Exchange, not a clean-up."""


class ResponseUnreadable(SourceError):
    """An answer that cannot be parsed, or is too large to be given: ask for less at a time."""


class NotificationInvalid(SourceError):
    """What was posted to the listener is not a SendNotification that can be read."""


class RequestRefused(SourceError):
    """Any other error answer; ``code`` is Exchange's own."""


class StoreError(MailroomError):
    """Something about the store."""


class StaleEpoch(StoreError):
    """The activation that sent this is no longer the current one: it must stop, a newer one has taken over."""


class StoreUnavailable(StoreError):
    """The store is restarting or its disk failed; what was sent may or may not be durable."""


class StoreLocked(StoreError):
    """Another process holds the database file."""


class UnknownOperator(StoreError):
    """No operator has this id."""


class OperatorExists(StoreError):
    """A new operator's id is another's."""


class AddressTaken(StoreError):
    """An operator's address is another's."""


class OperatorsChanged(StoreError):
    """An operator is not any more what whoever changes it has seen; nothing was changed."""


class UnknownJob(StoreError):
    """No job has this name."""


class SettingsConflict(StoreError):
    """The Application Settings have been changed since whoever changes them looked; the message says by whom."""


class UnknownToken(StoreError):
    """No token has this id."""


class TokenRefused(StoreError):
    """A token cannot be made: one in use has the name."""


class UnknownEmail(StoreError):
    """No email has this id."""


class EmailAmbiguous(StoreError):
    """Several operators have an item of this id; the message names them."""


class QueryRefused(StoreError):
    """The SQL is wrong or not allowed; the message is for its author."""


class QueryTimedOut(QueryRefused):
    """The query ran for as long as a query may."""


class QueryTooLarge(QueryRefused):
    """The query needs more memory than there is for queries."""


class QueryBusy(StoreError):
    """Too many queries run or wait already; a little later it may go."""


class ErasureRefused(MailroomError):
    """A person's mail cannot be erased as it was asked for; nothing was changed."""


class UnknownErasure(MailroomError):
    """No erasure has this id."""


class UnknownRecord(MailroomError):
    """No CRM record of this kind has this id."""


class ExportRefused(MailroomError):
    """As many exports as may be are under way."""


class ExportGone(MailroomError):
    """An export that is not there any more, has no such part, or is read out of order: begin anew."""


class JobRefused(MailroomError):
    """A job cannot be run now: a run of it is under way, or it is disabled."""


class ImportRefused(MailroomError):
    """A file cannot be read at all; ``code`` is one of ours, the message says what to do about it."""


class AccessError(MailroomError):
    """Whoever asks is not let in, or not let do it. ``notable``: the audit trail wants an entry (not one a guess)."""

    notable = False


class Unauthenticated(AccessError):
    """No token, or none that is valid. The message is for the outside, ``reason`` (an ``access.tokens.Denial``) not."""

    def __init__(self, message: str, *, reason: str = "", code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.reason = reason


class Forbidden(AccessError):
    """The role, the job's access group or the network does not allow it."""


class TooManyAttempts(AccessError):
    """Too many failed logins: wait ``retry_after`` seconds."""

    def __init__(self, message: str, *, retry_after: float = 0.0, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class ClusterError(MailroomError):
    """Something about the processes Mailroom runs as."""


class HostUnavailable(ClusterError):
    """The actor that should answer is restarting."""


class GatewayError(MailroomError):
    """Something about the HTTP side."""


class CallbackForged(GatewayError):
    """A callback token this Mailroom has not signed, or a garbled one."""


class AddressUnavailable(GatewayError):
    """The gateway cannot listen at the configured host and port."""


class GatewayUnreachable(GatewayError):
    """No gateway answers a command."""


class GatewayRefused(GatewayError):
    """The gateway answered a command with an error; ``code`` is the gateway's."""
