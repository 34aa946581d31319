"""The wire: exchangelib's protocol with our own rules.

What is exchangelib's: sessions, adapters, Basic and NTLM. What is not:

- It neither caches protocols per process, nor guesses versions and authentication, nor retries, sleeps or backs off.
- A session (one keep-alive connection) is used by one thread at a time; one that failed is closed, and the next
  request opens a new one. exchangelib's pool opens it at once, which may fail again and then loses the place for ever.
- Cookies are not kept: sessions are shared by mailboxes, and a back end's affinity cookie is one mailbox's.
  ``X-AnchorMailbox`` routes every request, as Microsoft advises with impersonation.
- Requests are posted here and not by ``post_ratelimited``, whose debug log holds the Authorization header.
- The environment (proxies, CA bundle) is read once, when a session is made, and never for a loopback host: a proxy
  set for the outside world must not hijack a local server, and ``.netrc`` must not add a login.
"""

import ipaddress
import os
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from queue import Empty
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from exchangelib.configuration import Configuration
from exchangelib.credentials import Credentials
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.transport import BASIC, NOAUTH, NTLM
from exchangelib.version import Build, Version

from engine import errors
from engine.settings import ExchangeSettings, ExchangeVersion
from engine.sources.ews.judge import judge, no_answer, shown
from engine.sources.ews.oauth import Tokens

MAX_ANSWER = 1 << 30
"""Bytes of one answer, unpacked. EWS itself gives up far earlier; this keeps a broken server from taking the memory."""

_VERSIONS = {
    ExchangeVersion.EXCHANGE2010: Version(Build(14, 2), "Exchange2010_SP2"),
    ExchangeVersion.EXCHANGE2013: Version(Build(15, 0, 847), "Exchange2013_SP1"),
    ExchangeVersion.EXCHANGE2016: Version(Build(15, 1), "Exchange2016"),
    ExchangeVersion.EXCHANGE365: Version(Build(15, 20), "Exchange2016"),
}
_AUTHS = {"basic": BASIC, "ntlm": NTLM, "oauth2": NOAUTH}


class Answer(NamedTuple):
    """A whole HTTP answer that is to be read as SOAP."""

    body: bytes
    headers: Mapping[str, str]


class EwsProtocol(BaseProtocol):  # type: ignore[misc]
    """One EWS endpoint and its sessions."""

    USERAGENT = "Mailroom"

    def __init__(self, settings: ExchangeSettings) -> None:
        credentials = None
        if settings.auth != "oauth2":
            credentials = Credentials(settings.username, settings.password.get_secret_value())
        super().__init__(
            Configuration(
                credentials=credentials,
                service_endpoint=settings.url,
                auth_type=_AUTHS[settings.auth],
                version=_VERSIONS[settings.version],
                retry_policy=FailFast(),
            )
        )
        self._settings = settings
        self._closed = False
        self._tokens = Tokens(settings, self._post_form) if settings.auth == "oauth2" else None
        if not settings.verify_tls:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # once is enough, and it is wanted

    def __repr__(self) -> str:
        return f"EwsProtocol({shown(self._settings.url)})"

    @property
    def version(self) -> Version:
        """The configured version. What the server says of itself changes nothing."""
        return self.config.version

    def get_session(self) -> requests.Session:
        """A session nobody else uses: an idle one, or a new one. There are as many as threads."""
        try:
            session: requests.Session = self._session_pool.get_nowait()
        except Empty:
            return self.create_session()
        return session

    def release_session(self, session: requests.Session) -> None:
        """Give a session back."""
        self._session_pool.put_nowait(session)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close the idle sessions; one in use is closed when it is given back."""
        self._closed = True
        while True:
            try:
                self._session_pool.get_nowait().close()
            except Empty:
                return

    def create_session(self) -> requests.Session:
        """A session that reads nothing from the environment by itself."""
        session: requests.Session = super().create_session()
        _settle(session, self._settings.url, verify=self._settings.verify_tls)
        return session

    def post(self, body: bytes, headers: Mapping[str, str | bytes]) -> Answer:
        """Send one SOAP request.

        Raises:
            SourceError: there is no answer, or one that is not to be read as SOAP.
        """
        if self._tokens is None:
            return self._exchange(body, headers)
        token = self._tokens.token()
        try:
            return self._exchange(body, {**headers, "Authorization": f"Bearer {token}"})
        except errors.AuthenticationFailed:
            # A token may be revoked before its time; if a fresh one is refused too, it is no matter of time
            self._tokens.discard(token)
            return self._exchange(body, {**headers, "Authorization": f"Bearer {self._tokens.token()}"})

    def _exchange(self, body: bytes, headers: Mapping[str, str | bytes]) -> Answer:
        url, limit = self._settings.url, self._settings.timeout
        session = self.get_session()
        try:
            response = session.post(
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=(min(limit, 10.0), limit),
                stream=True,
            )
            content = _whole(response, time.monotonic() + limit, shown(url))
        except errors.SourceError:
            session.close()
            raise
        except Exception as error:
            session.close()
            raise no_answer(url, error) from error
        self.release_session(session)
        judge(url, response.status_code, response.headers, content)
        return Answer(content, response.headers)

    def _post_form(self, url: str, form: dict[str, str]) -> requests.Response:
        with requests.Session() as session:
            _settle(session, url, verify=self._settings.verify_tls)
            return session.post(url, data=form, allow_redirects=False, timeout=min(self._settings.timeout, 30.0))


def _whole(response: requests.Response, deadline: float, where: str) -> bytes:
    # Not response.content: its time limit is for each piece, so a server that trickles would hold the thread for ever
    parts: list[bytes] = []
    size, raw = 0, response.raw
    while part := raw.read1(1 << 20, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            response.close()
            raise errors.ResponseUnreadable(f"{where}: the answer is longer than {MAX_ANSWER >> 20} MB.")
        if time.monotonic() > deadline:
            response.close()
            raise errors.SourceUnavailable(f"{where} did not answer whole in time (exchange.timeout).")
    raw.release_conn()
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _settle(session: requests.Session, url: str, *, verify: bool) -> None:
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = verify and (os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True)
    proxies: dict[str, Any] = {} if is_loopback(url) else requests.utils.get_environ_proxies(url)
    session.proxies = proxies


def is_loopback(url: str) -> bool:
    """Whether the address is this machine."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
