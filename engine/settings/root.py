"""All sections together."""

from collections import Counter

from pydantic import SecretStr, field_validator, model_validator

from engine.setting_values import is_mail_address
from engine.settings.application import EmailSyncSettings, ExchangeSettings
from engine.settings.installation import (
    ClusterSettings,
    GatewaySettings,
    JobsSettings,
    OperatorSettings,
    SmtpSettings,
    StoreSettings,
)
from engine.settings.section import Section


class Settings(Section):
    """Everything ``mailroom serve --config FILE`` reads."""

    exchange: ExchangeSettings
    email_sync: EmailSyncSettings = EmailSyncSettings()
    jobs: JobsSettings = JobsSettings()
    store: StoreSettings = StoreSettings()
    gateway: GatewaySettings = GatewaySettings()
    smtp: SmtpSettings = SmtpSettings()
    cluster: ClusterSettings = ClusterSettings()
    operators: tuple[OperatorSettings, ...] = ()
    admin_token: SecretStr = SecretStr("")
    key: SecretStr = SecretStr("")

    @field_validator("operators")
    @classmethod
    def _distinct(cls, value: tuple[OperatorSettings, ...]) -> tuple[OperatorSettings, ...]:
        for what, keys in (
            ("operator_id", [operator.record().operator_id for operator in value]),
            ("email", [str(operator.email.lower()) for operator in value]),
        ):
            twice = sorted(key for key, times in Counter(keys).items() if times > 1)
            if twice:
                raise ValueError(f"{what} {twice[0]!r} stands more than once")
        return value

    @model_validator(mode="after")
    def _digests_have_a_sender(self) -> "Settings":
        wanted = self.smtp.host or self.exchange.auth == "oauth2"
        if self.email_sync.failure_recipients and wanted and not self.mail_sender:
            raise ValueError("email_sync.notify_failures_to wants smtp.from, the address that digests are sent from")
        return self

    @property
    def mail_sender(self) -> str:
        """The address digests are sent from; empty where only Exchange knows it (``exchange.username`` is none)."""
        own = self.exchange.username
        return self.smtp.sender or (own if is_mail_address(own) else "")
