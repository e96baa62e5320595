"""What the console adds to Streamlit's page, and the files it serves."""

import base64
import hashlib
import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from aircall_core.ui import assets, head, text

PAGE = "<!doctype html><html><head><title>x</title></head><body>" + "y" * 2000 + "</body></html>"
AS_BROWSER = {"accept": "text/html,application/xhtml+xml", "accept-encoding": "gzip"}


async def page(_: Request) -> Response:
    """A page with a validator, as Streamlit's file server sends it."""
    return HTMLResponse(PAGE, headers={"etag": '"1"', "last-modified": "now"})


async def pieces(_: Request) -> Response:
    """A page that comes in pieces."""

    async def body() -> object:
        for start in range(0, len(PAGE), 100):
            yield PAGE[start : start + 100]

    return StreamingResponse(body(), media_type="text/html")  # type: ignore[arg-type]


def client() -> TestClient:
    routes = [
        Mount("/assets", app=assets.Assets()),
        Route("/data", lambda _: JSONResponse({"head": "</head>"})),
        Route("/bare", lambda _: HTMLResponse("no head here")),
        Route("/pieces", pieces),
        Route("/", page),
    ]
    inner = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=10)])
    return TestClient(head.Head(inner))


@pytest.mark.parametrize("path", ["/", "/pieces"])
def test_pages_get_the_stylesheet_and_the_modules(path: str) -> None:
    answer = client().get(path, headers=AS_BROWSER)
    added = head.markup().decode()
    assert answer.text == PAGE.replace("</head>", added + "</head>")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-cache"


def test_only_scripts_of_the_page_itself_may_run() -> None:
    ours = "<html><head><script>one = 1</script><script src='x.js'></script></head></html>"
    digest = base64.b64encode(hashlib.sha256(b"one = 1").digest()).decode()
    said = head.policy(ours.encode())
    assert said.startswith(f"script-src 'self' blob: 'unsafe-eval' 'sha256-{digest}'; object-src 'none';")
    assert "unsafe-inline" not in said
    answer = client().get("/", headers=AS_BROWSER)
    assert answer.headers["content-security-policy"] == head.policy(PAGE.encode())


def test_everything_named_there_exists() -> None:
    named = re.findall(r'href="([^"]+)"', head.markup().decode())
    assert len(named) > 10
    for address in named:
        assert client().get(address).status_code == 200, address


def test_other_answers_pass_as_they_are() -> None:
    assert client().get("/data", headers={"accept": "application/json"}).json() == {"head": "</head>"}
    assert client().get("/data", headers=AS_BROWSER).json() == {"head": "</head>"}
    assert client().get("/bare", headers=AS_BROWSER).text == "no head here"


def test_imports_of_the_shell_are_all_preloaded() -> None:
    """A module that is missing there costs a round trip before a ringer can show."""
    listed = re.findall(r'modulepreload" href="[^"]+/(\w+)\.js"', head.markup().decode())
    assert len(listed) == len(set(listed))
    for name in listed:
        source = (assets.FOLDER / f"{name}.js").read_text("utf-8")
        assert set(re.findall(r"from '\./(\w+)\.js'", source)) <= set(listed), name


def test_this_version_is_kept_for_ever_and_an_old_one_is_not() -> None:
    now = client().get(assets.url("live.js"))
    assert "immutable" in now.headers["cache-control"]
    assert now.headers["content-type"].startswith("text/javascript")
    old = client().get("/assets/v-000000000000/live.js")
    assert old.text == now.text
    assert old.headers["cache-control"] == "no-cache"
    assert client().get("/assets/live.js").headers["cache-control"] == "no-cache"


def test_texts_are_served_by_language() -> None:
    assert client().get(assets.url("text.en.json")).json() == text.browser_texts("en")
    assert client().get(assets.url("text.xx.json")).status_code == 404


@pytest.mark.parametrize(
    "path", ["../components.py", "..%2Fcomponents.py", "v-000000000000/../../gate.py", "/etc/passwd"]
)
def test_nothing_else_is_served(path: str) -> None:
    assert client().get(f"/assets/{path}").status_code == 404
