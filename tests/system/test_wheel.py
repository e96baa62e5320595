"""PyPI's pjsua2 wheel, with which `make run` starts in a minute: a call through the whole system, within its limits.

All other tests run on the production build (`make pjsua2`); this wheel comes before it on the path of one installation.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.audio import has_tone, read_wav, tone
from tests.support.desk_system import ROOT, System
from tests.support.processes import eventually

pytestmark = [pytest.mark.sip, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def wheel() -> str:
    """A folder with the wheel, its hash checked; fetched once, then from the cache."""
    found = subprocess.run(
        [sys.executable, str(ROOT / "deploy/pjsua2/build.py"), "--pypi"], text=True, stdout=subprocess.PIPE, check=True
    )
    return found.stdout.strip()


def test_a_call_is_answered_on_the_wheel_and_the_third_is_refused(wheel: str, tmp_path: Path) -> None:
    system = System(tmp_path / "office")
    system.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), wheel])
    with system:
        node = next(one for one in system.http.get("/readyz").json()["nodes"] if one["kind"] == "worker")
        assert (node["info"]["version"], node["capacity"]) == ("2.15.1", 2)  # of 4 slots
        ada = system.add_user("Ada")
        line = system.add_line("+33199000001", [ada])
        tab = system.on_duty(ada)
        heard = tmp_path / "heard.wav"
        phone = system.phone_call(line, audio=tone(440, 60, 8000), record=heard)
        call_id = tab.wait_for("call.ringing")["call_id"]
        agent = system.accept(ada, tab, call_id, voice=tone(700, 1, 8000))
        phone.wait_for("answered")
        waiting = system.phone_call(line)
        waiting.wait_for("ringing")
        refused = system.phone_call(line)
        assert refused.wait_for("ended")["code"] == 503
        waiting.hang_up()
        eventually(lambda: len(agent.frames) > 150, 30, "three seconds of the caller")
        phone.hang_up()
        phone.wait_for("ended")
        phone.wait()
        assert has_tone(read_wav(heard)[0][0][8000:16000], 700, 8000)
        assert has_tone(agent.heard()[8000:16000], 440, 8000)
        tab.close()
