"""The guard on both databases: caps, the do-not-call list, own numbers, trunks; refusals are written down."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import insert, text

from aircall_core.desk import company, dialling, do_not_call, flows, lines, trunks
from aircall_core.desk.dialling import Checked, DialRefused
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.desk.secrets import SecretBox
from aircall_core.domain.dialling import Why
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store import audit as audit_rows
from aircall_core.store import dialling as rows
from aircall_core.store import tables as t
from tests.support.desk_kit import Desk, add_line

NUMBER, DAY_MS = "01 99 00 12 34", 86_400_000
BOX = SecretBox(b"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=")


class Office:
    """A line that calls out through a trunk, its user Ann, and what the guard says."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.desk = Desk.open(store, "Ann", "Bo")
        self.line, self.ann = self.desk.line, self.desk.ids["Ann"]
        with store.write() as tx:
            self.trunk = trunks.create(
                tx, "system", BOX, name="Carrier", kind="address", cidrs=["192.0.2.0/24"], outbound_host="192.0.2.10"
            )
            lines.change(tx, "system", self.line, outbound_trunk_id=self.trunk)

    def check(self, number: str = NUMBER, *, user: str | None = "", line: str = "") -> Checked:
        """Dial it, as a use case would."""
        who = self.ann if user == "" else user
        with dialling.refusals_noted(self.store), self.store.write() as tx:
            return dialling.check(tx, line or self.line, number, who)

    def why(self, number: str = NUMBER, **more: Any) -> str:
        """Why it is refused."""
        with pytest.raises(DialRefused) as refused:
            self.check(number, **more)
        return refused.value.code

    def change(self, **wanted: Any) -> None:
        with self.store.write() as tx:
            lines.change(tx, "system", self.line, **wanted)

    def rule(self, **wanted: Any) -> None:
        with self.store.write() as tx:
            dialling.change(tx, "system", wanted)

    def dialled(self, user: str, *, at: int | None = None, direction: str = "outbound", **more: Any) -> None:
        """A call of the past."""
        with self.store.write() as tx:
            conversation = new_id()
            common = {"line_id": self.line, "opened_at": 1, "last_at": 1}
            tx.execute(insert(t.conversations).values(id=conversation, party=f"+33{conversation}", **common))
            call = {
                "id": new_id(), "line_id": self.line, "conversation_id": conversation, "direction": direction,
                "started_by": user, "state": "ended", "arrived_at": at or now_ms(), "ended_at": now_ms(),
                "owner_node": "w", "owner_epoch": 1, **more,
            }  # fmt: skip
            tx.execute(insert(t.calls).values(call))


@pytest.fixture
def office(store: Store) -> Office:
    """Such an office, on either database."""
    return Office(store)


def test_a_good_number_comes_with_its_way_out(office: Office) -> None:
    found = office.check("tel:+33-1-99-00-12-34;ext=5")
    assert (found.number, found.country, found.emergency, found.extension) == ("+33199001234", "FR", False, "5")
    assert (found.trunk_id, found.caller_id) == (office.trunk, "+33123456789")
    office.change(caller_id="01 99 00 00 99")
    assert office.check().caller_id == "+33199000099"


def test_caps_count_the_last_day_by_user_and_by_line(office: Office) -> None:
    office.rule(user_cap=2, line_cap=4)
    bo = office.desk.ids["Bo"]
    office.dialled(office.ann)
    office.dialled(office.ann, at=now_ms() - DAY_MS - 60_000)  # of yesterday
    office.dialled(office.ann, direction="inbound")
    office.dialled(office.ann, direction="internal")
    office.check()
    office.dialled(office.ann)
    assert office.why() == "user_cap"
    office.check(user=bo)
    office.check(user=None)  # a call flow has no cap of a user's
    office.dialled(bo)
    office.dialled(new_id())
    assert (office.why(user=bo), office.why(user=None)) == ("line_cap", "line_cap")
    office.change(dial_cap=5)
    office.check(user=bo)
    office.change(dial_cap=0)
    assert office.why(user=bo) == "line_cap"
    office.change(dial_cap=-1)  # the company's again
    assert office.why(user=bo) == "line_cap"


def test_callers_sent_on_to_outside_numbers_count_for_the_line(office: Office) -> None:
    office.rule(line_cap=3)
    inbound: dict[str, Any] = {"direction": "inbound", "forwarded_to": "+33199001234"}
    office.dialled(office.ann, **inbound)
    office.dialled(office.ann, at=now_ms() - DAY_MS - 60_000, **inbound)  # of yesterday
    asked = new_id()  # Ann has called the number first, and handed the caller over: one call out
    office.dialled(office.ann, id=asked, **inbound)
    office.dialled(office.ann, parent_id=asked, to_number="+33199001234")
    office.check(user=None)
    office.dialled(office.ann, **inbound)
    assert office.why(user=None) == "line_cap"


def test_counting_uses_the_indexes_of_calls_out(office: Office) -> None:
    query = "EXPLAIN " if office.store.is_postgres else "EXPLAIN QUERY PLAN "
    with office.store.read() as conn:
        if office.store.is_postgres:
            conn.execute(text("SET LOCAL enable_seqscan = off"))  # a table of no rows is read as a whole
        for statement in (rows._BY_USER, rows._BY_LINE):
            filled = statement.params({"of": "x", "since": 1})
            sql = str(filled.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
            plan = str(conn.exec_driver_sql(query + sql).all())
            assert "ix_calls_dialled" in plan, plan


def test_the_do_not_call_list_stops_every_way_of_writing(office: Office) -> None:
    with office.store.write() as tx:
        assert do_not_call.add(tx, f"user:{office.ann}", "0033 6 12 34 56 78", "asked  not to") == "+33612345678"
        assert do_not_call.add(tx, "system", "+33 6 12 34 56 78") == "+33612345678"  # it stays as it was
        with pytest.raises(Invalid):
            do_not_call.add(tx, "system", "nobody")
    assert office.why("06.12.34.56.78") == "do_not_call"
    with office.store.read() as conn:
        assert rows.forbidden(conn, ["+33612345678", "+33199001234"]) == {"+33612345678"}
        assert rows.forbidden(conn, [f"+331{n:08}" for n in range(1200)]) == set()
        (entry,) = rows.entries(conn, search="06 12 34")
        assert (entry["note"], entry["author"]) == ("asked not to", "Ann")
        assert rows.entries(conn, search="NOT to")
        assert rows.entries(conn, search="%") == []
    with office.store.write() as tx:
        do_not_call.remove(tx, "system", "+33612345678")
    office.check("06 12 34 56 78")
    with pytest.raises(DeskError, match="not found"), office.store.write() as tx:
        do_not_call.remove(tx, "system", "+33612345678")


def test_countries_are_the_company_s_and_its_lines_until_somebody_chooses(office: Office) -> None:
    spanish, german = "+34 912 345 678", "+49 30 901820"
    assert office.why(spanish) == "country"
    with office.store.write() as tx:
        company.change(tx, "system", {"name": "A", "country": "ES", "timezone": "UTC"})
        add = add_line(tx, number="+4930901821")
        lines.change(tx, "system", add, country="DE")
    office.check(spanish)
    office.check(german)
    office.rule(countries=["fr"])
    assert (office.why(spanish), office.why(german)) == ("country", "country")
    office.rule(countries=None)
    office.check(spanish)
    with pytest.raises(Invalid) as wrong:
        office.rule(countries=["FR", "ZZ"], user_cap=-1)
    assert set(wrong.value.details["fields"]) == {"countries", "user_cap"}  # type: ignore[call-overload]


def test_a_line_without_a_way_out_refuses_and_says_so(office: Office) -> None:
    other = add_line_of(office, "+33199000002")
    assert office.why(line=other) == "no_trunk"
    with office.store.write() as tx:
        trunks.change(tx, "system", BOX, office.trunk, enabled=False)
    assert office.why() == "no_trunk"
    with office.store.write() as tx:
        trunks.change(tx, "system", BOX, office.trunk, enabled=True, outbound_host="")
    assert office.why() == "no_trunk"
    office.change(enabled=False)
    assert office.why() == "line_off"
    with pytest.raises(DeskError) as gone, office.store.write() as tx:
        dialling.check(tx, new_id(), NUMBER, office.ann)
    assert gone.value.code == "not_found"


def add_line_of(office: Office, number: str) -> str:
    with office.store.write() as tx:
        return add_line(tx, number=number)


def test_a_number_of_our_own_is_not_dialled(office: Office) -> None:
    add_line_of(office, "+33199000002")
    assert office.why("01 99 00 00 02") == "own_number"
    assert office.why("+33123456789", user=None) == "own_number"


def test_emergency_numbers_know_no_cap_and_no_list(office: Office) -> None:
    assert office.why("112") == "emergency"
    office.change(emergency="dial", dial_cap=0)
    office.rule(countries=["US"], user_cap=0)
    found = office.check("1 1 2")
    assert (found.number, found.emergency, found.trunk_id) == ("112", True, office.trunk)
    with office.store.write() as tx:
        trunks.change(tx, "system", BOX, office.trunk, enabled=False)
    assert office.why("112") == "no_trunk"


def test_every_refusal_is_in_the_audit_log_and_its_event_has_no_number(office: Office) -> None:
    for number, user in (("0899 12 34 56", office.ann), ("+5355512345", None)):
        with pytest.raises(DialRefused):
            office.check(number, user=user)
    with office.store.read() as conn:
        flow, user_s = rows.refusals(conn)
        assert (flow["subject_name"], flow["actor"], flow["changes"]) == (
            "+5355512345",
            "system",
            {"why": ["", "country"]},
        )
        assert (user_s["subject_name"], user_s["actor_name"], user_s["line_name"]) == ("+33899123456", "Ann", "Support")
        assert [row["action"] for row in audit_rows.entries(conn, search="0899")] == []
        assert audit_rows.entries(conn, search="+33899")[0]["action"] == "dial.refused"
    events = [row.event for row in office.store.events(0) if row.kind == "dial.refused"]
    assert [event.data for event in events] == [
        {"why": "premium", "line": office.line}, {"why": "country", "line": office.line}
    ]  # fmt: skip
    assert {event.audience for event in events} == {"admin"}


def test_what_is_only_looked_at_is_not_written_down(office: Office) -> None:
    with office.store.read() as conn:
        seen = dialling.look(conn, office.line, "0899123456", office.ann)
        assert seen.refused is not None
        assert (seen.refused.why, seen.verdict.number) == (Why.PREMIUM, "+33899123456")
        assert dialling.look(conn, office.line, NUMBER, office.ann).refused is None
        assert rows.refusals(conn) == []
        assert dialling.can_call_out(conn, office.line)
        rules = dialling.policy(conn, office.line)
    assert dialling.judge("0899123456", rules).why is Why.PREMIUM


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(flows.Unsound) as found:
        yield
    assert [problem.code for problem in found.value.problems] == [code]


def test_a_flow_s_number_is_checked_when_it_is_saved(office: Office) -> None:
    def save(number: str) -> int:
        steps = [{"id": "out", "kind": "dial", "number": number, "ring_s": 20}]
        with office.store.write() as tx:
            return flows.save(tx, "system", office.line, {"steps": steps}, 0)

    for number, code in (
        ("0899123456", "dial_premium"), ("", "no_number"), ("112", "dial_emergency"), ("+34912345678", "dial_country"),
        ("01 23 45 67 89", "dial_own_number"),
    ):  # fmt: skip
        with refused(code):
            save(number)
    assert save("06 12 34 56 78") == 1


def test_settings_of_lines_and_trunks_for_calls_out(office: Office) -> None:
    with pytest.raises(Invalid) as wrong:
        office.change(outbound_trunk_id="nothing", caller_id="Nobody", emergency="maybe", dial_cap=10**9)
    assert set(wrong.value.details["fields"]) == {  # type: ignore[call-overload]
        "outbound_trunk_id", "caller_id", "emergency", "dial_cap"
    }  # fmt: skip
    with office.store.write() as tx:
        deaf = trunks.create(tx, "system", BOX, name="PBX", kind="address", cidrs=["198.51.100.0/24"])
    with pytest.raises(Invalid, match="marked"):
        office.change(outbound_trunk_id=deaf)
    office.change(caller_id="+33 1 23 45 67 89")  # the line's own
    with office.store.read() as conn:
        way = rows.way_out(conn, office.line)
        assert way is not None
        assert way["caller_id"] is None
    with pytest.raises(DeskError, match="Support"), office.store.write() as tx:
        trunks.remove(tx, "system", office.trunk)
    with pytest.raises(Invalid) as bad, office.store.write() as tx:
        trunks.change(
            tx, "system", BOX, office.trunk, outbound_host="a b", dial_format="words", hold_by="", transfer_by="x"
        )
    assert len(bad.value.details["fields"]) == 4  # type: ignore[arg-type]
    office.change(outbound_trunk_id="")
    with office.store.write() as tx:
        trunks.remove(tx, "system", office.trunk)
