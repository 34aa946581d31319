"""How a host is started, by whoever finds that one is missing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actors.options import create
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Hosting:
    """What every host of this Mailroom is given; see ``actors.host.MailboxHost``."""

    settings: Settings
    gateway_url: str
    callback_key: bytes
    since: datetime

    def start(self, name: str) -> Any:
        """Start a host and return its handle; the host lives as long as the process that holds the handle.

        Raises:
            ValueError: there is an actor of this name.
        """
        from actors.host import MailboxHost  # brings exchangelib along, which those who start none do without

        given = (self.settings, self.gateway_url, self.callback_key, self.since)
        return create(MailboxHost, name, *given, spread=True)
