"""The power dialer's lists: who gets which entry, and what becomes of it, on both databases."""

import threading
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import dial_entries, dial_lists, do_not_call, lines
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.domain import dial_list as rules
from aircall_core.domain.call import State as CallState
from aircall_core.domain.dial_list import Code, Problem, Row
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, due, open_store
from aircall_core.store import audit as audit_rows
from aircall_core.store import dial_lists as rows
from aircall_core.store import tables as t
from aircall_core.store.queries import dial_lists as queries
from tests.support.desk_kit import Desk, add_user

ACTOR = "user:leader"


@dataclass
class Dialer:
    """A line with Ada and Bo, and a list of theirs."""

    office: Desk
    list_id: str

    @property
    def store(self) -> Store:
        return self.office.store

    def user(self, name: str) -> str:
        return self.office.ids[name]

    def fill(self, *numbers: str, name: str = "") -> list[Problem]:
        """Put these numbers on the list, as a file's rows."""
        given = [Row(line, number, name) for line, number in enumerate(numbers, 2)]
        with self.store.read() as conn:
            out = dial_lists.kept_out(conn, self.list_id, given)
        left = {one.line for one in out}
        with self.store.write() as tx:
            return out + dial_lists.take(tx, ACTOR, self.list_id, [row for row in given if row.line not in left])

    def next(self, name: str, list_id: str = "") -> dict[str, Any] | None:
        """The user of this name claims what they are to dial; their page shows this entry."""
        with self.store.write() as tx:
            claimed = dial_entries.claim_next(tx, list_id or self.list_id, self.user(name))
        if claimed is None:
            return None
        with self.store.read() as conn:
            return queries.entry(conn, claimed["id"])

    def claimed(self, name: str) -> dict[str, Any]:
        found = self.next(name)
        assert found is not None
        return found

    def dial(self, name: str, entry: dict[str, Any], **changes: str) -> str:
        """A call to the entry begins, as desk/outbound.py begins it; its id."""
        call = add_call(self, name, entry["number"])
        with self.store.write() as tx:
            values = {"call_id": call, "line_id": self.office.line, "number": entry["number"], **changes}
            dial_entries.began(tx, entry["id"], self.user(name), **values)
        return call

    def end(self, call: str, outcome: str, *, answered: bool) -> None:
        """The call to an entry is over."""
        with self.store.write() as tx:
            at = now_ms()
            values = {"state": CallState.ENDED.value, "outcome": outcome, "ended_at": at}
            tx.execute(
                update(t.calls).where(t.calls.c.id == call).values(answered_at=at if answered else None, **values)
            )

    def do(self, deed: Any, entry: dict[str, Any], *args: Any, **named: Any) -> Any:
        with self.store.write() as tx:
            return deed(tx, entry["id"], *args, **named)

    def shown(self, which: str = "waiting") -> list[str]:
        with self.store.read() as conn:
            return [one["number"] for one in queries.entries(conn, self.list_id, which)[0]]

    def progress(self) -> dict[str, int]:
        with self.store.read() as conn:
            found = queries.one_list(conn, self.list_id)
        assert found is not None
        return {name: found[name] for name in ("total", "left", "done", "skipped", "reached")}

    def told(self) -> list[str]:
        """What the log says of entries, in order."""
        return [str(row.event.data["state"]) for row in self.store.events(0, 1000) if row.kind == "dial_entry.changed"]


def add_call(dialer: Dialer, name: str, number: str) -> str:
    """An outbound call's row, in its conversation."""
    call, at = new_id(), now_ms()
    with dialer.store.write() as tx:
        known = select(t.conversations.c.id).where(t.conversations.c.party == number)
        conversation = tx.conn.scalar(known)
        if conversation is None:
            conversation = new_id()
            tx.execute(
                insert(t.conversations).values(
                    id=conversation, line_id=dialer.office.line, party=number, opened_at=at, last_at=at
                )
            )
        tx.execute(
            insert(t.calls).values(
                id=call, line_id=dialer.office.line, conversation_id=conversation, direction="outbound",
                started_by=dialer.user(name), accepted_by=dialer.user(name), state="dialling", to_number=number,
                arrived_at=at, owner_node=dialer.office.owner.node, owner_epoch=dialer.office.owner.epoch,
            )
        )  # fmt: skip
    return call


def made(store: Store) -> Dialer:
    office = Desk.open(store, "Ada", "Bo")
    with store.write() as tx:
        return Dialer(office, dial_lists.create(tx, ACTOR, name="Spring offer", line_id=office.line))


@pytest.fixture
def dialer(store: Store) -> Dialer:
    return made(store)


NUMBERS = ("+33199001231", "+33199001232", "+33199001233")


def test_entries_are_dialled_in_their_order_and_counted(dialer: Dialer) -> None:
    assert dialer.fill(*NUMBERS) == []
    assert dialer.progress() == {"total": 3, "left": 3, "done": 0, "skipped": 0, "reached": 0}
    first = dialer.claimed("Ada")
    assert (first["number"], first["spoken"], first["tries"]) == (NUMBERS[0], "01 99 00 12 31", [])
    call = dialer.dial("Ada", first)
    dialer.end(call, "answered", answered=True)
    second = dialer.claimed("Ada")
    assert second["number"] == NUMBERS[1]
    dialer.end(dialer.dial("Ada", second), "busy", answered=False)
    third = dialer.claimed("Ada")
    dialer.do(dial_entries.skip, third, dialer.user("Ada"), "wrong_number")
    assert dialer.next("Ada") is None
    assert dialer.progress() == {"total": 3, "left": 0, "done": 3, "skipped": 1, "reached": 1}
    assert set(dialer.shown("done")) == set(NUMBERS[:2])
    assert dialer.shown("skipped") == [NUMBERS[2]]
    assert dialer.told() == ["claimed", "dialled", "claimed", "dialled", "claimed", "skipped"]


def test_what_came_of_a_call_is_read_from_the_call(dialer: Dialer) -> None:
    dialer.fill(NUMBERS[0])
    call = dialer.dial("Ada", dialer.claimed("Ada"))
    dialer.end(call, "no_answer", answered=False)
    with dialer.store.write() as tx:
        tag = new_id()
        tx.execute(insert(t.tags).values(id=tag, name="Call again", color="#336699", created_at=1))
        tx.execute(insert(t.call_tags).values(call_id=call, tag_id=tag, at=1))
    with dialer.store.read() as conn:
        (shown,), more = queries.entries(conn, dialer.list_id, "done")
    assert not more
    assert (shown["call"]["outcome"], shown["dialled"], shown["by"]["name"]) == ("no_answer", 1, "Ada")
    assert [one["name"] for one in shown["call"]["tags"]] == ["Call again"]


def test_a_number_to_try_again_comes_last_with_its_history(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS[:2])
    first = dialer.claimed("Ada")
    call = dialer.dial("Ada", first)
    with pytest.raises(DeskError, match="goes on"):
        dialer.do(dial_entries.again, first, dialer.user("Ada"), last=True)
    dialer.end(call, "no_answer", answered=False)
    dialer.do(dial_entries.again, first, dialer.user("Bo"), last=True)
    assert dialer.shown() == [NUMBERS[1], NUMBERS[0]]
    dialer.do(dial_entries.skip, dialer.claimed("Ada"), dialer.user("Ada"), "other")
    again = dialer.claimed("Ada")
    assert (again["number"], again["dialled"]) == (NUMBERS[0], 1)
    assert [(one["outcome"], one["by"]) for one in again["tries"]] == [("no_answer", "Ada")]


def test_a_reload_finds_the_same_entry_and_a_second_agent_the_next(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS)
    first = dialer.claimed("Ada")
    assert dialer.claimed("Ada")["id"] == first["id"]
    assert dialer.claimed("Bo")["number"] == NUMBERS[1]
    assert dialer.shown() == list(NUMBERS)  # both stand in front, then those that wait
    with pytest.raises(DeskError) as refused:
        dialer.dial("Bo", first)
    assert (refused.value.code, refused.value.details["by"]) == (
        "not_claimed",
        {"id": dialer.user("Ada"), "name": "Ada"},
    )
    for deed, args in ((dial_entries.skip, ("other",)), (dial_entries.keep, ())):
        with pytest.raises(DeskError, match="Ada has this number"):
            dialer.do(deed, first, dialer.user("Bo"), *args)


def test_an_entry_is_dialled_once_by_its_own_line_and_number(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS)
    entry = dialer.claimed("Ada")
    for changes, code in (({"line_id": new_id()}, "other_line"), ({"number": NUMBERS[2]}, "other_number")):
        with pytest.raises(DeskError) as refused:
            dialer.dial("Ada", entry, **changes)
        assert refused.value.code == code
    dialer.dial("Ada", entry)
    with pytest.raises(DeskError, match="Ada has dialled it"):
        dialer.dial("Ada", entry)
    with pytest.raises(DeskError) as refused:
        dialer.dial("Ada", {**entry, "id": new_id()})
    assert refused.value.status == 404


def test_claiming_on_another_list_gives_the_first_one_back(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS[:1])
    with dialer.store.write() as tx:
        other = dial_lists.create(tx, ACTOR, name="Other", line_id=dialer.office.line)
        dial_lists.take(tx, ACTOR, other, [Row(2, NUMBERS[2])])
    dialer.claimed("Ada")
    taken = dialer.next("Ada", other)
    assert taken is not None
    assert taken["number"] == NUMBERS[2]
    assert dialer.claimed("Bo")["number"] == NUMBERS[0]


def test_an_abandoned_claim_goes_back(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS[:1])
    entry = dialer.claimed("Ada")
    with dialer.store.read() as conn:
        assert due.next_at(conn, {dial_entries.CLAIM}) is not None
    until = dialer.do(dial_entries.abandoned, entry)
    assert until is not None  # it has not run out yet: it is due again then
    assert until > now_ms()
    assert dialer.next("Bo") is None
    run_out(dialer, entry)
    assert dialer.do(dial_entries.abandoned, entry) is None
    assert dialer.told() == ["claimed", "waiting"]
    assert dialer.claimed("Bo")["id"] == entry["id"]
    with pytest.raises(DeskError, match="Bo has this number"):
        dialer.do(dial_entries.keep, entry, dialer.user("Ada"))
    dialer.do(dial_entries.keep, entry, dialer.user("Bo"))


def test_a_claim_that_ran_out_is_taken_before_anybody_has_noticed(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS[:1])
    entry = dialer.claimed("Ada")
    run_out(dialer, entry)
    assert dialer.claimed("Bo")["id"] == entry["id"]
    assert dialer.told() == ["claimed", "waiting", "claimed"]


def run_out(dialer: Dialer, entry: dict[str, Any]) -> None:
    with dialer.store.write() as tx:
        tx.execute(update(t.dial_entries).where(t.dial_entries.c.id == entry["id"]).values(lease_until=1))


def test_leaders_change_the_order_of_what_waits(dialer: Dialer) -> None:
    a, b, c = NUMBERS
    dialer.fill(a, b, c)

    def move(number: str, to: str) -> list[str]:
        with dialer.store.write() as tx:
            found = rows.entry_with(tx.conn, dialer.list_id, number)
            assert found is not None
            dial_entries.move(tx, ACTOR, found["id"], to)
        return dialer.shown()

    assert move(c, "first") == [c, a, b]
    assert move(b, "up") == [c, b, a]
    assert move(c, "down") == [b, c, a]
    assert move(b, "last") == [c, a, b]
    assert move(c, "up") == [c, a, b]
    assert move(b, "down") == [c, a, b]
    entry = dialer.claimed("Ada")
    with pytest.raises(DeskError, match="does not wait"):
        dialer.do(lambda tx, one: dial_entries.move(tx, ACTOR, one, "last"), entry)
    with pytest.raises(DeskError, match="Ada is about to dial"):
        dialer.do(lambda tx, one: dial_entries.remove(tx, ACTOR, one), entry)
    with dialer.store.write() as tx:
        last = rows.entry_with(tx.conn, dialer.list_id, b)
        assert last is not None
        dial_entries.remove(tx, ACTOR, last["id"])
    assert dialer.shown() == [c, a]


def test_one_click_ends_all_calls_to_a_number(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS)
    entry = dialer.claimed("Ada")
    with dialer.store.write() as tx:
        number = dial_entries.forbid(tx, entry["id"], dialer.user("Ada"))
        do_not_call.add(tx, f"user:{dialer.user('Ada')}", number, "Asked for it")
    assert dialer.shown("skipped") == [entry["number"]]
    with dialer.store.write() as tx:
        other = dial_lists.create(tx, ACTOR, name="Other", line_id=dialer.office.line)
        assert [one.code for one in dial_lists.kept_out(tx.conn, other, [Row(2, number)])] == [Code.DO_NOT_CALL]
    dialled = dialer.claimed("Bo")
    dialer.dial("Bo", dialled)
    assert dialer.do(dial_entries.forbid, dialled, dialer.user("Bo")) == dialled["number"]
    assert dialer.shown("done") == [dialled["number"]]


def test_who_is_at_work_on_a_list_is_known(dialer: Dialer) -> None:
    def at_work() -> list[tuple[str, str | None]]:
        with dialer.store.read() as conn:
            return [(one["name"], one["call"]) for one in queries.at_work(conn, dialer.list_id)]

    dialer.fill(*NUMBERS)
    call = dialer.dial("Bo", dialer.claimed("Bo"))
    dialer.claimed("Ada")
    assert at_work() == [("Ada", None), ("Bo", call)]
    with dialer.store.read() as conn:
        mine = queries.calling(conn, dialer.list_id, dialer.user("Bo"))
        assert queries.calling(conn, dialer.list_id, dialer.user("Ada")) is None
    assert mine is not None
    dialer.end(call, "busy", answered=False)
    assert at_work() == [("Ada", None)]


def test_a_call_that_was_handed_on_keeps_nobody_from_dialling(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS)
    call, bo = dialer.dial("Bo", dialer.claimed("Bo")), dialer.user("Bo")
    with dialer.store.read() as conn:
        assert queries.calling(conn, dialer.list_id, bo) is not None
    with dialer.store.write() as tx:
        tx.execute(update(t.calls).where(t.calls.c.id == call).values(accepted_by=dialer.user("Ada")))
    with dialer.store.read() as conn:
        assert queries.calling(conn, dialer.list_id, bo) is None


def test_reasons_are_those_of_the_list(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS)
    with pytest.raises(Invalid):
        dialer.do(dial_entries.skip, dialer.claimed("Ada"), dialer.user("Ada"), "bored")


def test_numbers_typed_by_hand(dialer: Dialer) -> None:
    def add(number: str, **texts: str) -> str:
        with dialer.store.write() as tx:
            return dial_lists.add_one(tx, ACTOR, dialer.list_id, number=number, **texts)

    def refused(number: str, field: str = "number", **texts: str) -> str:
        with pytest.raises(Invalid) as wrong:
            add(number, **texts)
        said: Any = wrong.value.details["fields"]
        return str(said[field])

    entry = add("01 42 68 53 00", name="  Zoé \n Lefèvre ", note="Boiler")
    with dialer.store.read() as conn:
        shown = queries.entry(conn, entry)
    assert shown is not None
    assert (shown["number"], shown["name"], shown["note"]) == ("+33142685300", "Zoé Lefèvre", "Boiler")
    assert dialer.told() == ["added"]
    assert refused("+33 1 42 68 53 00") == "This number is on the list already."
    assert refused("") == "Enter a number."
    assert "not a telephone number" in refused("call her")
    assert refused("0899 12 34 56") == "Premium-rate numbers are not dialled from here."
    assert "are not allowed" in refused("+7 495 123-45-67")
    assert refused("0142685301", "name", name="n" * 201) == "Use at most 200 characters."
    assert refused("0142685301", "note", note="n" * 2001) == "Use at most 2000 characters."


def test_a_conversation_tells_that_its_number_was_put_on_a_list(dialer: Dialer) -> None:
    plan = dialer.office.arrive("+33142685300")
    with dialer.store.write() as tx:
        dial_lists.add_one(tx, ACTOR, dialer.list_id, number="+33142685300", name="Zoé")
    told = [row.event for row in dialer.store.events(0, 1000) if row.kind == "dial_entry.changed"]
    assert [(one.conversation_id, one.actor, one.data["state"]) for one in told] == [
        (plan.conversation_id, ACTOR, "added")
    ]


def test_a_full_list_takes_no_more(dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_ENTRIES", 2)
    assert dialer.fill(*NUMBERS) == [Problem(4, Code.FULL, NUMBERS[2])]
    assert dialer.fill(*NUMBERS[:2]) == [Problem(2, Code.LISTED, NUMBERS[0]), Problem(3, Code.LISTED, NUMBERS[1])]


def test_lists_have_names_lines_and_pauses(dialer: Dialer) -> None:
    with dialer.store.write() as tx:
        for values, field in (
            ({"name": " spring  OFFER "}, "name"),
            ({"name": " "}, "name"),
            ({"name": "x", "line_id": new_id()}, "line_id"),
            ({"name": "x", "pause_s": 301}, "pause_s"),
        ):
            with pytest.raises(Invalid) as wrong:
                dial_lists.create(tx, ACTOR, **{"line_id": dialer.office.line, **values})  # type: ignore[arg-type]
            assert field in wrong.value.details["fields"]  # type: ignore[operator]
        dial_lists.change(tx, ACTOR, dialer.list_id, {"name": "Summer offer", "pause_s": 0})
        dial_lists.change(tx, ACTOR, dialer.list_id, {"pause_s": 0})  # changes nothing, and says nothing
    with dialer.store.read() as conn:
        found = queries.one_list(conn, dialer.list_id)
        noted = [row["action"] for row in audit_rows.entries(conn, search="", limit=10)]
    assert found is not None
    assert (found["name"], found["pause_s"]) == ("Summer offer", 0)
    assert noted == ["dial_list.changed", "dial_list.created"]


def test_nobody_dials_an_archived_list(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS)
    entry = dialer.claimed("Ada")
    with dialer.store.write() as tx:
        dial_lists.change(tx, ACTOR, dialer.list_id, {"archived": True})
    assert dialer.told() == ["claimed", "waiting"]
    for deed in (
        lambda tx: dial_entries.claim_next(tx, dialer.list_id, dialer.user("Bo")),
        lambda tx: dial_lists.take(tx, ACTOR, dialer.list_id, []),
    ):
        with pytest.raises(DeskError, match="archived"), dialer.store.write() as tx:
            deed(tx)
    with pytest.raises(DeskError, match="not yours"):
        dialer.dial("Ada", entry)
    with dialer.store.read() as conn:
        assert queries.lists(conn, dialer.user("Ada"), "agent") == []
        assert len(queries.lists(conn, dialer.user("Ada"), "agent", archived=True)) == 1


def test_a_line_that_dials_lists_stays(dialer: Dialer) -> None:
    with pytest.raises(DeskError, match="Lists of the Power Dialer"), dialer.store.write() as tx:
        lines.remove(tx, ACTOR, dialer.office.line)


def test_agents_see_the_lists_of_their_lines(dialer: Dialer) -> None:
    with dialer.store.write() as tx:
        tx.execute(t.line_users.delete().where(t.line_users.c.user_id == dialer.user("Bo")))
    with dialer.store.read() as conn:
        assert [one["name"] for one in queries.lists(conn, dialer.user("Ada"), "agent")] == ["Spring offer"]
        assert queries.lists(conn, dialer.user("Bo"), "agent") == []
        assert len(queries.lists(conn, dialer.user("Bo"), "supervisor")) == 1


def test_entries_are_found_by_name_and_number(dialer: Dialer) -> None:
    dialer.fill(*NUMBERS, name="Núñez 50%")

    def found(search: str, **page: int) -> int:
        with dialer.store.read() as conn:
            return len(queries.entries(conn, dialer.list_id, "waiting", search=search, **page)[0])

    assert [found("nuñez"), found("50%"), found("0%0"), found("01 99 00 12 32"), found("900123")] == [0, 3, 0, 1, 3]
    assert [found("", limit=2), found("", skip=2, limit=2)] == [2, 1]


def test_many_agents_never_get_one_entry_twice(store_url: str, store: Store) -> None:
    """Four processes take turns at one list of sixty: each number is dialled exactly once."""
    dialer = made(store)
    numbers = [f"+331990010{n:02}" for n in range(60)]
    dialer.fill(*numbers)
    with store.write() as tx:
        crowd = {f"Agent {n}": add_user(tx, f"Agent {n}", lines=(dialer.office.line,)) for n in range(4)}
    dialer.office.ids.update(crowd)
    start, faults, dialled = threading.Barrier(4), [], []

    def work(name: str) -> None:
        try:
            with open_store(store_url) as own:
                mine = Dialer(Desk(own, (), dialer.office.line, dialer.office.ids, dialer.office.owner), dialer.list_id)
                start.wait(30)
                while (entry := mine.next(name)) is not None:
                    mine.dial(name, entry)
                    dialled.append(entry["number"])
        except BaseException as fault:  # noqa: BLE001 - told by the test
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(name,)) for name in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults, faults
    assert sorted(dialled) == numbers
    assert dialer.progress()["done"] == 60


def test_of_two_tabs_of_one_agent_one_dials(store_url: str, store: Store) -> None:
    """Both show the same entry; both click at once."""
    dialer = made(store)
    dialer.fill(*NUMBERS)
    entry = dialer.claimed("Ada")
    call = add_call(dialer, "Ada", entry["number"])
    start, ends = threading.Barrier(2), []

    def click() -> None:
        with open_store(store_url) as own:
            start.wait(30)
            try:
                with own.write() as tx:
                    dial_entries.began(
                        tx, entry["id"], dialer.user("Ada"), call_id=call, line_id=dialer.office.line,
                        number=entry["number"],
                    )  # fmt: skip
                ends.append("dialled")
            except DeskError as refused:
                ends.append(refused.code)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ends) == ["dialled", "not_claimed"]
