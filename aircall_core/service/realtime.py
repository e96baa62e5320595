"""The WebSocket of a browser tab: what it missed, then every event as it happens; beats of the tab the other way."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable
from typing import Any, Final

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from aircall_core import ids
from aircall_core.desk.availability import Beat
from aircall_core.desk.sessions import Identity
from aircall_core.logs import get_logger
from aircall_core.service import feed
from aircall_core.service.answers import Refused, refusal
from aircall_core.service.desk import Desk
from aircall_core.service.endpoint import EVERYBODY, authorise
from aircall_core.service.frames import aloud_frame, caught_up_frame, snapshot_frame
from aircall_core.service.hub import CLOSE_TOO_SLOW, Connection, may_see
from aircall_core.store import StoreAway
from aircall_core.store.queries import conversation

log = get_logger(__name__)

LONGEST_MESSAGE: Final = 4096  # characters of a message from a browser
MESSAGES_A_MINUTE: Final = 600
MOST_TABS: Final = 50  # of one user
_FAREWELL_S: Final = 2.0
_PONG: Final = '{"t":"pong"}'
_SOUND: Final = ("ok", "blocked", "unknown")


async def realtime(ws: WebSocket) -> None:
    """Serve one tab until it leaves, its session ends, it falls behind, or this process stops."""
    desk: Desk = ws.app.state.desk
    try:
        identity, connection, after = await _admit(desk, ws)
    except Refused as refused:
        await ws.send_denial_response(refusal(refused))
        return
    hub = desk.hub
    hub.join(connection)
    desk.metrics.sockets.inc()
    try:
        await ws.accept()
        try:
            start = await run_in_threadpool(feed.begin, desk.store, identity, after)
        except StoreAway:
            connection.end(CLOSE_TOO_SLOW, "store_away")
        else:
            await _greet(ws, hub.aloud(identity.user_id), identity.user_id, start)
            connection.open(start.sight, start.seq)
        await _converse(desk, ws, connection)
        await _farewell(ws, connection)
    except WebSocketDisconnect:
        pass  # the tab was closed while it was being greeted
    finally:
        hub.leave(connection)
        desk.metrics.sockets.dec()
        if connection.beat and not any(one.tab == connection.tab for one in hub.of_user(identity.user_id)):
            desk.presence.closed(connection.tab)


async def _admit(desk: Desk, ws: WebSocket) -> tuple[Identity, Connection, int]:
    """Who connects with which tab, and what they have seen. Refused otherwise."""
    if not desk.ready():
        raise Refused(503, "starting", "The desk process is starting.")
    try:
        identity = await run_in_threadpool(authorise, desk, EVERYBODY, ws)
    except StoreAway:
        raise Refused(503, "store_away", "The database is away for a moment.") from None
    assert identity is not None
    query = ws.query_params
    tab, browser, after = query.get("tab", ""), query.get("browser", ""), query.get("after", "0")
    if not (ids.is_client_id(tab) and ids.is_client_id(browser) and after.isascii() and after.isdigit()):
        raise Refused(400, "bad_request", "tab, browser or after is missing or malformed.")
    if any(one.tab == tab and one.user_id != identity.user_id for one in desk.hub.connections):
        raise Refused(409, "tab_taken", "This tab's name is in use.")
    if len(desk.hub.of_user(identity.user_id)) >= MOST_TABS:
        raise Refused(429, "too_many_tabs", "Too many tabs are open.")
    now = ids.now_ms()
    connection = Connection(
        identity.user_id, identity.session_id, tab, browser, identity.name, focused_at=now, connected_at=now
    )  # fmt: skip
    return identity, connection, int(after[:18])


async def _greet(ws: WebSocket, aloud: str | None, user_id: str, start: feed.Start) -> None:
    """What the tab missed, or everything, and where that leaves it."""
    if start.missed is None:
        await ws.send_text(snapshot_frame(start.seq, start.now, start.view, start.cards))
    else:
        for frame in start.missed:
            if may_see(user_id, start.sight, frame):
                await ws.send_text(frame.text)
    await ws.send_text(caught_up_frame(start.seq))
    await ws.send_text(aloud_frame(aloud))


async def _converse(desk: Desk, ws: WebSocket, connection: Connection) -> None:
    """Send and receive until either side ends it."""
    async with anyio.create_task_group() as group:

        async def part(run: Awaitable[object]) -> None:
            with contextlib.suppress(WebSocketDisconnect):  # the tab was closed, which ends the conversation too
                await run
            group.cancel_scope.cancel()

        group.start_soon(part, _send(ws, connection))
        group.start_soon(part, _receive(desk, ws, connection))
        group.start_soon(part, connection.over.wait())


async def _send(ws: WebSocket, connection: Connection) -> None:
    while True:
        await ws.send_text(await connection.queue.get())


async def _receive(desk: Desk, ws: WebSocket, connection: Connection) -> None:
    window, count = asyncio.get_running_loop().time(), 0
    while True:
        text = await ws.receive_text()
        now = asyncio.get_running_loop().time()
        if now - window > 60:
            window, count = now, 0
        count += 1
        if len(text) > LONGEST_MESSAGE or count > MESSAGES_A_MINUTE:
            connection.end(CLOSE_TOO_SLOW, "flood")
            return
        try:
            message = json.loads(text)
        except ValueError:
            continue
        if not isinstance(message, dict):
            continue
        if message.get("t") == "beat":
            note_beat(desk, connection, message)
        elif message.get("t") == "viewing":
            await _note_view(desk, connection, message.get("conversation"))
        elif message.get("t") == "ping":
            connection.push(_PONG)


async def _note_view(desk: Desk, connection: Connection, shown: object) -> None:
    """A tab says which conversation it shows. Who may not see it is not told who does."""
    if not isinstance(shown, str) or len(shown) > 64:
        desk.hub.view(connection, None)
        return

    def allowed() -> bool:
        role = connection.sight.role if connection.sight is not None else "agent"
        with desk.store.read() as conn:
            return conversation.may_see(conn, shown, connection.user_id, role)

    try:
        may = await run_in_threadpool(allowed)
    except StoreAway:
        return  # the tab says it again when it comes back
    desk.hub.view(connection, shown if may else None)


def note_beat(desk: Desk, connection: Connection, message: dict[str, Any]) -> None:
    """A tab says how it is: remember it, choose anew who rings aloud, and let the store know."""
    now = ids.now_ms()
    visible = message.get("visible") is True
    if visible and not connection.beat.get("visible", False):
        connection.focused_at = now
    mic, sound = message.get("mic"), message.get("sound")
    connection.beat = {
        "armed": message.get("armed") is True,
        "visible": visible,
        "mic": mic if isinstance(mic, str) and mic.isascii() and len(mic) <= 16 else "unknown",
        "sound": sound if sound in _SOUND else "unknown",
    }
    desk.hub.elect(connection.user_id)
    desk.presence.beat(
        Beat(
            tab_id=connection.tab,
            user_id=connection.user_id,
            session_id=connection.session_id,
            browser_id=connection.browser,
            armed=connection.beat["armed"],
            mic=connection.beat["mic"],
            focused_at=connection.focused_at,
            connected_at=connection.connected_at,
        )
    )


async def _farewell(ws: WebSocket, connection: Connection) -> None:
    """Say why, and close. A browser that does not read gets no more than a moment of ours."""
    ending = connection.ending
    if ending is None or ws.application_state is not WebSocketState.CONNECTED:
        return
    with contextlib.suppress(WebSocketDisconnect, TimeoutError):  # it is gone already
        async with asyncio.timeout(_FAREWELL_S):
            await ws.send_text(ending.frame)
            await ws.close(ending.code)
