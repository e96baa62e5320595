"""The gateway process, ``python -m aircall_core gateway --index N``: losing it costs its peers, which offer anew."""

import asyncio
import gc
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn

from aircall_core import __version__
from aircall_core.config import Settings, get_settings
from aircall_core.desk import nodes
from aircall_core.logs import get_logger, setup_logging
from aircall_core.media.gateway import Gateway
from aircall_core.media.http import create_app
from aircall_core.media.ice import PortRangeLoop, ice_servers
from aircall_core.media.lease import Lease, Place
from aircall_core.media.peer import Network
from aircall_core.priority import raise_priority
from aircall_core.store import open_store

log = get_logger(__name__)


class AlreadyRunning(RuntimeError):
    """Another gateway answers on this one's socket."""


def main(index: int) -> None:
    """Run gateway ``index`` until SIGTERM or SIGINT."""
    settings = get_settings()
    setup_logging(settings, f"gateway-{index}")
    _prepare_process()
    with asyncio.Runner(loop_factory=lambda: PortRangeLoop(settings.rtc_port_range)) as runner:
        runner.run(serve(settings, index))


async def serve(settings: Settings, index: int) -> None:
    """Serve until told to stop, then end all peers and give the lease back."""
    servers = ice_servers(settings.ice_server_list, settings.public_address)
    gateway = Gateway(settings.gateway_capacity, Network(tuple(servers), settings.public_address))
    path = settings.gateway_socket(index)
    try:
        listener = listen(path)
    except AlreadyRunning as error:
        log.error("gateway_already_running", socket=path.name)
        raise SystemExit(1) from error
    place = Place(index, nodes.host_name(settings.data_dir), str(path), gateway.capacity, {"version": __version__})
    try:
        with open_store(settings.database_url) as store:
            lease = asyncio.create_task(Lease(store, place, lambda: (gateway.in_use, gateway.draining)).run())
            config = uvicorn.Config(
                create_app(gateway), lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=2
            )
            server = _Server(config)
            lease.add_done_callback(server.stop)  # it fails only for good, not when the store is away: end, loudly
            log.info("gateway_started", capacity=gateway.capacity)
            try:
                await server.serve(sockets=[listener])
            finally:
                await gateway.close_all("shutdown")
                lease.cancel()
                with suppress(asyncio.CancelledError):
                    await lease
    finally:
        listener.close()
        path.unlink(missing_ok=True)
    log.info("gateway_stopped")


def listen(path: Path) -> socket.socket:
    """A listening Unix socket at ``path``, in the place of one that a killed gateway left. Raises AlreadyRunning."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            path.unlink(missing_ok=True)
        else:
            raise AlreadyRunning(f"another gateway serves {path.name}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(64)
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """uvicorn, ending without raising the signal again: what follows its end here is an orderly one.

    Peers are not waited for: their browsers are back elsewhere in less time than a wait would be worth, and when the
    whole backend stops, its workers have ended all calls before. ``POST /drain`` is there for who wants to wait.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True

    def stop(self, lease: "asyncio.Task[None]") -> None:
        self.should_exit = True


def _prepare_process() -> None:
    """Audio is 50 packets a second a peer: short pauses for the collector, quick turns between threads, priority."""
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()  # what exists now lives as long as the process; a full collection then looks at the peers only
    if not raise_priority():
        log.info("gateway_priority_not_granted")
