"""A stand-in for CRMs and companies' own services: answers what a test says, and keeps what it was asked."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.processes import eventually


@dataclass(frozen=True)
class Asked:
    """One request. ``query`` holds the last value of each name; ``body`` is JSON, a form, or None."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Reply:
    """What is answered. ``hang``: only when the test lets go of it (or at the end of the server)."""

    status: int = 200
    body: Any = None  # bytes as they are, else JSON
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    drip: bool = False  # a byte now and then, for ever


Script = Callable[[Asked], Reply]


class StandIn:
    """An HTTP server on a free port of this machine, in threads of its own."""

    def __init__(self, script: Script | Reply | None = None) -> None:
        self.script: Script | Reply = script or Reply()
        self.asked: list[Asked] = []
        self.go_on = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stand_in.answer(self)

            do_POST = do_GET  # noqa: N815  the library's names

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def wait_asked(self, count: int) -> None:
        """Until so many requests have come."""
        eventually(lambda: len(self.asked) >= count, 20, f"{count} requests")

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        raw = to.rfile.read(int(to.headers.get("content-length") or 0))
        url = urlsplit(to.path)
        asked = Asked(
            to.command, url.path, {name: values[-1] for name, values in parse_qs(url.query).items()},
            {name.lower(): value for name, value in to.headers.items()}, _read(raw, to.headers.get("content-type", "")),
        )  # fmt: skip
        self.asked.append(asked)
        reply = self.script if isinstance(self.script, Reply) else self.script(asked)
        if reply.hang:
            self.go_on.wait(30)
        body = reply.body if isinstance(reply.body, bytes) else b"" if reply.body is None else _json(reply.body)
        try:
            to.send_response(reply.status)
            for name, value in reply.headers.items():
                to.send_header(name, value)
            to.send_header("content-length", "1000000" if reply.drip else str(len(body)))
            to.end_headers()
            while reply.drip and not self.go_on.wait(0.05):
                to.wfile.write(b" ")
            to.wfile.write(body)
        except OSError:
            pass  # who asked has gone: that is what some tests are about


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _read(raw: bytes, kind: str) -> Any:
    if not raw:
        return None
    if kind.startswith("application/x-www-form-urlencoded"):
        return {name: values[-1] for name, values in parse_qs(raw.decode()).items()}
    return json.loads(raw)
