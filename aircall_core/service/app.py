"""The ASGI application of the desk process, built from the table of routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from aircall_core.config import Settings
from aircall_core.desk import company, secrets
from aircall_core.logs import get_logger
from aircall_core.service.answers import error
from aircall_core.service.desk import Desk
from aircall_core.service.endpoint import Kind, endpoint
from aircall_core.service.feed import Follower
from aircall_core.service.gate import LARGEST_BODY, Gate
from aircall_core.service.gateways import PATIENCE_S, PATIENCE_WITH_STUN_S, Gateways
from aircall_core.service.hub import CLOSE_RESTART, Hub
from aircall_core.service.presence import Presence
from aircall_core.service.realtime import realtime
from aircall_core.service.routes import REALTIME, ROUTES
from aircall_core.store import Store

log = get_logger(__name__)


def build_desk(settings: Settings, store: Store) -> Desk:
    """The parts of a desk process over a migrated store."""
    hub = Hub()
    asks_stun = bool(settings.ice_servers) and not settings.public_address
    return Desk(
        settings=settings,
        store=store,
        install_id=company.ensure_installation(store),
        box=secrets.open_box(settings.data_dir, settings.secret_key),
        hub=hub,
        presence=Presence(store, hub, settings.session_days),
        gateways=Gateways(PATIENCE_WITH_STUN_S if asks_stun else PATIENCE_S),
    )


def build_app(desk: Desk) -> Starlette:
    """The application: the routes of the table, the WebSocket, and the gate in front of them."""
    routes: list[BaseRoute] = [
        Route(one.path, endpoint(one), methods=[one.method], max_body_size=one.largest) for one in ROUTES
    ]
    routes.append(WebSocketRoute(REALTIME, realtime))
    larger = {(one.method, one.path): one.largest for one in ROUTES if one.largest > LARGEST_BODY}
    machines = [one.path for one in ROUTES if one.access.kind is Kind.SIGNATURE]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Gate, origins=desk.origins, largest=larger, machines=machines)],
        exception_handlers={HTTPException: _http_error, Exception: _our_fault},
        lifespan=_lifespan,
    )
    app.state.desk = desk
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Follow the log and write presence while the application serves."""
    desk: Desk = app.state.desk
    follower = Follower(desk.store, desk.hub, desk.metrics, asyncio.get_running_loop(), desk.give_up)
    desk.follower = follower
    follower.start()
    tasks = [asyncio.create_task(_kept(desk, run)) for run in (desk.presence.run, desk.presence.watch_sessions)]
    try:
        yield
    finally:
        desk.hub.end_all(CLOSE_RESTART, "shutdown")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(follower.stop)
        await desk.gateways.aclose()


async def _kept(desk: Desk, run: Callable[[], Awaitable[None]]) -> None:
    """Run for as long as we serve. Without presence nobody would be rung: a fresh process is better than that."""
    try:
        await run()
    except Exception as fault:
        log.error("task_failed", task=run.__qualname__, exc_info=fault)
        desk.give_up()


async def _http_error(_: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    said = {404: "There is no such address.", 405: "This address does not do that."}
    code = codes.get(wrong.status_code, "http")
    return error(wrong.status_code, code, said.get(wrong.status_code, wrong.detail), wrong.headers)


async def _our_fault(request: Request, wrong: Exception) -> Response:
    # The path may carry ids only; the query may carry a one-time token and stays out of the log.
    log.error("request_failed", path=request.url.path, method=request.method, exc_info=wrong)
    return error(500, "internal", "Something went wrong here. The log of the desk process says what.")
