"""The search index made of what is there."""

from sqlalchemy import insert, select

from aircall_core.desk import reindex
from aircall_core.domain.words import query
from aircall_core.ids import new_id
from aircall_core.store import Store, search
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
