"""Contacts: what is kept of what was typed, whose conversations are, two made one and parted, on both databases."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import contact_fields, contact_merges, contacts
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.domain.words import query
from aircall_core.store import Store, search
from aircall_core.store import contacts as rows
from aircall_core.store import tables as t
from aircall_core.store.queries import contacts as queries
from tests.support.desk_kit import Desk

ACTOR = "user:ada"
PHONE, OTHER = "+33142685300", "+33142685301"


@pytest.fixture
def office(store: Store) -> Desk:
    return Desk.open(store, "Ada")


def create(office: Desk, **given: Any) -> str:
    with office.store.write() as tx:
        return contacts.create(tx, ACTOR, given)


def shown(office: Desk, contact: str) -> dict[str, Any]:
    with office.store.read() as conn:
        found = queries.one(conn, contact, "FR")
    assert found is not None
    return found


def linked(office: Desk) -> dict[str, str | None]:
    with office.store.read() as conn:
        found = conn.execute(select(t.conversations.c.party, t.conversations.c.contact_id))
        return {row.party: row.contact_id for row in found}


def hits(office: Desk, text: str) -> list[str]:
    with office.store.read() as conn:
        return [hit.ref for hit in search.search(conn, query(text), lines=[], kinds=[search.CONTACT])]


def kinds(office: Desk) -> list[Any]:
    found = [row.event.data for row in office.store.events(0, 500) if row.kind == "contact.changed"]
    return [(data["what"], data["contact"]) for data in found]


def test_what_is_typed_is_kept_in_one_form_and_found(office: Desk) -> None:
    with office.store.write() as tx:
        field = contact_fields.create(tx, ACTOR, {"name": "Shoe size", "kind": "number"})
    zoe = create(
        office, name="  Zoë \u202e Müller ", company="ACME", description="likes\r\n tea ",
        numbers=[{"number": "01 42 68 53 00", "label": "work"}, {"number": "+33 1 42 68 53 00"}],
        emails=["Zoe@Example.COM "], custom={field: "42,5"},
    )  # fmt: skip
    found = shown(office, zoe)
    assert (found["name"], found["description"]) == ("Zoë Müller", "likes\n tea")
    assert found["numbers"] == [{"number": PHONE, "label": "work", "spoken": "01 42 68 53 00", "flag": "🇫🇷"}]
    assert found["emails"] == [{"email": "zoe@example.com", "label": ""}]
    assert found["custom"] == {field: 42.5}
    for text in ("zoe", "acm", "0142685300", "5300", "zoe@example.com"):
        assert hits(office, text) == [zoe], text
    assert kinds(office)[-1] == ("created", zoe)


def test_mistakes_are_told_at_their_field_and_nothing_is_kept(office: Desk) -> None:
    with office.store.write() as tx:
        day = contact_fields.create(tx, ACTOR, {"name": "Birthday", "kind": "date"})
    given = {"name": "x" * 201, "numbers": ["nobody"], "emails": ["a@b"], "custom": {day: "tomorrow", "gone": 1}}
    with pytest.raises(Invalid) as wrong:
        create(office, **given)
    assert set(wrong.value.details["fields"]) == {"name", "numbers", "emails", f"custom.{day}", "custom.gone"}  # type: ignore[call-overload]
    with pytest.raises(Invalid):
        create(office, description="of nobody")
    with office.store.read() as conn:
        assert rows.count(conn) == 0


def test_a_number_of_somebody_else_says_whose_it_is(office: Desk) -> None:
    zoe = create(office, name="Zoë", numbers=[PHONE])
    bo = create(office, name="Bo")
    with pytest.raises(Invalid) as wrong, office.store.write() as tx:
        contacts.add_number(tx, ACTOR, bo, PHONE)
    assert wrong.value.details["contact"] == zoe
    assert "Zoë" in str(wrong.value.details["fields"])


def test_whoever_has_the_number_has_its_conversations_and_live_calls(office: Desk) -> None:
    call = office.arrive(PHONE).call_id
    zoe = create(office, name="Zoë", numbers=[PHONE])
    assert linked(office) == {PHONE: zoe}
    assert office.call(call)["contact_id"] == zoe
    with office.store.write() as tx:
        contacts.change(tx, ACTOR, zoe, {"numbers": [OTHER]})
    assert linked(office) == {PHONE: None}
    assert office.call(call)["contact_id"] is None
    assert [one["why"] for one in maybe(office, "+331426853")] == []
    with office.store.write() as tx:
        contacts.add_number(tx, ACTOR, zoe, PHONE, "home")
    assert linked(office) == {PHONE: zoe}


def maybe(office: Desk, number: str, *names: str) -> list[dict[str, Any]]:
    with office.store.read() as conn:
        return contacts.maybe(conn, number, names)


def test_maybe_it_is_the_one_whose_number_ends_so_or_who_is_called_so(office: Desk) -> None:
    zoe = create(office, name="Zoë Müller", numbers=[PHONE])
    assert [(one["id"], one["why"]) for one in maybe(office, "+41142685300")] == [(zoe, "number")]
    assert [(one["id"], one["why"]) for one in maybe(office, "+4930123456", "ZOE  muller")] == [(zoe, "name")]
    assert maybe(office, PHONE) == []  # it is surely hers
    assert maybe(office, "100", "Zo") == []


def test_a_no_is_remembered_for_everybody_until_it_is_taken_back_or_the_number_is_theirs(office: Desk) -> None:
    like = "+41142685300"
    zoe, bo = create(office, name="Zoë Müller", numbers=[PHONE]), create(office, name="Bo")
    with office.store.write() as tx:
        contacts.deny(tx, ACTOR, zoe, like)
        contacts.deny(tx, ACTOR, zoe, like)  # by two at once
    assert kinds(office)[2:] == [("denied", zoe)]
    assert (maybe(office, like), maybe(office, like, "zoe muller")) == ([], [])
    assert [one["id"] for one in maybe(office, "+43142685300")] == [zoe]  # of another number nothing was said
    with pytest.raises(Invalid), office.store.write() as tx:
        contacts.deny(tx, ACTOR, zoe, PHONE)
    with office.store.write() as tx:
        contacts.allow(tx, ACTOR, zoe, like)
    assert [one["id"] for one in maybe(office, like)] == [zoe]
    with office.store.write() as tx:
        contacts.deny(tx, ACTOR, zoe, like)
        contact_merges.merge(tx, ACTOR, bo, zoe)
    assert maybe(office, like) == []  # what looked like the one's looks like both's
    with office.store.write() as tx:
        contacts.add_number(tx, ACTOR, bo, like)
        assert rows.denied(tx.conn, bo) == []


def test_who_looked_at_an_older_version_overwrites_nobody(office: Desk) -> None:
    zoe = create(office, name="Zoë")
    with office.store.write() as tx:
        assert contacts.change(tx, ACTOR, zoe, {"company": "Acme"}, 1) == 2
    with office.store.write() as tx:  # the same again, from a tab that has not heard
        assert contacts.change(tx, ACTOR, zoe, {"company": "Acme"}, 1) == 2
    with pytest.raises(DeskError, match="colleague") as late, office.store.write() as tx:
        contacts.change(tx, ACTOR, zoe, {"company": "Globex"}, 1)
    assert late.value.details == {"version": 2}


def test_merged_and_parted_both_are_as_before(office: Desk) -> None:
    for number in (PHONE, OTHER):
        office.arrive(number)
    zoe = create(office, name="Zoë", numbers=[PHONE], description="tea")
    other = create(office, name="Z. Müller", company="Acme", numbers=[OTHER], emails=["z@example.com"])
    before = [shown(office, one) for one in (zoe, other)]
    with office.store.write() as tx:
        merge = contact_merges.merge(tx, ACTOR, zoe, other)
    both = shown(office, zoe)
    assert (both["name"], both["company"]) == ("Zoë", "Acme")
    assert [one["number"] for one in both["numbers"]] == [PHONE, OTHER]
    assert linked(office) == {PHONE: zoe, OTHER: zoe}
    assert hits(office, "acme") == [zoe]
    with office.store.write() as tx:
        assert contact_merges.undo(tx, ACTOR, merge) == other
    after = [shown(office, one) for one in (zoe, other)]
    for was, now in zip(before, after, strict=True):
        same = {name: value for name, value in was.items() if name not in ("version", "updated_at")}
        assert {name: now[name] for name in same} == same
        assert now["version"] > was["version"]
    assert linked(office) == {PHONE: zoe, OTHER: other}
    assert hits(office, "acme") == [other]
    with pytest.raises(DeskError, match="parted already"), office.store.write() as tx:
        contact_merges.undo(tx, ACTOR, merge)


def test_what_was_changed_since_a_merge_is_not_undone_with_it(office: Desk) -> None:
    zoe = create(office, name="Zoë", numbers=[PHONE])
    other = create(office, name="Z. Müller", company="Acme", numbers=[OTHER])
    third = create(office, name="Third")
    with office.store.write() as tx:
        merge = contact_merges.merge(tx, ACTOR, zoe, other)
    with office.store.write() as tx:
        contacts.change(tx, ACTOR, zoe, {"name": "Zoë M.", "numbers": [PHONE, "+33142685302"]})
        contacts.add_number(tx, ACTOR, third, OTHER)
    with office.store.write() as tx:
        contact_merges.undo(tx, ACTOR, merge)
    now = shown(office, zoe)
    assert (now["name"], now["company"]) == ("Zoë M.", "")
    assert [one["number"] for one in now["numbers"]] == [PHONE, "+33142685302"]
    assert shown(office, other)["numbers"] == []  # it is the third one's by now
    assert [one["number"] for one in shown(office, third)["numbers"]] == [OTHER]


def test_the_newest_merge_is_undone_first(office: Desk) -> None:
    one, two, three = (create(office, name=name) for name in ("One", "Two", "Three"))
    with office.store.write() as tx:
        first = contact_merges.merge(tx, ACTOR, one, two)
    with office.store.write() as tx:
        second = contact_merges.merge(tx, ACTOR, one, three)
    with pytest.raises(DeskError, match="newest"), office.store.write() as tx:
        contact_merges.undo(tx, ACTOR, first)
    for merge in (second, first):
        with office.store.write() as tx:
            contact_merges.undo(tx, ACTOR, merge)
    with office.store.read() as conn:
        assert sorted(rows.names(conn, [one, two, three]).values()) == ["One", "Three", "Two"]


def test_pages_by_name_whatever_its_case(office: Desk) -> None:
    for name in ("bo", "Ada", "Élise", "Zoë", "dan"):
        create(office, name=name)
    seen, after = [], ""
    while True:
        with office.store.read() as conn:
            page = queries.page(conn, "", after, 2, "FR")
        seen += [one["name"] for one in page["contacts"]]
        if page["after"] is None:
            break
        after = page["after"]
    assert seen == ["Ada", "bo", "dan", "Élise", "Zoë"]


def test_fields_have_names_of_their_own_and_values_of_their_kind(office: Desk) -> None:
    with office.store.write() as tx:
        tier = contact_fields.create(tx, ACTOR, {"name": "Tier", "kind": "choice", "choices": ["Gold", "Iron"]})
    zoe = create(office, name="Zoë", custom={tier: "gold"})
    assert shown(office, zoe)["custom"] == {tier: "Gold"}
    for given in (
        {"name": "TIER"},
        {"name": "Site", "kind": "link", "position": 0} | {"name": ""},
        {"name": "C", "kind": "choice"},
    ):
        with pytest.raises(Invalid), office.store.write() as tx:
            contact_fields.create(tx, ACTOR, given)
    with pytest.raises(Invalid), office.store.write() as tx:
        contact_fields.change(tx, ACTOR, tier, {"kind": "text"})
    with office.store.write() as tx:
        contact_fields.remove(tx, ACTOR, tier)
    with pytest.raises(Invalid), office.store.write() as tx:
        contacts.change(tx, ACTOR, zoe, {"custom": {tier: "Iron"}})


def test_fields_are_moved_among_each_other_and_close_ranks(office: Desk) -> None:
    def order() -> list[str]:
        with office.store.read() as conn:
            found = contact_fields.read(conn)
        assert [one["position"] for one in found] == list(range(len(found)))
        return [str(one["name"]) for one in found]

    with office.store.write() as tx:
        made = {name: contact_fields.create(tx, ACTOR, {"name": name}) for name in "ABC"}
        contact_fields.create(tx, ACTOR, {"name": "D", "position": 1})
    assert order() == ["A", "D", "B", "C"]
    with office.store.write() as tx:
        contact_fields.change(tx, ACTOR, made["C"], {"position": 0})
        contact_fields.change(tx, ACTOR, made["A"], {"position": 99})
    assert order() == ["C", "D", "B", "A"]
    with office.store.write() as tx:
        contact_fields.remove(tx, ACTOR, made["B"])
        contact_fields.create(tx, ACTOR, {"name": "E", "position": None})
    assert order() == ["C", "D", "A", "E"]


def test_a_call_that_is_over_keeps_what_it_was(office: Desk) -> None:
    call = office.arrive(PHONE).call_id
    with office.store.write() as tx:
        tx.execute(update(t.calls).where(t.calls.c.id == call).values(ended_at=5))
    create(office, name="Zoë", numbers=[PHONE])
    assert office.call(call)["contact_id"] is None


def test_who_waits_to_be_called_back_gets_their_name(office: Desk) -> None:
    arrived = office.arrive(PHONE)
    with office.store.write() as tx:
        tx.execute(update(t.calls).where(t.calls.c.id == arrived.call_id).values(ended_at=5))
        values = {"call_id": arrived.call_id, "conversation_id": arrived.conversation_id, "line_id": office.line}
        times = {"queued_at": 1, "requested_at": 1}
        tx.execute(insert(t.callbacks).values(id="c", queue_id="q", number=PHONE, state="waiting", **values, **times))
    zoe = create(office, name="Zoë", numbers=[PHONE])
    assert office.call(arrived.call_id)["contact_id"] == zoe
