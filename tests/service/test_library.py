"""Conversations and recordings: only for who may see the line, and files that can be sought in."""

from pathlib import Path

import pytest

from aircall_core.desk import facts
from aircall_core.domain.events import CONVERSATION_READ
from aircall_core.ids import new_id, now_ms
from tests.service.conftest import World
from tests.support import desk_kit

SOUND = b"RIFF" + bytes(range(256)) * 40


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada, available."""
    return desk_kit.Desk.open(world.store, "Ada")


def recorded(world: World, office: desk_kit.Desk, name: str = "recordings/one.wav") -> str:
    """An ended call with a recording; the call's id."""
    call = office.arrive().call_id
    office.answer(call, office.users[0])
    office.end(call)
    path = world.desk.settings.data_dir / name
    with world.store.write() as tx:
        facts.recording_saved(
            tx, call, actor="worker:test", path=name, duration_ms=1280, size_bytes=len(SOUND), at=now_ms()
        )
    if path.resolve().is_relative_to(world.desk.settings.data_dir):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(SOUND)
    return call


def test_a_recording_plays_and_can_be_sought_in(world: World, office: desk_kit.Desk) -> None:
    call, ada = recorded(world, office), office.users[0]
    whole = world.ask("GET", f"/desk/recordings/{call}", ada)
    assert (whole.status_code, whole.content) == (200, SOUND)
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["accept-ranges"] == "bytes"
    assert "private" in whole.headers["cache-control"]
    headers = world.as_user(ada) | {"range": "bytes=100-199"}
    part = world.client.get(f"/desk/recordings/{call}", headers=headers)
    assert (part.status_code, part.content) == (206, SOUND[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(SOUND)}"
    beyond = world.client.get(f"/desk/recordings/{call}", headers=headers | {"range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_a_recording_is_for_who_may_see_the_line(world: World, office: desk_kit.Desk) -> None:
    call = recorded(world, office)
    assert world.ask("GET", f"/desk/recordings/{call}", world.user("Eve")).status_code == 404
    assert world.ask("GET", f"/desk/recordings/{call}", world.user("Chief", "supervisor")).status_code == 200
    assert world.ask("GET", f"/desk/recordings/{new_id()}", office.users[0]).status_code == 404


def test_a_row_cannot_lead_out_of_the_data_folder(world: World, office: desk_kit.Desk, tmp_path: Path) -> None:
    call = recorded(world, office, "../../etc/passwd")
    assert world.ask("GET", f"/desk/recordings/{call}", office.users[0]).status_code == 404
    (world.desk.settings.data_dir / "link.wav").symlink_to("/etc/hostname")
    linked = recorded(world, office, "/etc/hostname")
    assert world.ask("GET", f"/desk/recordings/{linked}", office.users[0]).status_code == 404


def test_a_file_that_is_gone_is_told(world: World, office: desk_kit.Desk) -> None:
    call = recorded(world, office)
    (world.desk.settings.data_dir / "recordings/one.wav").unlink()
    answer = world.ask("GET", f"/desk/recordings/{call}", office.users[0])
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "gone")


def test_the_timeline_pages_back_to_the_beginning(world: World, office: desk_kit.Desk) -> None:
    plans = []
    for _ in range(4):
        plans.append(office.arrive())
        office.end(plans[-1].call_id)
    path, ada = f"/desk/conversations/{plans[0].conversation_id}/timeline", office.users[0]
    seen: list[int] = []
    page = world.ask("GET", f"{path}?limit=3", ada).json()
    while True:
        seqs = [entry["seq"] for entry in page["entries"]]
        assert seqs == sorted(seqs)
        seen = seqs + seen
        if page["before"] is None:
            break
        page = world.ask("GET", f"{path}?limit=3&before={page['before']}", ada).json()
    assert seen == sorted(set(seen))
    assert len(seen) > 8
    assert world.ask("GET", path, world.user("Eve")).status_code == 404
    assert world.ask("GET", f"{path}?before=x", ada).status_code == 400
    assert world.ask("GET", f"{path}?before={'9' * 30}", ada).status_code == 400


def test_reading_is_noted_once(world: World, office: desk_kit.Desk) -> None:
    conversation, ada = office.arrive().conversation_id, office.users[0]
    before = world.store.last_seq()
    for _ in range(2):
        assert world.ask("POST", f"/desk/conversations/{conversation}/read", ada).status_code == 204
    told = [row.event for row in world.store.events(before)]
    assert [(event.kind, event.audience) for event in told] == [(CONVERSATION_READ, f"user:{ada}")]
    assert world.ask("POST", f"/desk/conversations/{conversation}/read", world.user("Eve")).status_code == 404
