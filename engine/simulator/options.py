"""What a simulated Exchange is started with."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class ServerVersion(StrEnum):
    """The four Exchange generations the simulator can be."""

    EXCHANGE_2010 = "Exchange2010_SP2"
    EXCHANGE_2013 = "Exchange2013_SP1"
    EXCHANGE_2016 = "Exchange2016"
    EXCHANGE_365 = "Exchange365"


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """Everything that decides what the simulator serves and how.

    Attributes:
        host: Address to bind; loopback unless someone asks for more.
        port: 0 picks a free port.
        operators: Number of generated mailboxes, ``operator0001@example.com`` and on.
        emails: Generated messages in each mailbox.
        mail_dir: A folder of ``.eml`` files served instead of generated mail, dealt round-robin to the operators.
        seed: With the same seed, operators, emails and ``until``, every byte served is the same.
        username: The service account: it may impersonate every operator and has a mailbox of its own, without mail.
        password: Of the service account and of every operator's own account.
        version: The Exchange generation to be.
        time_scale: Real seconds per simulated second in push schedules; 1/600 turns a minute into 0.1 s.
        until: Unix time of the newest generated message; None is the last midnight (UTC).
        days: Generated mail spreads over this many days before ``until``.
        arrivals_per_minute: Generated messages that arrive while the server runs, spread over all operators.
        client_id: OAuth application that may impersonate every operator.
        client_secret: Its secret.
        tenant_id: The tenant of the token endpoint.
        token_seconds: Real seconds an access token is valid.
        aliases: Extra addresses, each naming the primary address it stands for.
        denied: Operators nobody may impersonate.
        missing: Addresses that ``operators(n)`` names but that have no mailbox.
        subscription_quota: Subscriptions a mailbox may have.
        push_delay: Real seconds events of a subscription are gathered before they are pushed.
        push_concurrency: Notifications in flight at once.
        push_timeout: Real seconds a listener may take to answer.
        body_limit: Largest request accepted, in bytes.
        cache_bytes: Most memory for rendered items.
    """

    host: str = "127.0.0.1"
    port: int = 0
    operators: int = 3
    emails: int = 20
    mail_dir: Path | None = None
    seed: int = 1
    username: str = "mailroom@example.com"
    password: str = "simulated"  # noqa: S105  # guards nothing but generated mail
    version: ServerVersion = ServerVersion.EXCHANGE_2016
    time_scale: float = 1.0
    until: int | None = None
    days: int = 90
    arrivals_per_minute: float = 0.0
    client_id: str = "00000000-0000-0000-0000-00000000c11e"
    client_secret: str = "simulated"  # noqa: S105  # the same
    tenant_id: str = "00000000-0000-0000-0000-000000007e7a"
    token_seconds: int = 3599
    aliases: dict[str, str] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    subscription_quota: int = 20
    push_delay: float = 0.02
    push_concurrency: int = 64
    push_timeout: float = 10.0
    body_limit: int = 32 * 1024 * 1024
    cache_bytes: int = 256 * 1024 * 1024
