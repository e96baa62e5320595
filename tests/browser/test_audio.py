"""A call from SIP peers to a real browser: rung, accepted by a click, heard both ways, recorded, played back.

Sound is measured, not assumed: the agent's microphone is one tone, the caller's voice another, and each is looked for
in what the other side received. Gaps are compared with a bare WebRTC loop in the same browser at the same time, since
the machine itself stalls at times.
"""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.kit import AGENT_HZ, CALLER_HZ, Office, listen_to_call, ringer, shot, talking, toolbar
from tests.support.audio import Samples, gaps, has_tone, level, read_wav, tone, tone_level
from tests.support.chromium import heard, listen
from tests.support.peers import Baresip
from tests.support.processes import eventually
from tests.support.sipp import Sipp
from tests.support.wiretap import Wiretap

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.sip, pytest.mark.timeout(300)]

EAR_RATE = 16_000
STILL_S = 5  # before the pages begin to change
SETTLE_S = 1.0  # of each recording: the first second holds the answer itself

LOOP = """async () => {
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  from.onicecandidate = (e) => to.addIceCandidate(e.candidate);
  to.onicecandidate = (e) => from.addIceCandidate(e.candidate);
  const arrived = new Promise((done) => (to.ontrack = (e) => done(e.streams[0] ?? new MediaStream([e.track]))));
  const microphone = window.__aircall.phone.input;
  microphone.getTracks().forEach((track) => from.addTrack(track.clone(), microphone));
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription);
  await to.setLocalDescription();
  await from.setRemoteDescription(to.localDescription);
  const audio = new Audio();
  audio.srcObject = await arrived;
  await audio.play();
  window.__loop = { from, to, audio };
}"""


def sipp(office: Office, folder: Path, seconds: int) -> Sipp:
    """SIPp calls; what it hears is read off the wire."""
    return Sipp(
        "call", office.system.sip_server, folder, number=office.line.number, hold_ms=seconds * 1000 + 30_000,
        audio=tone(CALLER_HZ, 1, 8000), hangup_ms=600_000,
    )  # fmt: skip


def baresip(office: Office, folder: Path, seconds: int) -> Baresip:
    """baresip calls."""
    phone = Baresip(folder, audio=tone(CALLER_HZ, seconds + 60, 8000))
    phone.dial(f"sip:{office.line.number}@{office.system.sip_server}")
    return phone


@pytest.mark.parametrize(("peer", "seconds"), [(sipp, 8), (baresip, 5)])
def test_heard_both_ways_while_pages_change(
    office: Office, tmp_path: Path, peer: Callable[[Office, Path, int], Sipp | Baresip], seconds: int
) -> None:
    talk(office, tmp_path, peer, seconds)


@pytest.mark.soak
@pytest.mark.parametrize("peer", [sipp, baresip])
def test_heard_both_ways_for_a_minute(
    office: Office, tmp_path: Path, peer: Callable[[Office, Path, int], Sipp | Baresip]
) -> None:
    talk(office, tmp_path, peer, seconds=60)


def talk(office: Office, folder: Path, peer: Callable[[Office, Path, int], Sipp | Baresip], seconds: int) -> None:
    seat = office.on_duty()
    page = seat.page
    page.evaluate(LOOP)
    listen(page, "window.__loop.audio.srcObject", "loop")
    with Wiretap() as wire:
        caller = peer(office, folder, seconds)
        office.callers.append(caller)
        ringer(page).wait_for()
        call_id = str(office.wait_for("call.ringing").event.call_id)
        ringer(page).get_by_role("button", name="Accept").click()
        talking(page)
        listen_to_call(page)
        page.wait_for_timeout(STILL_S * 1000)
        still, _ = heard(page)
        heard(page, "loop")  # from here on
        watch(page)
        change_pages(page, seconds)
        in_browser, browser_rate = heard(page)
        in_loop, loop_rate = heard(page, "loop")
        was_steady(page, seconds)
        toolbar(page).get_by_role("button", name="Hang up").click()
        expect(toolbar(page)).to_be_hidden()
        office.wait_for("call.ended", call_id=call_id)
        (port,) = wire.media_ports()
    at_caller = wire.heard_at(port)
    sounds_right(at_caller[: (seconds + 2) * 8000], AGENT_HZ, 8000, in_loop, loop_rate)
    sounds_right(in_browser, CALLER_HZ, browser_rate, in_loop, loop_rate)
    no_worse(in_browser, still, CALLER_HZ, browser_rate)
    assert seat.complaints == []
    recorded = is_recorded(office, call_id)
    plays_in_the_conversation(office, page, call_id, len(recorded) / 8000)


def change_pages(page: Page, seconds: int) -> None:
    """A user who looks at another page every second."""
    for number in range(seconds):
        name = ("Audio check", "Inbox")[number % 2]
        page.get_by_role("link", name=name).click()
        page.get_by_role("heading", name=name).wait_for()
        page.wait_for_timeout(1000)


def watch(page: Page) -> None:
    """Look at the toolbar at every frame from now on: its nodes, its place, its timer."""
    page.evaluate("() => void (window.__watch = { frames: 0, wrong: [], shown: [] })")
    toolbar(page).evaluate("""(bar) => {
      const all = [bar, ...bar.querySelectorAll('button')];
      const hangup = all.find((one) => one.className.includes('hangup'));
      const place = () => Object.values(hangup.getBoundingClientRect().toJSON()).join();
      const [at, root, log] = [place(), bar.getRootNode(), window.__watch];
      const look = () => {
        log.frames += 1;
        const now = [root.querySelector('.bar'), ...bar.querySelectorAll('button')];
        if (now.length !== all.length || now.some((one, i) => one !== all[i])) log.wrong.push('other nodes');
        if (!bar.isConnected || !bar.matches(':popover-open')) log.wrong.push('gone');
        else if (place() !== at) log.wrong.push(`moved from ${at} to ${place()}`);
        const text = bar.querySelector('.top [role=timer]').textContent;
        if (log.shown.at(-1) !== text) log.shown.push(text);
        requestAnimationFrame(look);
      };
      look();
    }""")


def was_steady(page: Page, seconds: int) -> None:
    """The toolbar was there at every frame, at its place, of the same nodes; its timer went on second by second."""
    seen = page.evaluate("() => ({ ...window.__watch })")
    assert seen["wrong"] == []
    assert seen["frames"] > 5 * seconds
    shown = [
        sum(int(part) * 60**power for power, part in enumerate(reversed(text.split(":")))) for text in seen["shown"]
    ]
    assert shown == sorted(shown)
    late = [b - a for a, b in itertools.pairwise(shown)]
    assert shown[-1] - shown[0] >= seconds
    assert sum(step - 1 for step in late) <= seconds * 0.1, f"seconds that were never shown: {shown}"


def no_worse(sound: Samples, still: Samples, hz: float, rate: int) -> None:
    """Under way from page to page it is interrupted hardly more than before, when nothing happened in the browser."""
    lost, before = (
        sum(gap.length_s for gap in gaps(one, hz, rate)) / (len(one) / rate)
        for one in (sound[int(SETTLE_S * rate) :], still[int(SETTLE_S * rate) :])
    )
    print(f"{hz} Hz: without it {lost:.2%} while pages change, {before:.2%} before")
    assert lost <= 2 * before + 0.03


def sounds_right(sound: Samples, hz: float, rate: int, loop: Samples, loop_rate: int) -> None:
    """The tone is there, and is interrupted hardly more than the bare loop's, which needs no other process' turn."""
    sound, loop = sound[int(SETTLE_S * rate) :], loop[int(SETTLE_S * loop_rate) :]
    assert has_tone(sound[: rate * 4], hz, rate), f"{hz} Hz at {tone_level(sound, hz, rate)} of {level(sound)} dB"
    lost = sum(gap.length_s for gap in gaps(sound, hz, rate))
    bare = sum(gap.length_s for gap in gaps(loop, AGENT_HZ, loop_rate))
    print(f"{hz} Hz: {len(sound) / rate:.1f} s, without it {lost:.3f} s; bare loop {bare:.3f} s")
    assert lost <= 2 * bare + 0.03 * len(sound) / rate


def is_recorded(office: Office, call_id: str) -> Samples:
    """The stereo file: caller left, inside right."""
    office.wait_for("call.recording", state="saved", call_id=call_id)
    (path,) = office.system.settings.recordings_dir.rglob(f"{call_id}.wav")
    (left, right), rate = read_wav(path)
    middle = slice(len(left) // 4, len(left) // 4 + 3 * rate)
    assert has_tone(left[middle], CALLER_HZ, rate)
    assert has_tone(right[middle], AGENT_HZ, rate)
    assert tone_level(left[middle], AGENT_HZ, rate) < -50
    assert tone_level(right[middle], CALLER_HZ, rate) < -50
    caller: Samples = left
    return caller


def plays_in_the_conversation(office: Office, page: Page, call_id: str, seconds: float) -> None:
    """The bubble's player gives the recording back."""
    page.add_init_script("const A = Audio; window.__players = []; window.Audio = function () "
                         "{ const one = new A(); window.__players.push(one); return one; };")  # fmt: skip
    page.goto(f"{office.system.console_url}/conversation?id={office.call(call_id)['conversation_id']}")
    page.get_by_role("button", name="Play recording").last.click()
    page.get_by_role("button", name="Pause recording").wait_for()
    shot(page, "recording-plays")
    page.wait_for_function("window.__players.findLast((one) => !one.paused)?.readyState > 1")  # no sound, no track
    listen(page, "window.__players.findLast((one) => !one.paused).captureStream()", "player")
    duration = page.evaluate("window.__players.findLast((one) => !one.paused).duration")
    assert abs(duration - seconds) < 0.5
    parts: list[Samples] = []

    def two_seconds() -> bool:
        parts.append(heard(page, "player")[0])
        return sum(len(part) for part in parts) > 2 * EAR_RATE

    eventually(two_seconds, 30, "two seconds of the recording", every=0.3)
    sound = np.concatenate(parts)
    assert tone_level(sound, AGENT_HZ, EAR_RATE) > -40
    assert tone_level(sound, CALLER_HZ, EAR_RATE) > -40
