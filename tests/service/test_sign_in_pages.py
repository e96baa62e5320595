"""The sign-in pages in a real browser: by keyboard, without scripts, in light and dark, and over two ports."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from aircall_core.desk import links, people
from tests.service.test_process import DeskProcess
from tests.service.test_sign_in import PASSWORD
from tests.support.axe import Axe
from tests.support.chromium import chromium

pytestmark = pytest.mark.browser


class Console(http.server.BaseHTTPRequestHandler):
    """Stands for the console: a page on its port, which shows the cookies' names it was sent."""

    def do_GET(self) -> None:
        names = [part.partition("=")[0].strip() for part in self.headers.get("cookie", "").split(";")]
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(f"<h1>Console</h1><p id=cookies>{','.join(names)}</p>".encode())

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@pytest.fixture
def desk(tmp_path: Path, sqlite_url: str) -> Iterator[DeskProcess]:
    """A desk process, with something that answers at the console's address."""
    process = DeskProcess(tmp_path, sqlite_url)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", process.console_port), Console)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield process
    server.shutdown()
    thread.join()
    server.server_close()
    process.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; each test has contexts of its own."""
    with chromium(engine_only=True) as opened:
        yield opened


def in_console(page: Page, desk: DeskProcess) -> None:
    """The console's page shows, and was sent the session's cookie from the other port."""
    expect(page.get_by_role("heading", name="Console")).to_be_visible(timeout=20_000)
    expect(page.locator("#cookies")).to_contain_text(desk.cookie_name)


def test_by_keyboard_from_mistake_to_console(desk: DeskProcess, browser: Browser) -> None:
    people.create(desk.store, name="Ada", email="ada@example.com", role="administrator", password=PASSWORD)
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page.goto(f"{desk.url}/session/login?next={desk.origin}/conversation")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type("ada@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("not my password")
    page.keyboard.press("Enter")
    password = page.get_by_label("Password", exact=True)
    expect(password).to_have_accessible_description("This e-mail address and password do not belong together.")
    expect(password).to_be_focused()
    expect(password).to_have_value("")
    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    in_console(page, desk)
    assert page.url == f"{desk.origin}/conversation"
    assert complaints == []


def test_without_scripts(desk: DeskProcess, browser: Browser) -> None:
    link = first_link(desk)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create administrator").click()
    in_console(page, desk)
    page.goto(link)
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    expect(page.get_by_role("link", name="Go to sign-in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_phones_need_no_sideways_scrolling(
    desk: DeskProcess, browser: Browser, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(first_link(desk))
    good(page)
    page.get_by_label("E-mail address").fill("x")
    page.get_by_role("button", name="Create administrator").click()
    expect(page.get_by_text("Enter an e-mail address like")).to_be_visible()
    good(page)
    people.create(desk.store, name="Ada", email="ada@example.com", role="administrator", password=PASSWORD)
    page.goto(f"{desk.url}/session/login")
    good(page)
    with desk.store.write() as tx:
        _, token = people.invite(tx, "system", name="Bob", email="bob@example.com", role="agent")
    page.goto(f"{desk.url}/session/join?token={token}")
    expect(page.get_by_text("Hello Bob")).to_be_visible()
    good(page)


def good(page: Page) -> None:
    """Nothing for axe to say, and nothing wider than the screen."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def first_link(desk: DeskProcess) -> str:
    """The link that the start prints."""
    with desk.store.write() as tx:
        return f"{desk.url}/session/setup?token={links.make(tx, links.SETUP)}"
