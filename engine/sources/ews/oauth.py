"""OAuth2 tokens by the client credentials grant, fetched once for all connections.

https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth

Own code instead of exchangelib's session, because that one keeps a token per connection, refuses http token endpoints
(which tests need), and its libraries write secrets and tokens to the debug log.
"""

import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests

from engine import errors
from engine.settings import ExchangeSettings
from engine.sources.ews.judge import no_answer, retry_after, shown

_EARLY = 120.0
"""Seconds before its end that a token is no longer used: requests take time, and clocks differ."""
_AUTHORITY = "https://login.microsoftonline.com"


class Tokens:
    """The current access token; one thread fetches, the others wait for it."""

    def __init__(
        self,
        settings: ExchangeSettings,
        post: Callable[[str, dict[str, str]], requests.Response],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._post = post
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._ends_at = 0.0
        self.url = settings.token_url or f"{_AUTHORITY}/{settings.tenant_id}/oauth2/v2.0/token"

    def __repr__(self) -> str:
        return f"Tokens({shown(self.url)})"

    def token(self) -> str:
        """A token that is good for a while.

        Raises:
            AuthenticationFailed: the client is not accepted.
            SourceUnavailable: the token endpoint does not answer.
            Throttled: it asks us to wait.
        """
        with self._lock:
            if not self._token or self._monotonic() >= self._ends_at:
                self._token, seconds = self._fetch()
                self._ends_at = self._monotonic() + max(seconds - _EARLY, seconds / 2)
            return self._token

    def discard(self, token: str) -> None:
        """Use this token no more: Exchange has refused it. Another thread may have renewed it already."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _scope(self) -> str:
        # Every cloud's EWS host is its own resource: outlook.office365.com, outlook.office365.us, partner.outlook.cn
        return f"https://{urlsplit(self._settings.url).hostname}/.default"

    def _fetch(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials", "client_id": self._settings.client_id, "scope": self._scope()}
        try:
            response = self._post(self.url, {**form, "client_secret": self._settings.client_secret.get_secret_value()})
        except (requests.RequestException, OSError) as error:
            raise no_answer(self.url, error) from error
        answer = _json(response)
        token = answer.get("access_token")
        if response.status_code == 200 and isinstance(token, str) and token:
            return token, _seconds(answer.get("expires_in"))
        raise _refusal(shown(self.url), response, answer)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _seconds(value: object) -> float:
    try:
        return max(0.0, float(str(value)))
    except ValueError:
        return 3600.0


def _refusal(where: str, response: requests.Response, answer: dict[str, Any]) -> errors.SourceError:
    status, code = response.status_code, str(answer.get("error") or f"HTTP {response.status_code}")
    words = (str(answer.get("error_description") or "").splitlines() or [""])[0].strip()
    if status == 429 or code == "temporarily_unavailable":
        return errors.Throttled(f"{where}: {code}", retry_after=retry_after(response.headers), code=code)
    if status >= 500:
        return errors.SourceUnavailable(f"{where} answers HTTP {status}.", code=code)
    if "error" not in answer:
        return errors.AuthenticationFailed(
            f"What answers at {where} (HTTP {status}) is no OAuth2 token endpoint. Check exchange.tenant_id and "
            "exchange.token_url.",
            code=code,
        )
    return errors.AuthenticationFailed(f"{where} gives no token: {code}{f': {words}' if words else ''}", code=code)
