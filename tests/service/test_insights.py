"""Insight cards from a call to what is shown: two desk processes' askers, cached answers, posted cards, rights."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import insight_sources, insights, outbound
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.desk.secrets import SecretBox, open_box
from aircall_core.ids import new_id
from aircall_core.messaging import webhook
from aircall_core.service.asker import Asker
from aircall_core.store import Store
from aircall_core.store import insights as rows
from aircall_core.store import tables as t
from aircall_core.store.queries import insights as queries
from tests.service.conftest import World
from tests.support.crm import Asked, Reply, StandIn
from tests.support.desk_kit import Desk as Office
from tests.support.desk_kit import add_line, add_user
from tests.support.processes import eventually

NUMBER = "+33611223344"
LINES = [{"type": "title", "text": "{{answer.name}}"}]
CARD = [{"type": "title", "text": "Posted", "link": "https://crm.example/1"}]


@pytest.fixture
def box(tmp_path: Path) -> SecretBox:
    """The installation's key."""
    return open_box(tmp_path)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A CRM that knows everybody as Acme."""
    with StandIn(Reply(body={"name": "Acme"})) as server:
        yield server


@contextlib.contextmanager
def asking(store: Store, box: SecretBox, processes: int = 1) -> Iterator[list[Asker]]:
    """So many desk processes' askers over a store."""
    askers = [Asker(store, box) for _ in range(processes)]
    for one in askers:
        one.start()
    try:
        assert all(one.ready.wait(10) for one in askers)
        yield askers
    finally:
        for one in askers:
            one.stop()


def add(
    store: Store, box: SecretBox, address: str = "", *, name: str = "CRM", kind: str = "http", **settings: Any
) -> str:
    """A source of cards."""
    given = {"address": address, "private": True, "lines": LINES, **settings}
    with store.write() as tx:
        return insight_sources.create(tx, "system", box, name=name, kind=kind, settings=given)


def shown(store: Store, call: str) -> dict[str, Any]:
    """What is shown of a call."""
    with store.read() as conn:
        subject = queries.of_call(conn, call)
        assert subject is not None
        return queries.shown(conn, subject)


def cards(store: Store, call: str) -> list[tuple[str, str]]:
    """(source, first text) of each card shown of a call."""
    return [(card["source"], card["contents"][0]["text"]) for card in shown(store, call)["cards"]]


def told(store: Store) -> list[str | None]:
    """The calls of the events that say that there are other cards."""
    return [row.event.call_id for row in store.events(0, 10_000) if row.kind == "insight.shown"]


def source(store: Store, source_id: str) -> dict[str, Any]:
    with store.read() as conn:
        found = rows.source(conn, source_id)
    assert found is not None
    return found


def test_two_processes_ask_once_and_all_calls_of_the_number_hear(
    store: Store, box: SecretBox, stand_in: StandIn
) -> None:
    office = Office.open(store, "Ada")
    add(store, box, f"{stand_in.address}/?n={{{{number}}}}")
    stand_in.script = Reply(body={"name": "Acme"}, hang=True)
    with asking(store, box, 2):
        first = office.arrive(NUMBER).call_id
        stand_in.wait_asked(1)
        second = office.arrive(NUMBER).call_id
        other = office.arrive("+33699887766").call_id
        stand_in.wait_asked(2)
        assert shown(store, first)["asking"]
        assert cards(store, first) == []
        stand_in.go_on.set()
        eventually(lambda: {first, second, other} <= set(told(store)), 20, "three calls with a card")
        assert [cards(store, call) for call in (first, second, other)] == [[("CRM", "Acme")]] * 3
        assert not shown(store, first)["asking"]
        third = office.arrive(NUMBER).call_id  # a moment later: what was said still counts
        last = office.arrive("+33600000001").call_id
        eventually(lambda: last in told(store), 20, "the last call's card")
        assert cards(store, third) == [("CRM", "Acme")]
    assert sorted(one.query["n"] for one in stand_in.asked) == ["+33600000001", NUMBER, "+33699887766"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_one_source_hangs_and_the_others_answer(store: Store, box: SecretBox, stand_in: StandIn) -> None:
    def script(asked: Asked) -> Reply:
        return (
            Reply(hang=True)
            if asked.path == "/slow"
            else Reply(500)
            if asked.path == "/bad"
            else Reply(body={"name": "Acme"})
        )

    stand_in.script = script
    office = Office.open(store, "Ada")
    slow, bad, good = (add(store, box, f"{stand_in.address}/{name}", name=name) for name in ("slow", "bad", "good"))
    with asking(store, box):
        call = office.arrive(NUMBER).call_id
        eventually(lambda: cards(store, call) == [("good", "Acme")], 20, "the good source's card")
        eventually(lambda: source(store, bad)["error"] == "failed", 20, "the bad source's error")
        assert shown(store, call)["asking"]
        eventually(lambda: source(store, slow)["error"] == "too_slow", 20, "the end of the patience")  # 2 s
        assert not shown(store, call)["asking"]
        stand_in.script = Reply(body={"name": "Better"})
        with store.write() as tx:  # 30 s later
            tx.execute(update(t.insight_cards).values(expires_at=0))
        office.arrive(NUMBER)
        eventually(lambda: [text for _, text in cards(store, call)] == ["Better"] * 3, 20, "all three")
        assert source(store, slow)["error"] is None
        assert source(store, good)["asked_at"]
        stand_in.script = Reply(500)
        with store.write() as tx:
            tx.execute(update(t.insight_cards).values(expires_at=0))
        office.arrive(NUMBER)
        eventually(lambda: source(store, good)["error"] == "failed", 20, "the error")
        assert [text for _, text in cards(store, call)] == ["Better"] * 3  # an old card is better than none


def test_a_claim_runs_out_with_who_made_it(store: Store, box: SecretBox) -> None:
    office = Office.open(store, "Ada")
    source_id = add(store, box, "http://127.0.0.1:1")
    call = office.arrive(NUMBER).call_id
    with store.read() as conn:
        subject = queries.of_call(conn, call)
    assert subject is not None
    assert insights.claim(store, [subject])
    assert insights.claim(store, [subject]) == []
    with store.write() as tx:  # 10 s later
        assert not rows.claim(tx.conn, source_id, NUMBER, tx.now_ms(), tx.now_ms() + 1)
        tx.execute(update(t.insight_cards).values(claimed_until=tx.now_ms()))
        insights.sweep(tx)
    assert insights.claim(store, [subject])


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_who_asks_us_to_slow_down_is_left_alone(store: Store, box: SecretBox, stand_in: StandIn) -> None:
    office = Office.open(store, "Ada")
    source_id = add(store, box, stand_in.address)
    stand_in.script = Reply(429)
    with asking(store, box):
        calls = [office.arrive(NUMBER).call_id]
        eventually(lambda: told(store) == calls, 20, "the first answer")
        calls.append(office.arrive("+33600000001").call_id)
        eventually(lambda: told(store) == calls, 20, "the second one")
        assert len(stand_in.asked) == 1
        assert source(store, source_id)["error"] == "too_many"
        stand_in.script = Reply(body={"name": "Acme"})
        with store.write() as tx:  # another address, perhaps: what was before counts no longer
            insight_sources.change(tx, "system", box, source_id, enabled=True)
        assert source(store, source_id)["error"] is None
        last = office.arrive(NUMBER).call_id
        eventually(lambda: cards(store, last) == [("CRM", "Acme")], 20, "the card")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_calls_out_are_asked_about_and_withheld_numbers_are_not(
    store: Store, box: SecretBox, stand_in: StandIn
) -> None:
    office = Office.open(store, "Ada")
    add(store, box, f"{stand_in.address}/?n={{{{number}}}}")
    with store.write() as tx:
        office.may_call_out(tx)
    with asking(store, box):
        hidden = office.arrive("").call_id
        with store.write() as tx:
            wanted = outbound.Dial(office.line, "+33600000002", "peer-00000001", "tab-00000001")
            out = outbound.dial(tx, office.ids["Ada"], wanted, command=new_id())
        eventually(lambda: cards(store, out) == [("CRM", "Acme")], 20, "the card of a call out")
        assert cards(store, hidden) == []
    assert [one.query["n"] for one in stand_in.asked] == ["+33600000002"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_source_that_is_removed_leaves_no_connection_behind(store: Store, box: SecretBox, stand_in: StandIn) -> None:
    office = Office.open(store, "Ada")
    gone = add(store, box, stand_in.address)
    with asking(store, box) as (asker,):
        call = office.arrive(NUMBER).call_id
        eventually(lambda: told(store) == [call], 20, "the call's card")
        _, opened = asker._opened[gone]
        with store.write() as tx:
            insight_sources.remove(tx, "system", gone)
        eventually(lambda: opened._client.is_closed, 20, "the end of its connections")
        assert asker._opened == {}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_whoever_opens_a_conversation_has_its_sources_asked(store: Store, box: SecretBox, stand_in: StandIn) -> None:
    office = Office.open(store, "Ada")
    call = office.arrive(NUMBER).call_id
    office.end(call)
    add(store, box, stand_in.address)
    with store.read() as conn:
        subject = queries.of_conversation(conn, office.call(call)["conversation_id"])
        assert subject is not None
        assert queries.is_stale(conn, subject)
    with asking(store, box) as (asker,):
        asker.want(subject)
        eventually(lambda: told(store) == [None], 20, "the conversation's card")
    with store.read() as conn:
        assert queries.shown(conn, subject)["cards"] == [
            {"source": "CRM", "contents": [{"type": "title", "text": "Acme"}]}
        ]
        assert not queries.is_stale(conn, subject)
    with store.write() as tx:  # a contact is erased: also an answer that is still on its way is not kept
        rows.forget(tx.conn, NUMBER)
        insights.answered(
            tx, source(store, rows.enabled(tx.conn)[0]["id"]), subject, [{"type": "title", "text": "x"}], None
        )
        assert rows.of_number(tx.conn, NUMBER) == []


def test_posted_cards_are_shown_while_the_call_lasts(store: Store, box: SecretBox) -> None:
    office = Office.open(store, "Ada", "Bob")
    call = office.arrive(NUMBER).call_id
    with asking(store, box):
        with store.write() as tx:
            insights.post(tx, "system", call, CARD)
            insights.post(
                tx, "system", call, [{"type": "user", "label": "Owner", "email": email_of(tx, office.ids["Bob"])}]
            )
        assert told(store) == [call] * 2
        posted, owner = shown(store, call)["cards"]
        assert posted == {"source": "", "contents": CARD}
        assert owner["contents"] == [{"type": "user", "label": "Owner", "text": "Bob", "user_id": office.ids["Bob"]}]
        with store.read() as conn:
            assert rows.expected(conn)
        with store.write() as tx:
            for place in range(insights.MOST_POSTED - 2):
                insights.post(tx, "system", call, [{"type": "title", "text": f"Posted {place}"}])
            insights.post(tx, "system", call, CARD)  # again: it is there
        with pytest.raises(DeskError, match="at most"), store.write() as tx:
            insights.post(tx, "system", call, [{"type": "title", "text": "One more"}])
        office.end(call)
        assert shown(store, call)["cards"] == []
        with store.read() as conn:
            left = select(t.insight_cards.c.id)
            eventually(lambda: not _all(store, left), 20, "nothing is kept of it")
    with pytest.raises(DeskError, match="over"), store.write() as tx:
        insights.post(tx, "system", call, CARD)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("contents", "field"),
    [
        ([], "contents"), ([{"type": "title", "text": "x"}] * 13, "contents"),
        ([{"type": "h1", "text": "x"}], "contents.0.type"),
        ([{"type": "title", "text": "x", "link": "javascript:alert(1)"}], "contents.0.link"),
        ([{"type": "title", "text": "x" * 201}], "contents.0.text"),
        ([{"type": "title", "text": "x"}, {"type": "user", "email": "nobody@example.com"}], "contents.1.email"),
    ],
)  # fmt: skip
def test_bad_cards_say_where(store: Store, contents: list[dict[str, Any]], field: str) -> None:
    office = Office.open(store, "Ada")
    call = office.arrive(NUMBER).call_id
    with pytest.raises(Invalid) as refused, store.write() as tx:
        insights.post(tx, "system", call, contents)
    assert field in refused.value.details["fields"]  # type: ignore[operator]


def test_rules_speak_of_the_contact_as_it_is_now(store: Store, box: SecretBox) -> None:
    office = Office.open(store, "Ada")
    with store.write() as tx:
        tx.execute(
            insert(t.contacts).values(id="c1", name="Marie", company="Acme", custom={"f1": "gold"}, created_at=1)
        )
        tx.execute(insert(t.contact_phones).values(number=NUMBER, contact_id="c1"))
        tx.execute(insert(t.contact_fields).values(id="f1", name="Level", kind="text", created_at=1))
    lines = [
        {
            "type": "title",
            "text": "{{contact.custom.Level}}",
            "when": {"field": "contact.company", "is": "is", "value": "acme"},
        }
    ]
    add(store, box, kind="rules", name="Rules", lines=lines)
    call = office.arrive(NUMBER).call_id
    assert cards(store, call) == [("Rules", "gold")]
    with store.write() as tx:
        tx.execute(update(t.contacts).values(custom={"f1": "silver"}))
    assert cards(store, call) == [("Rules", "silver")]
    assert told(store) == []


def test_settings_of_sources_are_checked_and_secrets_kept(store: Store, box: SecretBox) -> None:
    source_id = add(store, box, "https://crm.example/a", private=False, auth="none")
    for wrong, field in (
        ({"address": "http://crm.example", "private": False}, "address"),
        ({"address": "https://u:p@crm.example"}, "address"),
        ({"address": "https://{{contact.company}}.example"}, "address"),
        ({"address": "file:///etc/passwd"}, "address"),
        ({"cache_min": -1}, "cache_min"),
        ({"auth": "bearer"}, "secret"),
        ({"method": "DELETE"}, "method"),
        ({"lines": [{"type": "title", "text": ""}]}, "lines"),
    ):
        settings: dict[str, Any] = {"address": "https://crm.example", "lines": LINES, **wrong}
        with pytest.raises(Invalid) as refused, store.write() as tx:
            insight_sources.create(tx, "system", box, name="Other", kind="http", settings=settings)
        assert list(refused.value.details["fields"]) == [field], wrong  # type: ignore[call-overload]
    with pytest.raises(Invalid), store.write() as tx:
        insight_sources.create(tx, "system", box, name="crm", kind="http", settings={"address": "https://x.example"})
    settings = {"address": "https://crm.example/a", "auth": "bearer"}
    with store.write() as tx:
        insight_sources.change(tx, "system", box, source_id, settings=settings, secret="t0ken")
        insight_sources.change(tx, "system", box, source_id, settings={**settings, "address": "https://crm.example/b"})
    assert box.open(source(store, source_id)["secret"]) == "t0ken"
    with pytest.raises(Invalid) as refused, store.write() as tx:  # it would be sent to somebody else
        insight_sources.change(tx, "system", box, source_id, settings={**settings, "address": "https://evil.example"})
    assert "secret" in refused.value.details["fields"]  # type: ignore[operator]
    with store.read() as conn:
        listed = queries.listed(conn)
        assert "t0ken" not in repr(listed) + repr(_all(store, select(t.audit)))
        assert listed[0]["has_secret"]


def test_who_may_see_and_who_may_post(world: World, stand_in: StandIn) -> None:
    with world.store.write() as tx:
        line, other = add_line(tx), add_line(tx, number="+33123456780")
        ada = add_user(tx, "Ada", lines=(line,))
        stranger = add_user(tx, "Bob", lines=(other,))
        guest = add_user(tx, "Eve", lines=(other,))
        admin = add_user(tx, "Cy", role="administrator")
        analyst = add_user(tx, "Di", role="analyst")
    office = Office(world.store, (ada,), line, {"Ada": ada})
    call = office.arrive(NUMBER).call_id
    path = f"/desk/calls/{call}/insight"
    with world.store.write() as tx:
        insights.post(tx, "desk", call, CARD)
    for user in (ada, admin, analyst):
        assert world.ask("GET", path, user).json()["cards"] == [{"source": "", "contents": CARD}]
    assert world.ask("GET", path, stranger).status_code == 404
    with world.store.write() as tx:  # who is asked to take it may know who calls, while it lasts
        tx.execute(insert(t.call_legs).values(id="leg", call_id=call, user_id=guest, state="ringing", rang_at=1))
    assert world.ask("GET", path, guest).json()["cards"] == [{"source": "", "contents": CARD}]
    conversation = f"/desk/conversations/{office.call(call)['conversation_id']}/insight"
    assert world.ask("GET", conversation, ada).json()["cards"] == [{"source": "", "contents": CARD}]
    assert world.ask("GET", conversation, stranger).status_code == 404
    body = {"name": "Own", "kind": "http", "settings": {"address": stand_in.address, "private": True, "lines": LINES}}
    made = world.ask("POST", "/desk/insight-sources", admin, json=body)
    assert made.status_code == 201
    test = f"/desk/insight-sources/{made.json()['id']}/test"
    assert world.ask("POST", test, admin, json={"number": "06 11 22 33 44"}).json()["contents"][0]["text"] == "Acme"
    stand_in.script = Reply(401)
    assert world.ask("POST", test, admin, json={"number": NUMBER}).json()["error"] == "signed_out"
    assert world.ask("POST", test, admin, json={"number": "?"}).status_code == 422
    office.end(call)
    assert world.ask("GET", path, ada).json()["cards"] == []
    assert world.ask("GET", path, guest).status_code == 404


def test_a_program_posts_cards_that_it_signs(world: World) -> None:
    with world.store.write() as tx:
        line = add_line(tx)
        ada, admin = add_user(tx, "Ada", lines=(line,)), add_user(tx, "Cy", role="administrator")
    office = Office(world.store, (ada,), line, {"Ada": ada})
    call = office.arrive(NUMBER).call_id
    made = world.ask("POST", "/desk/insight-sources", admin, json={"name": "Shop", "kind": "posted"})
    source_id, secret = made.json()["id"], made.json()["secret"]
    listed = world.ask("GET", "/desk/insight-sources", admin).json()["sources"]
    assert secret not in repr(listed)
    assert listed[0]["has_secret"]

    def post(given: Any, *, to: str = source_id, key: str = secret, **headers: str) -> Any:
        body = given if isinstance(given, str) else json.dumps(given)
        signed = webhook.signed(key, new_id(), body)
        return world.client.post(f"/hooks/cards/{to}", content=body, headers=signed | headers)

    def shown_now() -> list[str]:
        found = world.ask("GET", f"/desk/calls/{call}/insight", ada).json()["cards"]
        return [line["text"] for card in found for line in card["contents"]]

    other = insight_sources.made_secret("posted")
    card = {"number": "+33 6 11 22 33 44", "contents": CARD}
    stale = str(int(webhook.signed(secret, "x", "")["webhook-timestamp"]) - 3600)
    for forged in (
        post(card, key=other), post(card, to=new_id()), post(card, **{"webhook-timestamp": stale}),
        world.client.post(f"/hooks/cards/{source_id}", json=card),
    ):  # fmt: skip
        assert forged.status_code == 403
    assert shown_now() == []
    for _ in range(2):  # whoever got no answer repeats it
        assert (post(card).status_code, shown_now()) == (201, ["Posted"])
    mine = {"call": call, "cards": [{"type": "shortText", "text": "By its id"}]}
    assert post(mine).json() == {"calls": 1}
    assert shown_now() == ["Posted", "By its id"]
    for wrong, status in (
        ("{", 422), ({"contents": CARD}, 422), ({**card, "call": call}, 422),
        ({"number": "06 99 99 99 99", "contents": CARD}, 404),
        ({"call": new_id(), "contents": CARD}, 404), ({"call": "../x", "contents": CARD}, 404),
        ({"call": call, "contents": [{"type": "title", "text": "x", "link": "javascript:1"}]}, 422),
        ({"call": call, "contents": [{"type": "title", "text": "x"}] * 101}, 422),
    ):  # fmt: skip
        assert post(wrong).status_code == status, wrong
    with world.store.read() as conn:
        assert rows.source(conn, source_id)["asked_at"]  # type: ignore[index]
    renewed = world.ask("PATCH", f"/desk/insight-sources/{source_id}", admin, json={"secret": other})
    assert renewed.status_code == 422
    assert world.ask("PATCH", f"/desk/insight-sources/{source_id}", admin, json={"enabled": False}).status_code == 200
    assert post(mine).status_code == 403


def email_of(tx: Any, user: str) -> str:
    return str(tx.conn.scalar(select(t.users.c.email).where(t.users.c.id == user)))


def _all(store: Store, query: Any) -> list[Any]:
    with store.read() as conn:
        return [dict(row) for row in conn.execute(query).mappings()]
