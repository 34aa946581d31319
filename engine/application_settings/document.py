"""Documents: made of settings, made into settings, changed and compared. Pure."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from pydantic import SecretStr, ValidationError

from engine.application_settings.keys import SECTIONS, check_key
from engine.application_settings.model import Document, SettingChange
from engine.errors import SettingsError
from engine.setting_problems import explain
from engine.settings import Settings

_ABSENT = object()


def document_of(settings: Settings) -> Document:
    """The Application Settings among all settings, as JSON has them and without secrets."""
    return {
        section: getattr(settings, section).model_dump(mode="json", exclude=_secrets(model))
        for section, model in SECTIONS.items()
    }


def with_document(settings: Settings, document: Document) -> Settings:
    """These settings, the Application Settings among them as the document says. Secrets stay the settings' own.

    Raises:
        SettingsError: a line for each value that will not do, beginning with its key.
    """
    given: dict[str, Any] = {name: getattr(settings, name) for name in Settings.model_fields}
    for section, model in SECTIONS.items():
        present = getattr(settings, section)
        given[section] = {**document[section], **{name: getattr(present, name) for name in _secrets(model)}}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(explain(Settings, problem) for problem in error.errors())) from None


def change(document: Document, changes: Mapping[str, Any]) -> Document:
    """The document with other values, by dotted key. The values are checked by ``with_document``.

    Raises:
        SettingsError: there is no such key, or it is a secret's; the message names the keys there are.
    """
    for key in changes:
        check_key(key)
    return nested(flat(document) | dict(changes))


def seeded(stored: Document, said: Document, says: Document) -> Document:
    """The stored document, with what has been edited in the configuration file since it ``said`` something else.

    Keys that are new come from the file, and keys that are no more go.
    """
    kept, before, now = flat(stored), flat(said), flat(says)
    return nested(
        {key: value if before.get(key, _ABSENT) != value else kept.get(key, value) for key, value in now.items()}
    )


def differences(old: Document, new: Document) -> tuple[SettingChange, ...]:
    """Which keys have other values, in the order of the keys."""
    before, after = flat(old), flat(new)
    keys = dict.fromkeys(chain(after, before))
    return tuple(
        SettingChange(key, before.get(key), after.get(key))
        for key in keys
        if before.get(key, _ABSENT) != after.get(key, _ABSENT)
    )


def replay(changes: Iterable[SettingChange]) -> Document:
    """The document that a history of changes, the oldest first, has come to; None takes a key away."""
    values: dict[str, Any] = {}
    for one in changes:
        values[one.key] = one.new
    return nested({key: value for key, value in values.items() if value is not None})


def flat(document: Document) -> dict[str, Any]:
    """Values by dotted key."""
    return {f"{section}.{key}": value for section, values in document.items() for key, value in values.items()}


def nested(values: Mapping[str, Any]) -> Document:
    """Values by section and key."""
    document: dict[str, dict[str, Any]] = {}
    for dotted, value in values.items():
        section, _, key = dotted.partition(".")
        document.setdefault(section, {})[key] = value
    return document


def _secrets(model: Any) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.annotation is SecretStr}
