"""Settings: the TOML file and the secrets of the environment, checked once, with messages that say what to write.

Names are DESIGN section 8's. Secrets come from the environment only and never print (``SecretStr``).
"""

import copy
import os
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from engine.access.forwarded import ProxyHeader
from engine.errors import SettingsError
from engine.jobs.model import Job, JobName
from engine.model import Operator, OperatorId
from engine.setting_problems import explain
from engine.setting_values import (
    Interval,
    MailAddress,
    MailAddresses,
    Networks,
    OptionalMailAddress,
    OptionalWebAddress,
    Schedule,
    TimeZone,
    WebAddress,
    is_mail_address,
    split_addresses,
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExchangeVersion(StrEnum):
    """The four versions an administrator chooses from."""

    EXCHANGE2010 = "Exchange2010"
    EXCHANGE2013 = "Exchange2013"
    EXCHANGE2016 = "Exchange2016"
    EXCHANGE365 = "Exchange365"


class ExchangeSettings(_Section):
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


class EmailSyncSettings(_Section):
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
    associate_with: tuple[Literal["contacts", "accounts", "leads", "opportunities", "organizations"], ...] = ()
    skip_private: bool = True
    skip_internal: bool = False
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


class JobSettings(_Section):
    """``[jobs.NAME]``: whether a job runs, when, and under whose rights it is listed and changed."""

    enabled: bool = True
    every: Schedule = "15m"
    """An interval, or a cron expression of five fields read in ``timezone``."""
    timezone: TimeZone = "UTC"
    access_group: str = ""


class JobsSettings(_Section):
    """``[jobs]``: the two jobs of the specification."""

    EmailSync: JobSettings = JobSettings()
    ManagePushSubscriptions: JobSettings = JobSettings(every="1m")

    def records(self) -> tuple[Job, ...]:
        """The jobs as the engine knows them; ``last_run_at`` is the store's to know."""
        sections = (
            (JobName.EMAIL_SYNC, self.EmailSync),
            (JobName.MANAGE_PUSH_SUBSCRIPTIONS, self.ManagePushSubscriptions),
        )
        return tuple(
            Job(name, section.enabled, section.every, section.timezone, section.access_group)
            for name, section in sections
        )


class StoreSettings(_Section):
    """``[store]``: the DuckDB file; a relative path is taken from where the command is run."""

    path: Path = Path("mailroom.duckdb")


class GatewaySettings(_Section):
    """``[gateway]``: where the listener, the API and the console answer."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    tls_cert: Path | None = None
    tls_key: Path | None = None
    listener_networks: Networks = ()
    """Who may send notifications: ``192.0.2.0/24``, ``2001:db8::/32`` or single addresses; empty: everyone."""
    api_networks: Networks = ()
    """Who may use everything else but the health probes; empty: everyone."""
    trusted_proxies: Networks = ()
    """Whose ``forwarded_header`` says where a request comes from; empty: nobody's."""
    forwarded_header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR
    """The one header the trusted proxies write."""

    @model_validator(mode="after")
    def _both(self) -> "GatewaySettings":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        return self


class SmtpSettings(_Section):
    """``[smtp]``: how failure digests are sent; without ``host``, through Exchange."""

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    sender: OptionalMailAddress = Field(default="", alias="from")
    """Empty: ``exchange.username``, where that is an address."""
    starttls: bool = False
    tls: bool = False
    """TLS from the first byte, as on port 465."""
    verify_tls: bool = True
    username: str = ""
    password: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _agree(self) -> "SmtpSettings":
        if self.tls and self.starttls:
            raise ValueError("tls is TLS from the first byte, starttls is TLS later; set one of them")
        if self.username and not self.password.get_secret_value():
            raise ValueError("username wants the environment variable MAILROOM_SMTP_PASSWORD")
        if self.username and not (self.tls or self.starttls or self.host in ("localhost", "127.0.0.1", "::1")):
            raise ValueError("username wants starttls = true or tls = true: a password is not sent in the clear")
        return self


class ClusterSettings(_Section):
    """``[cluster]``: the Ray cluster and how mailboxes are spread over it.

    ``mailboxes_per_host`` 0 means as many as come; 1 is one Ray actor per operator.
    ``sync_concurrency`` is the number of EWS requests under way at once in each host.
    """

    address: str = ""
    hosts_per_node: Annotated[int, Field(ge=1, le=256)] = 2
    mailboxes_per_host: Annotated[int, Field(ge=0)] = 0
    sync_concurrency: Annotated[int, Field(ge=1, le=256)] = 8


class OperatorSettings(_Section):
    """``[[operators]]``: one person; ``operator_id`` defaults to the address."""

    email: MailAddress
    operator_id: str = ""
    name: str = ""
    email_sync: bool = True

    def record(self) -> Operator:
        """The operator as the engine knows it."""
        return Operator(OperatorId(self.operator_id or self.email), self.email, self.name, self.email_sync)


class Settings(_Section):
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


_SECRETS = {
    "MAILROOM_EXCHANGE_PASSWORD": ("exchange", "password"),
    "MAILROOM_CLIENT_SECRET": ("exchange", "client_secret"),
    "MAILROOM_SMTP_PASSWORD": ("smtp", "password"),
    "MAILROOM_ADMIN_TOKEN": ("admin_token",),
    "MAILROOM_KEY": ("key",),
}


def load_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration file.

    Raises:
        SettingsError: one line a problem: where it is, what is wrong, what to write.
    """
    environ = os.environ if environ is None else environ
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read: {error.strerror}. Give --config the path of a TOML file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}. Correct that line.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text. Save it as UTF-8.") from error
    for keys in _SECRETS.values():
        section: Any = raw
        for key in keys[:-1]:
            section = section.get(key, {}) if isinstance(section, dict) else {}
        if isinstance(section, dict) and keys[-1] in section:
            variable = next(name for name, value in _SECRETS.items() if value == keys)
            raise SettingsError(f"{path}: {'.'.join(keys)}: secrets do not belong in a file; set {variable} instead.")
    return build_settings(raw, environ, str(path))


def build_settings(raw: dict[str, Any], environ: Mapping[str, str], origin: str = "settings") -> Settings:
    """Check settings given as plain data, with the secrets of ``environ``; ``origin`` opens each message.

    Raises:
        SettingsError: as ``load_settings``.
    """
    raw = copy.deepcopy(raw)
    for variable, keys in _SECRETS.items():
        if environ.get(variable):
            section: Any = raw
            for key in keys[:-1]:
                section = section.setdefault(key, {})
            if isinstance(section, dict):
                section[keys[-1]] = environ[variable]
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(
            "\n".join(f"{origin}: {explain(Settings, problem)}" for problem in error.errors())
        ) from None
