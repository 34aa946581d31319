"""The alert desk, from settings."""

from datetime import timedelta
from urllib.parse import urlsplit

from engine.alerts.courier import Courier
from engine.alerts.desk import Addressees, AlertDesk, DeskStore
from engine.alerts.mailer import Mailer
from engine.alerts.policy import AlertPolicy
from engine.ports import Clock
from engine.settings import Settings

_EXCHANGE_TIMEOUT = 20.0


def build_desk(
    settings: Settings,
    store: DeskStore,
    clock: Clock,
    *,
    policy: AlertPolicy | None = None,
    mailer: Mailer | None = None,
) -> AlertDesk:
    """A desk that tells ``email_sync.notify_failures_to``: by SMTP where a host is set, else through Exchange.

    Without recipients alerts are kept all the same, and mail that was queued before stays queued. ``policy`` and
    ``mailer`` take the place of the usual ones.
    """
    recipients = settings.email_sync.failure_recipients
    if recipients and mailer is None:
        mailer = build_mailer(settings)
    courier = Courier(store, mailer, clock, through_exchange=not settings.smtp.host) if mailer is not None else None
    retried_for = timedelta(minutes=settings.email_sync.notification_frequency)
    return AlertDesk(store, courier, clock, Addressees(recipients, retried_for), policy)


def build_mailer(settings: Settings) -> Mailer:
    """What carries digests away. Nothing is connected yet."""
    if settings.smtp.host:
        from engine.alerts.smtp import SmtpMailer

        return SmtpMailer(settings.smtp, settings.mail_sender)
    from engine.alerts.exchange import ExchangeMailer
    from engine.sources.ews.send import EwsOutbox

    # A request that goes on after the courier has given it up would send a mail that is then sent again
    exchange = settings.exchange.model_copy(update={"timeout": min(settings.exchange.timeout, _EXCHANGE_TIMEOUT)})
    mailbox = settings.mail_sender if settings.exchange.auth == "oauth2" else settings.exchange.username
    domain = settings.mail_sender.rpartition("@")[2] or urlsplit(settings.exchange.url).hostname or "localhost"
    return ExchangeMailer(EwsOutbox(exchange, mailbox), domain)
