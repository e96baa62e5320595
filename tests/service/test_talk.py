"""Commands during a call, and calls out, over HTTP: who may, what is refused, and in which words."""

from typing import Any

import pytest

from aircall_core.domain import events as kinds
from aircall_core.ids import new_id
from aircall_core.store.queries.cards import cards
from tests.service.conftest import World
from tests.support import desk_kit


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada and Bob, both available, that may call out."""
    office = desk_kit.Desk.open(world.store, "Ada", "Bob", number="+33199000001")
    with world.store.write() as tx:
        office.may_call_out(tx)
    return office


@pytest.fixture
def call(office: desk_kit.Desk) -> str:
    """A call that Ada has."""
    call = office.arrive().call_id
    office.answer(call, office.ids["Ada"])
    return call


def ask(world: World, path: str, user: str, **body: Any) -> Any:
    return world.ask("POST", path, user, json={"command": new_id(), **body})


EVERY = [
    ("hold", {"held": True}, kinds.CALL_HOLD_WANTED),
    ("talk", {}, kinds.CALL_HOLD_WANTED),
    ("keys", {"digits": "12#"}, kinds.CALL_KEYS_WANTED),
    ("transfer", {"target": {"user": "Bob"}}, kinds.CALL_TRANSFER_WANTED),
    ("consult", {"target": {"user": "Bob"}, "join": False}, kinds.CALL_DIAL_WANTED),
]


@pytest.mark.parametrize(("what", "body", "kind"), EVERY)
def test_who_has_the_call_is_obeyed_and_nobody_else(
    world: World, office: desk_kit.Desk, call: str, what: str, body: dict[str, Any], kind: str
) -> None:
    if "target" in body:
        body = {**body, "target": {"user": office.ids["Bob"]}}
    before = world.store.last_seq()
    other = ask(world, f"/desk/calls/{call}/{what}", office.ids["Bob"], **body)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "not_yours")
    assert world.store.last_seq() == before
    assert ask(world, f"/desk/calls/{call}/{what}", office.ids["Ada"], **body).status_code == 202
    assert kind in [row.kind for row in world.store.events(before)]
    gone = ask(world, f"/desk/calls/{new_id()}/{what}", office.ids["Ada"], **body)
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "target", [{}, {"user": "a", "team": "b"}, {"dog": "a"}, {"user": 7}, {"user": ""}, {"number": "1" * 200}, None]
)
def test_what_is_no_target_is_said_at_the_field(world: World, office: desk_kit.Desk, call: str, target: object) -> None:
    answer = ask(world, f"/desk/calls/{call}/transfer", office.ids["Ada"], target=target)
    assert answer.status_code == 422
    assert any(field.startswith("target") for field in answer.json()["error"]["fields"])


def test_a_target_that_cannot_be_reached_and_why(world: World, office: desk_kit.Desk, call: str) -> None:
    other = office.arrive("+33655550001").call_id
    office.answer(other, office.ids["Bob"])
    for what in ("transfer", "consult"):
        busy = ask(world, f"/desk/calls/{call}/{what}", office.ids["Ada"], target={"user": office.ids["Bob"]})
        assert busy.status_code == 409
        assert {name: busy.json()["error"][name] for name in ("code", "message", "status")} == {
            "code": "busy", "message": "Bob is busy.", "status": "in_call",
        }  # fmt: skip


def test_a_refused_number_is_written_down(world: World, office: desk_kit.Desk, call: str) -> None:
    before = world.store.last_seq()
    answer = ask(world, f"/desk/calls/{call}/consult", office.ids["Ada"], target={"number": "+33 899 12 34 56"})
    assert answer.json()["error"]["code"] == "premium"
    assert [row.kind for row in world.store.events(before)] == [kinds.DIAL_REFUSED]


def test_targets_are_listed_who_can_be_reached_first(world: World, office: desk_kit.Desk, call: str) -> None:
    ada, bob = office.ids["Ada"], office.ids["Bob"]
    with world.store.write() as tx:
        desk_kit.add_user(tx, "Abe", on_duty=False)
        desk_kit.add_team(tx, "Experts", [ada, bob])
    found = world.ask("GET", f"/desk/targets?call={call}&search=", ada).json()
    assert [(one["name"], one["available"], one["you"]) for one in found["users"]] == [
        ("Bob", True, False), ("Abe", False, False), ("Ada", False, True),
    ]  # fmt: skip
    assert [(one["name"], one["available"], one["members"]) for one in found["teams"]] == [("Experts", 1, 2)]
    assert [one["number"] for one in found["lines"]] == ["01 99 00 00 01"]
    assert found["numbers_allowed"] is True
    searched = world.ask("GET", f"/desk/targets?call={call}&search=bo", ada).json()
    assert ([one["name"] for one in searched["users"]], searched["teams"]) == (["Bob"], [])


def test_who_is_asked_is_shown_who_asks_and_about_whom(world: World, office: desk_kit.Desk, call: str) -> None:
    target = {"user": office.ids["Bob"]}
    child = ask(world, f"/desk/calls/{call}/consult", office.ids["Ada"], target=target, join=True).json()["call"]
    with world.store.read() as conn:
        card = cards(conn, [child])[child]
    assert (card["asked_by"]["name"], card["asks"], card["direction"]) == ("Ada", "join", "internal")
    assert card["target"] == {"kind": "user", "id": office.ids["Bob"], "name": "Bob"}
    assert card["number"] == "06 11 22 33 44"


# ---- calls out


def dial(world: World, user: str, **body: Any) -> Any:
    return ask(world, "/desk/dial", user, **{"peer": new_id(), "tab": new_id(), "number": "+33611999888", **body})


def test_a_call_out_has_the_card_of_whom_it_calls(world: World, office: desk_kit.Desk) -> None:
    answer = dial(world, office.ids["Ada"], line=office.line)
    assert answer.status_code == 202
    with world.store.read() as conn:
        card = cards(conn, [answer.json()["call"]])[answer.json()["call"]]
    assert (card["number"], card["direction"]) == ("06 11 99 98 88", "outbound")


def test_from_a_line_of_others_nobody_calls(world: World, office: desk_kit.Desk) -> None:
    stranger = world.user("Zoe")
    assert dial(world, stranger, line=office.line).status_code == 404
    analyst = world.user("Ann", role="analyst")
    assert dial(world, analyst, line=office.line).status_code == 403
    assert dial(world, office.ids["Ada"], line=office.line, callback=new_id()).status_code == 404
    assert dial(world, office.ids["Ada"], line=office.line, number="").status_code == 422
