"""Calls out over HTTP: the check while somebody types, the rules, the do-not-call list, who may do what."""

from typing import Any

import pytest

from aircall_core.desk import dialling
from aircall_core.desk.dialling import DialRefused
from aircall_core.store import dialling as rows
from tests.service.conftest import World
from tests.support.desk_kit import add_line


@pytest.fixture
def boss(world: World) -> str:
    """An administrator."""
    return world.user("Boss", "administrator")


@pytest.fixture
def line(world: World, boss: str) -> str:
    """A line that calls out."""
    trunk = world.ask(
        "POST", "/desk/trunks", boss,
        json={"name": "Carrier", "kind": "address", "cidrs": ["192.0.2.0/24"], "outbound_host": "192.0.2.10:5080",
              "dial_format": "national", "transfer_by": "refer"},
    )  # fmt: skip
    assert trunk.status_code == 201, trunk.text
    made = {"name": "Sales", "number": "01 99 00 00 01", "country": "FR", "outbound_trunk_id": trunk.json()["id"]}
    answer = world.ask("POST", "/desk/lines", boss, json=made)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def check(world: World, user: str, line: str, number: str) -> Any:
    answer = world.ask("GET", "/desk/dial/check", user, params={"line": line, "number": number})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_lines_to_call_by_are_those_of_the_user_that_have_a_way_out(world: World, boss: str, line: str) -> None:
    with world.store.write() as tx:
        other = add_line(tx, number="+33199000002")
    ann, bo = world.user("Ann", lines=(line, other)), world.user("Bo", lines=(other,))
    (found,) = world.ask("GET", "/desk/dial/lines", ann).json()["lines"]
    assert (found["id"], found["caller_id"], found["spoken"]) == (line, "+33199000001", "01 99 00 00 01")
    assert world.ask("GET", "/desk/dial/lines", bo).json()["lines"] == []
    assert [one["id"] for one in world.ask("GET", "/desk/dial/lines", boss).json()["lines"]] == [line]
    assert world.ask("GET", "/desk/dial/check", bo, params={"line": line, "number": "1"}).status_code == 404
    world.ask("PATCH", f"/desk/lines/{line}", boss, json={"caller_id": "01 99 00 00 09"})
    assert world.ask("GET", "/desk/dial/lines", ann).json()["lines"][0]["spoken"] == "01 99 00 00 09"


def test_a_number_is_checked_while_it_is_typed(world: World, line: str) -> None:
    ann = world.user("Ann", lines=(line,))
    good = check(world, ann, line, "06 12 34 56 78 ext 9")
    assert (good["number"], good["spoken"], good["flag"], good["country_name"]) == (
        "+33612345678", "06 12 34 56 78", "🇫🇷", "France"
    )  # fmt: skip
    assert (good["allowed"], good["why"], good["extension"]) == (True, None, "9")
    far = check(world, ann, line, "+53 5 5512345")
    assert (far["allowed"], far["why"]["code"], far["spoken"]) == (False, "country", "+53 5 5512345")
    assert far["why"]["message"].startswith("Cuba: calls there are not allowed.")
    assert check(world, ann, line, "061")["why"]["unfinished"] is True
    assert check(world, ann, line, "0899 12 34 56")["why"]["unfinished"] is False
    sos = check(world, ann, line, "112")
    assert (sos["emergency"], sos["number"], sos["why"]["code"]) == (True, "112", "emergency")
    assert "call 112 now" in sos["why"]["message"]
    assert world.ask("GET", "/desk/dial/check", ann, params={"line": line, "number": "9" * 81}).status_code == 422
    with world.store.read() as conn:
        assert rows.refusals(conn) == []  # typing is no attempt


def test_the_rules_are_read_and_changed(world: World, boss: str, line: str) -> None:
    rules = world.ask("GET", "/desk/dialling", boss).json()
    assert rules == {"countries": None, "user_cap": 200, "line_cap": 1000, "own": ["FR"]}
    changed = world.ask("PATCH", "/desk/dialling", boss, json={"countries": ["es", "FR"], "user_cap": 5}).json()
    assert (changed["countries"], changed["user_cap"], changed["line_cap"]) == (["ES", "FR"], 5, 1000)
    wrong = world.ask("PATCH", "/desk/dialling", boss, json={"countries": ["XX"], "line_cap": -5})
    assert (wrong.status_code, set(wrong.json()["error"]["fields"])) == (422, {"countries", "line_cap"})
    assert world.ask("PATCH", "/desk/dialling", boss, json={"own_countries": True}).json()["countries"] is None
    actions = [row["action"] for row in world.ask("GET", "/desk/audit", boss).json()["entries"]]
    assert actions.count("dialling.changed") == 2


def test_the_do_not_call_list_is_the_leaders(world: World, boss: str, line: str) -> None:
    lead, ann = world.user("Lead", "supervisor"), world.user("Ann", lines=(line,))
    number = {"number": "06 12 34 56 78", "note": "asked"}
    assert world.ask("POST", "/desk/do-not-call", ann, json=number).status_code == 403
    made = world.ask("POST", "/desk/do-not-call", lead, json=number)
    assert (made.status_code, made.json()) == (201, {"number": "+33612345678"})
    assert world.ask("POST", "/desk/do-not-call", lead, json={"number": "nobody"}).status_code == 422
    listed = world.ask("GET", "/desk/do-not-call", lead, params={"search": "0612"}).json()
    assert (listed["count"], [one["author"] for one in listed["numbers"]]) == (1, ["Lead"])
    assert check(world, ann, line, "+33 6 12 34 56 78")["why"]["code"] == "do_not_call"
    assert world.ask("DELETE", "/desk/do-not-call/33612345678", lead).status_code == 204
    assert world.ask("DELETE", "/desk/do-not-call/33612345678", lead).status_code == 404
    assert check(world, ann, line, "+33 6 12 34 56 78")["allowed"] is True


def test_users_and_lines_have_caps_of_their_own(world: World, boss: str, line: str) -> None:
    ann = world.user("Ann", lines=(line,))
    world.ask("PATCH", f"/desk/users/{ann}", boss, json={"dial_cap": 0, "call_waiting": True})
    assert check(world, ann, line, "0612345678")["why"]["code"] == "user_cap"
    (row,) = [one for one in world.ask("GET", "/desk/users", boss).json()["users"] if one["id"] == ann]
    assert (row["dial_cap"], row["call_waiting"]) == (0, True)
    world.ask("PATCH", f"/desk/users/{ann}", boss, json={"dial_cap": -1})
    world.ask("PATCH", f"/desk/lines/{line}", boss, json={"dial_cap": 0})
    assert check(world, ann, line, "0612345678")["why"]["code"] == "line_cap"
    too_many = world.ask("PATCH", f"/desk/users/{ann}", boss, json={"dial_cap": 10**7})
    assert (too_many.status_code, set(too_many.json()["error"]["fields"])) == (422, {"dial_cap"})


def test_a_refused_attempt_is_written_down_once(world: World, line: str) -> None:
    ann = world.user("Ann", lines=(line,))
    with pytest.raises(DialRefused), dialling.refusals_noted(world.store), world.store.write() as tx:
        dialling.check(tx, line, "0899 12 34 56", ann)
    with world.store.read() as conn:
        (row,) = rows.refusals(conn)
    assert (row["subject_name"], row["actor_name"], row["line_name"]) == ("+33899123456", "Ann", "Sales")


def test_a_refused_number_is_not_dialled_by_whatever_route(world: World, boss: str, line: str) -> None:
    ann = world.user("Ann", lines=(line,))
    wanted = {"line": line, "peer": "peer-12345678", "tab": "tab-12345678"}
    for at, (number, status, code) in enumerate(
        (("0899 12 34 56", 403, "premium"), ("112", 403, "emergency"), ("+53 5 5512345", 403, "country"),
         ("*31#0199001234", 422, "service_code"))
    ):  # fmt: skip
        answer = world.ask(
            "POST", "/desk/dial", ann, json={**wanted, "number": number, "command": f"command-{at}-12345"}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    with world.store.read() as conn:
        written = rows.refusals(conn)
    assert [row["subject_name"] for row in reversed(written)] == [
        "+33899123456",
        "112",
        "+5355512345",
        "*31#0199001234",
    ]
    kinds = [row.kind for row in world.store.events(0)]
    assert kinds.count("dial.refused") == 4
    assert "call.dial_wanted" not in kinds
