import pickle

import pytest

from engine import errors
from engine.sources.ews.translate import KINDS, Refusal, translate
from tests.unit.sources.conftest import INBOX, MAILBOX, Make, Responder
from tests.unit.sources.soap import shared, soap_fault

EXPECTED = {
    errors.AccountDisabled: "ErrorAccountDisabled",
    errors.ImpersonationDenied: "ErrorImpersonateUserDenied ErrorImpersonationDenied ErrorImpersonationFailed",
    errors.MailboxNotFound: "ErrorNonExistentMailbox ErrorNonPrimarySmtpAddress",
    errors.VersionInvalid: "ErrorInvalidServerVersion ErrorIncorrectSchemaVersion",
    errors.ListenerUrlInvalid: "ErrorInvalidPushSubscriptionUrl",
    errors.SubscriptionLost: "ErrorSubscriptionNotFound ErrorInvalidSubscription ErrorReadEventsFailed "
    "ErrorEventNotFound ErrorInvalidWatermark ErrorMissedNotificationEvents ErrorSubscriptionAccessDenied",
    errors.SubscriptionQuota: "ErrorExceededSubscriptionCount",
    errors.Throttled: "ErrorServerBusy ErrorExceededConnectionCount ErrorExceededFindCountLimit "
    "ErrorBatchProcessingStopped",
    errors.SyncTokenRefused: "ErrorInvalidSyncStateData",
    errors.FolderMissing: "ErrorSyncFolderNotFound ErrorFolderNotFound",
    errors.MailboxMoving: "ErrorMailboxMoveInProgress",
    errors.SourceUnavailable: "ErrorMailboxFailover ErrorMailboxStoreUnavailable "
    "ErrorConnectionFailed ErrorNoRespondingCASInDestinationSite ErrorInternalServerError ErrorTimeoutExpired",
    errors.ResponseUnreadable: "ErrorContentConversionFailed ErrorMimeContentConversionFailed "
    "ErrorDataSizeLimitExceeded",
    errors.EndpointInvalid: "ErrorProxyRequestNotAllowed",
    errors.RequestRefused: "ErrorSchemaValidation ErrorInvalidSubscriptionRequest ErrorOfTheFuture",
}
CASES = [(code, kind) for kind, codes in EXPECTED.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "kind"), CASES)
def test_documented_codes_become_our_errors(code: str, kind: type[errors.SourceError]) -> None:
    error = translate(Refusal(code, "Words."), MAILBOX)
    assert type(error) is kind
    assert error.code == code
    assert str(error) == f"{MAILBOX}: {code}: Words."
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), str(again), again.code) == (kind, str(error), code)


def test_every_code_of_the_table_is_one_of_the_schema() -> None:
    schema = shared("ews-schema/messages.xsd").read_text(encoding="utf-8")
    unknown = {code for code in KINDS if f'"{code}"' not in schema}
    assert unknown == {"ErrorConnectionFailedTransientError"}  # documented, but not in this copy


@pytest.mark.parametrize(
    ("values", "hint", "expected"),
    [
        ({"BackOffMilliseconds": "5000"}, None, 5.0),
        ({"BackOffMilliseconds": "0"}, 7.0, 0.0),
        ({"BackOffMilliseconds": "soon"}, 7.0, 7.0),
        ({}, None, None),
    ],
)
def test_the_hint_to_wait_is_kept(values: dict[str, str], hint: float | None, expected: float | None) -> None:
    error = translate(Refusal("ErrorServerBusy", "Busy.", values), MAILBOX, retry_after=hint)
    assert isinstance(error, errors.Throttled)
    assert error.retry_after == expected


def test_the_corrected_address_is_found() -> None:
    named = translate(Refusal("ErrorNonPrimarySmtpAddress", "No.", {"Primary": "ann.new@example.com"}), MAILBOX)
    said = translate(Refusal("ErrorNonPrimarySmtpAddress", "Use <ann.new@example.com>."), MAILBOX)
    silent = translate(Refusal("ErrorNonPrimarySmtpAddress", "No."), MAILBOX)
    found = [error.corrected_address for error in (named, said, silent) if isinstance(error, errors.MailboxNotFound)]
    assert found == ["ann.new@example.com", "ann.new@example.com", None]
    assert "ann.new@example.com" in str(named)


async def test_faults_carry_their_values(make_source: Make, responder: Responder) -> None:
    source = make_source()
    responder.reply(soap_fault("ErrorServerBusy", "Busy.", BackOffMilliseconds="1500"), status=500)
    responder.reply(soap_fault("ErrorNonPrimarySmtpAddress", "No.", Primary="ann.new@example.com"), status=500)
    with pytest.raises(errors.Throttled) as busy:
        await source.read_changes(MAILBOX, INBOX, None, 1)
    assert busy.value.retry_after == 1.5
    with pytest.raises(errors.MailboxNotFound) as moved:
        await source.read_changes(MAILBOX, INBOX, None, 1)
    assert moved.value.corrected_address == "ann.new@example.com"


@pytest.mark.parametrize(
    ("sample", "kind", "code"),
    [
        ("Fault-01", errors.RequestRefused, "ErrorSchemaValidation"),
        ("Fault-02", errors.VersionInvalid, "ErrorIncorrectSchemaVersion"),
        ("Fault-03", errors.RequestRefused, "ErrorSchemaValidation"),
        ("Fault-04", errors.RequestRefused, "Client"),
        ("Fault-05", errors.RequestRefused, "ErrorSchemaValidation"),
    ],
)
async def test_documented_faults_are_told(
    make_source: Make,
    responder: Responder,
    sample: str,
    kind: type[errors.SourceError],
    code: str,
) -> None:
    for status in (200, 500):
        responder.reply(shared(f"ews-samples/{sample}.xml").read_bytes(), status=status)
    for _ in range(2):
        with pytest.raises(kind) as caught:
            await make_source().read_changes(MAILBOX, INBOX, None, 1)
        assert (type(caught.value), caught.value.code) == (kind, code)
