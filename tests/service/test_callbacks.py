"""Callbacks: in the order of their turns, one user each, and only on lines that one may see."""

from typing import Any

import pytest

from aircall_core.desk import flow_facts
from aircall_core.domain.events import CALLBACK_SETTLED
from aircall_core.ids import new_id, now_ms
from aircall_core.store.queries import inbox, timeline
from tests.service.conftest import World
from tests.support import desk_kit, inbox_kit


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada and Bob, both available."""
    return desk_kit.Desk.open(world.store, "Ada", "Bob")


def asked_for(office: desk_kit.Desk, number: str = "+33611223344", **changes: object) -> tuple[str, str]:
    """A caller who pressed * while waiting and hung up: ids of call and conversation."""
    plan = office.arrive(number, **changes)
    with office.store.write() as tx:
        flow_facts.callback(tx, office.owner, plan.call_id, at=now_ms())
    office.end(plan.call_id)
    return plan.call_id, plan.conversation_id


def post(world: World, path: str, user: str) -> Any:
    return world.ask("POST", path, user, json={"command": new_id()})


def listed(world: World, user: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask("GET", "/desk/callbacks", user).json()["callbacks"]
    return found


def test_they_stand_in_the_order_of_their_turns(world: World, office: desk_kit.Desk) -> None:
    ada = office.users[0]
    calls = [asked_for(office, f"+3361111000{number}", arrived_at=now_ms() - 60_000 + number)[0] for number in range(3)]
    with world.store.write() as tx:
        tx.conn.exec_driver_sql(f"UPDATE callbacks SET priority = 1 WHERE call_id = '{calls[2]}'")  # noqa: S608  an id of ours
    cards = listed(world, ada)
    assert [one["call_id"] for one in cards] == [calls[2], calls[0], calls[1]]
    assert cards[0]["number"] == "+33611110002"
    assert cards[0]["spoken"] == "06 11 11 00 02"
    assert (cards[0]["state"], cards[0]["by"]) == ("waiting", None)


def test_one_takes_it_and_everybody_sees_who(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    call, conversation_id = asked_for(office)
    (card,) = listed(world, ada)
    before = world.store.last_seq()
    command = new_id()
    path = f"/desk/callbacks/{card['id']}/take"
    assert world.ask("POST", path, ada, json={"command": command}).status_code == 202
    lost = post(world, path, bob)
    assert (lost.status_code, lost.json()["error"]["by"]) == (409, {"id": ada, "name": "Ada"})
    (event,) = [row.event for row in world.store.events(before) if row.kind == CALLBACK_SETTLED]
    assert (event.user_id, event.conversation_id, event.audience) == (ada, conversation_id, f"line:{office.line}")
    assert event.data == {"callback": card["id"], "state": "taken", "command": command}
    (after,) = listed(world, bob)
    assert (after["state"], after["by"]) == ("taken", {"id": ada, "name": "Ada"})
    with world.store.read() as conn:
        (row,) = inbox_kit.listed(conn, bob, "agent", type=inbox.MISSED)
        page = timeline.timeline(conn, conversation_id)
    newest = row["call"]
    assert (newest["id"], newest["callback"]["state"], newest["callback"]["by"]) == (call, "taken", "Ada")
    bubble = next(one["call"] for one in page["entries"] if one["kind"] == "call.arrived")
    assert bubble["callback"]["by"] == {"id": ada, "name": "Ada"}
    assert [(one["kind"], (one["who"] or {}).get("name")) for one in page["entries"]][-1] == (CALLBACK_SETTLED, "Ada")


def test_who_declines_is_told_to_the_next(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    asked_for(office)
    (card,) = listed(world, ada)
    assert post(world, f"/desk/callbacks/{card['id']}/decline", ada).status_code == 202
    assert listed(world, bob) == []
    late = post(world, f"/desk/callbacks/{card['id']}/take", bob)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "declined")


def test_a_missed_call_is_called_back_without_being_asked(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    call = office.arrive().call_id
    early = post(world, f"/desk/calls/{call}/call-back", ada)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_missed")
    office.end(call)
    assert post(world, f"/desk/calls/{call}/call-back", ada).status_code == 202
    assert post(world, f"/desk/calls/{call}/call-back", bob).json()["error"]["by"]["name"] == "Ada"
    assert [one["by"]["name"] for one in listed(world, bob)] == ["Ada"]


def test_calls_that_cannot_be_called_back(world: World, office: desk_kit.Desk) -> None:
    ada = office.users[0]
    hidden = office.arrive("")
    office.end(hidden.call_id)
    refused = post(world, f"/desk/calls/{hidden.call_id}/call-back", ada)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_number")
    answered = office.arrive()
    office.answer(answered.call_id, ada)
    office.end(answered.call_id)
    assert post(world, f"/desk/calls/{answered.call_id}/call-back", ada).json()["error"]["code"] == "not_missed"


def test_strangers_to_the_line_know_of_nothing_and_analysts_only_read(world: World, office: desk_kit.Desk) -> None:
    call, _ = asked_for(office)
    (card,) = listed(world, office.users[0])
    stranger, analyst = world.user("Stranger"), world.user("Ana", role="analyst")
    assert listed(world, stranger) == []
    for path in (f"/desk/callbacks/{card['id']}/take", f"/desk/calls/{call}/call-back", "/desk/callbacks/nothing/take"):
        assert post(world, path, stranger).status_code == 404
    assert len(listed(world, analyst)) == 1
    assert post(world, f"/desk/callbacks/{card['id']}/take", analyst).status_code == 403
