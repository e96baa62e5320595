"""The gateway's neighbours for its tests: a worker's end of the PCM link, and a desk that only signals."""

import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import numpy as np

from aircall_core.config import Settings
from tests.support.audio import Samples, from_pcm, to_pcm
from tests.support.processes import Process, eventually

STATIC = Path(__file__).parents[2] / "aircall_core" / "ui" / "static"
_HEADER = struct.Struct(">BxHI")
_FRAME_S = 0.020


@dataclass
class WorkerEnd:
    """One peer's link as the worker sees it."""

    sock: socket.socket
    hello: dict[str, str]
    frames: list[tuple[float, int, bytes]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def samples(self) -> Samples:
        """All that has come, frame after frame."""
        return from_pcm(b"".join(pcm for _, _, pcm in self.frames))

    def played(self, rate: int, since: float = 0.0) -> Samples:
        """What a bridge would have heard: frames at their time of arrival, laid out by a playout of two frames.

        A frame that is not there when its turn comes is 20 ms of silence, as in the worker.
        """
        arrivals = [frame for frame in list(self.frames) if frame[0] >= since]
        if not arrivals:
            return np.zeros(0)
        now, waiting, out = arrivals[0][0] + 2 * _FRAME_S, list(arrivals), []
        last = arrivals[-1][0]
        while now <= last + _FRAME_S:
            if waiting and waiting[0][0] <= now:
                out.append(from_pcm(waiting.pop(0)[2]))
            else:
                out.append(np.zeros(round(rate * _FRAME_S)))
            now += _FRAME_S
        return np.concatenate(out)


class FakeWorker:
    """Listens like a worker, plays ``voice(frame number)`` (20 ms of samples) to each peer, keeps what it hears."""

    def __init__(self, path: Path, rate: int = 8000, voice: Callable[[int], Samples] | None = None) -> None:
        self.path, self.rate, self.voice = path, rate, voice
        self.refuse = ""
        self.peers: dict[str, WorkerEnd] = {}
        self.seen: list[WorkerEnd] = []
        self._stop = threading.Event()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server.bind(str(path))
        self._server.listen(64)
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._accept, self._play)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End everything."""
        self._stop.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for end in list(self.peers.values()):
            self.hang_up(end.hello["peer"])
        for thread in self._threads:
            thread.join()

    def hang_up(self, peer: str) -> None:
        """Close one peer's link, as at the end of a call."""
        end = self.peers.pop(peer)
        if end.sock.fileno() >= 0:
            end.sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            hello = json.loads(sock.recv(4096))["hello"]
            if self.refuse:
                sock.send(json.dumps({"refused": self.refuse}).encode())
                sock.close()
                continue
            sock.send(json.dumps({"ok": {"rate": self.rate}}).encode())
            end = WorkerEnd(sock, hello)
            self.seen.append(end)
            self.peers[hello["peer"]] = end
            threading.Thread(target=self._hear, args=(end,), daemon=True).start()

    def _hear(self, end: WorkerEnd) -> None:
        with end.sock:
            while True:
                try:
                    packet = end.sock.recv(4096)
                except OSError:
                    break
                if not packet:
                    break
                sequence = _HEADER.unpack_from(packet)[2]
                end.frames.append((time.monotonic(), sequence, packet[_HEADER.size :]))
        if self.peers.get(end.hello["peer"]) is end:  # not the one that has taken its place
            del self.peers[end.hello["peer"]]
        end.closed.set()

    def _play(self) -> None:
        number, due = 0, time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += _FRAME_S
            number += 1
            if self.voice is None:
                continue
            packet = _HEADER.pack(1, 0, number) + to_pcm(self.voice(number))
            for end in list(self.peers.values()):
                try:
                    end.sock.send(packet, socket.MSG_DONTWAIT)
                except OSError:
                    continue  # just closed: its own thread takes note


def tone_voice(frequency: float, rate: int, level_db: float = -12.0) -> Callable[[int], Samples]:
    """A voice that is one uninterrupted tone."""
    size = round(rate * _FRAME_S)
    amplitude = 10 ** (level_db / 20)

    def voice(number: int) -> Samples:
        at = (np.arange(size) + number * size) / rate
        return np.asarray(amplitude * np.sin(2 * np.pi * frequency * at))

    return voice


class GatewayProcess:
    """A real gateway process with its own data folder; ``client`` speaks to it as the desk does."""

    def __init__(self, folder: Path, database_url: str, index: int = 0, **settings: object) -> None:
        self.environment = {
            "AIRCALL_DATA_DIR": str(folder / "data"),
            "AIRCALL_DATABASE_URL": database_url,
            "XDG_RUNTIME_DIR": str(folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **{f"AIRCALL_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.index, self._folder = index, folder
        self.path = _run_dir(self.environment) / f"gateway-{index}.http"
        self.start()

    def start(self) -> None:
        """Start it (again); returns when it answers."""
        code = f"from aircall_core.media.main import main; main({self.index})"
        name = f"gateway-{self.index}"
        self.process = Process(name, [sys.executable, "-c", code], self._folder, self.environment)
        self.client = httpx.Client(transport=httpx.HTTPTransport(uds=str(self.path)), base_url="http://gateway")
        try:
            eventually(self._answers, timeout=60, what="the gateway's socket")
        except BaseException:
            self.stop()
            raise

    def _answers(self) -> bool:
        assert self.process.popen.poll() is None, self.process.errors
        return listens(self.path) and self.client.get("/stats").is_success

    def stats(self) -> dict[str, Any]:
        """GET /stats."""
        answer: dict[str, Any] = self.client.get("/stats").json()
        return answer

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self.client.close()
        self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def listens(path: Path) -> bool:
    """Whether somebody listens on a Unix socket. (httpx leaks a socket when it finds nobody.)"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _run_dir(environment: Mapping[str, str]) -> Path:
    """Where a process with this environment keeps its sockets."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        return Settings().run_dir
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a page that was closed does not wait for its answers
            super().handle_error(request, client_address)


class SignallingDesk:
    """Serves a page with the phone on it and passes its offers to gateways, as the desk does, but for anybody."""

    def __init__(self, gateways: list[GatewayProcess], worker: FakeWorker) -> None:
        desk = self
        self.offers: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.through: Callable[[str], str] | None = None
        """What answers pass through, for another way of the packets; of the browser's addresses nobody hears then."""
        self.gateways = gateways
        self.worker = worker

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                desk.get(self, urlsplit(self.path).path)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                desk.post(self, urlsplit(self.path).path, body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = _Server(("0.0.0.0", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def get(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        """The page, the modules, the ICE servers."""
        if path == "/rtc/config":
            _reply(handler, 200, json.dumps({"ice_servers": [], "audio": {}}).encode())
        elif path == "/":
            _reply(handler, 200, _PAGE.encode(), "text/html")
        else:
            file = STATIC / Path(path).name
            _reply(
                handler, 200 if file.is_file() else 404, file.read_bytes() if file.is_file() else b"", "text/javascript"
            )

    def post(self, handler: BaseHTTPRequestHandler, path: str, body: dict[str, Any]) -> None:
        """Offers go to the first gateway that takes them."""
        if path == "/rtc/close":
            _reply(handler, 200, b"{}")
            return
        self.offers.append(body)
        if self.through is not None:
            lines = body["sdp"].splitlines()
            body = {**body, "sdp": "\r\n".join(line for line in lines if not line.startswith("a=candidate")) + "\r\n"}
        answer: tuple[dict[str, Any], int] = {"error": {"code": "no_gateway", "message": ""}}, 503
        for gateway in self.gateways:
            answer = _ask(gateway, body, self.worker)
            if answer[1] != 503:
                break
        if self.through is not None and answer[1] == 200:
            answer[0]["sdp"] = self.through(answer[0]["sdp"])
        self.answers.append(answer[0])
        _reply(handler, answer[1], json.dumps(answer[0]).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def offer_body(body: Mapping[str, Any], worker: FakeWorker) -> dict[str, str]:
    """What the desk tells a gateway about a browser's offer."""
    ids = {"peer": body["peer"], "call": body["call_id"], "user": "user-0001"}
    return {**ids, "worker": str(worker.path), "sdp": body["sdp"]}


def _ask(gateway: GatewayProcess, body: dict[str, Any], worker: FakeWorker) -> tuple[dict[str, Any], int]:
    transport = httpx.HTTPTransport(uds=str(gateway.path))
    if not listens(gateway.path):
        return {"error": {"code": "no_gateway", "message": ""}}, 503
    with httpx.Client(transport=transport, base_url="http://gateway") as client:
        answer = client.post("/peers", json=offer_body(body, worker))
        return answer.json(), answer.status_code


def _reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


_PAGE = """<!doctype html><title>phone</title><link rel="icon" href="data:,"><script type="module">
import { Phone } from '/phone.js';
const desk = new EventTarget();
desk.tab = 'tab-00000001';
desk.view = { user: 'me', calls: {} };
desk.request = async (path, body) => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(path, body ? { method: 'POST', body: JSON.stringify(body), headers } : {});
  const json = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(json.error.message), { code: json.error.code, status: answer.status });
  return json;
};
window.desk = desk;
window.states = [];
window.phone = new Phone(desk);
window.phone.addEventListener('state', ({ detail }) => window.states.push([performance.now(), detail.state]));
window.accepted = (id) => (desk.view.calls[id] = { by: 'me', state: 'confirmed' });
</script>"""


ALLOWED = ["microphone"]


@contextmanager
def pages_of(browser: Any, desk: SignallingDesk) -> Iterator[Callable[..., Any]]:
    """A maker of pages with an armed phone; their contexts are closed at the end."""
    contexts = []

    def make(permissions: list[str] | None = ALLOWED) -> Any:
        context = browser.new_context(permissions=permissions)
        contexts.append(context)
        page = context.new_page()
        page.goto(desk.url)
        page.wait_for_function("window.phone")
        return page

    try:
        yield make
    finally:
        for context in contexts:
            context.close()
