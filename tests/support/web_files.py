"""A small web server with files, redirects and canned answers, that remembers what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class WebFiles:
    """What is where. ``authorised``: path and Authorization header of each GET; ``posted``: bodies of POSTs."""

    port: int = 0
    files: dict[str, tuple[int, str, bytes, str]] = field(default_factory=dict)
    authorised: list[tuple[str, str]] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path: str, data: bytes, content_type: str, status: int = 200) -> None:
        """From now on this is there."""
        self.files[path] = (status, content_type, data, "")

    def redirect(self, path: str, to: str) -> None:
        """From now on this leads elsewhere."""
        self.files[path] = (307, "text/plain", b"", to)


@contextmanager
def web_files() -> Iterator[WebFiles]:
    """A server on a free port."""
    files = WebFiles()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.authorised.append((self.path, self.headers.get("authorization", "")))
            self._answer()

        def do_POST(self) -> None:
            files.posted.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self._answer()

        def _answer(self) -> None:
            status, kind, data, to = files.files.get(self.path, (404, "text/plain", b"", ""))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            if to:
                self.send_header("location", to)
            self.end_headers()
            with suppress(ConnectionError):  # whoever asked had enough
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    files.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
