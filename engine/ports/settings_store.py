"""Where the Application Settings are kept."""

from typing import Protocol

from engine.application_settings.model import Document, NewSettings, SettingsVersion


class SettingsStore(Protocol):
    """What the Application Settings need of the store: versions, the last of which rules."""

    async def seed_settings(self, says: Document) -> SettingsVersion:
        """Take in what the configuration file says; the settings that rule then.

        All of it makes the first version. Later, a value that differs from what the file said at the last seeding has
        been edited there and makes a version of its own (by ``BY_FILE``); any other leaves what was set meanwhile.
        """
        ...

    async def settings(self) -> SettingsVersion:
        """The settings that rule.

        Raises:
            SettingsError: nothing has been seeded yet.
        """
        ...

    async def put_settings(self, new: NewSettings) -> SettingsVersion:
        """Store another version, unless nothing differs, and what follows from it, in one transaction.

        ``effects_of`` says what follows: subscriptions made before are wanted anew (see ``Store.due``), and every
        enabled mailbox is due. ``deletions`` holds for landings from then on.

        Raises:
            SettingsConflict: ``expected`` is not the version that rules.
        """
        ...
