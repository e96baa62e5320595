"""A call in progress between a hand-made caller and an agent in Chromium, for measures of what disturbs it."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from bench.rtp import RtpStream, laid_out
from tests.browser.kit import Seat, browser_speaking, ringer, toolbar
from tests.support.audio import Samples, gaps, tone, tone_level
from tests.support.desk_system import Line, System, User
from tests.support.netns import NetNs
from tests.support.rawsip import RawCaller

AGENT_HZ, CALLER_HZ = 440, 700
WINDOW_S = 0.2  # tells 440 Hz from the music's nearest notes


@dataclass
class LiveCall:
    """All ends of the call; the caller's RTP is the measure."""

    system: System
    user: User
    line: Line
    seat: Seat
    caller: RawCaller
    stream: RtpStream

    @property
    def page(self) -> Page:
        """The agent's tab."""
        return self.seat.page

    def heard(self, since: float, until: float) -> Samples:
        """What the caller heard between two moments (seconds since the epoch)."""
        return laid_out(list(self.stream.got), since, until - since)

    def longest_gap_ms(self, since: float, until: float) -> float:
        """The longest stretch without the agent's tone."""
        found = gaps(self.heard(since, until), AGENT_HZ, 8000)
        return max((gap.length_s for gap in found), default=0.0) * 1000

    def first(self, since: float, until: float, *, agent: bool, quiet: float = -45.0) -> float | None:
        """Seconds after `since` until the caller hears the agent's tone; not `agent`: until anything else (music)."""
        sound, size = self.heard(since, until), int(WINDOW_S * 8000)
        for start in range(0, len(sound) - size, 80):
            part = sound[start : start + size]
            loud = 20 * np.log10(float(np.sqrt(2 * np.mean(part**2))) + 1e-9)
            over = tone_level(part, AGENT_HZ, 8000) - loud
            if loud > quiet and (over > -3 if agent else over < -10):  # between them: a window with both
                return start / 8000
        return None

    def pump(self, seconds: float) -> float:
        """Let time pass; the moment after it."""
        self.caller.pump(seconds)
        return time.time()


@contextlib.contextmanager
def live_call(folder: Path, **settings: Any) -> Iterator[LiveCall]:
    """An installation with console, one agent on duty in Chromium, and a call that both have heard."""
    with (
        NetNs() as ns,
        ns.entered(),
        System(folder, console=True, **settings) as system,
        browser_speaking(folder, AGENT_HZ) as browser,
    ):
        user = system.add_user("Ada", role="administrator")
        line = system.add_line("+33199000001", [user])
        seat = Seat.take(system, browser, user)
        seat.open()
        seat.go_on_duty()
        with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
            caller.invite(line.number)
            ringer(seat.page).wait_for()
            ringer(seat.page).get_by_role("button", name="Accept").click()
            ok = caller.wait_for(200, timeout=30)
            with RtpStream(caller.rtp, ok.media, tone(CALLER_HZ, 1, 8000)) as stream:
                toolbar(seat.page).wait_for()
                call = LiveCall(system, user, line, seat, caller, stream)
                call.pump(2.0)
                yield call
                caller.bye()
        seat.close()
