"""PyPI's pjsua2 wheel, with which `make run` starts in a minute: a call through the whole system, within its limits.

All other tests run on the production build (`make pjsua2`); this wheel comes before it on the path of one installation.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.audio import read_wav, sounds
from tests.support.desk_system import ROOT, System
from tests.support.processes import eventually
from tests.support.rawsip import RawCaller
from tests.support.texting import Texter
from tests.system.kit import AGENT_HZ, CALLER_HZ, begin_talk, log_lines, worker_row

pytestmark = [pytest.mark.sip, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def wheel() -> str:
    """A folder with the wheel, its hash checked; fetched once, then from the cache."""
    found = subprocess.run(
        [sys.executable, str(ROOT / "deploy/pjsua2/build.py"), "--pypi"], text=True, stdout=subprocess.PIPE, check=True
    )
    return found.stdout.strip()


def test_two_calls_are_answered_on_the_wheel_and_the_third_is_refused(wheel: str, tmp_path: Path) -> None:
    system = System(tmp_path / "office", min_free_disk_mb=0)
    system.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), wheel])
    with system:
        node = worker_row(system)
        assert (node["info"]["version"], node["info"]["calls"], node["capacity"]) == ("2.15.1", 4, 2)
        users = [system.add_user(name) for name in ("Ada", "Bob")]
        line = system.add_line("+33199000001", users, recording="on")
        known: set[str] = set()
        talks = [
            begin_talk(system, line, user, system.on_duty(user), known, record=tmp_path / f"{user.name}.wav")
            for user in users
        ]
        with Texter(tcp=False) as texter:  # the library alone would say 200, and nobody would have the text
            assert texter.send(line.number, "nobody reads this", system.sip_server).status == 405
        refused = system.phone_call(line)
        assert refused.wait_for("ended")["code"] == 503
        for user, talk in zip(users, talks, strict=True):
            eventually(lambda talk=talk: len(talk.agent.frames) > 150, 30, "three seconds of the caller")  # type: ignore[misc]
            talk.phone.hang_up()
            talk.phone.wait_for("ended")
            talk.phone.wait()
            assert sounds(read_wav(tmp_path / f"{user.name}.wav")[0][0][8000:16000], AGENT_HZ, 8000)
            assert sounds(talk.agent.heard()[8000:16000], CALLER_HZ, 8000)
            system.wait_for("call.recording", call_id=talk.id, state="saved", timeout=20)
        with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
            for _ in range(6):  # slots and ports come back
                caller.invite(line.number)
                caller.wait_for(180)
                caller.cancel()
                caller.wait_for(487)
        assert log_lines(system.log, "child_exited") == []
