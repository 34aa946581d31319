"""What an endpoint is: its address, its handler, who may ask, and what its document says.

Each resource lists its own as ROUTES; ``api.app`` puts them together, and ``api.openapi`` makes /openapi.json of them.
What follows from the rest is not said again: the statuses of access, bodies, parameters and of a store that is away
(``api.openapi.statuses``), and the parameters of the path.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp.typedefs import Handler

from engine.access.roles import Permission

JSON = "application/json"


class Access(StrEnum):
    """Who may ask, where it takes no permission of a role. ``anyone``: whoever shows a valid token, of any role."""

    PUBLIC = "public"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the path, where the path has one of this name, else of the query.

    ``kind`` is a type that pydantic describes: ``str``, ``Annotated[int, Field(ge=1)]``, a ``Literal``, a StrEnum.
    """

    name: str
    meaning: str
    kind: Any = str
    required: bool = False
    example: object = None


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request. ``model`` is the one that validates JSON; the other ``media`` types are bytes.

    ``example``: of the JSON, or, where there is no model, of the bytes.
    """

    model: Any = None
    meaning: str = ""
    media: tuple[str, ...] = (JSON,)
    example: object = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request is answered when it works. ``model`` describes the JSON; the other ``media`` types are bytes.

    ``headers``: their meaning, by name.
    """

    meaning: str
    model: Any = None
    media: tuple[str, ...] = (JSON,)
    headers: Mapping[str, str] = field(default_factory=dict)
    example: object = None


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. A GET answers HEAD too. ``access``: the permission it takes.

    Its document: ``summary`` in a line (the handler's docstring says the rest), ``body``, ``parameters``, ``answers``
    by status, and ``refuses``, the statuses of errors that are its own, each with what it means here.
    """

    method: str
    path: str
    handler: Handler
    access: Permission | Access
    summary: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    answers: Mapping[int, Answer] = field(default_factory=dict)
    refuses: Mapping[int, str] = field(default_factory=dict)


def pattern(path: str) -> str:
    """A path as aiohttp is told it: a parameter is anything up to the next slash, braces too."""
    return re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", path)
