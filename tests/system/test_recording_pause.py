"""What is said while a recording is paused is not in its file, and both channels go on in step."""

from pathlib import Path

import numpy as np
import pytest

from aircall_core.desk import lines
from tests.support.audio import Samples, found, noise, read_wav, silence, tone_level
from tests.support.desk_system import System
from tests.support.ivr_caller import RATE
from tests.support.processes import eventually
from tests.system.talking import Agent, House

pytestmark = [pytest.mark.sip, pytest.mark.timeout(120)]

# Each side says its own noise once a second: where the two lie in the file tells whether the channels are in step.
CALLER_MARK, AGENT_MARK = noise(0.2, RATE, seed=1), noise(0.2, RATE, seed=2)
KEYS_HZ = (852.0, 1336.0)  # a number spoken by two tones at once, as the 8 of a keypad is


def second(sound: Samples) -> Samples:
    """The sound, and silence up to a second."""
    return np.concatenate([sound, silence(1.0, RATE)])[:RATE]


SECRET = sum((0.2 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE) for hz in KEYS_HZ), start=np.zeros(RATE))


def has_number(samples: Samples) -> bool:
    """Whether the number sounds in any stretch of these."""
    size = RATE // 5  # short ones: a tone level's window hardly hears what has just begun
    pieces = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size // 4)]
    return any(min(tone_level(piece, hz, RATE) for hz in KEYS_HZ) > -30 for piece in pieces)  # marks: -40


def pause_for_secret(agent: Agent, call_id: str) -> None:
    """Pauses the recording before the caller says the number, and goes on with it after that."""
    path, heard = f"/desk/calls/{call_id}/recording", agent.peers[call_id]
    agent.do(path, on=False)
    agent.tab.wait_until(lambda: agent.tab.view["calls"][call_id]["recording"] == "paused", "the pause")
    assert not has_number(heard.heard(1.0)), "the test was too slow for the caller"
    eventually(lambda: has_number(heard.heard(1.0)), 10, "the number")
    eventually(lambda: not has_number(heard.heard(1.0)), 10, "its end")
    agent.do(path, on=True)
    agent.tab.wait_until(lambda: agent.tab.view["calls"][call_id]["recording"] == "started", "the recording")


@pytest.mark.in_pairs
def test_two_pauses_are_absent_and_the_channels_stay_in_step(tmp_path: Path) -> None:
    system = System(tmp_path)
    # Before the start: a call in the moment after it would find a worker that has yet to hear of the line.
    line = system.add_line("+33199000001", [], recording="on")
    with system, House(system, line) as home:
        ada = home.agent("Ada", 700.0)
        with system.store.write() as tx:
            lines.change(tx, "system", home.line.id, users=[ada.id])
        caller = home.caller()
        caller.call(home.line.number, 0.0, answered=False)
        call_id = ada.rung()
        ada.accept(call_id, voice=second(AGENT_MARK))
        caller.wait_for(200)
        mark = second(CALLER_MARK)
        caller.speak(np.concatenate([*[mark] * 7, SECRET, *[mark] * 8, SECRET, *[mark] * 8]), wait=False)
        heard = ada.peers[call_id]
        for _ in range(2):
            eventually(lambda: len(found(heard.heard(3.5), CALLER_MARK, RATE)) >= 3, 10, "three marks")
            pause_for_secret(ada, call_id)
            heard.frames.clear()
        eventually(lambda: len(found(heard.heard(3.5), CALLER_MARK, RATE)) >= 3, 10, "three marks")
        caller.bye()
        saved = system.wait_for("call.recording", call_id=call_id, state="saved", timeout=20)
        (path,) = system.settings.recordings_dir.rglob(f"{call_id}.wav")
        (left, right), rate = read_wav(path)
        assert rate == RATE
        quarter = rate // 4
        for channel in (left, right):
            pieces = [channel[at : at + quarter] for at in range(0, len(channel) - quarter, quarter)]
            assert max(min(tone_level(piece, hz, rate) for hz in KEYS_HZ) for piece in pieces) < -35, (
                "the marks hold a bit"
            )
        theirs, ours = found(left, CALLER_MARK, rate), found(right, AGENT_MARK, rate)
        assert len(theirs) >= 9
        assert len(ours) >= 9
        # A pause cuts a whole second or not, but never one channel at another place than the other.
        steps = [min((abs(one - other), one - other) for other in ours)[1] % 1.0 for one in theirs]
        apart = [min(abs(one - steps[0]), 1 - abs(one - steps[0])) for one in steps]
        assert round(max(apart), 3) <= 0.020, apart
        ended = system.wait_for("call.ended", call_id=call_id)
        talked_ms = int(str(ended.event.data["duration_ms"]))
        assert int(str(saved.event.data["duration_ms"])) < talked_ms - 3000, "the pauses are not in it"
