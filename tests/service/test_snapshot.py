"""The snapshot over HTTP: who may see it, who it may be, and what the AI section says of plan and trial."""

from typing import Any

import pytest
from sqlalchemy import insert

from aircall_core.desk import contacts
from aircall_core.domain import message, plan
from aircall_core.ids import new_id, now_ms
from aircall_core.service.snapshot import ai_part
from aircall_core.store import tables as t
from aircall_core.ui import text
from tests.service.conftest import World
from tests.support import desk_kit

NEVER = 4_000_000_000_000  # ms: a year that no trial ends in


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada, available."""
    return desk_kit.Desk.open(world.store, "Ada")


def look(world: World, conversation: str, user: str) -> dict[str, Any]:
    answer = world.ask("GET", f"/desk/conversations/{conversation}/snapshot", user)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_it_is_for_who_may_see_the_conversation(world: World, office: desk_kit.Desk) -> None:
    plan_ = office.arrive("+33611111111")
    office.end(plan_.call_id)
    path = f"/desk/conversations/{plan_.conversation_id}/snapshot"
    assert world.ask("GET", path, world.user("Eve")).status_code == 404
    assert world.ask("GET", path, world.user("Watch", "analyst")).status_code == 200
    assert world.ask("GET", f"/desk/conversations/{new_id()}/snapshot", office.users[0]).status_code == 404
    found = look(world, plan_.conversation_id, office.users[0])
    assert found["figures"]["calls"] == 1
    assert found["limited"]  # to Ada's lines, and the page says so
    assert not look(world, plan_.conversation_id, world.users["Watch"])["limited"]
    assert found["ai"] == {"state": "off", "until": None}


def test_a_number_like_one_of_a_contact_and_a_name_like_theirs_are_maybe_them(
    world: World, office: desk_kit.Desk
) -> None:
    ada = office.users[0]
    with world.store.write() as tx:
        like = contacts.create(tx, "system", {"name": "Paul", "numbers": ["+49711611111"]})
        named = contacts.create(tx, "system", {"name": "Marie Dupont", "numbers": ["+33699999999"]})
    call = office.arrive("+33611611111", from_display="marie dupont")
    found = look(world, call.conversation_id, ada)
    assert {(one["id"], one["why"]) for one in found["maybe"]} == {(named, "name"), (like, "number")}
    assert found["party"]["display"] == "marie dupont"
    answer = world.ask("POST", f"/desk/contacts/{named}/numbers", ada, json={"number": "+33611611111"})
    assert answer.status_code == 200, answer.text
    after = look(world, call.conversation_id, ada)
    assert (after["contact"]["id"], after["maybe"]) == (named, [])


def test_a_no_is_for_everybody_and_hidden_callers_are_erased_by_leaders(world: World, office: desk_kit.Desk) -> None:
    ada, bo, number = office.users[0], world.user("Bo", "supervisor"), "+33611611111"
    with world.store.write() as tx:
        like = contacts.create(tx, "system", {"name": "Paul", "numbers": ["+49711611111"]})
    call = office.arrive(number)
    path = f"/desk/contacts/{like}/denials"
    assert world.ask("POST", path, ada, json={"number": "06"}).status_code == 422
    assert world.ask("POST", path, ada, json={"number": number}).status_code == 200
    assert look(world, call.conversation_id, bo)["maybe"] == []
    assert world.ask("DELETE", path, bo, json={"number": number}).status_code == 200
    assert len(look(world, call.conversation_id, ada)["maybe"]) == 1
    hidden = office.arrive("anonymous")
    path = f"/desk/conversations/{hidden.conversation_id}/erase"
    assert world.ask("POST", path, ada, json={"confirm": "Support"}).status_code == 403
    assert world.ask("POST", path, bo, json={"confirm": "Support"}).status_code == 409  # it rings
    office.end(hidden.call_id)
    assert world.ask("POST", path, bo, json={"confirm": "Sales"}).status_code == 422
    answer = world.ask("POST", path, bo, json={"confirm": "Support", "call": hidden.call_id})
    assert answer.status_code == 202, answer.text


def test_an_anonymous_caller_is_maybe_nobody(world: World, office: desk_kit.Desk) -> None:
    with world.store.write() as tx:
        contacts.create(tx, "system", {"name": "Anonymous"})
        row = {"id": new_id(), "line_id": office.line, "party": "anonymous", "opened_at": 1, "last_at": 1}
        tx.execute(insert(t.conversations).values(row))
    found = look(world, str(row["id"]), office.users[0])
    assert (found["maybe"], found["party"]["anonymous"], found["party"]["display"]) == ([], True, "")


@pytest.mark.parametrize(
    ("add_ons", "trial_until", "expected"),
    [([], None, "off"), ([], NEVER, "trial"), ([], 1, "over"), (["ai"], None, "on"), (["ai"], 1, "on")],
)
def test_the_ai_section_follows_the_plan(add_ons: list[str], trial_until: int | None, expected: str) -> None:
    company = {"plan": "professional", "add_ons": add_ons, "trial_until": trial_until}
    gate = plan.gate(plan.Feature.AI_CONTEXT, company, now_ms())
    assert ai_part(gate) == {"state": expected, "until": trial_until if expected in ("trial", "over") else None}


def test_every_state_and_reason_of_a_text_has_its_words() -> None:
    words = text.browser_texts()
    assert [one for one in message.State if f"text.{one}" not in words and one != message.State.RECEIVED] == []
    assert [one for one in message.Why if f"text.reason.{one}" not in words] == []
