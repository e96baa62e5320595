"""The inbox over HTTP: who sees which rows, pages and refusals, one conversation and many changed."""

from typing import Any

import pytest
from sqlalchemy import insert

from aircall_core.ids import new_id
from aircall_core.store import tables as t
from tests.service.conftest import World
from tests.support import desk_kit


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada and Bob, and three missed calls."""
    desk = desk_kit.Desk.open(world.store, "Ada", "Bob")
    for number in range(3):
        desk.end(desk.arrive(f"+3361111000{number}", from_display=f"Customer {number}").call_id)
    return desk


def rows(world: World, user: str, query: str = "category=all") -> list[dict[str, Any]]:
    answer = world.ask("GET", f"/desk/inbox?{query}", user)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def post(world: World, path: str, user: str, **body: Any) -> Any:
    return world.ask("POST", path, user, json={"command": new_id(), **body})


def test_pages_of_the_list_and_what_a_stranger_gets(world: World, office: desk_kit.Desk) -> None:
    ada = office.ids["Ada"]
    with world.store.write() as tx:
        stranger = desk_kit.add_user(tx, "Out", lines=(desk_kit.add_line(tx, number="+33199009900"),))
    names, after = [], ""
    while True:
        page = world.ask("GET", f"/desk/inbox?category=open&limit=2&after={after}", ada).json()
        names += [row["name"] for row in page["rows"]]
        after = page["after"]
        if after is None:
            break
    assert names == ["Customer 2", "Customer 1", "Customer 0"]
    assert [row["name"] for row in rows(world, ada, "category=open&sort=oldest&limit=1")] == ["Customer 0"]
    assert [row["name"] for row in rows(world, ada, "view=calls&category=all&type=missed&search=06111100")] == names
    assert rows(world, ada, f"category=all&line={new_id()}") == []
    assert rows(world, stranger) == []
    assert rows(world, stranger, f"category=all&line={office.line}&search=customer") == []
    assert world.ask("GET", "/desk/inbox/counts", stranger).json()["open"] == 0
    counts = world.ask("GET", "/desk/inbox/counts", ada).json()
    assert counts == {"unread": 3, "open": 3, "mine": 0, "unassigned": 3, "outbound": 0, "closed": 0}


@pytest.mark.parametrize(
    "query",
    [
        "view=x",
        "category=x",
        "type=answered",
        "view=calls&type=x",
        "from=x",
        "limit=-1",
        "after=x",
        "after=1.",
        "sort=x",
    ],
)
def test_a_list_that_there_is_not(world: World, office: desk_kit.Desk, query: str) -> None:
    assert world.ask("GET", f"/desk/inbox?{query}", office.ids["Ada"]).status_code == 400
    assert world.ask("GET", f"/desk/inbox?search={'x' * 201}", office.ids["Ada"]).status_code == 422


def test_closing_taking_back_and_marking_as_unread(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.ids["Ada"], office.ids["Bob"]
    one = f"/desk/conversations/{rows(world, ada)[0]['conversation']}"
    assert post(world, f"{one}/assign", ada, user_id=bob).status_code == 202
    assert post(world, f"{one}/close", ada).status_code == 202
    (closed,) = rows(world, ada, "category=closed")
    assert (closed["closed"], closed["assigned"], closed["unread"]) == (True, None, False)
    assert post(world, f"{one}/reopen", ada, assigned_to=bob).status_code == 202
    assert post(world, f"{one}/unread", ada).status_code == 202
    first = rows(world, ada)[0]
    assert (first["closed"], first["assigned"]["id"], first["unread"]) == (False, bob, True)
    assert world.ask("POST", f"{one}/read", ada).status_code == 204
    assert not rows(world, ada)[0]["unread"]
    live = office.arrive("+33611110002")
    refused = post(world, f"/desk/conversations/{live.conversation_id}/close", ada)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "in_call")


def test_many_at_once_and_one_that_is_refused_keeps_back_no_other(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.ids["Ada"], office.ids["Bob"]
    office.arrive("+33611110000")
    ids = [row["conversation"] for row in rows(world, ada)]
    foreign = new_id()
    answer = post(world, "/desk/inbox/bulk", ada, conversations=[*ids, foreign, ids[0]], do="close").json()
    assert answer["done"] == 2
    assert [(one["id"], one["code"]) for one in answer["refused"]] == [(ids[0], "in_call"), (foreign, "not_found")]
    for do, key, value in (("reopen", "closed", False), ("unread", "unread", True), ("read", "unread", False)):
        assert post(world, "/desk/inbox/bulk", ada, conversations=ids, do=do).json()["done"] == 3
        assert {row[key] for row in rows(world, ada)} == {value}
    post(world, "/desk/inbox/bulk", ada, conversations=ids, do="assign", user_id=bob)
    assert [row["assigned"]["name"] for row in rows(world, bob, "category=mine")] == ["Bob"] * 3
    assert post(world, "/desk/inbox/bulk", ada, conversations=ids, do="burn").status_code == 422
    assert post(world, "/desk/inbox/bulk", ada, conversations=[new_id()] * 201, do="read").status_code == 422


def test_what_was_not_delivered_is_listed_and_put_aside_by_who_sees_the_line(
    world: World, office: desk_kit.Desk
) -> None:
    ada = office.ids["Ada"]
    one = rows(world, ada)[0]["conversation"]
    with world.store.write() as tx:
        stranger = desk_kit.add_user(tx, "Out", lines=(desk_kit.add_line(tx, number="+33199009900"),))
        text = {"id": new_id(), "conversation_id": one, "line_id": office.line, "party": "+33611110002", "at": 1}
        tx.execute(insert(t.messages).values(**text, direction="outbound", body="Hello", state="unknown", user_id=ada))
    (lost,) = rows(world, ada, "category=open&type=undelivered")
    assert (lost["conversation"], lost["message"]["text"]) == (one, "Hello")
    assert rows(world, stranger, "category=all&type=undelivered") == []
    for user, do, code in ((ada, "resend", "unknown"), (stranger, "put_aside", "not_found")):
        refused = post(world, "/desk/inbox/bulk", user, conversations=[one], do=do).json()["refused"]
        assert [one["code"] for one in refused] == [code]
    assert post(world, "/desk/inbox/bulk", ada, conversations=[one], do="put_aside").json()["done"] == 1
    assert rows(world, ada, "category=all&view=messages&type=undelivered") == []
