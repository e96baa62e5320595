"""The search index made of what is there."""

import pytest
from sqlalchemy import Connection, insert, select

from aircall_core.desk import reindex
from aircall_core.domain.words import query
from aircall_core.ids import new_id
from aircall_core.store import Store, Tx, indexing, search
from aircall_core.store import tables as t
from tests.support.desk_kit import add_line


def hits(store: Store, typed: str) -> list[tuple[str, str]]:
    with store.read() as conn:
        return [(hit.kind, hit.ref) for hit in search.search(conn, query(typed), lines=None)]


def test_all_that_is_there_is_found_after_it_and_nothing_that_is_not(store: Store) -> None:
    contact, conversation, note, message, user = (new_id() for _ in range(5))
    with store.write() as tx:
        line = add_line(tx)
        tx.execute(insert(t.users).values(id=user, name="A", email="a@x", role="agent", state="active", created_at=1))
        custom = {"f1": "Gold"}
        tx.execute(insert(t.contacts).values(id=contact, name="Zoë Q", company="Acme", custom=custom, created_at=1))
        tx.execute(insert(t.contact_phones).values(number="+33612345678", contact_id=contact))
        tx.execute(insert(t.contact_emails).values(contact_id=contact, email="zoe@acme.example"))
        where = {"conversation_id": conversation}
        party = "+33612345678"
        tx.execute(insert(t.conversations).values(id=conversation, line_id=line, party=party, opened_at=1, last_at=1))
        tx.execute(
            insert(t.notes).values(id=note, user_id=user, text="wants pizza", created_at=1, updated_at=1, **where)
        )
        tx.execute(
            insert(t.messages).values(
                id=message, line_id=line, direction="inbound", party=party, body="pizza please", state="received", at=1,
                **where,
            )
        )  # fmt: skip
        search.put(tx.conn, search.MESSAGE, "gone", "pizza of old", 1)
    assert reindex.rebuild(store) == 4
    assert sorted(hits(store, "pizza")) == sorted([("note", note), ("message", message)])
    assert sorted(hits(store, "0612345678")) == sorted([("contact", contact), ("conversation", conversation)])
    assert hits(store, "gold") == hits(store, "acme.example") == [("contact", contact)]
    assert reindex.complete(store) == 0
    with store.read() as conn:
        assert len(conn.execute(select(t.search_texts)).all()) == 4


class Talk:
    """A conversation on which texts and notes come in turn, each at once in the index, as use cases write them."""

    def __init__(self, store: Store) -> None:
        self.conversation, self.user, self.count = new_id(), new_id(), 0
        with store.write() as tx:
            self.line = add_line(tx)
            tx.execute(
                insert(t.users).values(id=self.user, name="A", email="a@x", role="agent", state="active", created_at=1)
            )
            tx.execute(
                insert(t.conversations).values(
                    id=self.conversation, line_id=self.line, party="+33612345678", opened_at=1, last_at=1
                )
            )

    def go_on(self, tx: Tx) -> None:
        """One more: a text, a note, a contact, and so on."""
        one, at, said = new_id(), self.count, f"pizza {self.count}"
        where = {"id": one, "conversation_id": self.conversation}
        if self.count % 3 == 0:
            tx.execute(
                insert(t.messages).values(
                    line_id=self.line, direction="inbound", party="+33612345678", body=said, state="received", at=at,
                    **where,
                )
            )  # fmt: skip
            indexing.message(tx.conn, one)
        elif self.count % 3 == 1:
            tx.execute(insert(t.notes).values(user_id=self.user, text=said, created_at=at, updated_at=at, **where))
            indexing.note(tx.conn, one)
        else:
            tx.execute(insert(t.contacts).values(id=one, name=said, created_at=at))
            indexing.contact(tx.conn, one)
        self.count += 1


def test_after_it_the_newest_still_come_first_whatever_their_kind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "_CHUNK", 4)
    talk = Talk(store)
    with store.write() as tx:
        for _ in range(14):
            talk.go_on(tx)
    before = hits(store, "pizza")
    assert len(before) == 14
    assert reindex.rebuild(store) == 14 + 1  # the number of the conversation, which no use case has indexed
    assert hits(store, "pizza") == before
    with store.read() as conn:
        pages = [search.search(conn, query("pizza"), lines=None, limit=5)]
        while pages[-1]:
            pages.append(search.search(conn, query("pizza"), lines=None, limit=5, before=pages[-1][-1].id))
    assert [(hit.kind, hit.ref) for page in pages for hit in page] == before


def test_what_is_written_while_it_runs_is_newer_than_all_that_was_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "_CHUNK", 3)
    talk = Talk(store)
    with store.write() as tx:
        for _ in range(8):
            talk.go_on(tx)
    old = hits(store, "pizza")
    missing, looks = indexing.missing, 0

    def looked(conn: Connection, before: str | None, most: int) -> list[tuple[str, str]]:
        """What is missing; and then, before that is indexed, somebody writes."""
        nonlocal looks
        found = missing(conn, before, most)
        looks += 1
        with store.write() as tx:
            talk.go_on(tx)
        if looks == 2:
            raise InterruptedError("the process ends in the middle")
        return found

    monkeypatch.setattr(indexing, "missing", looked)
    with pytest.raises(InterruptedError):
        reindex.rebuild(store)
    assert reindex.complete(store) > 0
    found = hits(store, "pizza")
    assert found[-8:] == old
    assert len(found) == 8 + looks
    with store.read() as conn:
        ats = [hit.at for hit in search.search(conn, query("pizza"), lines=None)]
    assert ats == sorted(ats, reverse=True)
