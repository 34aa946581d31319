"""What landings are subject to at the moment, whoever's they are."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from engine.model import OperatorId
from engine.store import operators, settings
from engine.store.associating.associator import Associator
from engine.store.door.doorkeeper import Doorkeeper


@dataclass(frozen=True, slots=True)
class Terms:
    """``remove``: deleted emails are taken out of the file. ``doorkeeper``: whose mail, and which, is kept out."""

    remove: bool
    doorkeeper: Doorkeeper
    associator: Associator

    @property
    def in_doubt(self) -> bool:
        """Whether a transaction was rolled back that may have changed what is in memory."""
        return self.doorkeeper.in_doubt

    def follow(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> list[OperatorId]:
        """Work by what stands in the file; whose activations are behind. Inside the caller's transaction."""
        stored = settings.latest(connection)
        section = {} if stored is None else stored.document.get("email_sync", {})
        self.associator.follow(connection, operators.all_operators(connection), section)
        return self.doorkeeper.follow(connection, now, section)

    def start_over(self) -> None:
        """A transaction was rolled back: what was learned in it is not so."""
        self.associator.start_over()
        self.doorkeeper.in_doubt = True
