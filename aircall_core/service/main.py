"""The desk process, ``python -m aircall_core desk``: losing it costs browsers a second; calls and their audio go on."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from aircall_core import __version__
from aircall_core.config import Settings, get_settings
from aircall_core.logs import get_logger, setup_logging
from aircall_core.messaging.outbox import Outbox
from aircall_core.service.app import build_app, build_desk
from aircall_core.service.asker import Asker
from aircall_core.service.desk import Desk
from aircall_core.service.due import Runner
from aircall_core.service.hub import CLOSE_RESTART
from aircall_core.service.jobs import Keeper
from aircall_core.store import Store, StoreAway, open_store

log = get_logger(__name__)

_DRAIN_S = 3  # requests that are under way may end
_GOODBYE_S = 1.0
_STORE_RETRY_S = 1.0
_LARGEST_MESSAGE = 16 * 1024  # bytes of a WebSocket message from a browser


def main() -> None:
    """Run the desk process until SIGTERM or SIGINT. SystemExit(1) when its port cannot be had."""
    settings = get_settings()
    setup_logging(settings, "desk-0")
    try:
        listener = listen(settings)
    except OSError as wrong:
        log.error("desk_port_taken", host=settings.http_host, port=settings.desk_port, error=str(wrong))
        raise SystemExit(1) from None
    with listener:
        asyncio.run(serve(settings, listener))


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until told to stop: sockets are told to come back, requests under way end, the lease is given back."""
    with open_store(settings.database_url, full_sync=settings.sqlite_full_sync) as store:
        desk = await _patiently(settings, store)
        server = Server(uvicorn_config(desk), desk)
        desk.give_up = server.give_up_from_thread(asyncio.get_running_loop())
        keeper = Keeper(store, settings, desk.give_up)
        keeper.start()
        runner = Runner(store, settings, desk.give_up)
        runner.start()
        asker = desk.asker = Asker(store, desk.box)
        asker.start()
        outbox = Outbox(store, settings, desk.box, desk.give_up)
        outbox.start()
        log.info("desk_started", port=settings.desk_port, version=__version__)
        try:
            gc.collect()
            gc.freeze()
            await server.serve(sockets=[listener])
        finally:
            await asyncio.to_thread(outbox.stop)
            await asyncio.to_thread(asker.stop)
            await asyncio.to_thread(runner.stop)
            await asyncio.to_thread(keeper.stop)
    log.info("desk_stopped")
    if server.gave_up:
        raise SystemExit(1)


class Server(uvicorn.Server):
    """uvicorn, saying good-bye to the WebSockets before it closes them."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self._desk = desk
        self.gave_up = False

    def give_up_from_thread(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """What a thread calls that cannot do its work: the process ends in order, its supervisor starts another."""

        def give_up() -> None:
            self.gave_up = True
            loop.call_soon_threadsafe(self.handle_exit, signal.SIGTERM, None)

        return give_up

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT begin an orderly end with status 0 (uvicorn's own would end by the signal after all)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let browsers know that this is a restart, not a lost network: they come back at once and in step."""
        self._desk.hub.end_all(CLOSE_RESTART, "shutdown")
        with contextlib.suppress(TimeoutError):  # uvicorn closes those that do not listen
            async with asyncio.timeout(_GOODBYE_S):
                await self._desk.hub.empty.wait()
        await super().shutdown(sockets)


def uvicorn_config(desk: Desk) -> uvicorn.Config:
    """How the application is served. The access log stays off: addresses carry one-time tokens."""
    settings = desk.settings
    return uvicorn.Config(
        build_app(desk),
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=_DRAIN_S,
        timeout_keep_alive=30,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        h11_max_incomplete_event_size=32 * 1024,
        limit_concurrency=1000,
    )


def listen(settings: Settings) -> socket.socket:
    """The listening socket; a restart takes over the port while old connections linger in TIME_WAIT."""
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.http_host, settings.desk_port))
    listener.listen(1024)
    listener.setblocking(False)
    return listener


async def _patiently(settings: Settings, store: Store) -> Desk:
    """The parts of the process, as soon as the store can be reached."""
    while True:
        try:
            return await asyncio.to_thread(build_desk, settings, store)
        except StoreAway as error:
            log.warning("desk_waits_for_store", error=str(error))
            await asyncio.sleep(_STORE_RETRY_S)
