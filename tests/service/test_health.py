"""Alive, ready, and in figures."""

import threading
from collections.abc import Callable

import pytest

from aircall_core.desk import nodes
from aircall_core.service import health
from aircall_core.service.jobs import Keeper
from aircall_core.store import StoreAway
from aircall_core.store import calls as call_rows
from aircall_core.store import nodes as node_rows
from tests.service.conftest import World
from tests.support import desk_kit


def up(world: World, *kinds: str, serving: bool = True) -> None:
    host = nodes.host_name(world.desk.settings.data_dir)
    with world.store.write() as tx:
        for kind in kinds:
            info = {"version": "2.17", "calls": 256, "refused": {"stranger": 3}} if kind == "worker" else {}
            nodes.register(tx, kind, 0, host, capacity=10, info=info, serving=serving)


def codes(world: World) -> tuple[int, set[str], set[str]]:
    answer = world.client.get("/readyz")
    body = answer.json()
    assert body["ready"] is (answer.status_code == 200)
    assert all(one["message"] for one in body["reasons"] + body["warnings"])
    return (
        answer.status_code,
        {one["code"] for one in body["reasons"]},
        {one["code"] for one in body["warnings"]},
    )


def test_ready_when_calls_can_be_taken_and_answered(world: World) -> None:
    assert world.client.get("/healthz").json()["status"] == "ok"
    assert codes(world)[:2] == (503, {"no_worker", "no_gateway"})
    up(world, "worker")
    assert codes(world)[:2] == (503, {"no_gateway"})
    up(world, "gateway")
    status, reasons, warnings = codes(world)
    assert (status, reasons) == (200, set())
    assert {"no_line", "loopback_only"} <= warnings
    body = world.client.get("/readyz").json()
    (worker,) = [one for one in body["nodes"] if one["kind"] == "worker"]
    assert worker["info"]["version"] == "2.17"
    with world.store.write() as tx:
        node_rows.put(tx.conn, f"worker-0@{nodes.host_name(world.desk.settings.data_dir)}", lease_until=1)
    assert codes(world)[:2] == (503, {"no_worker"})


def test_a_worker_that_starts_or_is_emptied_hears_no_new_call(world: World) -> None:
    up(world, "gateway")
    up(world, "worker", serving=False)
    assert codes(world)[:2] == (503, {"worker_starting"})
    host = nodes.host_name(world.desk.settings.data_dir)
    node = nodes.Node(f"worker-0@{host}", 1, "worker", host)
    with world.store.write() as tx:
        nodes.beat(tx, node)
    assert codes(world)[0] == 200
    with world.store.write() as tx:
        nodes.beat(tx, node, draining=True)
    assert codes(world)[:2] == (503, {"worker_draining"})


def test_loopback_alone_is_told(make_world: Callable[..., World]) -> None:
    assert "loopback_only" not in codes(make_world(http_host="0.0.0.0"))[2]


def test_no_address_for_browser_audio_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "audio_addresses", list)
    assert "no_audio_address" in codes(world)[1]


@pytest.fixture(autouse=True)
def networked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of the tests may have no network but loopback."""
    monkeypatch.setattr(health, "audio_addresses", lambda: ["192.0.2.1"])


def test_a_trunk_that_is_not_registered_is_told_by_id(world: World) -> None:
    boss = world.user("Boss", "administrator")
    body = {"name": "Carrier", "kind": "register", "host": "sip.example.com", "username": "u", "password": "p"}
    trunk = world.ask("POST", "/desk/trunks", boss, json=body).json()["id"]
    text = world.client.get("/readyz").text
    assert "trunk_failed" in text
    assert trunk in text
    assert "sip.example.com" not in text
    assert "Carrier" not in text


def test_an_absent_store_is_not_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise StoreAway("gone")

    monkeypatch.setattr(world.store, "read", away)
    assert codes(world)[:2] == (503, {"store_away"})
    assert world.client.get("/healthz").status_code == 200


def test_the_figures(make_world: Callable[..., World]) -> None:
    world = make_world(metrics_token="t" * 20)
    up(world, "worker", "gateway")
    office = desk_kit.Desk.open(world.store, "Ada")
    office.arrive()
    office.answer(office.arrive().call_id, office.users[0])
    text = world.client.get("/metrics", headers={"authorization": f"Bearer {'t' * 20}"}).text
    lines = text.splitlines()
    assert 'aircall_calls{state="ringing"} 1.0' in lines
    assert 'aircall_calls{state="confirmed"} 1.0' in lines
    assert 'aircall_invites_refused{why="stranger"} 3.0' in lines
    assert 'aircall_nodes{kind="worker"} 1.0' in lines
    assert "33611223344" not in text


def test_a_keeper_that_cannot_go_on_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gave_up = threading.Event()
    keeper = Keeper(world.store, world.desk.settings, gave_up.set)

    def fault() -> list[str]:
        raise ValueError("a bug")

    monkeypatch.setattr(keeper, "once", fault)
    keeper.start()
    assert gave_up.wait(10)
    keeper.stop()


def test_the_keeper_beats_and_reports_a_lost_worker(world: World) -> None:
    office = desk_kit.Desk.open(world.store, "Ada")
    with world.store.write() as tx:
        nodes.register(tx, "worker", 0, "test")
    call = office.arrive().call_id
    keeper = Keeper(world.store, world.desk.settings, world.desk.give_up)
    assert keeper.once() == []
    assert {one["id"] for one in world.client.get("/readyz").json()["nodes"]} >= {
        f"desk-0@{nodes.host_name(world.desk.settings.data_dir)}"
    }
    with world.store.write() as tx:
        node_rows.put(tx.conn, "worker-0@test", lease_until=1)
    assert keeper.once() == [], "the store was away a moment ago for all we know: nobody is judged yet"
    keeper._watching_since -= nodes.LEASE_MS
    assert keeper.once() == ["worker-0@test"]
    told = [row.kind for row in world.store.events(0)]
    assert told.count("node.lost") == 1
    assert "call.ended" in told
    assert keeper.once() == []
    with world.store.read() as conn:
        row = call_rows.get(conn, call)
    assert row is not None
    assert row["outcome"] == "lost"
    keeper._leave()
    assert all(not one["alive"] for one in world.client.get("/readyz").json()["nodes"] if one["kind"] == "desk")
