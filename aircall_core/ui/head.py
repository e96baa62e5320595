"""Puts the console's stylesheet and its modules into the head of Streamlit's page; says which scripts may run there.

Without it both come after Streamlit's own bundle and a first run: the page would jump, and a ringer be back later after
a reload. Only the HTML page itself is touched; when it has no </head>, it passes as it is.
"""

import base64
import hashlib
import re
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aircall_core.ui import assets

# What the shell mounts on every page; the modules they import come with them, pages load the rest.
_VIEWS = ("link", "ringer", "toolbar", "duty")
_IMPORT = re.compile(r"^import [^;]*from '\./(\w+)\.js';", re.MULTILINE)


def modules() -> list[str]:
    """The views of the shell and all that they import, each once."""
    found = list(_VIEWS)
    for name in found:  # grows meanwhile
        source = (assets.FOLDER / f"{name}.js").read_text("utf-8")
        found += [one for one in dict.fromkeys(_IMPORT.findall(source)) if one not in found]
    return found


_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def policy(page: bytes) -> str:
    """The Content-Security-Policy of a page: its own scripts and no others, so that a text which became HTML by a
    mistake of ours, or of a library, would run nothing.

    Streamlit's page has one script within it, which is let in by its hash; Components v2 load theirs from blobs, and
    its charts compile expressions (unsafe-eval), which no text on a page can make them do. Scripts and handlers that
    are written into the page are refused. Styles, pictures and connections stay free: Streamlit sets styles in place,
    and the desk is another origin.
    """
    hashes = [base64.b64encode(hashlib.sha256(one).digest()).decode() for one in _INLINE.findall(page)]
    scripts = " ".join(["'self'", "blob:", "'unsafe-eval'", *(f"'sha256-{one}'" for one in hashes)])
    return f"script-src {scripts}; object-src 'none'; base-uri 'self'; frame-ancestors 'self'"


@lru_cache(maxsize=1)
def markup() -> bytes:
    """The tags to insert."""
    links = [f'<link rel="stylesheet" href="{assets.url("shell.css")}">']
    links += [f'<link rel="modulepreload" href="{assets.url(name + ".js")}">' for name in modules()]
    return "".join(links).encode()


class Head:
    """Inserts the tags into HTML pages on their way to the browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        is_page = (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and "text/html" in Headers(scope=scope).get("accept", "")
        )
        if not is_page:
            await self.app(scope, receive, send)
            return
        # Compressed HTML could not be changed; validators belong to the page as Streamlit knows it.
        unwanted = (b"accept-encoding", b"if-none-match", b"if-modified-since")
        scope["headers"] = [one for one in scope["headers"] if one[0].lower() not in unwanted]
        await self.app(scope, receive, _Insertion(send))


class _Insertion:
    """A `send` that holds an HTML answer back until it is whole, and passes everything else on at once."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers:
                self.start = message
                return
        if self.start is None or message["type"] != "http.response.body":
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        page = bytes(self.body).replace(b"</head>", markup() + b"</head>", 1)
        headers_now = MutableHeaders(raw=list(self.start["headers"]))
        headers_now["content-length"] = str(len(page))
        for name in ("etag", "last-modified"):
            if name in headers_now:
                del headers_now[name]
        headers_now["cache-control"] = "no-cache"
        headers_now["content-security-policy"] = policy(page)
        await self.send({**self.start, "headers": headers_now.raw})
        await self.send({"type": "http.response.body", "body": page})
