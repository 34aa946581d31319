"""What landings are subject to at the moment, whoever's they are."""

from dataclasses import dataclass, field

from engine.privacy.suppression import Suppression
from engine.store.associating.associator import Associator


@dataclass(frozen=True, slots=True)
class Terms:
    """``remove``: deleted emails are taken out of the file. ``suppression``: whose mail is kept out."""

    remove: bool = False
    suppression: Suppression = field(default_factory=Suppression)
    associator: Associator = field(default_factory=Associator)
