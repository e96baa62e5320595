"""Whose a conversation is: given by who may see it, to who works on its line."""

from typing import Any

from aircall_core.domain.events import CONVERSATION_ASSIGNED
from aircall_core.ids import new_id
from aircall_core.store.queries import conversation
from tests.service.conftest import World
from tests.support import desk_kit


def assign(world: World, conversation_id: str, user: str, to: str | None) -> Any:
    path = f"/desk/conversations/{conversation_id}/assign"
    return world.ask("POST", path, user, json={"command": new_id(), "user_id": to})


def test_a_conversation_is_given_to_a_colleague_and_taken_back(world: World) -> None:
    office = desk_kit.Desk.open(world.store, "Ada", "Bob")
    ada, bob = office.users
    conversation_id = office.arrive().conversation_id
    before = world.store.last_seq()
    assert assign(world, conversation_id, ada, bob).status_code == 202
    (event,) = [row.event for row in world.store.events(before) if row.kind == CONVERSATION_ASSIGNED]
    assert (event.actor, event.data["to"]) == (f"user:{ada}", bob)
    with world.store.read() as conn:
        header = conversation.header(conn, conversation_id)
        assert conversation.assignable(conn, office.line, bob) == {ada: "Ada", bob: "Bob"}
    assert header is not None
    assert header.assigned_to == bob
    assert assign(world, conversation_id, bob, None).status_code == 202
    with world.store.read() as conn:
        header = conversation.header(conn, conversation_id)
    assert header is not None
    assert header.assigned_to is None


def test_who_may_not_see_it_and_who_only_reads_cannot_give_it(world: World) -> None:
    office = desk_kit.Desk.open(world.store, "Ada")
    plan = office.arrive()
    office.end(plan.call_id)
    stranger, analyst = world.user("Stranger"), world.user("Ana", role="analyst")
    assert assign(world, plan.conversation_id, stranger, stranger).status_code == 404
    assert assign(world, plan.conversation_id, analyst, None).status_code == 403
    refused = assign(world, plan.conversation_id, office.users[0], stranger)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "not_assignable")
