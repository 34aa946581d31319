"""Start and stop a whole Mailroom on a Ray cluster: the composition root."""

import socket
from dataclasses import dataclass, field
from typing import Any

import ray
import structlog

from actors.calls import await_all, call_now
from actors.coordinator import Coordinator
from actors.gateway import Gateway
from actors.hosting import Hosting
from actors.log_relay import LogRelay
from actors.options import COORDINATOR, GATEWAY, NAMESPACE, STORE, create
from actors.store import StoreActor
from actors.wire import unpack_operators
from engine.application_settings.document import differences, document_of, with_document
from engine.application_settings.model import SettingsVersion
from engine.callback import signing_key
from engine.clock import SystemClock
from engine.errors import ClusterError, MailroomError, SettingsError
from engine.model import OperatorId
from engine.operators import Seeding
from engine.placement import Placement, place
from engine.privacy.suppression import suppression_key
from engine.settings import Settings
from engine.status import Status
from engine.store.options import StoreOptions

_log = structlog.get_logger(__name__)
_START_WITHIN = 60.0
_OBJECT_STORE_BYTES = 512 << 20
_HEAD_WITHIN = 5.0


@dataclass
class Cluster:
    """A running Mailroom. ``url``: where its gateway answers on this machine."""

    url: str
    _handles: dict[str, Any] = field(default_factory=dict)
    _relay: LogRelay = field(default_factory=LogRelay)

    def status(self) -> Status:
        """The figures of ``GET /api/v1/status``, without the gateway."""
        status: Status = call_now(self._handles[STORE], "status")
        return status

    def stop(self) -> None:
        """Stop in an order that leaves nothing half done, then let the cluster go. Never raises."""
        quiet = [name for name in self._handles if name not in (STORE, COORDINATOR)]
        for name, method in [(COORDINATOR, "stop"), *((name, "stop") for name in quiet), (STORE, "close")]:
            if name not in self._handles:
                continue
            try:
                call_now(self._handles[name], method, timeout=20.0)
            except MailroomError:
                continue
        for handle in self._handles.values():
            ray.kill(handle)
        ray.shutdown()
        self._relay.stop()


def start(settings: Settings, *, quiet: bool = False) -> Cluster:
    """Start every process; returns when the gateway answers. ``quiet`` keeps the actors' logs off this terminal.

    Raises:
        ClusterError: Ray cannot be started or reached.
        StoreLocked, SettingsError: the database file cannot be used.
        AddressUnavailable: the gateway cannot listen where it should.
    """
    settings = _with_port(settings)
    cluster = Cluster("")
    try:
        if not quiet:
            cluster._relay.start()  # noqa: SLF001  # the cluster is being made here
        _join(settings.cluster.address, quiet=quiet)
        _start_actors(cluster, settings)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _start_actors(cluster: Cluster, settings: Settings) -> None:
    handles = cluster._handles  # noqa: SLF001  # the cluster is being made here
    key = signing_key(settings.key.get_secret_value(), settings.admin_token.get_secret_value())
    options = StoreOptions(deletions=settings.email_sync.deletions, suppression_key=suppression_key(key))
    handles[STORE] = create(StoreActor, STORE, str(settings.store.path.absolute()), options)
    call_now(handles[STORE], "opened")
    call_now(handles[STORE], "seed_jobs", settings.jobs.records())
    settings = _settle(handles[STORE], settings)
    _tell(call_now(handles[STORE], "seed_operators", [operator.record() for operator in settings.operators]))
    operators = unpack_operators(call_now(handles[STORE], "operators"))
    operator_ids = [one.operator_id for one in operators if one.email_sync]
    placement = _place(settings, operator_ids)
    # The listener is up before anything subscribes: Exchange calls at once, and drops who does not answer.
    handles[GATEWAY] = create(Gateway, GATEWAY, settings, placement, key)
    cluster.url = call_now(handles[GATEWAY], "address")
    hosting = Hosting(settings, cluster.url, key, SystemClock().now())
    handles.update({name: hosting.start(name) for name in placement.hosts})
    hosts = [handles[name] for name in placement.hosts]
    # An actor that fails while it is made is not made again: better told now than by a Mailroom that does nothing.
    await_all(hosts, "ping", _START_WITHIN + len(hosts))
    handles[COORDINATOR] = create(Coordinator, COORDINATOR, hosting, placement)
    call_now(handles[COORDINATOR], "ping")


def _settle(store: Any, settings: Settings) -> Settings:
    """The settings that rule: the store's copy, with what has been edited in the configuration file."""
    says = document_of(settings)
    stored: SettingsVersion = call_now(store, "seed_settings", says)
    if stored.version > 1:
        others = {one.key: f"{one.new!r}, not {one.old!r}" for one in differences(says, stored.document)}
        if others:
            _log.info("set elsewhere, whatever the configuration file says", version=stored.version, **others)
    try:
        return with_document(settings, stored.document)
    except SettingsError as error:
        raise SettingsError(
            f"The Application Settings of the store (version {stored.version}, by {stored.by}) will not do: {error} "
            "What you edit in the configuration file takes their place."
        ) from None


def _tell(seeding: Seeding) -> None:
    for operator_id, reason in seeding.refused.items():
        _log.warning("operator of the configuration left out", operator=operator_id, reason=reason)
    for operator_id in seeding.gone:
        _log.info("operator no longer in the configuration stays as it is", operator=operator_id)


def _place(settings: Settings, operator_ids: list[OperatorId]) -> Placement:
    nodes = sum(1 for node in ray.nodes() if node["Alive"])
    return place(operator_ids, nodes, settings.cluster.hosts_per_node, settings.cluster.mailboxes_per_host)


def _join(address: str, *, quiet: bool) -> None:
    _find_head(address)
    local = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        ray.init(
            address=address or "local",
            namespace=NAMESPACE,
            log_to_driver=not quiet,
            logging_level="ERROR",
            **({} if address else local),
        )
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise ClusterError(_unusable(address, error)) from error


def _find_head(address: str) -> None:
    """Raise ClusterError if nothing listens there: Ray itself would try for minutes, and then end the process."""
    host, separator, port = address.rpartition("://")[2].rpartition(":")
    if not separator or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_HEAD_WITHIN).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(_unusable(address, error)) from error


def _unusable(address: str, error: Exception) -> str:
    where = f"The Ray cluster at {address}" if address else "A local Ray"
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"{where} cannot be used: {reason.rstrip('.')}. Check cluster.address."


def _with_port(settings: Settings) -> Settings:
    """A gateway that is restarted must come back at the same port, so a free one is chosen here."""
    if settings.gateway.port:
        return settings
    with socket.socket() as probe:
        probe.bind((settings.gateway.host, 0))
        port = probe.getsockname()[1]
    return settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"port": port})})
