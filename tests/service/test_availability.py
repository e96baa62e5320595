"""Availability over HTTP: what users choose for themselves and others, wrap-up, tags, and how they work."""

from typing import Any

import pytest
from sqlalchemy import select, update

from aircall_core.store import audit, states
from aircall_core.store import tables as t
from tests.service.conftest import World, command
from tests.support.desk_kit import Desk as Office
from tests.support.desk_kit import add_schedule, add_tag


@pytest.fixture
def office(world: World) -> Office:
    """A line with Ada and Bob, who are available."""
    return Office.open(world.store, "Ada", "Bob")


def user(world: World, user_id: str) -> dict[str, Any]:
    """The user's row."""
    with world.store.read() as conn:
        return dict(conn.execute(select(t.users).where(t.users.c.id == user_id)).mappings().one())


def test_a_choice_is_an_event_with_the_commands_id(world: World, office: Office) -> None:
    ada = office.ids["Ada"]
    body = {"choice": "unavailable", "reason": "lunch", "command": command()}
    answer = world.ask("POST", "/desk/availability", ada, json=body)
    assert (answer.status_code, answer.json()) == (202, {"command": body["command"]})
    chosen = [row.event for row in world.store.events(0, 100) if row.kind == "user.choice"]
    assert [dict(one.data) for one in chosen] == [body]
    assert user(world, ada)["status"] == "unavailable"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"choice": "unavailable"}, "reason"),
        ({"choice": "unavailable", "reason": "missed_calls"}, "reason"),
        ({"choice": "available", "reason": "lunch"}, "reason"),
        ({"choice": "auto"}, "choice"),
        ({"choice": "asleep"}, "choice"),
        ({"choice": "x" * 99}, "choice"),
    ],
)
def test_a_choice_that_cannot_be_says_why(world: World, office: Office, body: dict[str, Any], field: str) -> None:
    answer = world.ask("POST", "/desk/availability", office.ids["Ada"], json={**body, "command": command()})
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == [field]
    assert user(world, office.ids["Ada"])["status"] == "available"


def test_leaders_choose_for_others(world: World, office: Office) -> None:
    ada, path = office.ids["Ada"], f"/desk/users/{office.ids['Ada']}/availability"
    assert world.ask("POST", path, office.ids["Bob"], json={"choice": "unavailable"}).status_code == 403
    leader = world.user("Sue", "supervisor")
    assert world.ask("POST", path, leader, json={"choice": "unavailable"}).status_code == 200
    assert (user(world, ada)["status"], user(world, ada)["status_reason"]) == ("unavailable", "by_admin")
    assert world.ask("POST", path, leader, json={"choice": "available"}).status_code == 200
    assert user(world, ada)["status"] == "available"
    nobody = "/desk/users/01arz3ndektsv4rrffq69g5fav/availability"
    assert world.ask("POST", nobody, leader, json={"choice": "available"}).status_code == 404


def test_wrap_up_is_extended_and_finished(world: World, office: Office) -> None:
    ada = office.ids["Ada"]
    with world.store.write() as tx:
        states.change(tx.conn, ada, wrap_up_s=60)
    call = office.arrive().call_id
    office.answer(call, ada)
    office.end(call)
    until = user(world, ada)["wrap_up_until"]
    assert world.ask("POST", "/desk/wrap-up/extend", ada, json={"command": command()}).status_code == 202
    assert user(world, ada)["wrap_up_until"] == until + 60_000
    assert world.ask("POST", "/desk/wrap-up/end", ada, json={"command": command()}).status_code == 202
    assert user(world, ada)["status"] == "available"
    late = world.ask("POST", "/desk/wrap-up/extend", ada, json={"command": command()})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "over")


def test_only_a_tag_frees_who_owes_one(world: World, office: Office) -> None:
    ada = office.ids["Ada"]
    with world.store.write() as tx:
        tag = add_tag(tx, "Billing")
        tx.execute(update(t.lines).values(tags_required=True))
    call = office.arrive().call_id
    office.answer(call, ada)
    office.end(call)
    path = f"/desk/calls/{call}/tags"
    for answer in (
        world.ask("POST", "/desk/availability", ada, json={"choice": "available", "command": command()}),
        world.ask("POST", "/desk/wrap-up/end", ada, json={"command": command()}),
        world.ask("POST", "/desk/duty", ada, json={"on": True, "command": command()}),
        world.ask("POST", path, ada, json={"tags": [], "command": command()}),
        world.ask("POST", path, ada, json={"tags": ["no-such-tag"], "command": command()}),
        world.ask("POST", path, world.user("Stranger"), json={"tags": [tag], "command": command()}),
        world.ask("POST", path, world.user("Reader", "analyst"), json={"tags": [tag], "command": command()}),
    ):
        assert answer.status_code in (202, 404, 403, 422)
        assert user(world, ada)["status"] == "tagging"
    assert world.ask("POST", path, ada, json={"tags": [tag], "command": command()}).status_code == 202
    assert user(world, ada)["status"] == "available"


def test_how_a_user_works_is_set_checked_and_audited(world: World, office: Office) -> None:
    ada, path = office.ids["Ada"], f"/desk/users/{office.ids['Ada']}"
    boss = world.user("Boss", "administrator")
    for body, field in (
        ({"wrap_up_s": 901}, "wrap_up_s"),
        ({"wrap_up_s": -1}, "wrap_up_s"),
        ({"schedule_id": "x"}, "schedule_id"),
    ):
        refused = world.ask("PATCH", path, boss, json=body)
        assert (refused.status_code, list(refused.json()["error"]["fields"])) == (422, [field])
    with world.store.write() as tx:
        schedule = add_schedule(tx, "never")
    assert (
        world.ask("PATCH", path, boss, json={"wrap_up_s": 30, "schedule_id": schedule, "name": "Ada L"}).status_code
        == 200
    )
    row = user(world, ada)
    assert (row["wrap_up_s"], row["schedule_id"], row["name"]) == (30, schedule, "Ada L")
    auto = {"choice": "auto", "command": command()}
    assert world.ask("POST", "/desk/availability", ada, json=auto).status_code == 202
    assert user(world, ada)["status"] == "out_of_hours"
    assert world.ask("PATCH", path, boss, json={"schedule_id": ""}).status_code == 200
    assert user(world, ada)["status"] == "available", "without hours there is nothing to be outside of"
    with world.store.read() as conn:
        changes = [one["changes"] for one in audit.entries(conn) if one["action"] == "user.changed"]
    assert {"wrap_up_s": [0, 30], "schedule_id": [None, schedule]} in changes
    assert {"name": ["Ada", "Ada L"]} in changes


def test_a_disabled_user_is_disabled_in_the_history(world: World, office: Office) -> None:
    boss = world.user("Boss", "administrator")
    path = f"/desk/users/{office.ids['Ada']}"
    assert world.ask("PATCH", path, boss, json={"state": "disabled"}).status_code == 200
    assert user(world, office.ids["Ada"])["status"] == "disabled"
