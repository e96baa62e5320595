"""Erasing a customer: afterwards nothing in the store or in the data folder says who they were, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, Text, func, insert, select, text, update

from aircall_core.desk import blocklist, contact_fields, contact_merges, contacts, do_not_call, erasure
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.domain.words import query
from aircall_core.ids import new_id, now_ms
from aircall_core.numbers import ANONYMOUS, ERASED
from aircall_core.store import Store, due, indexing, search
from aircall_core.store import contacts as rows
from aircall_core.store import tables as t
from tests.support.desk_kit import Desk

ACTOR = "user:leader"
PHONE, SECOND, STRANGER = "+33198765432", "+33187654321", "+33611223344"
# What is planted: as text, as digits, as words of the index, and in files.
PLANTED = (
    "Zebulon",
    "zebulon",
    "Quixworth",
    "quixworth",
    "98765432",
    "87654321",
    "198765432",
    "xylotext",
    "xylonote",
    "xylodraft",
    "xylofield",
    "xylofile",
    "xylocard",
    "xylodigit",
    "xylomail",
    "XYLOSOUND",
    "xylolist",
    "xyloblock",
    "xylodisplay",
)


@pytest.fixture
def office(store: Store) -> Desk:
    return Desk.open(store, "Ada")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for name in ("recordings", "attachments"):
        (data / name).mkdir(parents=True)
    return data


def ended(office: Desk, number: str, **values: Any) -> tuple[str, str]:
    """A call of this number that is over, and its conversation."""
    arrived = office.arrive(number)
    with office.store.write() as tx:
        new = {"state": "ended", "ended_at": now_ms(), "outcome": "missed", **values}
        tx.execute(update(t.calls).where(t.calls.c.id == arrived.call_id).values(**new))
    return arrived.call_id, arrived.conversation_id


def plant(office: Desk, folder: Path) -> dict[str, str]:
    """A customer with something in every place that can hold something; ids by name."""
    store, ada = office.store, office.ids["Ada"]
    with store.write() as tx:
        field = contact_fields.create(tx, ACTOR, {"name": "Pet"})
        do_not_call.add(tx, ACTOR, PHONE, "xyloblock said so")
        blocklist.add(tx, ACTOR, number=SECOND, note="xyloblock")
    with store.write() as tx:
        zeb = contacts.create(
            tx,
            ACTOR,
            {"name": "Zebulon Quixworth", "company": "Xylo", "numbers": [PHONE], "custom": {field: "xylofield"}},
        )
        other = contacts.create(
            tx, ACTOR, {"name": "Z. Quixworth", "numbers": [SECOND], "emails": ["xylomail@example.com"]}
        )
    with store.write() as tx:
        contact_merges.merge(tx, ACTOR, zeb, other)
        bo = contacts.create(tx, ACTOR, {"name": "Bo"})
        rows.deny(tx.conn, bo, PHONE, ada, 1)  # it looked like one of theirs
        rows.deny(tx.conn, zeb, STRANGER, ada, 1)
    dialog = {"remote": f"sip:{PHONE}@example.com"}
    digits = [{"step": "s", "label": "Account", "value": "xylodigit"}]
    call, conversation = ended(
        office, PHONE, from_display="xylodisplay", digits=digits, dialog=dialog, sip_call_id=f"{PHONE}@example.com"
    )
    stranger_call, stranger = ended(office, STRANGER, forwarded_to=SECOND, transfer={"target": {"number": PHONE}})
    message, note, listed, dialled = (new_id() for _ in range(4))
    (folder / "recordings" / f"{call}.wav").write_bytes(b"XYLOSOUND")
    (folder / "recordings" / f"{call}.peaks").write_bytes(b"XYLOSOUND")
    (folder / "attachments" / message).write_bytes(b"xylofile content")
    with store.write() as tx:
        rec = {"id": new_id(), "call_id": call, "duration_ms": 1, "size_bytes": 9, "created_at": 1}
        tx.execute(insert(t.recordings).values(path=f"recordings/{call}.wav", **rec))
        where = {"conversation_id": conversation}
        tx.execute(
            insert(t.messages).values(
                id=message,
                line_id=office.line,
                direction="inbound",
                party=PHONE,
                body="xylotext",
                state="received",
                at=1,
                remote_id=f"{PHONE}-1",
                **where,
            )
        )
        tx.execute(
            insert(t.attachments).values(
                id=new_id(),
                message_id=message,
                name="xylofile.png",
                content_type="image/png",
                size_bytes=3,
                path=f"attachments/{message}",
                source="https://x.example/xylofile",
                created_at=1,
                **where,
            )
        )
        tx.execute(
            insert(t.notes).values(
                id=note, call_id=call, user_id=ada, text="xylonote", created_at=1, updated_at=1, **where
            )
        )
        tx.execute(insert(t.drafts).values(user_id=ada, body="xylodraft", updated_at=1, **where))
        tx.execute(
            insert(t.insight_cards).values(
                id=new_id(), number=PHONE, contents=[{"text": "xylocard"}], at=1, expires_at=2
            )
        )
        tx.execute(
            insert(t.insight_cards).values(
                id=new_id(), number=PHONE, call_id=call, contents=[{"text": "xylocard"}], at=1, expires_at=2
            )
        )
        tx.execute(insert(t.opt_outs).values(line_id=office.line, number=PHONE, at=1))
        tx.execute(
            insert(t.callbacks).values(
                id=new_id(),
                call_id=call,
                line_id=office.line,
                queue_id="line:x",
                number=PHONE,
                queued_at=1,
                requested_at=1,
                state="waiting",
                **where,
            )
        )
        a_list = new_id()
        tx.execute(insert(t.dial_lists).values(id=a_list, name="Spring", line_id=office.line, created_at=1))
        for entry, number, state in ((listed, PHONE, "waiting"), (dialled, SECOND, "dialled")):
            tx.execute(
                insert(t.dial_entries).values(
                    id=entry, list_id=a_list, position=1, number=number, name="xylolist", state=state
                )
            )
        indexing.message(tx.conn, message)
        indexing.note(tx.conn, note)
        if not office.store.is_postgres:  # other texts between theirs, so that pages of the index are shared
            for at in range(200):
                search.put(tx.conn, search.NOTE, f"n{at}", f"word{at} other{at % 7}", at)
    return {
        "contact": zeb,
        "call": call,
        "conversation": conversation,
        "message": message,
        "note": note,
        "stranger_call": stranger_call,
        "stranger": stranger,
        "listed": listed,
        "dialled": dialled,
    }


def erase(office: Desk, folder: Path) -> int:
    """Do what is due; how many turns it took."""
    turns = 0
    while True:
        with office.store.write() as tx:
            found = due.claim(tx.conn, [erasure.JOB], "test", 2**60, 2**61, 1)
        if not found:
            return turns
        again = erasure.run(office.store, folder, found[0])
        with office.store.write() as tx:
            due.finish(tx.conn, found[0], "test", again)
        turns += 1


def everything(store: Store) -> Iterator[tuple[str, str]]:
    """Every cell of every table, as text."""
    with store.read() as conn:
        if store.is_postgres:  # else the file itself is read
            there = set(conn.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
            assert there == {*t.metadata.tables, "alembic_version"}
        for name, table in t.metadata.tables.items():
            for row in conn.execute(select(table)).mappings():
                for column, value in row.items():
                    yield f"{name}.{column}", str(value)


def leftovers(store: Store, folder: Path, planted: tuple[str, ...] = PLANTED) -> set[str]:
    """Where a planted value still stands: cells, and files of the data folder (the database's among them)."""
    found = {f"{where}: {one}" for where, value in everything(store) for one in planted if one in value}
    files = [path for path in folder.rglob("*") if path.is_file()]
    if not store.is_postgres:
        main = Path(str(store.url.database))
        files += [path for path in main.parent.glob(f"{main.name}*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        found |= {f"{path.name}: {one}" for one in planted if one.encode() in content}
    return found


def test_afterwards_nothing_says_who_it_was(office: Desk, folder: Path) -> None:
    ids = plant(office, folder)
    before = {place.partition(":")[2].strip() for place in leftovers(office.store, folder)}
    assert before == set(PLANTED)  # everything planted can be found: else what follows would prove nothing
    counts = shape(office.store)
    with office.store.write() as tx:
        erasure.contact(tx, ACTOR, ids["contact"], "zebulon  quixworth")
    with office.store.read() as conn:
        assert erasure.under_way(conn)[0]["of"] == 3
    assert erase(office, folder) >= 1
    assert leftovers(office.store, folder) == set()
    after = shape(office.store)
    gone = {"contacts", "contact_phones", "contact_emails", "contact_merges", "insight_cards", "drafts", "opt_outs"}
    gone |= {"contact_denials", "do_not_call", "blocked_numbers", "search_texts", "dial_entries"}
    assert {name: count for name, count in counts.items() if after[name] < count}.keys() == gone
    kept(office, ids)


def shape(store: Store) -> dict[str, int]:
    with store.read() as conn:
        return {
            name: conn.scalar(select(func.count()).select_from(table)) or 0
            for name, table in t.metadata.tables.items()
            if name not in ("due", "events", "audit")
        }


def kept(office: Desk, ids: dict[str, str]) -> None:
    """The log keeps its shape; others keep what is theirs."""
    call = office.call(ids["call"])
    assert (call["from_number"], call["outcome"], call["to_number"]) == (ERASED, "missed", "+33123456789")
    other = office.call(ids["stranger_call"])
    assert (other["from_number"], other["forwarded_to"], other["transfer"]) == (STRANGER, ERASED, None)
    with office.store.read() as conn:
        one = conn.execute(select(t.messages)).mappings().one()
        assert (one["state"], one["reason"], one["party"]) == ("received", ERASED, ERASED)
        assert conn.scalar(select(t.conversations.c.party).where(t.conversations.c.id == ids["stranger"])) == STRANGER
        party = conn.scalar(select(t.conversations.c.party).where(t.conversations.c.id == ids["conversation"]))
        assert party == f"erased-{ids['conversation']}"
        assert list(conn.scalars(select(t.dial_entries.c.id))) == [ids["dialled"]]
        assert conn.scalar(select(t.callbacks.c.state)) == "declined"
        assert conn.scalar(select(t.recordings.c.path)) == ""
        if not office.store.is_postgres:
            assert [hit.ref for hit in search.search(conn, query("word7 "), lines=[])] == ["n7"]
    audited = [row.event for row in office.store.events(0, 500) if row.event.data.get("what") == "erased"]
    assert [event.data["contact"] for event in audited] == [ids["contact"]]


def test_the_number_calls_again_and_is_somebody_new(office: Desk, folder: Path) -> None:
    ids = plant(office, folder)
    with office.store.write() as tx:
        tx.execute(t.blocked_numbers.delete())
        erasure.contact(tx, ACTOR, ids["contact"], "Zebulon Quixworth", keep_wishes=True)
    again = office.arrive(PHONE)  # while it is erased
    assert again.conversation_id != ids["conversation"]
    erase(office, folder)
    assert office.call(again.call_id)["from_number"] == PHONE
    with office.store.read() as conn:
        assert list(conn.scalars(select(t.do_not_call.c.number))) == [PHONE]
        assert len(conn.execute(select(t.opt_outs)).all()) == 1


def test_not_during_a_call_and_not_without_the_name(office: Desk) -> None:
    live = office.arrive(PHONE)
    with office.store.write() as tx:
        zeb = contacts.create(tx, ACTOR, {"name": "Zebulon", "numbers": [PHONE]})
    with pytest.raises(Invalid), office.store.write() as tx:
        erasure.contact(tx, ACTOR, zeb, "Zeb")
    with pytest.raises(DeskError, match="goes on"), office.store.write() as tx:
        erasure.contact(tx, ACTOR, zeb, "Zebulon")
    assert office.call(live.call_id)["contact_id"] == zeb
    with pytest.raises(Invalid) as wrong, office.store.write() as tx:
        erasure.number(tx, ACTOR, PHONE, PHONE)
    assert wrong.value.details["contact"] == zeb


def test_a_number_without_a_contact(office: Desk, folder: Path) -> None:
    call, conversation = ended(office, PHONE, from_display="xylodisplay")
    with office.store.write() as tx:
        indexing.conversation(tx.conn, conversation)
    with pytest.raises(Invalid), office.store.write() as tx:
        erasure.number(tx, ACTOR, "01 98 76 54 32", "0198765433")
    with office.store.write() as tx:
        erasure.number(tx, ACTOR, "01 98 76 54 32", "0198765432")
    erase(office, folder)
    assert leftovers(office.store, folder, ("98765432", "xylodisplay")) == set()
    assert office.call(call)["from_number"] == ERASED


def test_an_extension_that_called_can_be_erased_and_one_that_never_did_is_no_number(office: Desk, folder: Path) -> None:
    call, _ = ended(office, "201", from_display="xylodisplay")
    with pytest.raises(Invalid) as wrong, office.store.write() as tx:
        erasure.number(tx, ACTOR, "202", "202")
    assert list(wrong.value.details["fields"]) == ["number"]  # type: ignore[call-overload]
    with office.store.write() as tx:
        erasure.number(tx, ACTOR, " 201", "201")
    erase(office, folder)
    assert leftovers(office.store, folder, ("xylodisplay",)) == set()
    assert office.call(call)["from_number"] == ERASED


def hidden_call(office: Desk, folder: Path) -> tuple[str, str]:
    """A call of somebody who hid their number, with a note and a voicemail."""
    call, conversation = ended(office, ANONYMOUS, from_display="xylodisplay", sip_call_id=f"xylofield-{new_id()}")
    (folder / "recordings" / f"{call}.wav").write_bytes(b"XYLOSOUND")
    made = {"call_id": call, "duration_ms": 1, "size_bytes": 9, "created_at": 1}
    note = {"id": new_id(), "conversation_id": conversation, "call_id": call, "user_id": office.ids["Ada"]}
    with office.store.write() as tx:
        tx.execute(insert(t.recordings).values(id=new_id(), path=f"recordings/{call}.wav", **made))
        tx.execute(insert(t.notes).values(**note, text="xylonote", created_at=1, updated_at=1))
        indexing.note(tx.conn, str(note["id"]))
    return call, conversation


def test_one_call_of_a_caller_who_hid_their_number_or_all_of_the_line(office: Desk, folder: Path) -> None:
    (first, conversation), (second, same) = hidden_call(office, folder), hidden_call(office, folder)
    assert conversation == same
    with pytest.raises(Invalid), office.store.write() as tx:
        erasure.number(tx, ACTOR, ANONYMOUS, ANONYMOUS)  # they are many
    with pytest.raises(Invalid), office.store.write() as tx:
        erasure.hidden(tx, ACTOR, conversation, "another line", first)
    _, stranger = ended(office, STRANGER)
    with pytest.raises(DeskError, match="has a number"), office.store.write() as tx:
        erasure.hidden(tx, ACTOR, stranger, "Support")
    with pytest.raises(DeskError, match="not found"), office.store.write() as tx:
        erasure.hidden(tx, ACTOR, conversation, "Support", new_id())
    with office.store.write() as tx:
        erasure.hidden(tx, ACTOR, conversation, "support", first)
    erase(office, folder)
    assert (office.call(first)["from_number"], office.call(second)["from_number"]) == (ERASED, ANONYMOUS)
    assert [path.name for path in (folder / "recordings").iterdir()] == [f"{second}.wav"]
    with office.store.read() as conn:
        assert list(conn.scalars(select(t.notes.c.text).order_by(t.notes.c.call_id))) == ["", "xylonote"]
        assert conn.scalar(select(t.conversations.c.party).where(t.conversations.c.id == conversation)) == ANONYMOUS
    with office.store.write() as tx:
        erasure.hidden(tx, ACTOR, conversation, "Support")
    erase(office, folder)
    assert leftovers(office.store, folder, ("xylo", "XYLOSOUND")) == set()
    assert office.call(second)["from_number"] == ERASED


def test_a_text_on_its_way_is_waited_for(office: Desk, folder: Path) -> None:
    _, conversation = ended(office, PHONE)
    states = {"a" * 26: "sending", "b" * 26: "queued"}
    with office.store.write() as tx:
        for one, state in states.items():
            values = {"direction": "outbound", "party": PHONE, "body": "x", "at": 1, "line_id": office.line}
            tx.execute(insert(t.messages).values(id=one, conversation_id=conversation, state=state, **values))
        erasure.number(tx, ACTOR, PHONE, PHONE)
    with office.store.write() as tx:
        found = due.claim(tx.conn, [erasure.JOB], "test", 2**60, 2**61, 1)[0]
    assert erasure.run(office.store, folder, found) is not None
    with office.store.write() as tx:
        assert tx.conn.scalar(select(t.messages.c.body).where(t.messages.c.state == "sending")) == "x"
        tx.execute(update(t.messages).where(t.messages.c.state == "sending").values(state="sent"))
        due.finish(tx.conn, found, "test", 1)
    erase(office, folder)
    with office.store.read() as conn:
        found_states = {row.id: (row.state, row.body) for row in conn.execute(select(t.messages))}
    assert found_states == {"a" * 26: ("sent", ""), "b" * 26: ("failed", "")}


def test_no_column_of_text_was_forgotten() -> None:
    """Whoever adds a place for what customers say has to say here whether erasing knows it."""
    known = {
        "contacts",
        "contact_phones",
        "contact_emails",
        "contact_merges",
        "contact_denials",
        "conversations",
        "calls",
        "keys",
        "notes",
        "messages",
        "attachments",
        "drafts",
        "opt_outs",
        "insight_cards",
        "search_texts",
        "dial_entries",
        "do_not_call",
        "blocked_numbers",
        "callbacks",
        "recordings",
        "audit",
        "due",
    }
    ours = {  # nothing of customers stands in these
        "settings",
        "users",
        "teams",
        "team_members",
        "lines",
        "line_users",
        "line_teams",
        "flows",
        "schedules",
        "prompts",
        "tags",
        "queues",
        "trunks",
        "contact_fields",
        "conversation_reads",
        "unread",
        "message_accounts",
        "message_templates",
        "insight_sources",
        "dial_lists",
        "call_tags",
        "tags_due",
        "call_legs",
        "nodes",
        "presence",
        "sessions",
        "links",
        "sign_in_failures",
        "events",
        "user_states",
    }
    assert set(t.metadata.tables) == known | ours
    texts = {
        f"{c.table.name}.{c.name}"
        for name in known
        for c in t.metadata.tables[name].c
        if type(c.type) in (Text, String)
    }
    assert "calls.from_display" in texts
