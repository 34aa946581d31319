"""Pydantic's findings in the words of somebody who edits a TOML file: where it is, what is wrong, what to write."""

import difflib
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

_MUST_BE = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": 'text in quotes ("...")',
    "path_type": 'a path in quotes ("...")',
    "time_delta_type": 'a number and a unit in quotes, such as "90s", "15m", "1h" or "1d"',
    "time_delta_parsing": 'a number and a unit in quotes, such as "90s", "15m", "1h" or "1d"',
}
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def explain(root: type[BaseModel], problem: Any) -> str:
    """One line for one of ``ValidationError.errors()`` of ``root``."""
    location: tuple[str | int, ...] = problem["loc"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return f"{where or 'settings'}: {_say(root, location, problem)}"


def _say(root: type[BaseModel], location: tuple[str | int, ...], problem: Any) -> str:  # noqa: PLR0911  # a table of kinds, one line each
    kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(root, location)
    if kind == "missing":
        return "missing. Add it."
    if kind in ("enum", "literal_error"):
        return f"{_show(given)} is not one of {context['expected']}."
    if kind == "value_error":
        return f"{context['error']}."
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"must be {words} {context[limit]}, not {_show(given)}."
    if kind == "tuple_type":
        repeated = location == ("operators",)
        return "write [[operators]] once for each operator." if repeated else 'must be a list, such as ["...", "..."].'
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "must be a section of its own, with keys below its name in [ ]."
    if kind in _MUST_BE:
        return f"must be {_MUST_BE[kind]}, not {_show(given)}."
    return f"{problem['msg']}, not {_show(given)}."


def _unknown(root: type[BaseModel], location: tuple[str | int, ...]) -> str:
    key = str(location[-1])
    names = _keys(_model_at(root, location[:-1]))
    close = difflib.get_close_matches(key.lower(), [name.lower() for name in names], n=1, cutoff=0.6)
    if close:
        meant = next(name for name in names if name.lower() == close[0])
        return f"no such key; did you mean {meant}?"
    homes = [home for home in _homes(root, key) if home]
    if homes:
        return f"no such key here; {key} belongs to [{homes[0]}]."
    return f"no such key. Known here: {', '.join(names)}."


def _model_at(root: type[BaseModel], location: Sequence[str | int]) -> type[BaseModel]:
    """The section a location leads into; list indexes stay in the section they index."""
    model = root
    for part in location:
        found = isinstance(part, str) and _section(model, part)
        model = found or model
    return model


def _section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = model.model_fields.get(name)
    kinds = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _keys(model: type[BaseModel]) -> list[str]:
    """The keys a file may have there: secrets are not among them."""
    fields = model.model_fields.items()
    return [field.alias or name for name, field in fields if "Secret" not in str(field.annotation)]


def _homes(model: type[BaseModel], key: str, path: str = "") -> list[str]:
    """The sections that do have the key."""
    here = [path] if key in _keys(model) else []
    for name in model.model_fields:
        section = _section(model, name)
        if section is not None:
            here += _homes(section, key, f"{path}.{name}".lstrip("."))
    return here


def _show(value: object) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
