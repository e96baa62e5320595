"""What stands in front of every route: known origins only, CORS for those, and headers that keep browsers strict.

Plain ASGI, so that it also sees WebSocket handshakes and costs nothing per message.
"""

from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from aircall_core.service.answers import error
from aircall_core.service.origins import Origins

LARGEST_BODY = 64 * 1024  # bytes; the largest honest one but for uploads is an SDP offer of some kilobytes
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOCKED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"


class Gate:
    """Refuses foreign origins before anything else looks at the request, and adds the security headers."""

    def __init__(
        self, app: ASGIApp, origins: Origins, largest: Mapping[tuple[str, str], int], machines: Iterable[str] = ()
    ) -> None:
        """``largest``: bytes of a body by (method, path as the table of routes has it), where one takes more.

        A body that does not tell its length is cut off there by Starlette. ``machines``: paths for machines that sign
        what they send: they have no origin, and no cookie helps there.
        """
        self.app, self.origins = app, origins
        self.machines = [compile_path(path)[0] for path in machines]
        self.largest = [(method, compile_path(path)[0], most) for (method, path), most in largest.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        known = origin is not None and self.origins.knows(origin, headers.get("host", ""))
        if scope["type"] == "websocket":
            if known:
                await self.app(scope, receive, send)
            else:
                await WebSocket(scope, receive, send).send_denial_response(_foreign())
            return
        answer = self._without_the_app(scope, headers, origin, known)
        await (answer or self.app)(scope, receive, _sealed(send, origin if known else None))

    def _without_the_app(self, scope: Scope, headers: Headers, origin: str | None, known: bool) -> Response | None:
        method = scope["method"]
        if method == "OPTIONS" and "access-control-request-method" in headers:
            return _preflight() if known else _foreign()
        if method not in SAFE_METHODS and not known and not self._for_machines(scope["path"]):
            return _foreign()
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length[:18]) > self._largest(method, scope["path"]):
            return error(413, "too_large", "The body is too large.")
        return None

    def _for_machines(self, path: str) -> bool:
        return any(pattern.match(path) for pattern in self.machines)

    def _largest(self, method: str, path: str) -> int:
        fitting = (most for of, pattern, most in self.largest if of == method and pattern.match(path))
        return next(fitting, LARGEST_BODY)


def is_forwarded(connection: HTTPConnection) -> bool:
    """Whether a proxy passed this request on: its peer address says nothing about the sender then."""
    return _any_in(connection.headers, ("forwarded", "x-forwarded-for", "x-real-ip", "via"))


def _any_in(headers: Headers, names: Iterable[str]) -> bool:
    return any(name in headers for name in names)


def _foreign() -> Response:
    return error(403, "foreign_origin", "This address of the console is not known here. Check AIRCALL_CONSOLE_URL.")


def _preflight() -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": "GET, POST, PATCH, PUT, DELETE",
            "access-control-allow-headers": "content-type, range",
            "access-control-max-age": "7200",
        },
    )


def _sealed(send: Send, cors_origin: str | None) -> Send:
    """``send``, with the security headers on every answer and CORS for a known origin (its cookies included)."""

    async def seal(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", _LOCKED)
            headers.setdefault("cache-control", "no-store")
            headers["x-content-type-options"] = "nosniff"
            headers["x-frame-options"] = "DENY"
            headers["referrer-policy"] = "same-origin"  # one-time links carry their token in the address
            headers["cross-origin-resource-policy"] = "same-site"
            headers["cross-origin-opener-policy"] = "same-origin"
            headers.add_vary_header("origin")
            if cors_origin is not None:
                headers["access-control-allow-origin"] = cors_origin
                headers["access-control-allow-credentials"] = "true"
                headers["access-control-expose-headers"] = "content-range, accept-ranges, content-length"
        await send(message)

    return seal
