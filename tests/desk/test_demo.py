"""The demo workspace: made once by the same use cases as a real day, and told in the past."""

from pathlib import Path

import pytest

from aircall_core.config import Settings
from aircall_core.desk import company, demo, dialling, people
from aircall_core.desk.errors import DeskError
from aircall_core.domain.flow import Kind
from aircall_core.ids import now_ms
from aircall_core.store import Store, provisioning
from aircall_core.store.queries import flows, timeline
from aircall_core.store.tables import calls, conversations, messages
from tests.support.hashes import cheap_hashes

__all__ = ["cheap_hashes"]


def test_a_week_of_calls_is_filed_in_the_past(store: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    steps: list[tuple[int, int]] = []
    signs = demo.fill(store, settings, lambda done, total: steps.append((done, total)))
    assert steps[-1] == (demo.CALLS, demo.CALLS)
    assert {sign.role for sign in signs} == {"administrator", "supervisor", "agent", "analyst"}
    told = [row for row in store.events(0, 10_000) if row.kind.startswith("call.")]
    arrived = [row.at for row in told if row.kind == "call.arrived"]
    assert len(arrived) == demo.CALLS
    assert max(arrived) < now_ms() - 3_600_000
    outcomes = {row.event.data["outcome"] for row in told if row.kind == "call.ended"}
    assert outcomes == {"answered", "abandoned", "voicemail"}
    with store.read() as conn:
        rows = conn.execute(conversations.select()).mappings().all()
        pages = [timeline.timeline(conn, row["id"]) for row in rows]
    assert all(page["entries"] for page in pages)


def test_filling_again_only_renews_the_passwords(store: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = demo.fill(store, settings)
    before = [row for row in store.events(0, 10_000) if row.kind.startswith("call.")]
    second = demo.fill(store, settings)
    assert [row for row in store.events(0, 10_000) if row.kind.startswith("call.")] == before
    assert [one.email for one in first] == [one.email for one in second]
    assert not {one.password for one in first} & {one.password for one in second}


def test_a_store_in_use_is_left_alone(store: Store, tmp_path: Path) -> None:
    people.create(store, name="Ada", email="ada@example.com", role="administrator", password="long enough for anybody")
    company.ensure_installation(store)
    before = store.last_seq()
    with pytest.raises(DeskError, match="is in use") as refused:
        demo.fill(store, Settings(data_dir=tmp_path), echo="127.0.0.1:5099")
    assert refused.value.code == "not_a_demo"
    assert store.last_seq() == before


def test_the_demo_has_a_line_with_menu_hours_and_queue(store: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    demo.fill(store, settings)
    with store.read() as conn:
        line = next(line for line in provisioning.all_lines(conn) if line["name"] == "Shop")
        version, flow = flows.current(conn, line["id"])
        prompts = flows.prompts_list(conn)
        pressed = [row.path[0]["label"] for row in conn.execute(calls.select()) if row.path]
    assert version == 1
    assert {step.kind for step in flow} >= {Kind.HOURS, Kind.MENU, Kind.DIGITS, Kind.QUEUE, Kind.VOICEMAIL}
    assert prompts
    assert all((tmp_path / prompt["path"]).is_file() for prompt in prompts)
    assert pressed, "somebody was led through the menu"
    assert {"Sales", "Workshop", "Repair status"} >= set(pressed)


def test_customers_of_the_demo_write_too_and_nothing_is_left_to_send(store: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    for _ in range(2):  # the second time changes nothing
        demo.fill(store, settings, echo="127.0.0.1:5090")
        with store.read() as conn:
            texts = conn.execute(messages.select().order_by(messages.c.at)).mappings().all()
            open_ones = {row["last_message_id"] for row in conn.execute(conversations.select()).mappings()}
        assert [text["state"] for text in texts].count("delivered") == 2
        assert {text["state"] for text in texts} == {"received", "delivered"}
        assert max(text["at"] for text in texts) < now_ms() - 60_000
        assert {texts[-1]["id"]} <= open_ones


def test_every_line_of_the_demo_calls_out_to_the_echo(store: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    demo.fill(store, settings)
    demo.fill(store, settings, echo="127.0.0.1:5090")
    demo.fill(store, settings, echo="127.0.0.1:5091")
    with store.read() as conn:
        [trunk] = [one for one in provisioning.all_trunks(conn) if not one["built_in"]]
        assert trunk["outbound_host"] == "127.0.0.1:5091"
        for line in provisioning.all_lines(conn):
            assert dialling.look(conn, line["id"], "+33 1 99 00 12 34", None).refused is None
            refused = dialling.look(conn, line["id"], "+33 1 99 00 01 77", None).refused
            assert refused is not None
            assert refused.code == "do_not_call"
