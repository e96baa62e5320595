"""The test phone against other telephones: what it says happened is what happened on the wire and in the ear."""

import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tests.support.audio import has_tone, read_wav, tone, tone_level
from tests.support.peers import Baresip, TestPhone
from tests.support.ports import free_port
from tests.support.rawsip import RawCaller
from tests.support.sipp import Sipp

pytestmark = pytest.mark.sip


def _events(phone: TestPhone) -> list[str]:
    return [happening["event"] for happening in phone.happenings.seen]


def test_two_phones_hear_each_other_and_digits_arrive(tmp_path: Path) -> None:
    port = free_port()
    heard_here, heard_there = tmp_path / "here.wav", tmp_path / "there.wav"
    with (
        TestPhone.answer(tmp_path, port=port, audio=tone(700, 1, 8000), record=heard_there) as callee,
        TestPhone.call(
            tmp_path, "+33199000001", server=f"127.0.0.1:{port}", audio=tone(440, 1, 8000), record=heard_here,
            digits="5#", hangup_after=2.0, display='Ada "the first"',
        ) as caller,
    ):  # fmt: skip
        ended = caller.wait_for("ended")
        assert callee.wait_for("ended")["by"] == "far end"
        assert (caller.wait(), callee.wait()) == (0, 0)
    assert ended["by"] == "phone"
    assert ended["answered"]
    assert ended["rx_packets"] > 50
    assert [h["digit"] for h in callee.happenings.seen if h["event"] == "digit"] == ["5", "#"]
    assert '"Ada \\"the first\\"" <sip:+33199005012@' in next(
        h["sender"] for h in callee.happenings.seen if h["event"] == "called"
    )
    for path, frequency in ((heard_here, 700), (heard_there, 440)):
        with wave.open(str(path)) as file:  # the header says what the file holds, since it was closed and not killed
            assert file.getnframes() * 2 == path.stat().st_size - 44
        samples, rate = read_wav(path)
        assert has_tone(samples[0][rate : rate + rate // 2], frequency, rate)


def test_ctrl_c_cancels_what_rings(tmp_path: Path) -> None:
    port = free_port()
    with (
        TestPhone.answer(tmp_path, port=port, answer_after=60) as callee,
        TestPhone.call(tmp_path, "+33199000001", server=f"127.0.0.1:{port}") as caller,
    ):
        caller.wait_for("ringing")
        caller.hang_up()
        assert caller.wait_for("ended")["code"] == 487
        assert callee.wait_for("ended")["by"] == "far end"
        assert caller.wait() == 1
    assert "answered" not in _events(caller)


def test_a_refusal_is_told_with_its_code(tmp_path: Path) -> None:
    port = free_port()
    with (
        TestPhone.answer(tmp_path, port=port) as busy,
        TestPhone.call(tmp_path, "+1", server=f"127.0.0.1:{port}", name="first") as first,
    ):
        first.wait_for("answered")
        busy.wait_for("answered")
        with TestPhone.call(tmp_path, "+2", server=f"127.0.0.1:{port}", name="second") as second:
            ended = second.wait_for("ended")
            assert second.wait() == 1
        assert (ended["code"], ended["answered"]) == (486, False)


def test_the_far_end_hangs_up(tmp_path: Path) -> None:
    port = free_port()
    with (
        Sipp("answer", "127.0.0.1:9", tmp_path, port=port, cancel_ms=50, audio=tone(440, 1, 8000)) as callee,
        TestPhone.call(tmp_path, "+33199000001", server=f"127.0.0.1:{port}", hangup_after=1.5) as caller,
    ):
        assert caller.wait_for("ended")["rx_packets"] > 20
        assert callee.result().successful == 1
    with (
        TestPhone.answer(tmp_path, port=port, hangup_after=0.5),
        TestPhone.call(tmp_path, "+33199000001", server=f"127.0.0.1:{port}") as caller,
    ):
        assert caller.wait_for("ended")["by"] == "far end"
        assert caller.wait() == 0


def test_baresip_and_a_hand_made_caller_reach_an_answering_phone(tmp_path: Path) -> None:
    port = free_port()
    heard = tmp_path / "heard.wav"
    with (
        TestPhone.answer(tmp_path, port=port, record=heard) as callee,
        Baresip(tmp_path / "baresip", audio=tone(520, 5, 8000)) as baresip,
    ):
        baresip.dial(f"sip:+33199000001@127.0.0.1:{port}")
        baresip.wait_for("CALL_ESTABLISHED")
        callee.wait_for("answered")
        assert callee.popen.poll() is None
        callee.happenings.seen.clear()
        with pytest.raises(AssertionError, match="no 'digit' within"):
            callee.wait_for("digit", timeout=1.5)  # let the tone flow
        baresip.command("hangup")
        callee.wait_for("ended")
        callee.wait()
    samples, rate = read_wav(heard)
    # When the tone begins depends on how busy the machine is: look at the half second that holds most of it.
    starts = range(0, len(samples[0]) - rate // 2, rate // 10)
    loudest = max(starts, key=lambda at: tone_level(samples[0][at : at + rate // 2], 520, rate))
    assert has_tone(samples[0][loudest : loudest + rate // 2], 520, rate)

    with TestPhone.answer(tmp_path, port=port, answer_after=0.1), RawCaller("127.0.0.1", port) as caller:
        caller.invite("+33199000001")
        caller.wait_for(200)
        caller.bye()
        assert caller.wait_for(200, "BYE").header("CSeq") == "2 BYE"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["not a number"], "not a number"),
        (["+33199000001", "--digits", "12x"], "--digits"),
        (["+33199000001", "--say", "hi", "--play", "x.wav"], "exclude"),
        (["+33199000001", "--play", "missing.wav"], "cannot be played"),
        (["+33199000001", "--server", "host:port"], "host:port"),
        (["+33199000001", "--record", "nowhere/x.wav"], "folder that exists"),
    ],
)
def test_wrong_use_is_told_before_anything_is_dialled(words: list[str], says: str) -> None:
    phone = "from aircall_core.sip.phone import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", phone, "call", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_nobody_there_is_told_in_seconds_and_words(tmp_path: Path) -> None:
    with TestPhone.call(tmp_path, "+33199000001", server=f"127.0.0.1:{free_port()}") as caller:
        ended = caller.wait_for("ended", timeout=20)
        assert (ended["by"], ended["code"]) == ("nobody", 408)
        assert "listening" in ended["reason"]
        assert caller.wait() == 1
