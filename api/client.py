"""The gateway as commands see it: a small client that turns whatever goes wrong into one clear line."""

import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp

from engine.errors import GatewayRefused, GatewayUnreachable, SettingsError

DEFAULT_URL = "http://127.0.0.1:8080"
TRUNCATED = "X-Mailroom-Truncated"
"""Header of answers that have no place of their own to say that rows were left off."""

_SAY_IT_ALL = frozenset(
    {
        "SETTINGS_INVALID",
        "SETTINGS_CONFLICT",
        "JOB_REFUSED",
        "JOB_UNKNOWN",
        "TOKEN_REFUSED",
        "TOKEN_UNKNOWN",
        "ERASURE_REFUSED",
    }
)
"""Errors whose message says what to do; their hint is for programmers."""

_CHUNK = 256 * 1024
_PAGE = 1000
"""Items asked for at once."""

_START = "Start one with `mailroom serve` or `mailroom demo`, or set MAILROOM_URL to its address."


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The bytes of a query's answer as they come, in the format that was asked for."""

    pieces: AsyncIterator[bytes]
    truncated: bool

    async def body(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self.pieces])


class GatewayClient:
    """Talks to one gateway. Made by ``connect``."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session, self._url, self._token = session, url.rstrip("/"), token

    async def status(self) -> dict[str, Any]:
        """``GET /api/v1/status``."""
        body, _ = await self._request("GET", "/api/v1/status")
        return dict(self._json(body))

    @asynccontextmanager
    async def query(
        self, sql: str, params: Sequence[object] = (), form: str = "json", limit: int | None = None
    ) -> AsyncIterator[QueryAnswer]:
        """``POST /api/v1/query``; leaving early ends it at the store."""
        asked = {"sql": sql, "params": list(params), "format": form, **({} if limit is None else {"limit": limit})}
        async with self._answer("POST", "/api/v1/query", json=asked) as response:
            yield QueryAnswer(response.content.iter_chunked(_CHUNK), TRUNCATED in response.headers)

    async def rows(self, sql: str, params: Sequence[object] = ()) -> list[dict[str, Any]]:
        """A query's rows by column name."""
        async with self.query(sql, params) as found:
            answer = self._json(await found.body())
        return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]

    async def ask(self, method: str, name: str, body: object = None) -> dict[str, Any]:
        """One object of ``/api/v1/``, such as ``PATCH`` ``jobs/EmailSync``."""
        content, _ = await self._request(method, f"/api/v1/{name}", body)
        return dict(self._json(content))

    async def download(self, name: str) -> AsyncIterator[bytes]:
        """The bytes of a GET, as they come."""
        async with self._answer("GET", f"/api/v1/{name}") as response:
            async for piece in response.content.iter_chunked(_CHUNK):
                yield piece

    async def upload(self, name: str, data: bytes, params: Mapping[str, str]) -> bytes:
        """The answer to a POST of a file."""
        content, _ = await self._request("POST", f"/api/v1/{name}", params=params, data=data)
        return content

    async def items(self, name: str, filters: Mapping[str, str], most: int | None) -> tuple[list[dict[str, Any]], bool]:
        """The items of a list, page by page, at most ``most`` (None: all); whether there are more."""
        found: list[dict[str, Any]] = []
        params = dict(filters)
        while True:
            params["limit"] = str(_PAGE if most is None else min(_PAGE, most - len(found)))
            page = self._json((await self._request("GET", f"/api/v1/{name}", params=params))[0])
            found += page["items"]
            if page["next"] is None or len(found) == most:
                return found, page["next"] is not None
            params["cursor"] = page["next"]

    async def _request(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> tuple[bytes, Mapping[str, str]]:
        given: dict[str, Any] = {"json": body} if data is None else {"data": BytesIO(data)}
        async with self._answer(method, path, params=params, **given) as response:
            return await response.read(), response.headers

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **given: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, to be read inside; errors become lines, inside too."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answered = False
        try:
            async with self._session.request(method, self._url + path, headers=headers, **given) as response:
                if response.status >= 400:
                    raise self._refused(response.status, await response.read())
                answered = True
                yield response
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            if answered:
                raise
            raise SettingsError(f"MAILROOM_URL: {self._url!r} is not an address such as {DEFAULT_URL}.") from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise GatewayUnreachable(
                f"The gateway at {self._url} shows a certificate this machine does not trust ({error}). "
                "Set SSL_CERT_FILE to its authority's certificate, or correct MAILROOM_URL."
            ) from error
        except aiohttp.ClientPayloadError as error:
            raise GatewayUnreachable(f"The gateway at {self._url} broke off in the middle of its answer.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise GatewayUnreachable(f"No gateway answers at {self._url}. {_START}") from error

    def _refused(self, status: int, content: bytes) -> Exception:
        try:
            error = json.loads(content)["error"]
            message, hint, code = error["message"], error["hint"], error["code"]
        except (ValueError, KeyError, TypeError):
            return self._stranger(f"HTTP {status}")
        if status == 401:
            given = "MAILROOM_TOKEN is not right for it" if self._token else "MAILROOM_TOKEN is not set here"
            return GatewayRefused(f"The gateway at {self._url} refuses: {given}. {hint}", code=code)
        return GatewayRefused(message if code in _SAY_IT_ALL else f"{message} {hint}".strip(), code=code)

    def _json(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError:
            raise self._stranger("no JSON") from None

    def _stranger(self, sign: str) -> GatewayUnreachable:
        return GatewayUnreachable(f"What answers at {self._url} is not a Mailroom gateway ({sign}). {_START}")


@asynccontextmanager
async def connect(url: str, token: str, seconds: float = 600) -> AsyncIterator[GatewayClient]:
    """A client of the gateway at ``url``; ``seconds`` is how long one answer may take."""
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=10)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield GatewayClient(session, url, token)


@asynccontextmanager
async def connect_by_environment(seconds: float = 600) -> AsyncIterator[GatewayClient]:
    """A client of the gateway that MAILROOM_URL and MAILROOM_TOKEN name; ``seconds`` as for ``connect``."""
    url = os.environ.get("MAILROOM_URL", "").strip() or DEFAULT_URL
    async with connect(url, os.environ.get("MAILROOM_TOKEN", "").strip(), seconds) as client:
        yield client
