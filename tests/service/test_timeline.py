"""A conversation over HTTP: header, scopes, filters, finding, notes; recordings by right, and their waveforms."""

import json
import math
import struct
import wave
from pathlib import Path

import pytest

from aircall_core import waveforms
from aircall_core.desk import facts, messages
from aircall_core.ids import new_id, now_ms
from tests.service.conftest import World
from tests.support import desk_kit

CUSTOMER = "+33612345678"


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada and Bob."""
    return desk_kit.Desk.open(world.store, "Ada", "Bob")


def speak(path: Path, loudness: list[float], rate: int = 8000, channels: int = 1) -> None:
    """A WAV that is as loud as this, a tenth of a second each."""
    path.parent.mkdir(exist_ok=True, parents=True)
    with wave.open(str(path), "wb") as sound:
        sound.setparams((channels, 2, rate, 0, "NONE", ""))
        for level in loudness:
            one = [round(32000 * level * math.sin(n)) for n in range(rate // 10)]
            sound.writeframes(b"".join(struct.pack("<h", sample) * channels for sample in one))


def recorded(world: World, office: desk_kit.Desk) -> str:
    call = office.arrive(CUSTOMER).call_id
    office.answer(call, office.ids["Ada"])
    office.end(call)
    name = f"recordings/{call}.wav"
    with world.store.write() as tx:
        facts.recording_saved(tx, call, actor="worker:test", path=name, duration_ms=1280, size_bytes=9, at=now_ms())
    speak(world.desk.settings.data_dir / name, [0.1, 1.0, 0.0, 0.5], channels=2)
    return call


def test_an_agent_plays_the_calls_they_took_part_in(world: World, office: desk_kit.Desk) -> None:
    call = recorded(world, office)
    for path in (f"/desk/recordings/{call}", f"/desk/recordings/{call}/peaks"):
        assert world.ask("GET", path, office.ids["Ada"]).status_code == 200
        refused = world.ask("GET", path, office.ids["Bob"])
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "no_right")
        assert world.ask("GET", path, world.user("Eve")).status_code == 404
        assert world.ask("GET", path, world.user(f"Sue{len(path)}", "supervisor")).status_code == 200


def test_a_waveform_shows_where_somebody_speaks_and_is_kept(world: World, office: desk_kit.Desk) -> None:
    call = recorded(world, office)
    peaks = world.ask("GET", f"/desk/recordings/{call}/peaks", office.ids["Ada"]).json()["peaks"]
    assert len(peaks) == waveforms.POINTS
    quarter = waveforms.POINTS // 4
    parts = [max(peaks[at + 1 : at + quarter - 1]) for at in range(0, waveforms.POINTS, quarter)]
    assert parts == pytest.approx([26, 255, 0, 128], abs=3)
    path = world.desk.settings.data_dir / f"recordings/{call}.wav"
    kept = waveforms.beside(path)
    kept.write_text(json.dumps({"v": 1, "peaks": [7]}))
    assert waveforms.of(path) == [7]  # not computed again
    kept.write_text("half a fi")
    assert waveforms.of(path) == peaks
    path.write_bytes(b"no sound")
    assert waveforms.of(path.with_name("none.wav")) is None
    kept.unlink()
    assert waveforms.of(path) is None


def test_the_header_and_what_is_told_together(world: World, office: desk_kit.Desk) -> None:
    plan = office.arrive(CUSTOMER)
    path, ada = f"/desk/conversations/{plan.conversation_id}", office.ids["Ada"]
    header = world.ask("GET", path, ada).json()
    assert (header["spoken"], header["line"]["name"], header["in_call"]) == ("06 12 34 56 78", "Support", True)
    office.end(plan.call_id)
    assert world.ask("GET", path, ada).json()["in_call"] is False
    assert world.ask("GET", path, world.user("Eve")).status_code == 404
    with world.store.write() as tx:
        sales = desk_kit.add_line(tx, number="+33100000001")
        messages.receive(
            tx, line_id=sales, account_id="account", number=CUSTOMER, body="to sales", remote_id=None, at=now_ms(),
            actor="desk",
        )  # fmt: skip
    boss = world.user("Sue", "supervisor")
    page = world.ask("GET", f"{path}/timeline?scope=profile", boss).json()
    assert [one["line"]["id"] for one in page["together"]] == [office.line, sales]
    assert page["entries"][-1]["message"]["body"] == "to sales"
    own = world.ask("GET", f"{path}/timeline?scope=profile", ada).json()
    assert [one["line"]["id"] for one in own["together"]] == [office.line]
    assert all("message" not in one for one in own["entries"])
    only = world.ask("GET", f"{path}/timeline?scope=profile&line={sales}", boss).json()
    assert {one["line_id"] for one in only["entries"] if "line_id" in one} <= {sales}
    assert only["entries"][-1]["message"]["body"] == "to sales"
    for wrong in ("scope=all", "channels=fax", "scope=profile&line=none", "from=x"):
        assert world.ask("GET", f"{path}/timeline?{wrong}", ada).status_code == 400


def test_a_note_is_written_found_and_reached(world: World, office: desk_kit.Desk) -> None:
    plan = office.arrive(CUSTOMER)
    path, ada, bob = f"/desk/conversations/{plan.conversation_id}", office.ids["Ada"], office.ids["Bob"]
    said = {"text": "Prefers the green parcel", "command": new_id()}
    first = world.ask("POST", f"{path}/notes", ada, json=said)
    assert (first.status_code, world.ask("POST", f"{path}/notes", ada, json=said).json()) == (201, first.json())
    empty = world.ask("POST", f"{path}/notes", ada, json={"text": " ", "command": new_id()})
    assert (empty.status_code, list(empty.json()["error"]["fields"])) == (422, ["text"])
    (hit,) = world.ask("GET", f"{path}/find?text=green", bob).json()
    assert [text for text, wanted in hit["pieces"] if wanted] == ["green"]
    page = world.ask("GET", f"{path}/timeline?around={hit['entry']}&limit=1", bob).json()
    assert page["entries"][0]["note"]["text"] == "Prefers the green parcel"
    assert page["around"] == page["entries"][0]["seq"]
    note = f"/desk/notes/{first.json()['id']}"
    assert world.ask("PUT", note, bob, json={"text": "No", "version": 1, "command": new_id()}).status_code == 404
    assert world.ask("PUT", note, ada, json={"text": "Red", "version": 1, "command": new_id()}).json()["version"] == 2
    assert world.ask("GET", f"{path}/find?text=green", bob).json() == []
    assert world.ask("GET", f"{path}/find?text=red", world.user("Eve")).status_code == 404
    analyst = world.user("Ana", "analyst")
    assert world.ask("POST", f"{path}/notes", analyst, json=said).status_code == 403
