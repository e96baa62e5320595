"""Puts the console's stylesheet and its modules into the head of Streamlit's page.

Without it both come after Streamlit's own bundle and a first run: the page would jump, and a ringer be back later after
a reload. Only the HTML page itself is touched; when it has no </head>, it passes as it is.
"""

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
        await self.send({**self.start, "headers": headers_now.raw})
        await self.send({"type": "http.response.body", "body": page})
