"""The TOML file and the secrets of the environment, read and checked."""

import copy
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.errors import SettingsError
from engine.setting_problems import explain
from engine.settings.root import Settings

SECRETS = {
    "MAILROOM_EXCHANGE_PASSWORD": ("exchange", "password"),
    "MAILROOM_CLIENT_SECRET": ("exchange", "client_secret"),
    "MAILROOM_SMTP_PASSWORD": ("smtp", "password"),
    "MAILROOM_ADMIN_TOKEN": ("admin_token",),
    "MAILROOM_KEY": ("key",),
}
"""Where each secret of the environment belongs."""


def load_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration file.

    Raises:
        SettingsError: one line a problem: where it is, what is wrong, what to write.
    """
    environ = os.environ if environ is None else environ
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read: {error.strerror}. Give --config the path of a TOML file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}. Correct that line.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text. Save it as UTF-8.") from error
    for keys in SECRETS.values():
        section: Any = raw
        for key in keys[:-1]:
            section = section.get(key, {}) if isinstance(section, dict) else {}
        if isinstance(section, dict) and keys[-1] in section:
            variable = next(name for name, value in SECRETS.items() if value == keys)
            raise SettingsError(f"{path}: {'.'.join(keys)}: secrets do not belong in a file; set {variable} instead.")
    return build_settings(raw, environ, str(path))


def build_settings(raw: dict[str, Any], environ: Mapping[str, str], origin: str = "settings") -> Settings:
    """Check settings given as plain data, with the secrets of ``environ``; ``origin`` opens each message.

    Raises:
        SettingsError: as ``load_settings``.
    """
    raw = copy.deepcopy(raw)
    for variable, keys in SECRETS.items():
        if environ.get(variable):
            section: Any = raw
            for key in keys[:-1]:
                section = section.setdefault(key, {})
            if isinstance(section, dict):
                section[keys[-1]] = environ[variable]
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(
            "\n".join(f"{origin}: {explain(Settings, problem)}" for problem in error.errors())
        ) from None
