"""The gate: who gets in, who is sent to sign in, what happens while the store is away."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from aircall_core.config import Settings
from aircall_core.store.queries.people import Identity
from aircall_core.ui import data, gate

ANNA = Identity("user-1", "Anna", "agent", "session-1")


async def echo(request: Request) -> JSONResponse:
    """What the page behind the gate sees of the user."""
    return JSONResponse({name: value for name, value in request.headers.items() if name.startswith("x-console")})


async def stream(socket: WebSocket) -> None:
    """Streamlit's own WebSocket."""
    await socket.accept()
    await socket.send_json({name: value for name, value in socket.headers.items() if name.startswith("x-console")})
    await socket.close()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TestClient]:
    """A console whose gate finds what the test says; settings are the test's."""

    def make(found: Identity | Exception | None, **settings: object) -> TestClient:
        def find(_cookies: str) -> Identity | None:
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(gate, "get_settings", lambda: Settings(_env_file=None, **settings))  # type: ignore[arg-type]
        app = Starlette(routes=[WebSocketRoute("/_stcore/stream", stream), Route("/{path:path}", echo)])
        return TestClient(gate.Gate(app, find), base_url="http://desk.lan:8501", follow_redirects=False)

    return make


def test_who_is_signed_in_is_named_to_the_page(client: Callable[..., TestClient]) -> None:
    seen = client(ANNA).get("/inbox").json()
    assert seen == {"x-console-user": "user-1", "x-console-session": "session-1"}


def test_a_browser_cannot_name_itself(client: Callable[..., TestClient]) -> None:
    forged = {"X-Console-User": "user-2", "x-console-session": "session-2", "x-console-role": "administrator"}
    assert client(ANNA).get("/", headers=forged).json() == {
        "x-console-user": "user-1",
        "x-console-session": "session-1",
    }
    assert client(None).get("/assets/x", headers=forged).json() == {}


def test_the_signed_out_are_sent_to_the_desk_and_back(client: Callable[..., TestClient]) -> None:
    answer = client(None).get("/conversation?id=a%26b")
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert (target.scheme, target.netloc, target.path) == ("http", "desk.lan:8502", "/session/login")
    assert parse_qs(target.query)["next"] == ["http://desk.lan:8501/conversation?id=a%26b"]


def test_configured_addresses_win_over_what_the_request_says(client: Callable[..., TestClient]) -> None:
    settings = {"console_url": "https://calls.example.com", "desk_url": "https://calls.example.com"}
    answer = client(None, **settings).get("/inbox")
    target = urlsplit(answer.headers["location"])
    assert (target.scheme, target.netloc) == ("https", "calls.example.com")
    assert parse_qs(target.query)["next"] == ["https://calls.example.com/inbox"]


def test_an_ipv6_host_keeps_its_brackets() -> None:
    settings = Settings(_env_file=None)
    assert gate.desk_address(settings, "http", "[::1]:8501") == "http://[::1]:8502"
    assert gate.desk_address(settings, "http", "[::1]") == "http://[::1]:8502"
    assert gate.desk_address(settings, "http", "127.0.0.1:8501") == "http://127.0.0.1:8502"


@pytest.mark.parametrize("path", ["/_stcore/upload_file/x", "/media/abc", "/component/x"])
def test_programs_get_401_and_no_page(client: Callable[..., TestClient], path: str) -> None:
    assert client(None).get(path).status_code == 401


@pytest.mark.parametrize("path", ["/assets/live.js", "/static/js/x.js", "/_stcore/health", "/favicon.png"])
def test_what_shows_nothing_of_anybody_is_open(client: Callable[..., TestClient], path: str) -> None:
    assert client(None).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/assets/live.js"])
@pytest.mark.parametrize("found", [ANNA, None, data.NotReady("away")])
def test_no_other_site_may_frame_the_console(
    client: Callable[..., TestClient], path: str, found: Identity | Exception | None
) -> None:
    headers = client(found).get(path).headers
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_pages_socket_is_for_the_signed_in(client: Callable[..., TestClient]) -> None:
    with client(ANNA).websocket_connect("/_stcore/stream") as socket:
        assert socket.receive_json()["x-console-user"] == "user-1"
    with pytest.raises(WebSocketDisconnect) as refused, client(None).websocket_connect("/_stcore/stream"):
        pass
    assert refused.value.code == gate.UNAUTHORISED


def test_while_the_store_is_away_a_page_says_so_and_tries_again(client: Callable[..., TestClient]) -> None:
    away = client(data.NotReady("away"))
    answer = away.get("/")
    assert answer.status_code == 503
    assert "One moment" in answer.text
    assert "$" not in answer.text
    assert answer.headers["retry-after"] == "2"
    with pytest.raises(WebSocketDisconnect) as refused, away.websocket_connect("/_stcore/stream"):
        pass
    assert refused.value.code == gate.TRY_AGAIN_LATER
