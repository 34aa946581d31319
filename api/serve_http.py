"""Put an application on a port: plain or TLS, by the settings, with messages that say what to do when it cannot."""

import errno
import socket
import ssl
from dataclasses import dataclass

from aiohttp import web

from api.malformed import Runner
from engine.errors import AddressUnavailable, SettingsError
from engine.settings import GatewaySettings


@dataclass(frozen=True, slots=True)
class Listening:
    """A running server: where it answers (``port`` is the real one if 0 was asked for), and how to stop it."""

    runner: web.AppRunner
    host: str
    port: int
    url: str

    async def stop(self) -> None:
        """Finish the requests under way and let go of the port."""
        await self.runner.cleanup()


async def start_http(app: web.Application, gateway: GatewaySettings) -> Listening:
    """Serve ``app`` at the configured address.

    Raises:
        AddressUnavailable: the port is taken, not allowed, or the host is not this machine's.
        SettingsError: the TLS files cannot be used.
    """
    tls = tls_context(gateway)
    runner = Runner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, gateway.host, gateway.port, ssl_context=tls, backlog=1024).start()
    except OSError as error:
        await runner.cleanup()
        raise _unavailable(gateway, error) from error
    port = int(runner.addresses[0][1])
    return Listening(runner, gateway.host, port, local_url(gateway, port))


def check_address(gateway: GatewaySettings) -> None:
    """Find out whether the configured address can be listened at, before anything heavy is started.

    Raises:
        AddressUnavailable: as ``start_http``.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(gateway.host, gateway.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise _unavailable(gateway, error) from error


def local_url(gateway: GatewaySettings, port: int) -> str:
    """The address as programs on this machine reach it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(gateway.host, gateway.host)  # noqa: S104  # read, not bound
    scheme = "https" if gateway.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def tls_context(gateway: GatewaySettings) -> ssl.SSLContext | None:
    """The server's side of TLS; None where none is configured.

    Raises:
        SettingsError: the files cannot be read, or do not belong together.
    """
    if gateway.tls_cert is None or gateway.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # An empty password instead of none: OpenSSL would ask on the terminal for that of an encrypted key.
        context.load_cert_chain(gateway.tls_cert, gateway.tls_key, password="")
    except ssl.SSLError as error:
        raise SettingsError(
            f"gateway.tls_cert, gateway.tls_key: {gateway.tls_cert} and {gateway.tls_key} are not a PEM certificate "
            f"and its unencrypted key ({error.reason or 'not readable'}). Give the files that belong together."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"gateway.tls_cert, gateway.tls_key: cannot read {gateway.tls_cert} or {gateway.tls_key}: "
            f"{error.strerror}. Check the paths and permissions."
        ) from error
    return context


def _unavailable(gateway: GatewaySettings, error: OSError) -> AddressUnavailable:
    where = f"port {gateway.port} on {gateway.host}"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        text = f"gateway.host: {gateway.host!r} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all."
    elif error.errno == errno.EADDRINUSE:
        text = f"{where} is in use by another program. Stop it, or choose another port (gateway.port, or --port)."
    elif error.errno in (errno.EACCES, errno.EPERM):
        text = f"{where} may not be used by this user. Choose a gateway.port above 1023."
    else:
        text = f"cannot listen at {where}: {error.strerror or error}. Check gateway.host and gateway.port."
    return AddressUnavailable(text)
