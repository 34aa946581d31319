"""Who may speak: Basic credentials, and bearer tokens from the token endpoint.

https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable

from aiohttp import web

from engine.simulator.options import SimulatorOptions
from engine.simulator.organisation import Account, Organisation

_EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"


class Authenticator:
    """Tells accounts by their credentials and issues access tokens.

    Tokens are signed, not stored; they are worth nothing outside the simulator that issued them.
    """

    def __init__(self, options: SimulatorOptions, organisation: Organisation, clock: Callable[[], float]) -> None:
        self._options = options
        self._organisation = organisation
        self._clock = clock
        self._key = hashlib.sha256(f"{options.seed}:{options.client_secret}".encode()).digest()

    def account(self, authorization: str | None) -> Account | None:
        """The account an Authorization header stands for, or None."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
            except (binascii.Error, ValueError):
                return None
            return self._organisation.account(user, password)
        if scheme.lower() == "bearer" and self._valid(rest.strip()):
            return Account("application", self._options.client_id)
        return None

    def challenge(self, host: str, *, bearer: bool) -> web.Response:
        """The 401 of a server with Basic and OAuth."""
        response = web.Response(status=401, headers={"request-id": "0"})
        tenant = self._options.tenant_id
        trusted = (
            f'Bearer client_id="{_EXCHANGE}", trusted_issuers="{_EXCHANGE}@{tenant}", '
            'token_types="app_asserted_user_v1"'
        )
        response.headers["WWW-Authenticate"] = f'Basic realm="{host}"'
        if bearer:
            response.headers["WWW-Authenticate"] = trusted + ', error="invalid_token"'
            response.headers["x-ms-diagnostics"] = (
                '2000003;reason="The token is invalid.";error_category="invalid_token"'
            )
        return response

    async def token(self, request: web.Request) -> web.Response:
        """The client credentials grant of the token endpoint."""
        form = await request.post()
        client, secret = str(form.get("client_id", "")), str(form.get("client_secret", ""))
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic" and not secret:
            client, _, secret = base64.b64decode(rest + "==").decode(errors="replace").partition(":")
        if str(form.get("grant_type", "")) != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
        if client != self._options.client_id:
            return _refusal(400, "unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if not hmac.compare_digest(secret.encode(), self._options.client_secret.encode()):
            return _refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        seconds = self._options.token_seconds
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": self.issue(self._clock() + seconds),
            }
        )

    def issue(self, expires: float) -> str:
        """An access token valid until then."""
        head = _part(json.dumps({"typ": "JWT", "alg": "HS256"}).encode())
        claims = {"aud": "https://outlook.office365.com", "appid": self._options.client_id, "exp": expires}
        body = _part(json.dumps({**claims, "roles": ["full_access_as_app"]}).encode())
        return f"{head}.{body}.{self._signature(f'{head}.{body}')}"

    def _valid(self, token: str) -> bool:
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return False
        claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        return bool(claims["exp"] > self._clock())

    def _signature(self, text: str) -> str:
        return _part(hmac.digest(self._key, text.encode(), "sha256"))


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _refusal(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description, "error_codes": []}, status=status)
