"""The two sections that are the Application Settings: ``[exchange]`` and ``[email_sync]``."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from engine.associations.model import Rule
from engine.setting_values import (
    AddressesOrDomains,
    Domains,
    Interval,
    MailAddresses,
    OptionalWebAddress,
    WebAddress,
    split_addresses,
)
from engine.settings.section import Section


class ExchangeVersion(StrEnum):
    """The four versions an administrator chooses from."""

    EXCHANGE2010 = "Exchange2010"
    EXCHANGE2013 = "Exchange2013"
    EXCHANGE2016 = "Exchange2016"
    EXCHANGE365 = "Exchange365"


class ExchangeSettings(Section):
    """``[exchange]``: where EWS is and how to sign in."""

    url: WebAddress
    version: ExchangeVersion = ExchangeVersion.EXCHANGE2016
    auth: Literal["basic", "ntlm", "oauth2"] = "basic"
    username: str = ""
    tenant_id: str = ""
    client_id: str = ""
    token_url: str = ""
    """OAuth2 token endpoint; empty: Microsoft's for ``tenant_id``."""
    verify_tls: bool = True
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    """Seconds until a request is given up."""
    password: SecretStr = SecretStr("")
    client_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _credentials(self) -> "ExchangeSettings":
        if self.auth == "oauth2":
            if not self.client_id or not (self.tenant_id or self.token_url):
                raise ValueError('auth = "oauth2" wants client_id and tenant_id')
            if not self.client_secret.get_secret_value():
                raise ValueError('auth = "oauth2" wants the environment variable MAILROOM_CLIENT_SECRET')
        else:
            if not self.username:
                raise ValueError(f'auth = "{self.auth}" wants username')
            if not self.password.get_secret_value():
                raise ValueError(f'auth = "{self.auth}" wants the environment variable MAILROOM_EXCHANGE_PASSWORD')
        return self


class EmailSyncSettings(Section):
    """``[email_sync]``: what is synchronised, and how Exchange tells us."""

    enabled: bool = True
    sync_from_days: Annotated[int, Field(ge=1, le=200_000)] = 90
    batch_size: Annotated[int, Field(ge=1, le=512)] = 512
    notification_url: OptionalWebAddress = ""
    """Base address of the listener as Exchange reaches it; empty: the gateway's own (no push beyond this machine)."""
    notification_frequency: Annotated[int, Field(ge=1, le=1440)] = 30
    """Minutes: the StatusFrequency of subscriptions, and how long a failing sync is retried."""
    notify_failures_to: MailAddresses = ""
    """Who is told of failures: addresses separated by semicolons; empty: nobody."""
    folders: tuple[str, ...] = ("inbox", "sentitems")
    associate_with: tuple[Literal["contacts", "accounts", "leads", "opportunities", "organizations"], ...] = (
        "contacts",
        "accounts",
        "leads",
        "opportunities",
        "organizations",
    )
    association_rules: tuple[Rule, ...] = tuple(Rule)
    mass_mail_over: Annotated[int, Field(ge=1, le=10_000)] = 50
    """More distinct addresses than this make mass mail, of which the sender alone is associated."""
    own_domains: Domains = ()
    """The organisation's own domains; empty: those of the operators' addresses, free mail apart."""
    free_mail_domains: Domains = ()
    """Domains that say nothing of a company, beside those that are known to."""
    skip_private: bool = True
    """Mail of sensitivity Private or Confidential does not land."""
    skip_internal: bool = False
    """Mail between own domains alone does not land."""
    deny: AddressesOrDomains = ()
    """Mail with one of these addresses or domains does not land."""
    allow: AddressesOrDomains = ()
    """Mail without any of these addresses or domains does not land; empty: all does."""
    skip_folders: tuple[str, ...] = ()
    """Mail of these of the ``folders`` does not land."""
    only_known: bool = False
    """Mail that concerns no CRM record does not land."""
    deletions: Literal["mark", "remove"] = "mark"
    debounce: Interval = timedelta(milliseconds=300)
    """How long a mailbox waits after a notice, so that the several notices of one user action make one sync."""

    @field_validator("folders")
    @classmethod
    def _folders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(not name.strip() for name in value):
            raise ValueError('name at least one folder, such as ["inbox", "sentitems"]')
        if len(set(value)) != len(value):
            raise ValueError("a folder is named twice")
        return value

    @property
    def failure_recipients(self) -> tuple[str, ...]:
        """``notify_failures_to``, taken apart."""
        return split_addresses(self.notify_failures_to)
