"""Settings on both databases: the audit log's search and pages, and two who save one flow at the same time."""

import threading

from aircall_core.desk import audit, company, flows
from aircall_core.desk.errors import DeskError
from aircall_core.store import Store
from aircall_core.store import audit as rows
from aircall_core.store.queries.lines import trunks_list
from tests.support.desk_kit import Desk


def test_the_audit_log_is_searched_in_names_actions_and_changes(store: Store) -> None:
    desk = Desk.open(store, "Ann")
    ann = f"user:{desk.ids['Ann']}"
    with store.write() as tx:
        audit.note(tx, ann, "line.changed", desk.line, "Support", {"ring_s": (30, 20), "password": ("", "hunter2")})
        audit.note(tx, "system", "tag.created", "t1", "100 % Sale", {"name": (None, "Ünïcode")})
    with store.read() as conn:
        newest, older = rows.entries(conn)[:2]
        assert (newest["action"], newest["actor_name"]) == ("tag.created", None)
        assert older["actor_name"] == "Ann"
        assert older["changes"] == {"ring_s": [30, 20], "password": [None, audit.HIDDEN]}
        assert "hunter2" not in str(rows.entries(conn))
        for text, found in (("ann", 1), ("RING_S", 1), ("sale", 1), ("%", 1), ("_", 1), ("nobody", 0), ("created", 1)):
            assert len(rows.entries(conn, search=text)) == found, text
        assert [row["id"] for row in rows.entries(conn, before=newest["id"])] == [older["id"]]
        assert rows.entries(conn, before=older["id"]) == []


def test_of_two_who_save_a_flow_at_once_one_is_told(store: Store) -> None:
    desk = Desk.open(store, "Ann")
    document = {"steps": [{"id": "bye", "kind": "hang_up"}]}
    start, outcomes = threading.Barrier(2), []

    def save() -> None:
        start.wait()
        try:
            with store.write() as tx:
                outcomes.append(str(flows.save(tx, "system", desk.line, document, 0)))
        except DeskError as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=save) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["1", "changed"]


def test_an_announcement_is_due_and_put_off(store: Store) -> None:
    with store.write() as tx:
        company.change(tx, "system", {"name": "A", "country": "FR", "timezone": "Pacific/Auckland"})
        company.change(tx, "system", {"rollout": {"state": "announced", "date": "2099-01-01"}})
    with store.write() as tx:
        due = company.end_announcement(tx)
        assert due is not None
        company.change(tx, "system", {"timezone": "UTC"})
        later = company.end_announcement(tx)
    assert later is not None
    assert later - due == 13 * 3_600_000, "the day begins when it begins for the company"


def test_trunks_tell_their_last_call(store: Store) -> None:
    company.ensure_installation(store)
    desk = Desk.open(store, "Ann")
    at = desk.now()
    desk.arrive(trunk_id="test-phone", arrived_at=at)
    with store.read() as conn:
        assert {row["id"]: row["last_call_at"] for row in trunks_list(conn)} == {"test-phone": at}
