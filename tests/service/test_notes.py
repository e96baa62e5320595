"""Notes, the tags of a call, and who a conversation can be given to, over HTTP."""

from typing import Any

import pytest

from tests.service.conftest import World, command
from tests.support.desk_kit import Desk as Office
from tests.support.desk_kit import add_tag


@pytest.fixture
def office(world: World) -> Office:
    """A line with Ada and Bob, who are available."""
    return Office.open(world.store, "Ada", "Bob")


def put(world: World, call: str, user: str, text: Any, version: Any = 0) -> Any:
    body = {"text": text, "version": version, "command": command()}
    return world.ask("PUT", f"/desk/calls/{call}/note", user, json=body)


def test_a_note_is_saved_read_and_not_overwritten(world: World, office: Office) -> None:
    call, ada = office.arrive().call_id, office.ids["Ada"]
    path = f"/desk/calls/{call}/note"
    assert world.ask("GET", path, ada).json() == {"text": "", "version": 0}
    saved = put(world, call, ada, "Naïve 😀\n- second line")
    assert (saved.status_code, saved.json()["version"]) == (200, 1)
    assert world.ask("GET", path, ada).json() == {"text": "Naïve 😀\n- second line", "version": 1}
    refused = put(world, call, ada, "from a second tab")
    assert refused.status_code == 409
    assert refused.json()["error"] | {"message": ""} == {
        "code": "changed", "message": "", "version": 1, "text": "Naïve 😀\n- second line",
    }  # fmt: skip


def test_what_is_not_a_note_is_refused_at_its_field(world: World, office: Office) -> None:
    call, ada = office.arrive().call_id, office.ids["Ada"]
    for text, version, field in (
        ("x" * 20_001, 0, "text"),
        ("x" * 50_000, 0, "text"),
        (7, 0, "text"),
        ("x", -1, "version"),
    ):
        answer = put(world, call, ada, text, version)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
    assert put(world, call, ada, "漢" * 20_000).status_code == 200, "the longest note fits into a body"


def test_strangers_and_readers_write_nothing(world: World, office: Office) -> None:
    call = office.arrive().call_id
    stranger, analyst = world.user("Stranger"), world.user("Reader", "analyst")
    assert put(world, call, stranger, "x").status_code == 404
    assert put(world, call, analyst, "x").status_code == 403
    assert world.ask("GET", f"/desk/calls/{call}/note", analyst).status_code == 403
    assert world.ask("GET", f"/desk/calls/{call}/tags", stranger).status_code == 404


def test_the_tags_of_a_call_are_read_by_who_may_see_it(world: World, office: Office) -> None:
    call, ada = office.arrive().call_id, office.ids["Ada"]
    with world.store.write() as tx:
        tag = add_tag(tx, "Billing")
    path = f"/desk/calls/{call}/tags"
    assert world.ask("GET", path, ada).json() == {"tags": []}
    assert world.ask("POST", path, ada, json={"tags": [tag], "command": command()}).status_code == 202
    assert world.ask("GET", path, office.ids["Bob"]).json() == {"tags": [tag]}


def test_who_a_conversation_can_be_given_to(world: World, office: Office) -> None:
    conversation = office.arrive().conversation_id
    path = f"/desk/conversations/{conversation}/assignees"
    ada, bob = office.ids["Ada"], office.ids["Bob"]
    users = [{"id": ada, "name": "Ada"}, {"id": bob, "name": "Bob"}]
    assert world.ask("GET", path, ada).json() == {"assigned_to": None, "users": users}
    body = {"user_id": bob, "command": command()}
    assert world.ask("POST", path.replace("assignees", "assign"), ada, json=body).status_code == 202
    assert world.ask("GET", path, bob).json()["assigned_to"] == bob
    assert world.ask("GET", path, world.user("Stranger")).status_code == 404
