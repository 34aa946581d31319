"""The Gateway actor: the aiohttp application as a process."""

import asyncio

from actors.mailroom import RayMailroom
from api.app import build_app
from api.serve_http import Listening, start_http
from engine import logs
from engine.errors import AddressUnavailable, MailroomError
from engine.placement import Placement
from engine.settings import Settings

_PATIENCE = 20
_PAUSE = 0.5


class Gateway:
    """Listens from its first moment on, also when it is restarted; ``settings.gateway.port`` is never 0 here."""

    async def __init__(self, settings: Settings, placement: Placement, callback_key: bytes) -> None:  # type: ignore[misc]  # Ray awaits it
        logs.configure()
        self._error: MailroomError | None = None
        self._listening: Listening | None = None
        app = build_app(RayMailroom(placement), settings, callback_key=callback_key)
        for attempt in range(_PATIENCE):
            try:
                self._listening = await start_http(app, settings.gateway)
            except AddressUnavailable as error:
                # A predecessor that was killed may hold the port a moment longer.
                self._error = error
                await asyncio.sleep(_PAUSE)
            except MailroomError as error:
                self._error = error
                return
            else:
                self._error = None
                return
            del attempt

    async def address(self) -> str:
        """The base URL, once it answers there; raises why it cannot."""
        if self._listening is None:
            raise self._error or AddressUnavailable("the gateway has not started")
        return self._listening.url

    async def stop(self) -> None:
        """Finish the requests under way."""
        if self._listening is not None:
            await self._listening.stop()
