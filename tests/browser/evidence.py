"""What a failed test leaves behind: what its pages show and what its console was at. CI keeps no pictures."""

import json
import signal

from playwright.sync_api import Error, Page

from tests.support import chromium
from tests.support.processes import Process, eventually

_STATE = """() => ({
  ...document.querySelector('[data-testid=stApp]')?.dataset,
  desk: window.__aircall?.status,
  focus: document.activeElement?.outerHTML.slice(0, 120),
  alerts: [...document.querySelectorAll('[role=alert], [data-testid=stException], [data-testid=stStatusWidget]')]
    .map((one) => one.textContent.slice(0, 200)),
  text: document.querySelector('[data-testid=stMain]')?.innerText.slice(0, 600),
})"""


def pages() -> str:
    """A line for every open page of the test's browsers: its address, Streamlit's state, the desk's, its words."""
    found = [page for browser in chromium.running for context in browser.contexts for page in context.pages]
    return "\n".join(_told(page) for page in found)


def _told(page: Page) -> str:
    try:
        return f"{page.url} {json.dumps(page.evaluate(_STATE), ensure_ascii=False)}"
    except Error as error:
        return f"{page.url} cannot be asked: {error}"


def console(process: Process | None) -> str:
    """The end of what this console said, and where its threads are (support/site)."""
    if process is None or process.popen.poll() is not None:
        return "no console runs"
    before = len(process.errors)

    def stacks() -> bool:
        return "most recent call first" in process.errors[before:]

    process.kill(signal.SIGUSR2)
    try:
        eventually(stacks, 5)
    except AssertionError:
        return f"{process.errors[-2000:]}\nit does not say where its threads are"
    return process.errors[max(0, before - 2000) :]
