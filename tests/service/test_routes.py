"""The application against its own table: nothing is open that the table does not say is open."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse

from aircall_core.desk import people
from aircall_core.desk.people import ROLES
from aircall_core.ids import new_id
from aircall_core.service.app import build_app
from aircall_core.service.endpoint import Entry, Kind
from aircall_core.service.gate import SAFE_METHODS
from aircall_core.service.routes import REALTIME, ROUTES
from tests.service.conftest import CONSOLE, DESK, FOREIGN, SOCKET, World

ROOT = Path(__file__).parents[2]
GUARDED = [one for one in ROUTES if one.access.kind is Kind.SESSION]
SIGNED = [one for one in ROUTES if one.access.kind is Kind.SIGNATURE]
UNSAFE = [one for one in ROUTES if one.method not in SAFE_METHODS and one not in SIGNED]
TAB = "?tab=tab-12345678&browser=browser-12345678"


def path_of(entry: Entry) -> str:
    """The route's path with an id that nothing has."""
    return re.sub(r"{[a-z]+}", new_id(), entry.path)


def label(entry: Entry) -> str:
    """For pytest's output."""
    return f"{entry.method} {entry.path}"


def test_the_app_serves_the_table_and_nothing_else(world: World) -> None:
    app = build_app(world.desk)
    served = {(method, one.path) for one in app.routes if isinstance(one, Route) for method in one.methods or ()}
    wanted = {(one.method, one.path) for one in ROUTES}
    assert served - {("HEAD", one.path) for one in ROUTES} == wanted
    assert len(wanted) == len(ROUTES), "a route stands twice in the table"
    assert [one.path for one in app.routes if isinstance(one, WebSocketRoute)] == [REALTIME]
    assert all(isinstance(one, Route | WebSocketRoute) for one in app.routes), "a Mount would escape the table"


def test_only_sign_in_and_health_are_public() -> None:
    public = {one.path.split("/")[1] for one in ROUTES if one.access.kind is Kind.PUBLIC}
    assert public == {"healthz", "readyz", "session"}
    assert all(one.access.roles for one in GUARDED)
    settings = [one for one in GUARDED if one.path.startswith("/desk/users") and not one.path.endswith("/availability")]
    assert all(one.access.roles == {"administrator"} for one in settings)


@pytest.mark.parametrize("entry", GUARDED, ids=label)
def test_guarded_routes_refuse_everybody_else(world: World, entry: Entry) -> None:
    url = path_of(entry)
    signed_out = world.client.request(entry.method, url, headers={"origin": CONSOLE})
    assert (signed_out.status_code, signed_out.json()["error"]["code"]) == (401, "signed_out")
    stolen = world.client.request(
        entry.method, url, headers={"origin": CONSOLE, "cookie": f"{world.desk.cookie}={'x' * 43}"}
    )
    assert stolen.status_code == 401
    for role in set(ROLES) - entry.access.roles:
        answer = world.ask(entry.method, url, world.user(f"{role}-{new_id()}", role))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), role
    for role in entry.access.roles:
        answer = world.ask(entry.method, url, world.user(f"{role}-{new_id()}", role))
        assert answer.status_code not in (401, 403), (role, answer.text)


@pytest.mark.parametrize("entry", UNSAFE, ids=label)
def test_unsafe_routes_refuse_foreign_origins(world: World, entry: Entry) -> None:
    cookie = world.as_user(world.user("Ada", "administrator"))["cookie"]
    for origin in (FOREIGN, None, "null", "http://desk.test", "http://desk.test:8503", "http://evil.desk.test:8501"):
        headers = {"cookie": cookie} | ({"origin": origin} if origin else {})
        answer = world.client.request(entry.method, path_of(entry), headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin"), origin
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("entry", SIGNED, ids=label)
def test_signed_routes_take_nothing_unsigned_whoever_asks(world: World, entry: Entry) -> None:
    admin = world.as_user(world.user("Ada", "administrator"))
    for headers in ({}, admin):
        answer = world.client.request(entry.method, path_of(entry), headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forged")


def test_only_hooks_are_for_machines() -> None:
    assert {one.path.split("/")[1] for one in SIGNED} == {"hooks"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": CONSOLE}, 401),
        ({"origin": FOREIGN}, 403),
        ({}, 403),
    ],
    ids=["signed out", "foreign origin", "no origin"],
)
def test_the_socket_refuses(world: World, headers: dict[str, str], status: int) -> None:
    signed_in = world.as_user(world.user("Ada"))["cookie"]
    if status == 403:
        headers = headers | {"cookie": signed_in}
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        world.client.websocket_connect(SOCKET + TAB, headers=headers),
    ):
        pass
    assert refused.value.status_code == status


def test_the_socket_refuses_names_that_are_none(world: World) -> None:
    headers = world.as_user(world.user("Ada"))
    for query in ("", "?tab=a&browser=browser-12345678", "?tab=tab-12345678&browser=browser-12345678&after=-1"):
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            world.client.websocket_connect(SOCKET + query, headers=headers),
        ):
            pass
        assert refused.value.status_code == 400


def test_a_disabled_user_is_nobody(world: World) -> None:
    world.user("Boss", "administrator")
    ada = world.user("Ada", "agent")
    headers = world.as_user(ada)
    assert world.client.get("/session/me", headers=headers).status_code == 200
    with world.store.write() as tx:
        people.change(tx, "system", ada, state="disabled")
    assert world.client.get("/session/me", headers=headers).status_code == 401


def test_errors_have_one_shape(world: World) -> None:
    headers = world.as_user(world.user("Ada"))
    asked = [
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("PUT", "/desk/duty", {}, 405, "method_not_allowed"),
        ("POST", "/desk/duty", {"content": b"{"}, 400, "not_json"),
        ("POST", "/desk/duty", {"content": b"[" * 5000}, 400, "not_json"),
        ("POST", "/desk/duty", {"json": {"on": True, "command": "short"}}, 422, "invalid"),
        ("POST", "/desk/duty", {"content": b" " * 70_000}, 413, "too_large"),
        ("POST", f"/desk/calls/{new_id()}/reject", {"json": {"command": new_id()}}, 404, "not_found"),
        ("POST", "/desk/calls/a%00b/reject", {"json": {"command": new_id()}}, 404, "not_found"),
    ]
    for method, path, body, status, code in asked:
        answer = world.client.request(method, path, headers=headers, **body)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (method, path)
        assert answer.json()["error"]["message"]


def test_known_origins_get_cors_with_credentials(world: World) -> None:
    asked = {"origin": CONSOLE, "access-control-request-method": "POST"}
    preflight = world.client.options("/desk/duty", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == CONSOLE
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert "origin" in preflight.headers["vary"]
    assert world.client.options("/desk/duty", headers=asked | {"origin": FOREIGN}).status_code == 403
    foreign = world.client.get("/healthz", headers={"origin": FOREIGN})
    assert foreign.status_code == 200
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize("path", ["/healthz", "/session/login", "/nowhere", "/session/me"])
def test_every_answer_carries_the_security_headers(world: World, path: str) -> None:
    headers = world.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"  # "no-referrer" makes browsers send Origin: null
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_configured_addresses_replace_the_host_name(make_world: Callable[..., World]) -> None:
    world = make_world(console_url="https://calls.example.com", desk_url="https://calls.example.com")
    body = {"email": "a@b.c", "password": "x"}
    known = world.client.post("/session/login", json=body, headers={"origin": "https://calls.example.com"})
    assert known.status_code == 401
    for origin in (CONSOLE, DESK):
        assert world.client.post("/session/login", json=body, headers={"origin": origin}).status_code == 403


def test_metrics_are_for_this_machine_or_the_token(make_world: Callable[..., World]) -> None:
    world = make_world(metrics_token="secret-token")
    assert world.client.get("/metrics").status_code == 403
    assert world.client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 403
    answer = world.client.get("/metrics", headers={"authorization": "Bearer secret-token"})
    assert answer.status_code == 200
    assert "aircall_calls{" in answer.text
    local = world.client
    local._transport.client = ("127.0.0.1", 5000)
    assert local.get("/metrics").status_code == 200
    assert local.get("/metrics", headers={"x-forwarded-for": "192.0.2.1"}).status_code == 403


@pytest.mark.parametrize("file", ["Caddyfile", "nginx.conf"])
def test_the_proxies_of_the_documentation_lead_every_route_to_the_desk(file: str) -> None:
    """But /metrics, which stays on the machine."""
    (told,) = (one for one in (ROOT / "deploy" / file).read_text("utf-8").splitlines() if "readyz" in one)
    for first in {one.path.split("/")[1] for one in ROUTES} - {"metrics"}:
        assert re.search(rf"\b{first}\b", told), first
