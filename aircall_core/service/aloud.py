"""Which of a user's browsers rings aloud: a pure rule over what their tabs reported.

A person with the console open on a desktop and a laptop should hear one ring, from the machine they sit at. The tab
within that browser is picked by the browser itself (navigator.locks), since only it knows which tabs still live.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TabState:
    """What one tab last reported, as far as ringing is concerned."""

    browser: str
    armed: bool
    sound_ok: bool
    focused_at: int  # ms; when the tab last came into view or was used


def elect(tabs: Iterable[TabState], current: str | None) -> str | None:
    """The browser that shall sound the ring, or None when none can.

    Only a browser with an armed tab whose sound works counts. The most recently focused wins; on a tie the current
    one stays, so that the ring does not jump about.
    """
    focus: dict[str, int] = {}
    for tab in tabs:
        if tab.armed and tab.sound_ok:
            focus[tab.browser] = max(focus.get(tab.browser, 0), tab.focused_at)
    if not focus:
        return None
    latest = max(focus.values())
    if current is not None and focus.get(current) == latest:
        return current
    return min(browser for browser, at in focus.items() if at == latest)
