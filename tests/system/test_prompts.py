"""The company's own prompts on their whole way: brought over HTTP, named in a flow, heard by a caller over SIP."""

from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.support.audio import Samples, level, read_wav, write_wav
from tests.support.desk_system import User
from tests.support.ivr_caller import RATE, IvrCaller
from tests.system.conftest import Office
from tests.system.test_queue import draw

pytestmark = [pytest.mark.in_pairs, pytest.mark.sip]
SPEECH = Path(__file__).parents[2] / "data" / "prompts" / "fr" / "voicemail.wav"  # any speech: words are not the point


def ask(office: Office, user: User, method: str, path: str, **body: object) -> httpx.Response:
    """A request of the console's page in this user's browser."""
    headers = {"cookie": f"{user.cookie[0]}={user.cookie[1]}", "origin": office.system.console_url}
    return office.system.http.request(method, path, headers=headers, **body)  # type: ignore[arg-type]


def played(office: Office, boss: User, prompt: str, folder: Path) -> Samples:
    """What the console plays of a prompt."""
    file = folder / f"{prompt}.wav"
    file.write_bytes(ask(office, boss, "GET", f"/desk/prompts/{prompt}/audio").content)
    (samples,), rate = read_wav(file)
    assert rate == RATE
    return np.asarray(samples)


@pytest.mark.timeout(120)
def test_what_was_brought_is_heard_even_when_it_is_removed_while_the_call_is_on(office: Office, tmp_path: Path) -> None:
    system = office.system
    boss = system.add_user("Boss", role="administrator")
    (speech,), rate = read_wav(SPEECH)
    wide = np.interp(np.arange(len(speech) * 6) / 6, np.arange(len(speech)), speech) * 0.05  # 48 kHz, and far too soft
    file = write_wav(tmp_path / "soft.wav", wide, rate * 6).read_bytes()
    form = {"name": "Brought", "kind": "uploaded"}
    answer = ask(office, boss, "POST", "/desk/prompts/upload", data=form, files={"file": ("x", file)})
    assert answer.status_code == 201, answer.text
    brought = answer.json()["id"]
    body = {"name": "Typed", "text": "Welcome to the company. This takes a moment. Please listen.", "voice": "heart"}
    typed = ask(office, boss, "POST", "/desk/prompts", json=body).json()["id"]
    sounds = {one: played(office, boss, one, tmp_path) for one in (brought, typed)}
    steps = [{"id": name, "kind": "message", "prompt": {"prompt": name}} for name in (typed, brought)]
    version = draw(system, boss, office.line, steps)
    with IvrCaller("127.0.0.1", system.settings.sip_port, caller="+33199005009") as caller:
        caller.invite(office.line.number)
        caller.wait_for(200)
        refused = ask(office, boss, "DELETE", f"/desk/prompts/{brought}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "in_use")
        draw(system, boss, office.line, steps[:1], version)
        assert ask(office, boss, "DELETE", f"/desk/prompts/{brought}").status_code == 204
        first = caller.wait_heard(sounds[typed])
        second = caller.wait_heard(sounds[brought])
        assert second > first
        heard = caller.heard()
        part = heard[int(second * RATE) : int(second * RATE) + len(sounds[brought])]
        assert level(part) == pytest.approx(level(sounds[brought]), abs=1), (
            "as loud as all prompts, however soft it came"
        )
        caller.bye()
        caller.wait_for(200, "BYE")
