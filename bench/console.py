"""The console killed in a call: the audio, what still works, how soon the page is back. And a rerun on the server.

The audio gap is compared with the same call's undisturbed seconds before.
"""

import signal
import statistics
import time
from pathlib import Path

from bench.live_call import LiveCall, live_call
from bench.report import Row, spread
from bench.rerun import reruns
from tests.browser.kit import ringer, toolbar
from tests.support.rawsip import RawCaller

BACK = "() => document.querySelector('[data-testid=stApp]')?.dataset.testConnectionState === 'CONNECTED'"


def killed(call: LiveCall, seconds: float) -> list[Row]:
    """Rows of one kill."""
    began = time.time()
    calm_until = call.pump(seconds)
    calm = call.longest_gap_ms(began, calm_until)
    assert call.system.console is not None
    call.system.console.kill(signal.SIGKILL)
    call.system.console.wait()
    killed_at = time.time()
    disturbed = call.longest_gap_ms(killed_at - 0.5, call.pump(seconds))
    # What works without a console: a command from the toolbar, and the ringer for the next call.
    page = call.page
    begun = time.monotonic()
    toolbar(page).get_by_role("button", name="Mute").click()
    call.system.wait_for("call.muted", muted=True)
    muted_ms = (time.monotonic() - begun) * 1000
    toolbar(page).get_by_role("button", name="Mute").click()
    call.system.wait_for("call.muted", muted=False)
    toolbar(page).get_by_role("button", name="Hang up").click()
    call.caller.wait_for_request("BYE")
    with RawCaller("127.0.0.1", call.system.settings.sip_port, caller="+33199005099") as other:
        sent = other.invite(call.line.number)
        ringer(page).wait_for()
        rang_ms = (time.time() - sent.at) * 1000
        other.cancel()
        other.wait_for(487)
    call.system.start_console()
    up = time.monotonic()
    page.wait_for_function(BACK, timeout=30_000)
    back_s = time.monotonic() - up
    return [
        Row("console killed: longest audio gap at the caller", "ms", {"gap": disturbed}, {}, {"gap": calm},
            "undisturbed seconds of the same call", note="bar: no longer than undisturbed"),
        Row("console dead: Mute in the toolbar, until the log says muted", "ms", {"took": round(muted_ms, 1)}),
        Row("console dead: INVITE to ringer visible", "ms", {"took": round(rang_ms, 1)}),
        Row("console up again, until the page is connected", "s", {"took": round(back_s, 2)}, {"took": 3.0}),
    ]  # fmt: skip


def measure(folder: Path, *, full: bool) -> list[Row]:
    """All rows."""
    rows = []
    with live_call(folder) as call:
        fragment, whole = reruns(call.system, call.user, 200 if full else 40)
        rows.append(Row("fragment rerun of the home page on the server", "ms", spread(fragment), {"median": 30}))
        rows.append(Row("whole rerun of the home page on the server", "ms", spread(whole)))
        rows += killed(call, 20.0 if full else 6.0)
    assert statistics.median(fragment) > 0
    return rows
