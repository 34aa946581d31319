"""The keys of the Application Settings: which there are, which are secret, and what text on a command line means."""

import difflib
from datetime import timedelta
from typing import Any, get_origin

from pydantic import BaseModel, SecretStr

from engine.errors import SettingsError
from engine.settings import SECRETS, EmailSyncSettings, ExchangeSettings, Settings

SECTIONS: dict[str, type[BaseModel]] = {"exchange": ExchangeSettings, "email_sync": EmailSyncSettings}

_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_VARIABLES = {".".join(keys): variable for variable, keys in SECRETS.items()}


def known_keys() -> list[str]:
    """Every key, dotted, in the order it is shown."""
    return [
        f"{section}.{name}"
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
        if field.annotation is not SecretStr
    ]


def check_key(key: str) -> None:
    """Let a key pass that can be set.

    Raises:
        SettingsError: it is a secret's, or there is none of this name; the message names near ones.
    """
    if key in known_keys():
        return
    if key in _VARIABLES:
        raise SettingsError(
            f"{key}: secrets are not kept with the settings. Set the environment variable {_VARIABLES[key]} "
            "where Mailroom runs, and restart it."
        )
    shown = key[:80]
    section = key.partition(".")[0]
    if section in Settings.model_fields and section not in SECTIONS:
        raise SettingsError(f"{shown}: not one of the Application Settings. Set it in the configuration file.")
    raise SettingsError(f"{shown}: no such key. {_near(key)}")


def parse(key: str, text: str) -> Any:
    """A value given as text: a list by commas, ``true`` or ``false``, a number, or as it stands.

    Raises:
        SettingsError: no such key, or text of another kind. Bounds are checked with the rest of the settings.
    """
    check_key(key)
    section, _, name = key.partition(".")
    kind = SECTIONS[section].model_fields[name].annotation
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind is bool:
        return _boolean(key, text)
    if kind in (int, float):
        return _number(key, text, kind)
    return text.strip() if kind is timedelta else text


def _boolean(key: str, text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE + _FALSE:
        raise SettingsError(f"{key}: must be true or false, not {text!r}.")
    return word in _TRUE


def _number(key: str, text: str, kind: Any) -> float:
    try:
        number: float = kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{key}: must be {what}, not {text!r}.") from None
    return number


def _near(key: str) -> str:
    """The keys that may have been meant; all of them, if none is near."""
    names = {one.rpartition(".")[2]: one for one in known_keys()}
    last = key.rpartition(".")[2].lower()
    close = difflib.get_close_matches(last, names, n=2, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(names[name] for name in close)}?"
    return f"The keys are {', '.join(names.values())}."
