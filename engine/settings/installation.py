"""The sections of one installation: jobs, store, gateway, mail server, cluster and operators."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from engine.access.forwarded import ProxyHeader
from engine.jobs.model import Job, JobName
from engine.model import Operator, OperatorId
from engine.setting_values import MailAddress, Networks, OptionalMailAddress, Schedule, TimeZone
from engine.settings.section import Section


class JobSettings(Section):
    """``[jobs.NAME]``: whether a job runs, when, and under whose rights it is listed and changed."""

    enabled: bool = True
    every: Schedule = "15m"
    """An interval, or a cron expression of five fields read in ``timezone``."""
    timezone: TimeZone = "UTC"
    access_group: str = ""


class JobsSettings(Section):
    """``[jobs]``: the two jobs of the specification, and the one that keeps associations current."""

    EmailSync: JobSettings = JobSettings()
    ManagePushSubscriptions: JobSettings = JobSettings(every="1m")
    AssociateEmails: JobSettings = JobSettings(every="15s")

    def records(self) -> tuple[Job, ...]:
        """The jobs as the engine knows them; ``last_run_at`` is the store's to know."""
        sections = (
            (JobName.EMAIL_SYNC, self.EmailSync),
            (JobName.MANAGE_PUSH_SUBSCRIPTIONS, self.ManagePushSubscriptions),
            (JobName.ASSOCIATE_EMAILS, self.AssociateEmails),
        )
        return tuple(
            Job(name, section.enabled, section.every, section.timezone, section.access_group)
            for name, section in sections
        )


class StoreSettings(Section):
    """``[store]``: the DuckDB file; a relative path is taken from where the command is run."""

    path: Path = Path("mailroom.duckdb")


class GatewaySettings(Section):
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


class SmtpSettings(Section):
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


class ClusterSettings(Section):
    """``[cluster]``: the Ray cluster and how mailboxes are spread over it.

    ``mailboxes_per_host`` 0 means as many as come; 1 is one Ray actor per operator.
    ``sync_concurrency`` is the number of EWS requests under way at once in each host.
    """

    address: str = ""
    hosts_per_node: Annotated[int, Field(ge=1, le=256)] = 2
    mailboxes_per_host: Annotated[int, Field(ge=0)] = 0
    sync_concurrency: Annotated[int, Field(ge=1, le=256)] = 8


class OperatorSettings(Section):
    """``[[operators]]``: one person; ``operator_id`` defaults to the address."""

    email: MailAddress
    operator_id: str = ""
    name: str = ""
    email_sync: bool = True

    def record(self) -> Operator:
        """The operator as the engine knows it."""
        return Operator(OperatorId(self.operator_id or self.email), self.email, self.name, self.email_sync)
