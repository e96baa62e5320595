"""What an agent in Chromium waits for: the ringer, the 200 OK after Accept, the first audio, the delay of the audio.

A network namespace of its own, so that WebRTC has an address; one page of the console in Chromium, and for the row with
20 sessions 19 more users with a realtime connection each, all of whom are rung. Browser and measure share the clock.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from bench.report import Row, spread
from bench.rtp import RtpStream, first_loud, laid_out
from tests.browser.kit import Seat, ringer
from tests.support.audio import Samples, delay, noise, write_wav
from tests.support.chromium import chromium
from tests.support.desk_system import Line, System
from tests.support.netns import NetNs
from tests.support.rawsip import RawCaller

PAGE = Path(__file__).with_name("page.js")
TALK_S, EAR_RATE = 3.0, 16_000
# Echo and noise suppression would take the test's noise out of the microphone.
RAW_MICROPHONE = "localStorage.setItem('aircall.processing', 'off')"


@dataclass
class Times:
    """Milliseconds, one entry a call."""

    painted: list[float] = field(default_factory=list)
    ok: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)
    to_caller: list[float] = field(default_factory=list)
    to_browser: list[float] = field(default_factory=list)


def rung(system: System, line: Line, page: Page, times: Times) -> None:
    """One call that only rings."""
    with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
        painted(system, line, page, caller, times)
        caller.cancel()
        caller.wait_for(487)
    ringer(page).wait_for(state="detached")


def painted(system: System, line: Line, page: Page, caller: RawCaller, times: Times) -> None:
    """INVITE, until the page shows the card."""
    seen = page.evaluate("() => window.__bench.painted.length")
    sent = caller.invite(line.number)
    page.wait_for_function("(seen) => window.__bench.painted.length > seen", arg=seen, polling=50)
    times.painted.append(page.evaluate("(at) => window.__bench.painted[at]", seen) - sent.at * 1000)


def talked(system: System, line: Line, page: Page, times: Times, seed: int) -> None:
    """One call that is accepted by a click and heard both ways."""
    with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
        painted(system, line, page, caller, times)
        caller.pump(1.0)  # an agent needs a moment to see and reach the button
        page.evaluate("() => window.__bench.listen('mic', window.__aircall.phone.input)")
        page.wait_for_function("() => window.__aircall.phone.audio.srcObject")
        page.evaluate("() => window.__bench.listen('caller', window.__aircall.phone.audio.srcObject)")
        clicks = page.evaluate("() => window.__bench.clicked.length")
        ringer(page).get_by_role("button", name="Accept").click()
        ok = caller.wait_for(200)
        with RtpStream(caller.rtp, ok.media, noise(1.0, 8000, seed, -9)) as stream:
            caller.pump(TALK_S)
            clicked = page.evaluate("(at) => window.__bench.clicked[at]", clicks)
            times.ok.append(ok.at * 1000 - clicked)
            got = list(stream.got)
            heard, spoken = ear(page, "caller"), ear(page, "mic")
            since_click = [frame for frame in heard if frame[0] * 1000 >= clicked]
            times.audio.append(max(first_loud(got), first_loud(since_click)) * 1000 - clicked)
            since = min(frames[-1][0] for frames in (got, heard, spoken, stream.sent)) - 1.2
            out = laid_out(narrow(spoken), since, 1.2), laid_out(got, since, 1.2)
            back = laid_out(list(stream.sent), since, 1.2), laid_out(narrow(heard), since, 1.2)
            times.to_caller.append(delay(*out, 8000) * 1000)
            times.to_browser.append(delay(*back, 8000) * 1000)
        caller.bye()
        caller.wait_for(200, "BYE")
    page.get_by_role("toolbar", name="Active call").wait_for(state="hidden")


def ear(page: Page, name: str) -> list[tuple[float, Samples]]:
    """What an ear of the page heard: (seconds since the epoch, samples at 16 kHz)."""
    chunks: list[Any] = page.evaluate("(name) => window.__bench.take(name)", name)
    return [(at, np.asarray(samples) / 32768) for at, samples in chunks]


def narrow(frames: list[tuple[float, Samples]]) -> list[tuple[float, Samples]]:
    """16 kHz to 8 kHz by means of pairs: enough for finding a delay."""
    return [(at, samples[: len(samples) // 2 * 2].reshape(-1, 2).mean(axis=1)) for at, samples in frames]


def measure(folder: Path, *, full: bool) -> list[Row]:
    """All rows with a browser."""
    rings, talks = (100, 50) if full else (25, 12)
    alone, many, calls = Times(), Times(), Times()
    microphone = write_wav(folder / "mic.wav", noise(10.0, 48_000, 99, -9), 48_000)
    with NetNs() as ns, ns.entered(), System(folder, console=True) as system, chromium(microphone) as browser:
        user = system.add_user("Ada")
        others = [system.add_user() for _ in range(19)]
        line = system.add_line("+33199000001", [user])
        crowd = system.add_line("+33199000002", [user, *others], name="Everybody")
        seat = Seat.take(system, browser, user)
        seat.context.add_init_script(RAW_MICROPHONE)
        page = seat.open()
        seat.go_on_duty()
        page.evaluate(PAGE.read_text())
        page.evaluate("() => window.__bench.watch()")
        rung(system, line, page, Times())  # the first call fills caches
        for _ in range(rings):
            rung(system, line, page, alone)
        for number in range(talks):
            talked(system, line, page, calls, seed=number)
        tabs = [system.on_duty(one) for one in others]
        for _ in range(rings):
            rung(system, crowd, page, many)
        for tab in tabs:
            tab.close()
        version = browser.version
        seat.close()
    note = json.dumps({"chromium": version, "at": int(time.time())})
    return [
        Row(
            "INVITE to ringer painted, 1 session", "ms", spread(alone.painted, 1), {"median": 30, "p95": 60}, note=note
        ),
        Row("INVITE to ringer painted, 20 sessions rung", "ms", spread(many.painted, 1), {"p95": 120}),
        Row("Accept click to 200 OK on the wire", "ms", spread(calls.ok, 1), {"p95": 50}),
        Row("Accept click to first audio both ways", "ms", spread(calls.audio, 1), {"p95": 150}),
        Row(
            "delay, microphone to caller's RTP",
            "ms",
            spread(calls.to_caller, 1),
            {"median": 80, "p95": 110},
        ),
        Row(
            "delay, caller's RTP to browser",
            "ms",
            spread(calls.to_browser, 1),
            {"median": 130, "p95": 150},
        ),
    ]
