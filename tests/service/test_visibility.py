"""Who sees what: every role against every way in which a conversation, a recording or a related one comes out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from aircall_core.desk import contacts, facts
from aircall_core.ids import new_id, now_ms
from aircall_core.store import indexing
from aircall_core.store import tables as t
from tests.service.conftest import World, command
from tests.support.audio import tone, write_wav
from tests.support.desk_kit import OWNER, add_line, add_user
from tests.support.desk_kit import Desk as Office

CUSTOMER = "+33611223344"
VIEWERS = ("Ada", "Bob", "Eve", "Boss", "Chief", "Ann")
"""Ada and Bob work on the line, and Ada took the call; Eve works on another line; Boss leads, Chief administers, Ann
analyses."""


@dataclass
class House:
    """Two lines that the same customer has called, and texted, and about whom notes were written on both."""

    world: World
    office: Office
    users: dict[str, str]
    other_line: str
    here: str = ""  # conversation on Ada's and Bob's line
    there: str = ""  # and on Eve's
    call: str = ""
    voicemail: str = ""
    file: str = ""
    contact: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        more = {"json": body} if body is not None else {}
        return self.world.ask(method, path, self.users[name], **more)


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    office = Office.open(world.store, "Ada", "Bob")
    with world.store.write() as tx:
        other = add_line(tx, number="+34911234567")
        users = dict(office.ids) | {"Eve": add_user(tx, "Eve", lines=(other,))}
        users |= {name: add_user(tx, name, role=role) for name, role in
                  (("Boss", "supervisor"), ("Chief", "administrator"), ("Ann", "analyst"))}  # fmt: skip
        contact = contacts.create(tx, "system", {"name": "Zoë Secret", "numbers": [CUSTOMER]})
    house = House(world, office, users, other, contact=contact)
    house.call = _heard(house, "Ada", "call")
    house.voicemail = _heard(house, None, "voicemail")
    house.here = office.call(house.call)["conversation_id"]
    house.there = new_id()
    with world.store.write() as tx:
        tx.execute(
            insert(t.conversations).values(
                id=house.there, line_id=other, party=CUSTOMER, contact_id=contact, opened_at=1, last_at=now_ms()
            )
        )
        indexing.conversation(tx.conn, house.there)
        for place, (conversation, line) in enumerate(((house.here, office.line), (house.there, other))):
            text, note = new_id(), new_id()
            house.texts[conversation] = text
            tx.execute(
                insert(t.messages).values(
                    id=text, conversation_id=conversation, line_id=line, direction="inbound", party=CUSTOMER,
                    body=f"walrus text {place}", state="received", at=now_ms(),
                )
            )  # fmt: skip
            tx.execute(
                insert(t.notes).values(
                    id=note, conversation_id=conversation, user_id=users["Boss"], text=f"walrus note {place}",
                    created_at=now_ms(), updated_at=now_ms(),
                )
            )  # fmt: skip
            indexing.message(tx.conn, text)
            indexing.note(tx.conn, note)
        house.file = new_id()
        path = world.desk.settings.data_dir / "attachments" / "x.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 32)
        tx.execute(
            insert(t.attachments).values(
                id=house.file, message_id=house.texts[house.here], conversation_id=house.here, name="x.png",
                content_type="image/png", size_bytes=40, path="attachments/x.png", created_at=1,
            )
        )  # fmt: skip
    return house


def _heard(house: House, by: str | None, kind: str) -> str:
    """A call with a recording, answered by this user, or a voicemail."""
    office, world = house.office, house.world
    call = office.arrive(CUSTOMER).call_id
    if by:
        office.answer(call, office.ids[by])
    office.end(call)
    path = world.desk.settings.data_dir / "recordings" / f"{call}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, tone(440, 0.2, 8000), 8000)
    with world.store.write() as tx:
        facts.recording_saved(
            tx, call, actor=f"worker:{OWNER.node}", path=f"recordings/{call}.wav", duration_ms=200,
            size_bytes=path.stat().st_size, at=now_ms(), kind=kind,
        )  # fmt: skip
    return call


READING = {
    "header": ("/desk/conversations/{here}", "200 200 404 200 200 200"),
    "timeline": ("/desk/conversations/{here}/timeline", "200 200 404 200 200 200"),
    "profile": ("/desk/conversations/{here}/timeline?scope=profile", "200 200 404 200 200 200"),
    "find": ("/desk/conversations/{here}/find?text=walrus", "200 200 404 200 200 200"),
    "snapshot": ("/desk/conversations/{here}/snapshot", "200 200 404 200 200 200"),
    "insight": ("/desk/conversations/{here}/insight", "200 200 404 200 200 200"),
    "insight of a call": ("/desk/calls/{call}/insight", "200 200 404 200 200 200"),
    "composer": ("/desk/conversations/{here}/composer", "200 200 404 200 200 403"),
    "draft": ("/desk/conversations/{here}/draft", "200 200 404 200 200 403"),
    "assignees": ("/desk/conversations/{here}/assignees", "200 200 404 200 200 403"),
    "recording": ("/desk/recordings/{call}", "200 403 404 200 200 200"),
    "waveform": ("/desk/recordings/{call}/peaks", "200 403 404 200 200 200"),
    "voicemail": ("/desk/recordings/{voicemail}", "200 200 404 200 200 200"),
    "file of a text": ("/desk/attachments/{file}", "200 200 404 200 200 200"),
    "contact": ("/desk/contacts/{contact}", "200 200 200 200 200 200"),
    "other line's header": ("/desk/conversations/{there}", "404 404 200 200 200 200"),
    "other line's timeline": ("/desk/conversations/{there}/timeline", "404 404 200 200 200 200"),
    "other line's snapshot": ("/desk/conversations/{there}/snapshot", "404 404 200 200 200 200"),
}


def test_what_is_read_by_whom(house: House) -> None:
    wrong = []
    for what, (path, expected) in READING.items():
        address = path.format(**vars(house))
        got = " ".join(str(house.ask(name, address).status_code) for name in VIEWERS)
        if got != expected:
            wrong.append(f"{what}: {got}, not {expected}")
    assert wrong == []


DOING: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "close": ("POST", "/desk/conversations/{here}/close", {}, "202 202 404 202 202 403"),
    "reopen": ("POST", "/desk/conversations/{here}/reopen", {}, "202 202 404 202 202 403"),
    "unread": ("POST", "/desk/conversations/{here}/unread", {}, "202 202 404 202 202 403"),
    "assign": ("POST", "/desk/conversations/{here}/assign", {"user_id": None}, "202 202 404 202 202 403"),
    "note": ("POST", "/desk/conversations/{here}/notes", {"text": "x"}, "201 201 404 201 201 403"),
    "draft": ("PUT", "/desk/conversations/{here}/draft", {"text": "x", "attachments": [], "version": 0},
              "200 200 404 200 200 403"),
    "text": ("POST", "/desk/conversations/{here}/messages", {"text": "x", "attachments": []},
             "409 409 404 409 409 403"),
    "change a contact": ("PATCH", "/desk/contacts/{contact}", {"name": "Zoë"}, "200 200 200 200 200 403"),
    "erase a contact": ("DELETE", "/desk/contacts/{contact}", {"confirm": "no"}, "403 403 403 422 422 403"),
}  # fmt: skip


def test_what_is_done_by_whom(house: House) -> None:
    wrong = []
    for what, (method, path, body, expected) in DOING.items():
        address, got = path.format(**vars(house)), []
        for name in VIEWERS:
            answer = house.ask(name, address, method, {**body, "command": command()})
            got.append(str(answer.status_code))
        if " ".join(got) != expected:
            wrong.append(f"{what}: {' '.join(got)}, not {expected}")
    assert wrong == []


def test_lists_show_what_one_may_see_and_no_more(house: House) -> None:
    own = {"Ada": {house.here}, "Bob": {house.here}, "Eve": {house.there}}
    every = {house.here, house.there}
    for name in VIEWERS:
        mine = own.get(name, every)
        rows = house.ask(name, "/desk/inbox?view=conversations&category=all").json()["rows"]
        assert {row["id"] for row in rows} == mine, name
        assert house.ask(name, "/desk/inbox/counts").json()["open"] == len(mine), name
        found = house.ask(name, "/desk/search?text=walrus").json()["results"]
        assert {one["conversation"]["id"] for one in found} == mine, name
        assert len(found) == 2 * len(mine), name
        assert house.ask(name, "/desk/inbox?view=conversations&category=all&search=Secret").json()["rows"], name


def test_what_belongs_together_is_shown_as_far_as_one_may_see_it(house: House) -> None:
    def related(name: str, conversation: str) -> set[str]:
        shown = house.ask(name, f"/desk/conversations/{conversation}/snapshot").json()["related"]
        return {one["id"] for one in shown["same_customer"]}

    def together(name: str, conversation: str) -> str:
        return str(house.ask(name, f"/desk/conversations/{conversation}/timeline?scope=profile").content)

    for conversation, text in ((house.here, "kiwi"), (house.there, "ostrich")):
        body = {"text": text, "command": command()}
        assert house.ask("Boss", f"/desk/conversations/{conversation}/notes", "POST", body).status_code == 201
    assert related("Ada", house.here) == set()
    assert related("Eve", house.there) == set()
    assert related("Boss", house.here) == {house.there}
    seen = {name: together(name, house.there if name == "Eve" else house.here) for name in VIEWERS}
    assert {name for name, text in seen.items() if "kiwi" in text} == set(VIEWERS) - {"Eve"}
    assert {name for name, text in seen.items() if "ostrich" in text} == {"Eve", "Boss", "Chief", "Ann"}
    figures = {name: house.ask(name, f"/desk/conversations/{house.here}/snapshot").json()["figures"] for name in
               ("Ada", "Boss")}  # fmt: skip
    assert figures["Ada"] != figures["Boss"], "a text on the other line is not counted for Ada"


def test_strangers_get_nothing(house: House) -> None:
    for path, _ in READING.values():
        assert house.world.client.get(path.format(**vars(house))).status_code == 401
