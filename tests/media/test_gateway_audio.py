"""Sound through a real gateway process and a real Chromium: what the fake microphone plays reaches the worker, and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.media.kit import FakeWorker, GatewayProcess, SignallingDesk, pages_of, tone_voice
from tests.support.audio import gaps, has_tone, tone, tone_level, write_wav
from tests.support.chromium import chromium, heard, listen
from tests.support.netns import NetNs
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("netns")]

MICROPHONE_HZ, CALLER_HZ = 440, 1000


@pytest.fixture(params=[8000, 16000], ids=["pcmu", "opus"])
def worker(request: pytest.FixtureRequest, short_path: Path) -> Iterator[FakeWorker]:
    """A worker with a bridge at either rate; the gateway takes mu-law at the lower and Opus at the higher."""
    with FakeWorker(short_path / "worker.pcm", request.param, tone_voice(CALLER_HZ, request.param)) as end:
        yield end


@pytest.fixture
def gateway(short_path: Path, sqlite_url: str, netns: NetNs) -> Iterator[GatewayProcess]:
    """One gateway process."""
    with GatewayProcess(short_path, sqlite_url) as process:
        yield process


@pytest.fixture
def page(worker: FakeWorker, gateway: GatewayProcess, tmp_path: Path) -> Iterator[Any]:
    """A page with an armed phone."""
    microphone = write_wav(tmp_path / "tone.wav", tone(MICROPHONE_HZ, 10, 48_000), 48_000)
    with SignallingDesk([gateway], worker) as desk, chromium(microphone) as browser, pages_of(browser, desk) as make:
        page = make()
        page.evaluate("() => phone.arm()")
        yield page


def test_both_ways(page: Any, worker: FakeWorker) -> None:
    took = page.evaluate("""async () => {
        const begun = performance.now();
        await phone.offer('call-0001', 'call').ready;
        return performance.now() - begun;
    }""")
    peer = page.evaluate("phone.peerOf('call-0001')")
    listen(page, "phone.audio.srcObject")
    end = worker.peers[peer]
    begun = len(end.frames)
    eventually(lambda: len(end.frames) >= begun + 250, what="5 s of frames from the browser", timeout=20)
    at_browser, rate = heard(page)

    at_worker = end.samples()
    print(f"connect {took:.0f} ms; worker: {tone_level(at_worker[-worker.rate * 4:], MICROPHONE_HZ, worker.rate):.1f} dB;")
    print(f"browser: {tone_level(at_browser[-rate * 4:], CALLER_HZ, rate):.1f} dB")
    assert has_tone(at_worker[-worker.rate * 4 :], MICROPHONE_HZ, worker.rate)
    assert has_tone(at_browser[-rate * 3 :], CALLER_HZ, rate)
    print("gaps at the worker", gaps(at_worker[-worker.rate * 4 :], MICROPHONE_HZ, worker.rate))
    print("gaps at the browser", gaps(at_browser[-rate * 3 :], CALLER_HZ, rate))
