"""A stand-in for whoever takes texts by the generic webhook, and a store full of texts for it."""

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from aircall_core.config import Settings
from aircall_core.desk import messages
from aircall_core.desk.secrets import open_box
from aircall_core.ids import new_id
from aircall_core.messaging import webhook
from aircall_core.store import Store
from aircall_core.store import messages as rows
from aircall_core.store import tables as t
from tests.support.desk_kit import Desk

SECRET = "whsec_" + b64encode(b"a secret that both sides know").decode()
Answer = tuple[int, dict[str, Any]] | None  # None: the connection is closed without a word


def taken(data: dict[str, Any]) -> Answer:
    """The usual answer."""
    return 200, {"id": f"remote-{data['id']}", "state": "sent"}


@dataclass
class TextGateway:
    """Listens on a port of its own while it is up; remembers what it was sent, in order."""

    answer: Callable[[dict[str, Any]], Answer] = taken
    got: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    refused: int = 0  # requests with a wrong signature
    news: threading.Condition = field(default_factory=threading.Condition)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where texts are posted to."""
        return f"http://127.0.0.1:{self.port}/texts"

    def up(self) -> None:
        """Listen, on the same port as before."""
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                gateway._post(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        """Whoever connects is refused."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        self._server = None

    def wait_for(self, count: int) -> None:
        """Until it has got so many texts."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.got) >= count, 60), f"{len(self.got)} of {count} came"

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers["content-length"]))
        if not webhook.is_signed(SECRET, raw, {name.lower(): value for name, value in request.headers.items()}):
            self.refused += 1
            request.send_response(401)
            request.end_headers()
            return
        data = {**json.loads(raw)["data"], "key": request.headers["idempotency-key"]}
        said = self.answer(data)
        with self.news:
            if said is None or said[0] < 300:
                self.got.append(data)
            self.news.notify_all()
        if said is None:
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        body = json.dumps(said[1]).encode()
        request.send_response(said[0])
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        with suppress(ConnectionError):  # whoever sent it has been killed
            request.wfile.write(body)


@contextmanager
def text_gateway(answer: Callable[[dict[str, Any]], Answer] = taken) -> Iterator[TextGateway]:
    """A gateway that is up."""
    gateway = TextGateway(answer)
    gateway.up()
    try:
        yield gateway
    finally:
        if gateway._server is not None:
            gateway.down()


@dataclass
class Texts:
    """A desk whose line sends texts through an account, and shorthands for them."""

    desk: Desk
    settings: Settings
    account: str

    @classmethod
    def open(cls, store: Store, data_dir: Path, url: str, kind: str = "webhook", **settings: object) -> "Texts":
        """One user (Ann) on a line whose account of this kind sends to ``url``."""
        conf = Settings(_env_file=None, data_dir=data_dir, database_url="sqlite:///unused.db")
        desk, account = Desk.open(store, "Ann"), new_id()
        with store.write() as tx:
            add_account(tx, account, kind, open_box(conf.data_dir).seal(SECRET), url=url, **settings)
            tx.execute(update(t.lines).values(message_account_id=account))
        return cls(desk, conf, account)

    def write(self, number: str, text: str) -> str:
        """Ann writes to this number; the text's id."""
        with self.desk.store.write() as tx:
            return messages.start(tx, self.desk.line, number, self.desk.ids["Ann"], "agent", text, new_id()).message

    def receive(self, number: str, text: str, remote_id: str | None = None, **more: Any) -> str | None:
        """A text comes from this number; its id."""
        with self.desk.store.write() as tx:
            return messages.receive(
                tx, line_id=self.desk.line, account_id=self.account, number=number, body=text, remote_id=remote_id,
                at=tx.now_ms(), actor="desk", **more,
            )  # fmt: skip

    def row(self, message: str) -> dict[str, Any]:
        """The text's row."""
        with self.desk.store.read() as conn:
            row = rows.get(conn, message)
        assert row is not None
        return row

    def states(self, ids: list[str]) -> list[str]:
        """Their states."""
        return [self.row(one)["state"] for one in ids]


def add_account(tx: Any, account: str, kind: str, secret: str | None, **settings: object) -> None:
    """An account for texts, in a company whose plan has them."""
    plan = {"plan": "professional", "add_ons": ["sms"], "trial_until": None}
    tx.execute(insert(t.settings).values(key="plan", value=plan))
    values = {"id": account, "name": "Texts", "kind": kind, "settings": settings, "secret": secret, "created_at": 1}
    tx.execute(insert(t.message_accounts).values(**values))
