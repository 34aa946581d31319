"""What ``serve`` finds out before and while it starts, so that a wrong setting is a clear line and not a riddle.

Checks raise when starting makes no sense (the whole installation is affected, and time will not mend it) and only say
what they found when it does.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from api.words import error_lines
from engine import callback, errors
from engine.model import Operator, OperatorId
from engine.ports import MailSource

HANDFUL = 5
"""Operators tried before "everyone is affected" is believed."""
CONNECT_SECONDS = 10.0
NO_CHECK = "Or start with --no-check if it will be there later."

_INSTALLATION = (errors.AuthenticationFailed, errors.EndpointInvalid, errors.VersionInvalid, errors.EwsBlocked)
_OPERATOR = (errors.MailboxNotFound, errors.ImpersonationDenied, errors.AccountDisabled)


def check_store(path: Path) -> None:
    """Whether a database file can be there.

    Raises:
        SettingsError: it cannot.
    """
    where = f"store.path: {path}"
    if path.exists() and not path.is_file():
        raise errors.SettingsError(f"{where} is not a file. Give the path of a DuckDB file; it is made when missing.")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise errors.SettingsError(f"{where} cannot be read and written by this user. Change its permissions.")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise errors.SettingsError(f"{where} cannot be made: this user may not write in {folder}. Choose another path.")


async def check_reachable(url: str) -> None:
    """Whether anything listens where exchange.url points.

    Raises:
        SettingsError: the host is unknown, or nothing answers there.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme in getproxies() and not proxy_bypass(host):
        return  # the way leads through a proxy; only a real request can tell
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except socket.gaierror:
        raise errors.SettingsError(
            f"exchange.url: the host {host} is unknown. Check its spelling. {NO_CHECK}"
        ) from None
    except TimeoutError:
        raise errors.SettingsError(
            f"exchange.url: {host} port {port} does not answer within {CONNECT_SECONDS:g} seconds. "
            f"Check the address and the firewall. {NO_CHECK}"
        ) from None
    except OSError as error:
        raise errors.SettingsError(
            f"exchange.url: nothing can be reached at {host} port {port} ({_reason(error)}). "
            f"Check the address, and that Exchange is up. {NO_CHECK}"
        ) from error
    writer.close()


async def check_exchange(
    source: MailSource, operators: Sequence[Operator], folders: Sequence[str], say: Callable[[str], None]
) -> None:
    """Whether Exchange lets us in, tried with the first operators until one works; says what does not.

    Raises:
        SourceError: the whole installation is affected.
        SettingsError: so is every operator that was tried.
    """
    tried = operators[:HANDFUL]
    for operator in tried:
        try:
            resolved = await source.resolve_folders(operator.email, folders)
        except _INSTALLATION:
            raise
        except errors.SourceError as error:
            for line in error_lines(error):
                say(f"{operator.operator_id}: {line}")
            if not isinstance(error, _OPERATOR):
                return  # it passes, and Mailroom goes on by itself
        else:
            for name in resolved.missing:
                say(f"{operator.operator_id}: no folder {name} in this mailbox.")
            return
    if tried:
        raise errors.SettingsError(
            f"operators: none of the {len(tried)} tried can be synchronised. Correct them, or the rights of the "
            "service account; --no-check starts all the same."
        )


async def check_listener(base: str, key: bytes, say: Callable[[str], None]) -> None:
    """Whether the notification URL leads back to our own listener; says what is doubtful.

    It is asked from here, and Exchange may see it differently: only an unknown host or a refused connection is
    taken for certain.

    Raises:
        SettingsError: it leads nowhere.
    """
    url = callback.callback_url(base, callback.sign(key, OperatorId(""), "probe"))
    try:
        doubt = await _ask(url)
    except aiohttp.ClientConnectorError as error:
        raise errors.SettingsError(
            f"email_sync.notification_url: {base} leads nowhere ({_reason(error.os_error)}). "
            "Set it to an address of this gateway that Exchange can reach, or leave it out. "
            "--no-check skips this check."
        ) from error
    if doubt:
        say(
            f"email_sync.notification_url: {base} does not lead to this gateway as seen from here ({doubt}). "
            "Check the address and what stands between (proxy, firewall, certificate); without it there is no push."
        )


async def _ask(url: str) -> str:
    """What is wrong with the answer; empty when it is our listener's."""
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            ours = response.status == 200 and b'"mailroom"' in await response.content.read(1000)
            return "" if ours else f"HTTP {response.status}"
    except TimeoutError:
        return "no answer"
    except aiohttp.ClientConnectorError as error:
        if isinstance(error, aiohttp.ClientSSLError):
            return str(error)
        raise
    except aiohttp.ClientError as error:
        return str(error)


def _reason(error: OSError) -> str:
    """The system's words; asyncio's repeat the address."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
