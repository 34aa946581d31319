"""The words of the policy: what it keeps out, and for which reason."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an email was kept out, in the order the reasons are looked at: the first that holds counts.

    ``erased`` is the suppression list's (``engine.privacy``), the others the policy's.
    """

    ERASED = "erased"
    PRIVATE = "private"
    FOLDER = "folder"
    DENIED = "denied"
    NOT_ALLOWED = "not_allowed"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept out. Addresses and domains are canonical (``engine.privacy.addresses``).

    ``skip_private``: sensitivity Private or Confidential. ``skip_folders``: by name, in small letters, as the settings
    call folders. ``deny``: mail with one of these addresses or domains. ``allow``: mail that has none of one of these
    sets, the mailbox's own address apart (no set: everything is allowed). ``skip_internal``: all its addresses are of
    own domains. ``only_known``: none of its addresses, the mailbox's own apart, is that of a CRM record.
    """

    skip_private: bool = False
    skip_internal: bool = False
    deny: frozenset[str] = frozenset()
    allow: tuple[frozenset[str], ...] = ()
    skip_folders: frozenset[str] = frozenset()
    only_known: bool = False

    @property
    def asks_for_people(self) -> bool:
        """Whether it depends on who takes part in an email."""
        return bool(self.skip_internal or self.deny or self.allow or self.only_known)
