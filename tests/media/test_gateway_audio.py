"""Sound through real gateway processes and a real Chromium: from the fake microphone to the worker, and back."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.media.kit import FakeWorker, GatewayProcess, SignallingDesk, WorkerEnd, pages_of, tone_voice
from tests.media.lossy import LossyPath
from tests.support.audio import Samples, gaps, has_tone, level, tone, tone_level, write_wav
from tests.support.chromium import chromium, heard, listen
from tests.support.netns import NetNs
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("netns")]

MICROPHONE_HZ, CALLER_HZ = 440, 1000
CALL = "call-0001"


@pytest.fixture(scope="module")
def browser(netns: NetNs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Chromium whose microphone plays 440 Hz."""
    folder = tmp_path_factory.mktemp("microphone")
    with chromium(write_wav(folder / "tone.wav", tone(MICROPHONE_HZ, 10, 48_000), 48_000)) as browser:
        yield browser


@pytest.fixture
def worker(request: pytest.FixtureRequest, short_path: Path) -> Iterator[FakeWorker]:
    """A worker that plays 1 kHz, at the rate that the test is parametrized with."""
    rate = getattr(request, "param", 8000)
    with FakeWorker(short_path / "worker.pcm", rate, tone_voice(CALLER_HZ, rate)) as end:
        yield end


@pytest.fixture
def gateway(short_path: Path, sqlite_url: str, netns: NetNs) -> Iterator[GatewayProcess]:
    """One gateway process."""
    with GatewayProcess(short_path, sqlite_url) as process:
        yield process


@pytest.fixture
def desk(worker: FakeWorker, gateway: GatewayProcess) -> Iterator[SignallingDesk]:
    """A desk with that gateway."""
    with SignallingDesk([gateway], worker) as desk:
        yield desk


@pytest.fixture
def page(browser: Any, desk: SignallingDesk) -> Iterator[Any]:
    """A page with an armed phone. Sound processing is off: Chromium takes a steady tone for noise and removes it."""
    with pages_of(browser, desk) as make:
        page = make()
        page.evaluate("() => phone.setProcessing(false)")
        page.evaluate("() => phone.arm()")
        yield page


def connect(page: Any, worker: FakeWorker, purpose: str = "call") -> WorkerEnd:
    """Offer audio for the call and wait until it flows."""
    page.evaluate("([call, purpose]) => phone.offer(call, purpose).ready", [CALL, purpose])
    return end_of(page, worker)


def end_of(page: Any, worker: FakeWorker) -> WorkerEnd:
    """The worker's end of the peer that the page has now, with frames coming."""

    def found() -> WorkerEnd | None:
        end = worker.peers.get(page.evaluate("(call) => phone.peerOf(call)", CALL))
        return end if end is not None and end.frames else None

    end = eventually(found, what="frames at the worker")
    assert end is not None
    return end


def next_frames(end: WorkerEnd, seconds: float) -> Any:
    """What the worker gets from now on, as samples."""
    begin, count = len(end.frames), round(seconds * 50)
    eventually(lambda: len(end.frames) >= begin + count, what="frames from the browser", timeout=20 + seconds)
    return end.samples()[begin * (end_size := len(end.frames[0][2]) // 2) : (begin + count) * end_size]


@pytest.mark.parametrize("worker", [8000, 16000], ids=["pcmu", "opus"], indirect=True)
@pytest.mark.alone
def test_tones_both_ways_without_a_gap(page: Any, worker: FakeWorker) -> None:
    end = connect(page, worker)
    next_frames(end, 2)  # the browser's playout settles
    listen(page, "phone.audio.srcObject")
    at_worker = next_frames(end, 5)
    at_browser, rate = heard(page)
    at_browser = at_browser[rate // 2 :]  # the ear opens with silence
    print(f"worker {tone_level(at_worker, MICROPHONE_HZ, worker.rate):.1f} dB")
    print(f"browser {tone_level(at_browser, CALLER_HZ, rate):.1f} dB, {gaps(at_browser, CALLER_HZ, rate)}")
    assert has_tone(at_worker, MICROPHONE_HZ, worker.rate, at_least_db=-20)
    assert has_tone(at_browser, CALLER_HZ, rate, at_least_db=-20)
    numbers = [number for _, number, _ in end.frames]
    assert numbers == list(range(len(numbers)))
    assert gaps(at_worker, MICROPHONE_HZ, worker.rate) == []


@pytest.mark.alone
def test_mute_sends_silence_and_unmute_sound_again(page: Any, worker: FakeWorker) -> None:
    end = connect(page, worker)
    assert has_tone(next_frames(end, 1), MICROPHONE_HZ, 8000, at_least_db=-20)
    page.evaluate("(call) => phone.setMuted(call, true)", CALL)
    next_frames(end, 0.3)
    assert level(next_frames(end, 0.5)) < -60
    page.evaluate("(call) => phone.setMuted(call, false)", CALL)
    next_frames(end, 0.3)
    assert has_tone(next_frames(end, 0.5), MICROPHONE_HZ, 8000, at_least_db=-20)


@pytest.mark.in_pairs
def test_levels_for_a_meter(page: Any, worker: FakeWorker) -> None:
    connect(page, worker)
    page.wait_for_function("() => { const { mic, caller } = phone.levels(); return mic > 0.1 && caller > 0.05; }")


def test_closing_ends_the_peer_everywhere(page: Any, worker: FakeWorker, gateway: GatewayProcess) -> None:
    end = connect(page, worker)
    page.evaluate("(call) => phone.close(call)", CALL)
    assert end.closed.wait(5)
    eventually(lambda: gateway.stats()["peers"] == 0)
    assert page.evaluate("() => [phone.peerOf('call-0001'), phone.audio.srcObject]") == [None, None]
    assert [state for _, state in page.evaluate("states")] == ["connected", "closed"]


def test_leaving_the_page_ends_the_peer(page: Any, worker: FakeWorker, gateway: GatewayProcess) -> None:
    end = connect(page, worker)
    page.goto("about:blank")
    assert end.closed.wait(5)
    eventually(lambda: gateway.stats()["peers"] == 0)


def test_one_leg_a_call_however_often_it_is_offered(page: Any, worker: FakeWorker, desk: SignallingDesk) -> None:
    peers = page.evaluate("() => [1, 2, 3].map(() => phone.offer('call-0001', 'ring').peer)")
    assert len(set(peers)) == 1
    connect(page, worker, "ring")
    assert [offer["purpose"] for offer in desk.offers] == ["ring"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stalled"])
@pytest.mark.in_pairs
def test_another_gateway_takes_over(
    browser: Any, worker: FakeWorker, gateway: GatewayProcess, short_path: Path, sqlite_url: str, how: signal.Signals
) -> None:
    with (
        GatewayProcess(short_path, sqlite_url, index=1) as other,
        SignallingDesk([gateway, other], worker) as desk,
        pages_of(browser, desk) as make,
    ):
        page = make()
        page.evaluate("() => phone.setProcessing(false)")
        page.evaluate("() => phone.arm()")
        first = connect(page, worker, "ring")
        page.evaluate("(call) => accepted(call)", CALL)
        desk.gateways = [other] if how == signal.SIGSTOP else desk.gateways
        gateway.process.kill(how)
        page.wait_for_function("() => states.map(([, state]) => state).join() === 'connected,reconnecting,connected'")
        second = end_of(page, worker)
        assert has_tone(next_frames(second, 1), MICROPHONE_HZ, 8000, at_least_db=-20)
        assert second.hello["peer"] != first.hello["peer"]
        assert [offer["purpose"] for offer in desk.offers] == ["ring", "call"]
        lost, back = (at for at, _ in page.evaluate("states")[1:])
        print(f"from noticing to audio {back - lost:.0f} ms")
        listen(page, "phone.audio.srcObject")
        next_frames(second, 1.5)
        at_browser, rate = heard(page)
        assert has_tone(at_browser[rate // 2 :], CALLER_HZ, rate, at_least_db=-20)
        gateway.process.kill(signal.SIGKILL)


@pytest.mark.in_pairs
def test_a_gateway_that_stops_in_order_sends_its_browsers_elsewhere(
    page: Any, worker: FakeWorker, gateway: GatewayProcess
) -> None:
    first = connect(page, worker)
    page.evaluate("(call) => accepted(call)", CALL)
    gateway.stop()
    assert first.closed.wait(5)
    gateway.start()
    page.wait_for_function("() => states.map(([, state]) => state).join() === 'connected,reconnecting,connected'")
    assert has_tone(next_frames(end_of(page, worker), 1), MICROPHONE_HZ, 8000, at_least_db=-20)


def test_a_call_that_is_over_is_not_offered_again(page: Any, worker: FakeWorker, desk: SignallingDesk) -> None:
    end = connect(page, worker)
    worker.refuse = "no such call"
    worker.hang_up(end.hello["peer"])
    page.wait_for_function("() => states.at(-1)?.[1] === 'failed'")
    assert page.evaluate("(call) => phone.peerOf(call)", CALL) is None


@pytest.mark.parametrize("worker", [8000, 16000], ids=["pcmu", "opus"], indirect=True)
@pytest.mark.alone
def test_a_bad_network_is_heard_as_little_as_can_be(
    page: Any, worker: FakeWorker, desk: SignallingDesk, gateway: GatewayProcess, netns: NetNs
) -> None:
    with LossyPath(netns.address, lose=25, swap=10) as path:
        desk.through = path.through
        end = connect(page, worker)
        next_frames(end, 1)
        begun, at, lost = len(end.frames), end.frames[-1][0], path.lost
        listen(page, "phone.audio.srcObject")
        at_worker = next_frames(end, 5)
        took, frames = end.frames[-1][0] - at, len(end.frames) - begun
        at_browser, rate = heard(page)
        before = path.lost
        (counted,) = gateway.stats()["each"].values()
        print(f"lost {path.lost}, swapped {path.swapped}, {frames} frames in {took:.2f} s, {counted}")
        print("gaps at the worker", gaps(at_worker, MICROPHONE_HZ, worker.rate))
        assert path.lost - lost >= 5
        assert path.swapped > 10
        assert before - 1 <= counted["lost"] <= path.lost  # the last one may still be waited for; none was merely late
        assert frames == pytest.approx(took * 50, rel=0.02)  # what was lost is concealed: nobody's clock slips
        assert share_with_tone(at_worker, MICROPHONE_HZ, worker.rate) > 0.9
        assert share_with_tone(at_browser[rate // 2 :], CALLER_HZ, rate) > 0.9


def share_with_tone(samples: Samples, frequency: float, rate: int) -> float:
    """How many fifths of a second are mostly the tone, of all."""
    size = rate // 5
    windows = [samples[at : at + size] for at in range(0, len(samples) - size, size)]
    return sum(has_tone(window, frequency, rate, at_least_db=-25) for window in windows) / len(windows)


@pytest.mark.in_pairs
def test_a_path_that_dies_without_a_word_is_replaced(
    page: Any, worker: FakeWorker, desk: SignallingDesk, netns: NetNs
) -> None:
    with LossyPath(netns.address, lose=10**9, swap=10**9) as path:
        desk.through = path.through
        connect(page, worker)
        page.evaluate("(call) => accepted(call)", CALL)
        desk.through = None
        path.cut = True
        page.wait_for_function("() => states.map(([, state]) => state).join() === 'connected,reconnecting,connected'")
        assert has_tone(next_frames(end_of(page, worker), 1), MICROPHONE_HZ, 8000, at_least_db=-20)


@pytest.mark.in_pairs
def test_a_firewall_and_a_nat_are_told_apart(
    browser: Any, netns: NetNs, worker: FakeWorker, short_path: Path, sqlite_url: str
) -> None:
    """Ports come from the range that the firewall lets in; the router's address is told beside our own, not instead."""
    with (
        GatewayProcess(short_path, sqlite_url, rtc_ports="41000-41003", public_address="203.0.113.9") as gateway,
        SignallingDesk([gateway], worker) as desk,
        pages_of(browser, desk) as make,
    ):
        page = make()
        page.evaluate("() => phone.setProcessing(false)")
        page.evaluate("() => phone.arm()")
        assert has_tone(next_frames(connect(page, worker), 1), MICROPHONE_HZ, 8000, at_least_db=-20)
        told = [line.split()[4:6] for line in desk.answers[0]["sdp"].splitlines() if line.startswith("a=candidate")]
        assert [address for address, _ in told] == [netns.address, "203.0.113.9"]
        assert told[0][1] == told[1][1]
        assert 41_000 <= int(told[0][1]) <= 41_003


def test_a_full_gateway_is_asked_again(browser: Any, worker: FakeWorker, short_path: Path, sqlite_url: str) -> None:
    with (
        GatewayProcess(short_path, sqlite_url, gateway_capacity=1) as small,
        SignallingDesk([small], worker) as desk,
        pages_of(browser, desk) as make,
    ):
        first, second = make(), make()
        for page in (first, second):
            page.evaluate("() => phone.arm()")
        connect(first, worker)
        second.evaluate("() => { window.waiting = phone.offer('call-0002', 'call').ready; }")
        eventually(lambda: small.stats()["refused"] >= 2, what="the second page's second try")
        first.evaluate("(call) => phone.close(call)", CALL)
        second.evaluate("() => window.waiting")


def test_refusals_have_names(browser: Any, netns: NetNs, desk: SignallingDesk, tmp_path: Path) -> None:
    arm = "() => phone.arm().then(() => phone.mic, (error) => `${phone.mic} ${error.name}`)"
    with pages_of(browser, desk) as make:
        page = make()
        assert page.evaluate(arm) == "ok"
        desk_elsewhere = desk.url.replace("127.0.0.1", netns.address)
        page.goto(desk_elsewhere)
        page.wait_for_function("window.phone")
        assert page.evaluate("phone.mic") == "insecure"
        assert page.evaluate(arm) == "insecure SecurityError"
    with chromium(allow=False) as without, pages_of(without, desk) as make:
        assert make().evaluate(arm) == "missing NotFoundError"
    microphone = write_wav(tmp_path / "tone.wav", tone(440, 1, 48_000), 48_000)
    with (
        chromium(microphone, extra=["--deny-permission-prompts"], allow=False) as strict,
        pages_of(strict, desk) as make,
    ):
        assert make(()).evaluate(arm) == "denied NotAllowedError"
