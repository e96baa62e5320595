"""The console in a real browser: signed-in pages of an installation, pictures of them, and what they play.

Pages find controls by role and accessible name, as their users do.
"""

import contextlib
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    TimeoutError,
    ViewportSize,
    expect,
)

from aircall_core.domain.events import EventRow
from aircall_core.ids import new_id
from aircall_core.ui import navigation
from tests.support.audio import Samples, has_tone, level, tone, tone_level, write_wav
from tests.support.axe import Axe
from tests.support.chromium import chromium, heard, listen
from tests.support.desk_system import Line, System, User
from tests.support.pcm_peer import PcmPeer
from tests.support.peers import TestPhone
from tests.support.processes import Process, eventually

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
AS_AGENT = {"viewport": DESKTOP, "permissions": ["microphone", "notifications"], "bypass_csp": True}
"""How an agent's browser is set: options of a context."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Streamlit's own navigation puts sections between its list and the items; our lists are tried in test_ui_states.py.
NOT_OURS = ("list", "listitem")
AGENT_HZ, CALLER_HZ = 440, 700
PATIENCE_MS = 60_000
"""For what takes milliseconds on a machine with time for it."""
expect.set_options(timeout=PATIENCE_MS)


PICTURES = bool(os.environ.get("AIRCALL_TEST_PICTURES"))
"""Whether people want to look at the pages: a picture takes a core for as long as three page loads."""


def shot(page: Page, name: str, *, failed: bool = False) -> None:
    """Keep a picture of the page for people to look at (not in git), if they want pictures or the test has failed."""
    if PICTURES or failed:
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{name}.png", animations="disabled")


@contextlib.contextmanager
def browser_speaking(folder: Path, hz: float = AGENT_HZ, *, engine_only: bool = False) -> Iterator[Browser]:
    """A Chromium whose microphone plays this tone, with permission to use it."""
    folder.mkdir(parents=True, exist_ok=True)
    voice = write_wav(folder / f"mic-{hz:g}.wav", tone(hz, 10, 48_000), 48_000)
    with chromium(microphone=voice, engine_only=engine_only) as browser:
        yield browser


@dataclass
class Seat:
    """A user at a browser of their own (a context: its own cookies and storage); `page` is their first tab."""

    system: System
    user: User
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def take(cls, system: System, browser: Browser, user: User, **options: Any) -> "Seat":
        """Sign the user in, in a fresh context of the browser."""
        return cls.settle(system, browser.new_context(**{**AS_AGENT, **options}), user)

    @classmethod
    def settle(cls, system: System, context: BrowserContext, user: User) -> "Seat":
        """Sign the user in, in this context."""
        context.set_default_timeout(PATIENCE_MS)
        # Chromium's noise suppression takes a steady tone for noise and fades it out: voices have no such trouble.
        context.add_init_script("localStorage.setItem('aircall.processing', 'off')")
        name, value = user.cookie
        context.add_cookies(
            [{"name": name, "value": value, "url": system.console_url, "httpOnly": True, "sameSite": "Lax"}]
        )
        seat = cls(system, user, context, context.new_page())
        seat._watch(seat.page)
        return seat

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str = "/", page: Page | None = None) -> Page:
        """Open a page of the console and wait until its live parts are there."""
        page = page or self.page
        page.goto(f"{self.system.console_url}{path}")
        online(page)
        return page

    def another_tab(self, path: str = "/") -> Page:
        """A second tab of the same browser."""
        page = self.context.new_page()
        self._watch(page)
        return self.open(path, page)

    def go_on_duty(self, page: Page | None = None) -> None:
        """One click; returns when calls can ring here."""
        page = page or self.page
        page.get_by_role("button", name="Go on duty").click()
        page.get_by_role("button", name="Go off duty").wait_for()
        armed(page)
        eventually(lambda: present(self.system, self.user), 20, "the tab's presence in the store")

    def close(self) -> None:
        """Close the browser context."""
        self.context.close()


def online(page: Page) -> None:
    """Until the realtime connection stands."""
    page.wait_for_function("() => window.__aircall?.status === 'online'", timeout=60_000)


def armed(page: Page) -> None:
    """Until microphone and sound are ready in this tab, with the click that a strict browser wants for it."""
    page.wait_for_function("() => window.__aircall?.phone?.armed", timeout=PATIENCE_MS)
    if not page.evaluate("window.__aircall.device.armed"):
        page.locator("body").press("Shift")
    page.wait_for_function("() => window.__aircall.device.armed", timeout=PATIENCE_MS)


def present(system: System, user: User) -> bool:
    """Whether the store knows an armed tab of the user."""
    with system.store.read() as conn:
        return bool(conn.exec_driver_sql(
            f"SELECT 1 FROM presence WHERE user_id = '{user.id}' AND armed"  # noqa: S608  an id of ours
        ).first())  # fmt: skip


def every_page() -> list[str]:
    """The addresses of all pages that the console has, as its navigation knows them; administrators have them all."""
    names = [name for section in navigation.outline("administrator").values() for _, name, _ in section]
    return ["/" if name == "inbox" else f"/{name}" for name in names]


def settled(page: Page) -> None:
    """Until nothing of the page is still being put together."""
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"
        " && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'running'"
    )
    page.evaluate("document.fonts.ready.then(() => true)")


def still(page: Page) -> None:
    """As `settled`, and nothing moves: where things are and which colours they have can be read."""
    settled(page)
    page.wait_for_timeout(300)  # of the ringer's and the sidebar's own motion


def no_violations(page: Page, where: str) -> None:
    """Axe finds nothing that is ours."""
    still(page)
    found = Axe().run(page, options={"runOnly": RULES, "rules": {rule: {"enabled": False} for rule in NOT_OURS}})
    assert found.violations_count == 0, f"{where}\n{found.generate_report()}"


def ringer(page: Page) -> Locator:
    """The ringing card."""
    return page.get_by_role("alertdialog", name="Incoming call")


def toolbar(page: Page) -> Locator:
    """The toolbar of the call in progress."""
    return page.get_by_role("toolbar", name="Active call")


def talking(page: Page) -> None:
    """Until the toolbar says that caller and agent are connected."""
    toolbar(page).get_by_text("Connected", exact=True).wait_for()


def pick(where: Page | Locator, label: str, option: str, *, search: str = "") -> None:
    """Choose from a list, having typed what it is searched for.

    Such a list closes when the page scrolls, and a scroll is told a frame later than it is done: Playwright's click,
    which scrolls a box at the edge of the window into sight and presses at once, opens it and closes it again. So the
    scrolling is over before the click.
    """
    box = where.get_by_role("combobox", name=label).filter(visible=True)
    box.evaluate("""async (box) => { box.scrollIntoView({ block: 'center' });
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame); }""")
    wanted = box.page.get_by_role("option", name=option).first
    box.click()
    box.page.keyboard.type(search)
    while not appears(wanted):  # the page was still being drawn after what was done before, which closes lists too
        box.click()
        box.page.keyboard.type(search)
    wanted.click()


def appears(what: Locator, within_ms: int = 5_000) -> bool:
    """Whether it is there before so long; the test's own time ends what never is."""
    with contextlib.suppress(TimeoutError):
        what.wait_for(timeout=within_ms)
        return True
    return False


def listen_to_call(page: Page) -> None:
    """Begin to record what the page plays of the caller."""
    page.wait_for_function("() => window.__aircall.phone.audio.srcObject")
    listen(page, "window.__aircall.phone.audio.srcObject")


def what_was_heard(page: Page) -> tuple[Samples, int]:
    """What the page has played since `listen_to_call`, and its rate."""
    return heard(page)


def first_link(text: str) -> str:
    """The one-time link in what `make run` prints, or ''."""
    found = re.search(r"http\S+/session/setup\?token=\S+", text)
    return found[0] if found else ""


def errors_of(page: Page) -> list[str]:
    """A list that collects what the page's scripts complain about from now on."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            found.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@dataclass
class Office:
    """An installation with its console, a line and agents, and a browser."""

    system: System
    line: Line
    users: list[User]
    browser: Browser
    seats: list[Seat] = field(default_factory=list)
    callers: list[Process] = field(default_factory=list)
    links: list[PcmPeer] = field(default_factory=list)
    after: int = 0

    def seat(self, number: int = 0, **options: Any) -> Seat:
        """One of the users at a browser of their own; closed after the test."""
        seat = Seat.take(self.system, self.browser, self.users[number], **options)
        self.seats.append(seat)
        return seat

    def on_duty(self, number: int = 0, path: str = "/", **options: Any) -> Seat:
        """One of the users on duty at a page of the console."""
        seat = self.seat(number, **options)
        seat.open(path)
        seat.go_on_duty()
        return seat

    def phone(self, **options: Any) -> TestPhone:
        """The test phone calls the line, with the caller's tone; ended after the test."""
        options.setdefault("audio", tone(CALLER_HZ, 1, 8000))
        phone = self.system.phone_call(self.line, **options)
        self.callers.append(phone)
        return phone

    def wait_for(self, kind: str, timeout: float = 30, **wanted: object) -> EventRow:
        """The first such event since the test began."""
        return self.system.wait_for(kind, timeout, self.after, **wanted)

    def picture(self, name: str) -> None:
        """A picture of every open page of a test that has failed."""
        for number, seat in enumerate(self.seats):
            for tab, page in enumerate(seat.context.pages):
                shot(page, f"{name}-{number}-{tab}", failed=True)

    def leave(self) -> None:
        """Hang up, close all seats and take everybody off duty: the next test begins with an empty office."""
        for caller in self.callers:
            caller.stop()
        for seat in self.seats:
            seat.close()
        for user in {seat.user.id: seat.user for seat in self.seats}.values():
            self.system.post(user, "/desk/duty", {"on": False, "command": new_id(), "tab": new_id()})
        for link in self.links:
            link.close()
        for kept in (self.seats, self.callers, self.links):
            kept.clear()
        eventually(lambda: not self.calls(), 40, "the end of all calls")
        if self.system.console is not None and self.system.console.popen.poll() is not None:
            self.system.start_console()
        self.after = self.system.store.last_seq()

    def calls(self) -> list[str]:
        """Ids of the calls that have not ended."""
        with self.system.store.read() as conn:
            return [row[0] for row in conn.exec_driver_sql("SELECT id FROM calls WHERE state <> 'ended'")]

    def busy_users(self) -> list[str]:
        """Names of the users whom the store holds for being in a call."""
        with self.system.store.read() as conn:
            return [row[0] for row in conn.exec_driver_sql("SELECT name FROM users WHERE active_call_id IS NOT NULL")]

    def call(self, call_id: str) -> dict[str, Any]:
        """The call's row."""
        with self.system.store.read() as conn:
            statement = f"SELECT * FROM calls WHERE id = '{call_id}'"  # noqa: S608  an id of ours
            return dict(conn.exec_driver_sql(statement).mappings().one())


_TONE_PEAK = """async () => {
  const { tone } = window.__aircall;
  if (!tone.source) return 0;
  const look = tone.context.createAnalyser();
  tone.gain.connect(look);
  const samples = new Float32Array(look.fftSize);
  let peak = 0;
  for (const until = tone.context.currentTime + 3.2; tone.context.currentTime < until && peak < 0.01; ) {
    await new Promise((next) => setTimeout(next, 20));
    look.getFloatTimeDomainData(samples);
    peak = samples.reduce((most, one) => Math.max(most, Math.abs(one)), peak);
  }
  return peak;
}"""


def ringing_aloud(page: Page) -> bool:
    """Whether the ring tone comes out of this page: its samples are looked at for one period of the cadence."""
    return bool(page.evaluate(_TONE_PEAK) > 0.01)


def talk_for(page: Page, seconds: float) -> None:
    """The two talk."""
    page.wait_for_timeout(seconds * 1000)


def voices(heard: Samples, rate: int = 8000, window_s: float = 0.25) -> list[str]:
    """Who is heard, one after the other: the agent's tone, or music. Silence and windows with both do not count."""
    size = int(window_s * rate)
    found: list[str] = []
    for start in range(0, len(heard) - size, size):
        part = heard[start : start + size]
        if level(part) < -50:
            continue
        who = "agent" if has_tone(part, AGENT_HZ, rate) else "music" if tone_level(part, AGENT_HZ, rate) < -40 else ""
        if who:
            found.append(who)
    return [who for who, _ in itertools.groupby(found)]


def keep_messages(page: Page) -> None:
    """Keep the short messages that the page shows, which go by themselves."""
    page.evaluate("""() => { window.__said = [];
      window.__aircall.addEventListener('toast', (event) => window.__said.push(event.detail.text)); }""")


def said(page: Page) -> list[str]:
    """The short messages since the last question."""
    return list(page.evaluate("window.__said.splice(0)"))
