"""The records of the Application Settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Document = Mapping[str, Mapping[str, Any]]
"""Plain JSON, by section and key, of every key there is."""

BY_FILE = "configuration file"
"""Who changed what, where nobody asked for it: the file was edited."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One key, such as ``email_sync.batch_size``, and its value before and after. None: there was no such key."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """The settings as they stood from ``at`` on; versions count from 1 without a gap.

    ``changes``: what made it of the version before; of the first, every key. ``by``: who did, by name.
    """

    version: int
    at: datetime
    by: str
    document: Document
    changes: tuple[SettingChange, ...] = ()


@dataclass(frozen=True, slots=True)
class NewSettings:
    """A version to be stored on top of version ``expected``, unless another has come meanwhile."""

    expected: int
    by: str
    document: Document
