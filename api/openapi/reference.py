"""/docs: the document as one page that asks nobody else for anything.

Everything is in the page and allowed by its hash; no other script or style can run there. It reads without JavaScript,
which adds the filter and the forms to try an endpoint.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

_HERE = Path(__file__).parent
_STYLE = (_HERE / "reference.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "reference.js").read_text(encoding="utf-8")


def _source(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_source(_STYLE)}; script-src {_source(_SCRIPT)}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy the page is sent with."""


def render(document: Mapping[str, Any]) -> str:
    """The page of a document."""
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]].append({"method": method.upper(), "path": path, **operation})
    return _template().render(
        info=document["info"],
        groups=groups,
        shapes=document["components"]["schemas"],
        style=Markup(_STYLE),  # noqa: S704  # our own files
        script=Markup(_SCRIPT),  # noqa: S704  # the same
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.undefined = jinja2.StrictUndefined
    environment.filters |= {"words": words, "code": with_code}
    return environment.get_template("reference.html.j2")


def with_code(text: str) -> Markup:
    """Prose with `code` in it."""
    parts = str(escape(text)).split("`")
    marked = (f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    return Markup("".join(marked).replace("\n\n", "</p><p>"))  # noqa: S704  # escaped above


def words(schema: Mapping[str, Any]) -> Markup:
    """A schema in a line: ``list of Job``, ``text or null``, ``1 to 1000``; models are links to where they stand."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Markup('<a href="#shape-{0}">{0}</a>').format(name)
    if members := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" or ").join(words(member) for member in members)
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Markup(", ").join(Markup("<code>{}</code>").format(value) for value in values)
    if schema.get("type") == "array":
        return Markup("list of {}").format(words(schema.get("items", {})))
    named = {"string": "text", "integer": "whole number", "boolean": "true or false", None: "anything"}
    kind = str(schema.get("type")) if "type" in schema else None
    return Markup("{}{}").format(_FORMATS.get(schema.get("format", ""), named.get(kind, kind)), _bounds(schema))


_FORMATS = {"date-time": "time", "email": "address"}


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None:
        return f", {0 if least is None else least} to {most}"
    longest = schema.get("maxLength")
    return f", up to {longest} characters" if longest is not None else ""
