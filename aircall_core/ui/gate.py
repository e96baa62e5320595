"""What stands in front of the console's pages: a session cookie becomes `st.user`, or the way to the sign-in.

Plain ASGI and outermost, so that it covers pages, files and Streamlit's own WebSocket alike. Pages ask the store again
at every run (ui/session.py), since the headers set here are frozen when the WebSocket opens.
"""

import hashlib
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from aircall_core import ids
from aircall_core.config import Settings, get_settings
from aircall_core.store.queries.people import Identity, identity
from aircall_core.ui import data
from aircall_core.ui.text import t

OPEN: Final = (
    "/assets/", "/static/", "/sw.js", "/_stcore/health", "/_stcore/script-health-check", "/favicon", "/manifest.json",
)  # fmt: skip
TRY_AGAIN_LATER: Final = 1013
UNAUTHORISED: Final = 4401
Finder = Callable[[str], Identity | None]


class Gate:
    """Lets in who is signed in, and says who they are."""

    def __init__(self, app: ASGIApp, find: Finder | None = None) -> None:
        self.app, self.find = app, find or find_identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _sealed(send)
        # Never trust the client's: only the gate says who someone is.
        scope["headers"] = [one for one in scope["headers"] if not one[0].lower().startswith(b"x-console-")]
        if scope["path"].startswith(OPEN):
            await self.app(scope, receive, send)
            return
        try:
            who = await run_in_threadpool(self.find, Headers(scope=scope).get("cookie", ""))
        except data.NotReady:
            await _refuse(scope, receive, send, TRY_AGAIN_LATER, _away)
            return
        if who is None:
            await _refuse(scope, receive, send, UNAUTHORISED, _sign_in)
            return
        scope["headers"] += [(b"x-console-user", who.user_id.encode()), (b"x-console-session", who.session_id.encode())]
        await self.app(scope, receive, send)


def find_identity(cookies: str) -> Identity | None:
    """Who the session cookie among these belongs to. Raises NotReady while the store is away."""
    token = cookie_parser(cookies).get(data.cookie_name(), "")
    if not token:
        return None
    digest = hashlib.sha256(token.encode()).hexdigest()
    return data.read(identity, digest, ids.now_ms())


def desk_address(settings: Settings, scheme: str, host: str) -> str:
    """The desk process as the browser reaches it: configured, or the host name of the page at the desk's port."""
    if settings.desk_url:
        return settings.desk_url
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return f"{scheme}://{name}:{settings.desk_port}"


# A page of another site must not frame the console and have its buttons pressed; the audio check frames its own part.
_SEALS = {
    "content-security-policy": "frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}


def _sealed(send: Send) -> Send:
    async def seal(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _SEALS.items():
                headers.setdefault(name, value)
        await send(message)

    return seal


async def _refuse(
    scope: Scope, receive: Receive, send: Send, code: int, answer: Callable[[Scope], Awaitable[Response]]
) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose(code=code)(scope, receive, send)
    else:
        await (await answer(scope))(scope, receive, send)


async def _sign_in(scope: Scope) -> Response:
    if scope["path"].startswith(("/_stcore/", "/media/", "/component/")):
        return JSONResponse({"error": {"code": "signed_out", "message": t("gate.signed_out")}}, 401)
    settings = get_settings()
    host = Headers(scope=scope).get("host", "127.0.0.1")
    scheme = "https" if settings.console_url.startswith("https:") else scope["scheme"]
    here = (settings.console_url or f"{scheme}://{host}") + scope["path"]
    if scope["query_string"]:
        here += "?" + scope["query_string"].decode("latin-1")
    target = f"{desk_address(settings, scheme, host)}/session/login?next={quote(here, safe='')}"
    return RedirectResponse(target, 303, {"cache-control": "no-store"})


async def _away(scope: Scope) -> Response:
    words = {key: t(f"gate.{key}") for key in ("away_title", "away_text", "away_again")}
    page = _away_page().substitute(words)
    return HTMLResponse(page, 503, {"retry-after": "2", "cache-control": "no-store"})


@lru_cache(maxsize=1)
def _away_page() -> Template:
    return Template((Path(__file__).parent / "away.html").read_text("utf-8"))
