"""A recording that is paused and goes on, in the library's own bridge: nothing of the pause, both channels in step."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.audio import Samples, from_pcm

pytestmark = pytest.mark.sip
PAUSES = 12

# The same noise goes to both channels (as the far end's to the left, as the agent's to the right), so that whatever
# puts one before the other is seen to the sample. While it is paused another sound plays.
BRIDGE = """
import os, random, sys, time
from pathlib import Path
from aircall_core.sip.bridge import Media, Wiring
from aircall_core.sip.endpoint import Endpoint, EndpointConfig
from aircall_core.sip.hearing import Member, connections
from aircall_core.sip.recorder import Recorder

os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
folder, pauses = Path(sys.argv[1]), int(sys.argv[2])
endpoint = Endpoint(EndpointConfig(port=0), lambda invite: None)
endpoint.start()
media = Media(endpoint, "data/prompts/hold-music.wav")
noise = media.pool.take()
secret = [False]
loud = b"\\xff\\x7f" * 160
noise.pull = lambda: loud if secret[0] else random.randbytes(320)[:160] * 2
recorder = Recorder(folder, "call")

def port_of(node):
    if node == ("", "silence"):
        return media.silence
    return recorder.channel(node[1]) if node[1] in ("left", "right") else noise if node[1] == "far" else other

class Fork:  # the agent's port says what the far end says: one clock, one sound
    startTransmit = staticmethod(lambda sink: noise.startTransmit(sink))
    stopTransmit = staticmethod(lambda sink: noise.stopTransmit(sink))

other = Fork()
wiring = Wiring(port_of)

def tape(on, seconds):
    pairs = connections(Member("call", talking=True, agent=True, recording=on))
    wiring.apply(frozenset(pair for pair in pairs if pair[1][1] in ("left", "right")))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        endpoint.poll(5)

for _ in range(pauses):
    tape(True, 0.15)
    wiring.apply(frozenset())
    tape(False, 0.06)
    secret[0] = True
    tape(False, 0.1)
    secret[0] = False
    tape(False, 0.06)
tape(True, 0.15)
tape(False, 0.05)
recorder.close()
tape(False, 0.1)
os._exit(0)
"""


def test_pauses_are_absent_and_both_channels_stay_in_step(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", BRIDGE, str(tmp_path), str(PAUSES)], cwd=root, env={"PYTHONPATH": str(root)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    left, right = ((tmp_path / f"call.{name}.wav").read_bytes()[44:] for name in ("caller", "inside"))
    channels = [from_pcm(left), from_pcm(right)]
    assert all(len(one) / 8000 > 0.1 * (PAUSES + 1) for one in channels), "it was recorded between the pauses"
    assert not any(np.any(one > 0.9999) and _runs(one) for one in channels), "what was said in a pause"
    assert abs(len(channels[0]) - len(channels[1])) <= 160
    assert _apart(*channels) <= 160, "20 ms"


def _runs(samples: Samples) -> bool:
    """Whether a whole frame of the secret is in it."""
    loud = samples > 0.9999
    return bool(np.any(np.convolve(loud, np.ones(160), "valid") >= 160))


def _apart(one: Samples, other: Samples) -> int:
    """The most samples by which any quarter of a second of the one lies elsewhere in the other."""
    worst, size = 0, 2000
    for at in range(0, min(len(one), len(other)) - size, size):
        around = other[max(0, at - 480) : at + size + 480]
        lags = np.correlate(around, one[at : at + size], "valid")
        worst = max(worst, abs(int(np.argmax(lags)) - min(at, 480)))
    return worst
