"""What an endpoint is: its address, its handler, and who may ask.

Each resource lists its own as ROUTES; ``api.app`` puts them together.
"""

from dataclasses import dataclass
from enum import StrEnum

from aiohttp.typedefs import Handler

from engine.access.roles import Permission


class Access(StrEnum):
    """Who may ask, where it takes no permission of a role. ``anyone``: whoever shows a valid token, of any role."""

    PUBLIC = "public"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. A GET answers HEAD too. ``access``: the permission it takes."""

    method: str
    path: str
    handler: Handler
    access: Permission | Access
