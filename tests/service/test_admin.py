"""What administrators set up, and that mistakes are told at the field where they were made."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aircall_core import testcall
from aircall_core.desk import secrets, trunks
from aircall_core.ids import new_id
from aircall_core.store import provisioning
from tests.service.conftest import World


@pytest.fixture
def boss(world: World) -> str:
    """An administrator."""
    return world.user("Boss", "administrator")


def fields(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["code"] == "invalid"
    return set(answer.json()["error"]["fields"])


LINE = {"name": "Support", "number": "01 99 00 12 34", "country": "FR"}


# ---- lines


def test_a_line_from_first_to_last(world: World, boss: str) -> None:
    ada = world.user("Ada")
    team = world.ask("POST", "/desk/teams", boss, json={"name": "Team", "users": [ada]}).json()["id"]
    made = world.ask("POST", "/desk/lines", boss, json=LINE | {"users": [boss], "teams": [team]})
    assert made.status_code == 201
    line = made.json()["id"]
    (listed,) = world.ask("GET", "/desk/lines", boss).json()["lines"]
    assert listed["number"] == "+33199001234"
    assert (listed["users"], listed["teams"], listed["ring_s"], listed["recording"]) == ([boss], [team], 30, "off")
    before = world.store.last_seq()
    change = {"name": "Sales", "users": [ada], "recording": "notice", "enabled": False}
    assert world.ask("PATCH", f"/desk/lines/{line}", boss, json=change).status_code == 200
    (listed,) = world.ask("GET", "/desk/lines", boss).json()["lines"]
    assert (listed["name"], listed["users"], listed["teams"]) == ("Sales", [ada], [team])
    assert (listed["recording"], listed["enabled"], listed["number"]) == ("notice", False, "+33199001234")
    assert [row.kind for row in world.store.events(before)] == ["line.changed"]
    assert world.ask("DELETE", f"/desk/lines/{line}", boss).status_code == 204
    assert world.ask("DELETE", f"/desk/lines/{line}", boss).status_code == 404


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"number": "hello"}, {"number"}),
        ({"number": ""}, {"number"}),
        ({"number": "01 99 00 12 34", "country": ""}, {"country"}),
        ({"country": "XX"}, {"country"}),
        ({"country": "XX", "number": "x"}, {"number"}),
        ({"name": "  "}, {"name"}),
        ({"ring_s": 2}, {"ring_s"}),
        ({"recording": "maybe"}, {"recording"}),
        ({"language": "xx"}, {"language"}),
        ({"users": [new_id()]}, {"users"}),
        ({"teams": [new_id()]}, {"teams"}),
        ({"name": "", "ring_s": 999}, {"name", "ring_s"}),
        ({"ring_s": "soon"}, {"ring_s"}),
    ],
)
def test_a_line_with_mistakes(world: World, boss: str, change: dict[str, Any], wrong: set[str]) -> None:
    assert fields(world.ask("POST", "/desk/lines", boss, json=LINE | change)) == wrong
    assert world.ask("GET", "/desk/lines", boss).json()["lines"] == []


@pytest.mark.parametrize(
    ("number", "country", "kept"),
    [
        ("+33 1 99 00 12 34", "", "+33199001234"),
        ("0199001234", "FR", "+33199001234"),
        ("4100", "FR", "4100"),
        ("*12", "FR", "*12"),
        ("(020) 7946-0000", "GB", "+442079460000"),
    ],
)
def test_numbers_are_kept_in_one_spelling(world: World, boss: str, number: str, country: str, kept: str) -> None:
    body = {"name": "Line", "number": number, "country": country}
    made = world.ask("POST", "/desk/lines", boss, json=body)
    assert made.status_code == 201, made.text
    with world.store.read() as conn:
        assert provisioning.line_numbered(conn, kept) is not None


def test_two_lines_cannot_share_a_number(world: World, boss: str) -> None:
    world.ask("POST", "/desk/lines", boss, json=LINE)
    answer = world.ask("POST", "/desk/lines", boss, json=LINE | {"name": "Other", "number": "+33199001234"})
    assert fields(answer) == {"number"}
    assert "Support" in answer.json()["error"]["fields"]["number"]


def test_a_line_with_history_stays(world: World, boss: str) -> None:
    from tests.support.desk_kit import Desk

    office = Desk.open(world.store, "Ada")
    office.arrive()
    answer = world.ask("DELETE", f"/desk/lines/{office.line}", boss)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "in_use")


# ---- trunks

REGISTER = {
    "name": "Carrier",
    "kind": "register",
    "host": "sip.example.com",
    "username": "u1",
    "password": "p4ss-word!",
}


def test_a_trunks_password_goes_in_and_never_out(world: World, boss: str) -> None:
    made = world.ask("POST", "/desk/trunks", boss, json=REGISTER)
    assert made.status_code == 201, made.text
    listed = world.ask("GET", "/desk/trunks", boss)
    assert "p4ss-word!" not in listed.text
    assert "secret" not in {key for one in listed.json()["trunks"] for key in one}
    with world.store.read() as conn:
        row = provisioning.trunk(conn, made.json()["id"])
    assert row is not None
    assert "p4ss-word!" not in json.dumps(row, default=str)
    assert "p4ss-word!" not in json.dumps([r.event.data for r in world.store.events(0)], default=str)
    (mine,) = [one for one in trunks.accesses(world.store, world.desk.box, "127.0.0.1") if one.kind == "register"]
    assert (mine.password, mine.host, mine.username) == ("p4ss-word!", "sip.example.com", "u1")
    assert "p4ss-word!" not in repr(mine)
    world.ask("PATCH", f"/desk/trunks/{mine.id}", boss, json={"name": "Carrier two"})
    (mine,) = [one for one in trunks.accesses(world.store, world.desk.box, "127.0.0.1") if one.kind == "register"]
    assert mine.password == "p4ss-word!", "no new password: the old one stays"
    world.ask("PATCH", f"/desk/trunks/{mine.id}", boss, json={"enabled": False})
    assert [one.kind for one in trunks.accesses(world.store, world.desk.box, "127.0.0.1")] == ["address"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"kind": "carrier-pigeon"}, {"kind"}),
        ({"kind": "register", "host": "not a host"}, {"host", "username", "password"}),
        ({"kind": "register", "host": "h:99999", "username": "u", "password": "p"}, {"host"}),
        ({"kind": "digest", "username": "a b", "password": "p"}, {"username"}),
        ({"kind": "digest", "username": "u"}, {"password"}),
        ({"kind": "address"}, {"cidrs"}),
        ({"kind": "address", "cidrs": ["everywhere"]}, {"cidrs"}),
        ({"kind": "address", "cidrs": ["0.0.0.0/0"]}, {"cidrs"}),
        ({"kind": "address", "cidrs": ["::/0"]}, {"cidrs"}),
        ({"kind": "address", "cidrs": ["192.0.2.1"], "transport": "sctp"}, {"transport"}),
        ({"kind": "address", "cidrs": ["192.0.2.1"], "name": "Test phone"}, {"name"}),
    ],
)
def test_a_trunk_with_mistakes(world: World, boss: str, body: dict[str, Any], wrong: set[str]) -> None:
    assert fields(world.ask("POST", "/desk/trunks", boss, json={"name": "T"} | body)) == wrong


def test_an_address_trunk_is_kept_in_canonical_form(world: World, boss: str) -> None:
    body = {"name": "PBX", "kind": "address", "cidrs": ["192.0.2.77/24", " 192.0.2.0/24", "2001:db8::1"]}
    made = world.ask("POST", "/desk/trunks", boss, json=body)
    with world.store.read() as conn:
        row = provisioning.trunk(conn, made.json()["id"])
    assert row is not None
    assert row["cidrs"] == ["192.0.2.0/24", "2001:db8::1/128"]


def test_the_test_phones_trunk_stays(world: World, boss: str) -> None:
    for method in ("PATCH", "DELETE"):
        answer = world.ask(method, f"/desk/trunks/{trunks.TEST_TRUNK}", boss, json={} if method == "PATCH" else None)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "built_in")
    (mine,) = trunks.accesses(world.store, world.desk.box, "127.0.0.1")
    assert mine.cidrs == ("127.0.0.0/8", "::1/128")
    (moved,) = trunks.accesses(world.store, world.desk.box, "192.0.2.10")
    assert moved.cidrs == ("127.0.0.0/8", "::1/128", "192.0.2.10/32"), "the machine listens elsewhere now"
    off = world.ask("PATCH", f"/desk/trunks/{trunks.TEST_TRUNK}", boss, json={"enabled": False})
    assert off.status_code == 200
    assert trunks.accesses(world.store, world.desk.box, "127.0.0.1") == []
    assert world.ask("PATCH", f"/desk/trunks/{new_id()}", boss, json={"enabled": False}).status_code == 404


def test_a_trunk_sealed_with_another_key_does_not_stop_the_others(world: World, boss: str) -> None:
    world.ask("POST", "/desk/trunks", boss, json=REGISTER)
    other = secrets.SecretBox(b"A" * 43 + b"=")
    found = {one.kind: (one.readable, one.password) for one in trunks.accesses(world.store, other, "127.0.0.1")}
    assert found == {"register": (False, ""), "address": (True, "")}


# ---- teams, company, checklist


def test_teams(world: World, boss: str) -> None:
    made = world.ask("POST", "/desk/teams", boss, json={"name": "  First   line "})
    team = made.json()["id"]
    assert fields(world.ask("POST", "/desk/teams", boss, json={"name": "first LINE"})) == {"name"}
    world.ask("PATCH", f"/desk/teams/{team}", boss, json={"users": [boss]})
    assert world.ask("GET", "/desk/teams", boss).json()["teams"] == [
        {"id": team, "name": "First line", "users": [boss]}
    ]
    assert world.ask("DELETE", f"/desk/teams/{team}", boss).status_code == 204
    assert world.ask("PATCH", f"/desk/teams/{team}", boss, json={"name": "x"}).status_code == 404


def test_the_company(world: World, boss: str) -> None:
    wrong = world.ask("PATCH", "/desk/company", boss, json={"name": "", "country": "ZZ", "timezone": "Mars/Base"})
    assert fields(wrong) == {"name", "country", "timezone"}
    right = {"name": "Analytical Engines", "country": "gb", "timezone": "Europe/London"}
    now = world.ask("PATCH", "/desk/company", boss, json=right).json()
    assert {name: now[name] for name in ("name", "country", "timezone", "language")} == {
        "name": "Analytical Engines",
        "country": "GB",
        "timezone": "Europe/London",
        "language": "en",
    }
    assert "Analytical Engines" in world.client.get("/session/login").text


def test_the_checklist_follows_what_is_done(world: World, boss: str) -> None:
    def done() -> set[str]:
        steps = world.ask("GET", "/desk/checklist", boss).json()["steps"]
        return {one["id"] for one in steps if one["done"]}

    assert done() == set()
    world.ask("PATCH", "/desk/company", boss, json={"name": "A", "country": "FR"})
    world.ask("POST", "/desk/lines", boss, json=LINE | {"users": [boss]})
    assert done() == {"company", "line", "users"}
    assert world.ask("POST", "/desk/checklist", boss, json={"item": "test_phone_only"}).status_code == 204
    world.ask("POST", "/desk/checklist", boss, json={"item": "audio_checked"})
    assert done() == {"company", "line", "users", "trunk", "audio"}
    world.ask("POST", "/desk/checklist", boss, json={"item": "test_phone_only", "done": False})
    assert "trunk" not in done()
    assert fields(world.ask("POST", "/desk/checklist", boss, json={"item": "world_peace"})) == {"item"}


# ---- test call


def test_a_test_call_goes_to_our_own_line_one_at_a_time(
    world: World, boss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    phones: list[subprocess.Popen[bytes]] = []

    def place(settings: object, number: str, **_: object) -> "subprocess.Popen[bytes]":
        called.append(number)
        phones.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return phones[-1]

    monkeypatch.setattr(testcall, "place_test_call", place)
    line = world.ask("POST", "/desk/lines", boss, json=LINE).json()["id"]
    try:
        assert world.ask("POST", "/desk/testcall", boss, json={"line_id": new_id()}).status_code == 404
        assert world.ask("POST", "/desk/testcall", boss, json={"line_id": line}).status_code == 202
        second = world.ask("POST", "/desk/testcall", boss, json={"line_id": line})
        assert (second.status_code, second.json()["error"]["code"]) == (409, "test_call_running")
        phones[0].communicate(b"\n")
        assert world.ask("POST", "/desk/testcall", boss, json={"line_id": line}).status_code == 202
        world.ask("PATCH", f"/desk/lines/{line}", boss, json={"enabled": False})
        off = world.ask("POST", "/desk/testcall", boss, json={"line_id": line})
        assert off.json()["error"]["code"] == "line_off"
    finally:
        for phone in phones:
            with phone:  # waits for its end
                phone.kill()
    assert called == ["+33199001234"] * 2


def test_of_two_test_calls_at_once_one_is_placed(world: World, boss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, gate = threading.Semaphore(0), threading.Event()

    def place(*_: object, **__: object) -> "subprocess.Popen[bytes]":
        entered.release()
        gate.wait(10)
        return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    monkeypatch.setattr(testcall, "place_test_call", place)
    line = world.ask("POST", "/desk/lines", boss, json=LINE).json()["id"]
    with ThreadPoolExecutor(2) as pool:
        asks = [pool.submit(world.ask, "POST", "/desk/testcall", boss, json={"line_id": line}) for _ in range(2)]
        assert entered.acquire(timeout=10)
        again = entered.acquire(timeout=0.3)
        gate.set()
        statuses = sorted(one.result().status_code for one in asks)
    phone = world.desk.test_call
    assert phone is not None
    phone.communicate(b"\n")
    assert (again, statuses) == (False, [202, 409])
