"""What landings are subject to at the moment, whoever's they are."""

from dataclasses import dataclass

from engine.store.associating.associator import Associator
from engine.store.door.doorkeeper import Doorkeeper


@dataclass(frozen=True, slots=True)
class Terms:
    """``remove``: deleted emails are taken out of the file. ``doorkeeper``: whose mail, and which, is kept out."""

    remove: bool
    doorkeeper: Doorkeeper
    associator: Associator
