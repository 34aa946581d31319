"""What a refusal of Exchange says of other mail."""

from datetime import UTC, datetime

import pytest

from engine.alerts.exchange import ExchangeMailer
from engine.alerts.model import OutgoingMail
from engine.errors import AuthenticationFailed, EwsBlocked, RequestRefused, SourceError, SourceUnavailable, Throttled

MAIL = OutgoingMail("m", "a", ("ann@example.com",), "S", "T", "H", datetime(2026, 11, 24, tzinfo=UTC))


class BrokenOutbox:
    def __init__(self, error: SourceError) -> None:
        self.error = error

    async def send(self, mime: bytes) -> None:
        raise self.error

    async def close(self) -> None:
        return None


@pytest.mark.parametrize(
    ("error", "refused", "any_mail"),
    [
        (AuthenticationFailed("401"), True, True),
        (EwsBlocked("403"), True, True),
        (SourceUnavailable("No route."), False, True),
        (Throttled("Busy.", code="ErrorServerBusy"), False, False),
        (RequestRefused("No.", code="ErrorSendAsDenied"), True, False),
    ],
)
async def test_what_is_everybodys_would_meet_any_mail(error: SourceError, refused: bool, any_mail: bool) -> None:
    delivery = await ExchangeMailer(BrokenOutbox(error), "example.com").send(MAIL)
    assert (bool(delivery.refused), bool(delivery.deferred), delivery.any_mail) == (refused, not refused, any_mail)
