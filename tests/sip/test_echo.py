"""The echo of the demo: answers whoever calls any number, says hello, and repeats what it hears, each caller apart."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.audio import has_tone, read_wav, tone
from tests.support.peers import TestPhone

pytestmark = pytest.mark.sip
HELLO_S = 4.8


@pytest.mark.in_pairs
def test_two_callers_hear_themselves_and_not_each_other(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aircall_core", "phone", "echo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as echo:
        assert echo.stdout is not None
        address = json.loads(echo.stdout.readline())["address"]
        heard = {frequency: tmp_path / f"{frequency}.wav" for frequency in (440, 700)}
        calls = [
            TestPhone.call(
                tmp_path, "+33612345678", server=address, audio=tone(frequency, 8, 8000), record=path,
                hangup_after=HELLO_S + 2, name=f"caller-{frequency}",
            )
            for frequency, path in heard.items()
        ]  # fmt: skip
        with calls[0] as first, calls[1] as second:
            for phone in (first, second):
                assert phone.wait_for("ended")["answered"]
        echo.terminate()
        assert echo.wait(10) == 0
    for frequency, path in heard.items():
        samples, rate = read_wav(path)
        last = samples[0][-rate:]
        other = 700 if frequency == 440 else 440
        assert has_tone(last, frequency, rate)
        assert not has_tone(last, other, rate)
