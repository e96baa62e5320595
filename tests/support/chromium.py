"""Real Chromium with a microphone made of a WAV file, and an ear on what the page plays.

Take the fixture ``netns`` first (tests/support/netns.py): Chromium is then started inside the namespace, as everything
that the test's thread starts. Serve pages at 127.0.0.1, since microphones need a secure context and
http://10.99.0.1 is none; WebRTC finds 10.99.0.1 by itself.

    with chromium(microphone=tone_file) as browser:
        page = browser.new_context(permissions=["microphone"]).new_page()
        ...
        listen(page, "window.__aircall.phone.audio.srcObject")
        ...
        samples, rate = heard(page)
"""

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.support.audio import Samples, from_pcm

EXECUTABLE = os.environ.get("AIRCALL_TEST_CHROMIUM", "/usr/bin/chromium")
ENGINE = os.environ.get("AIRCALL_TEST_CHROMIUM", "/usr/bin/chromium-headless-shell")
"""Chromium's engine without its windows: pages are the same and cost a quarter less. It asks and remembers less than a
person's browser does: no pop-up is blocked, no notification permitted, devices have other ids after a reload."""

# What Chromium 156 leaves out for tests. Its toolbar, tab strip and address box are web pages now: each window would
# start a renderer for them, and each page a spare one, which cost more than most of our pages do.
_WITHOUT = (
    "InitialWebUI", "WebUIToolbarProcessOverheadExperiment", "PreloadTopChromeWebUI", "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess",
    # Chromium heeds the last list only, and ours follows Playwright's: those of it that concern Chromium on Linux stand
    # here too. Its coreBundle.js says why each.
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip

FLAGS = (
    f"--disable-features={','.join(_WITHOUT)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)

_EAR = Path(__file__).with_name("ear.js")


running: list[Browser] = []
"""The browsers of this process that `chromium` has started and not ended."""


@contextmanager
def chromium(
    microphone: Path | None = None,
    *,
    allow: bool = True,
    extra: Sequence[str] = (),
    headless: bool = True,
    engine_only: bool = False,
) -> Iterator[Browser]:
    """A Chromium of the test's own.

    ``microphone``: a WAV file played, over and over, as the sound of the only microphone; None: no microphone at all.
    ``engine_only``: for pages that ask nothing of a browser but to be shown.
    ``allow``: the question for the microphone is answered with yes; otherwise contexts decide by ``permissions``.
    """
    flags = [*FLAGS, *extra]
    if microphone is not None:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}"]
    if allow:
        flags.append("--use-fake-ui-for-media-stream")
    with _playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=ENGINE if engine_only else EXECUTABLE, headless=headless, args=flags
        )
        running.append(browser)
        try:
            yield browser
        finally:
            running.remove(browser)
            browser.close()


@contextmanager
def profile(
    folder: Path, microphone: Path, *, env: dict[str, str | float | bool], **options: Any
) -> Iterator[BrowserContext]:
    """A Chromium with a profile of its own kept in ``folder``, as a person has it: the system's notifications lead back
    to it, which they do not to Playwright's fresh contexts. ``options`` are those of a new context."""
    flags = [*FLAGS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}"]
    with _playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=EXECUTABLE, args=[*flags, "--use-fake-ui-for-media-stream"], env=env, **options
        )
        try:
            yield context
        finally:
            context.close()


@contextmanager
def _playwright() -> Iterator[Playwright]:
    """Playwright's synchronous face exists once a thread: a browser beside another one shares its driver."""
    if _drivers:
        yield _drivers[0]
        return
    with sync_playwright() as playwright:
        _drivers.append(playwright)
        try:
            yield playwright
        finally:
            _drivers.clear()


_drivers: list[Playwright] = []


def listen(page: Page, stream: str, name: str = "ear") -> None:
    """Begin to record a MediaStream of the page, given as a JavaScript expression. A context with ``bypass_csp`` where
    the page forbids blob: scripts. The stream must be attached to a media element, or Chromium does not decode it."""
    page.evaluate(_EAR.read_text())
    page.evaluate(f"(name) => window.__ears.listen(name, {stream})", name)


def heard(page: Page, name: str = "ear") -> tuple[Samples, int]:
    """All that was recorded since ``listen`` (or since the last call), and its rate."""
    taken = page.evaluate("(name) => window.__ears.take(name)", name)
    return from_pcm(base64.b64decode(taken["pcm"])), int(taken["rate"])
