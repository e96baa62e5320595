"""Finding over HTTP: what is found, and that nobody finds what they may not see."""

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from aircall_core.ids import new_id
from aircall_core.store import indexing
from aircall_core.store import tables as t
from tests.service.conftest import World
from tests.support.desk_kit import add_line


class Written:
    """Two lines, a note and a text on each, and a contact."""

    def __init__(self, world: World) -> None:
        self.conversations: list[str] = []
        with world.store.write() as tx:
            self.lines = [add_line(tx, number=number) for number in ("+33123456789", "+34911234567")]
        self.ada = world.user("Ada", lines=(self.lines[0],))
        self.boss = world.user("Boss", "supervisor")
        contact = new_id()
        with world.store.write() as tx:
            tx.execute(insert(t.contacts).values(id=contact, name="Zoë Pizzaiola", created_at=1))
            tx.execute(insert(t.contact_phones).values(number="+33612345678", contact_id=contact))
            indexing.contact(tx.conn, contact)
            for n, line in enumerate(self.lines):
                conversation, note, message = new_id(), new_id(), new_id()
                self.conversations.append(conversation)
                tx.execute(
                    insert(t.conversations).values(
                        id=conversation, line_id=line, party="+33612345678", contact_id=contact, opened_at=n, last_at=n
                    )
                )
                where = {"conversation_id": conversation}
                text = f"<b>Pizza</b> note {n}"
                tx.execute(
                    insert(t.notes).values(
                        id=note, user_id=self.boss, text=text, created_at=10 + n, updated_at=10 + n, **where
                    )
                )
                tx.execute(
                    insert(t.messages).values(
                        id=message, line_id=line, direction="inbound", party="+33612345678", body=f"pizza text {n}",
                        state="received", at=20 + n, **where,
                    )
                )  # fmt: skip
                indexing.conversation(tx.conn, conversation)
                indexing.note(tx.conn, note)
                indexing.message(tx.conn, message)


@pytest.fixture
def written(world: World) -> Written:
    return Written(world)


def found(world: World, user: str, query: str) -> list[dict[str, Any]]:
    answer = world.ask("GET", f"/desk/search?{query}", user)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_everybody_finds_what_their_lines_hold_and_every_contact(world: World, written: Written) -> None:
    mine = found(world, written.ada, "text=pizza")
    assert [one["kind"] for one in mine] == ["message", "note", "contact"]
    assert {one["conversation"]["id"] for one in mine if one["conversation"]} == {written.conversations[0]}
    assert len(found(world, written.boss, "text=pizza")) == 5
    assert mine[1]["pieces"] == [["<b>", False], ["Pizza", True], ["</b> note 0", False]]
    assert (mine[1]["by"], mine[1]["entry"]) == ("Boss", mine[1]["ref"])
    assert mine[2]["contact"]["name"] == "Zoë Pizzaiola"


def test_a_question_can_be_narrowed_but_not_to_what_one_may_not_see(world: World, written: Written) -> None:
    assert [one["kind"] for one in found(world, written.ada, "text=pizza&kind=note")] == ["note"]
    assert found(world, written.ada, f"text=pizza&line={written.lines[1]}") == []
    assert len(found(world, written.boss, f"text=pizza&line={written.lines[1]}")) == 2
    by_number = {one["kind"]: one for one in found(world, written.ada, "text=06 12 34")}
    assert sorted(by_number) == ["contact", "conversation"]
    assert by_number["conversation"]["entry"] is None  # it opens as a whole, at its newest
    assert found(world, written.ada, "text=") == []


def test_bad_questions_are_refused(world: World, written: Written) -> None:
    wrong = ("text=a&kind=secret", "text=a&before=x", "text=a&before=--1", "text=a&before=" + "9" * 19)
    for query, status in (("text=" + "x" * 201, 422), *((query, 400) for query in wrong)):
        assert world.ask("GET", f"/desk/search?{query}", written.ada).status_code == status
    assert world.client.get("/desk/search?text=pizza").status_code == 401


@pytest.mark.parametrize("line", ['x"', "x'", "x' | 'y", "x) OR (words : pizza", "été", "x" * 65])
def test_a_line_is_an_id_and_never_part_of_the_question(world: World, written: Written, line: str) -> None:
    for path in ("search?text=pizza", "inbox?search=pizza", "inbox/counts?view=all"):
        for user in (written.boss, written.ada):
            answer = world.ask("GET", f"/desk/{path}&line={quote(line)}", user)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request"), path
    many = "&".join(["line=a"] * 201)
    assert world.ask("GET", f"/desk/inbox?{many}", written.boss).status_code == 400
    assert world.ask("GET", "/desk/search?text=pizza&line=no-such_line", written.boss).json()["results"] == []


def test_a_contact_is_shown_with_the_words_it_was_found_by(world: World, written: Written) -> None:
    with world.store.write() as tx:
        contact = new_id()
        values = {"name": "Ada L", "company": "Blue Sky", "description": "pays late", "custom": {"f": "Gold member"}}
        tx.execute(insert(t.contacts).values(id=contact, created_at=1, **values))
        tx.execute(insert(t.contact_emails).values(contact_id=contact, email="ada@clouds.example"))
        indexing.contact(tx.conn, contact)
    for typed, context in (
        ("blue", [["Blue", True], [" Sky", False]]),
        ("late", [["pays ", False], ["late", True]]),
        ("clouds", [["ada@", False], ["clouds", True], [".example", False]]),
        ("gold", [["Gold", True], [" member", False]]),
        ("ada l", [["ada", True], ["@clouds.example", False]]),
        ("l", []),
    ):
        hit = next(one for one in found(world, written.boss, f"text={typed}") if one["ref"] == contact)
        assert hit["pieces"] == context, typed
