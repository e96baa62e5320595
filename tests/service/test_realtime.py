"""The realtime WebSocket: what a tab is told, in which order, and what it must never see."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from aircall_core.desk import availability, people, teams
from aircall_core.desk import lines as line_cases
from aircall_core.domain import view as fold
from aircall_core.ids import new_id
from aircall_core.service import feed, hub
from aircall_core.service.frames import Frame
from aircall_core.service.hub import Connection, Hub, Sight, may_see
from aircall_core.store import LogTruncated, tables
from aircall_core.store import people as people_rows
from aircall_core.store import sessions as session_rows
from aircall_core.store.queries import views
from tests.service.conftest import SOCKET, World
from tests.support import desk_kit
from tests.support.realtime import event_of

Message = dict[str, Any]


class Tab:
    """A browser tab: it keeps all that came, and folds its view from it."""

    def __init__(self, socket: WebSocketTestSession) -> None:
        self.socket = socket
        self.frames: list[Message] = []
        self.view: fold.View = {}

    def next(self) -> Message:
        frame: Message = json.loads(self.socket.receive_text())
        self.frames.append(frame)
        if frame["t"] == "snapshot":
            self.view = frame["view"]
        elif frame["t"] == "event" and self.view:
            self.view = fold.apply(self.view, event_of(frame))
        return frame

    def until(self, t: str, kind: str = "") -> Message:
        """The next frame of this sort; those before it are kept."""
        while True:
            frame = self.next()
            if frame["t"] == t and frame.get("kind", "") == kind:
                return frame

    def beat(self, **state: object) -> None:
        self.socket.send_json({"t": "beat", "armed": True, "visible": True, "mic": "ok", "sound": "ok", **state})

    def ended(self) -> int:
        """The close code; what came before it is kept."""
        try:
            while True:
                self.next()
        except WebSocketDisconnect as end:
            return end.code

    def kinds(self) -> list[str]:
        return [frame["kind"] for frame in self.frames if frame["t"] == "event"]


@contextmanager
def tab_of(
    world: World, headers: dict[str, str], after: int = 0, tab: str = "", browser: str = "browser-1"
) -> Iterator[Tab]:
    """A connected tab that has been greeted."""
    url = f"{SOCKET}?after={after}&tab={tab or new_id()}&browser={browser}"
    with world.client.websocket_connect(url, headers=headers) as socket:
        opened = Tab(socket)
        opened.until("caught_up")
        assert opened.next()["t"] == "aloud"
        yield opened


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada and Bob, both available."""
    return desk_kit.Desk.open(world.store, "Ada", "Bob")


# ---- the law


def test_snapshot_and_events_make_the_view_of_the_store(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    before = office.arrive()
    with tab_of(world, world.as_user(ada)) as tab:
        assert tab.frames[0]["t"] == "snapshot"
        assert before.call_id in tab.view["calls"]
        assert tab.frames[0]["cards"][before.call_id]["number"] == "06 11 22 33 44"
        call = office.arrive(number="+33644556677").call_id
        ringing = tab.until("event", "call.ringing")
        assert ringing["card"]["number"] == "06 44 55 66 77"
        assert (ringing["card"]["country"], ringing["card"]["flag"]) == ("FR", "🇫🇷")
        office.answer(call, bob)
        answered = tab.until("event", "call.answered")
        assert answered["who"] == {"id": bob, "name": "Bob"}
        office.answer(before.call_id, ada)
        office.end(call)
        tab.until("event", "call.ended")
        tab.until("event", "user.status")  # Bob is free again
        with world.store.read() as conn:
            seq, view = views.snapshot(conn, ada)
        assert tab.view == view
        assert tab.frames[-1]["seq"] == seq


def test_a_tab_that_comes_back_gets_what_it_missed(world: World, office: desk_kit.Desk) -> None:
    ada, _ = office.users
    headers = world.as_user(ada)
    with tab_of(world, headers) as tab:
        call = office.arrive().call_id
        seen = tab.until("event", "call.ringing")["seq"]
        view = tab.view
    office.answer(call, ada)
    with tab_of(world, headers, after=seen) as again:
        assert [frame["t"] for frame in again.frames].count("snapshot") == 0
        assert [frame["seq"] for frame in again.frames if frame["t"] == "event"] == sorted(
            frame["seq"] for frame in again.frames if frame["t"] == "event"
        )
        assert all(frame["seq"] > seen for frame in again.frames if frame["t"] == "event")
        assert "call.answered" in again.kinds()
        for frame in again.frames:
            if frame["t"] == "event":
                view = fold.apply(view, event_of(frame))
        with world.store.read() as conn:
            assert view == views.snapshot(conn, ada)[1]
        office.end(call)
        assert again.until("event", "call.ended")["call_id"] == call


@pytest.mark.parametrize("after", ["the future", "long ago"])
def test_a_cursor_off_the_log_gets_a_snapshot(
    world: World, office: desk_kit.Desk, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.arrive()
    monkeypatch.setattr(feed, "REPLAY_LIMIT", 2)
    cursor = world.store.last_seq() + 1000 if after == "the future" else 1
    with tab_of(world, world.as_user(office.users[0]), after=cursor) as tab:
        assert tab.frames[0]["t"] == "snapshot"
        assert len(tab.view["calls"]) == 1


def test_nothing_is_lost_or_doubled_while_a_tab_connects(
    world: World, office: desk_kit.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that happen while the snapshot is read arrive once: in the snapshot or after it."""
    ada, _ = office.users
    real = feed.begin

    def slowly(*args: Any) -> feed.Start:
        office.arrive()
        start = real(*args)
        office.arrive()
        return start

    monkeypatch.setattr(feed, "begin", slowly)
    with tab_of(world, world.as_user(ada)) as tab:
        office.arrive()
        while len(tab.view["calls"]) < 3:
            tab.until("event", "call.ringing")
        seqs = [frame["seq"] for frame in tab.frames if frame["t"] == "event"]
        assert len(seqs) == len(set(seqs))
        assert min(seqs) > tab.frames[0]["seq"]


# ---- who sees what


def frame(audience: str, parties: frozenset[str] = frozenset()) -> Frame:
    return Frame(1, "kind", audience, parties, None, "{}")


def test_the_audience_decides_who_sees_an_event() -> None:
    mine, other = Sight("agent", frozenset({"line-1"})), Sight("agent")
    assert may_see("ada", mine, frame("line:line-1"))
    assert not may_see("ada", other, frame("line:line-1"))
    for role in ("supervisor", "analyst", "administrator"):
        assert may_see("ada", Sight(role), frame("line:line-1"))
    assert may_see("ada", other, frame("user:ada"))
    assert not may_see("ada", Sight("administrator"), frame("user:bob"))
    assert may_see("ada", other, frame("staff"))
    assert may_see("ada", Sight("administrator"), frame("admin"))
    for role in ("supervisor", "analyst", "agent"):
        assert not may_see("ada", Sight(role), frame("admin"))
    assert not may_see("ada", Sight("administrator"), frame("nobody-knows-this"))
    assert may_see("ada", other, frame("line:line-9", frozenset({"ada"}))), "their own call, whatever the line"


def test_strangers_to_a_line_hear_nothing_of_it(world: World, office: desk_kit.Desk) -> None:
    stranger, chief = world.user("Eve"), world.user("Chief", "supervisor")
    with tab_of(world, world.as_user(stranger)) as eve, tab_of(world, world.as_user(chief)) as boss:
        call = office.arrive().call_id
        office.answer(call, office.users[0])
        office.end(call)
        boss.until("event", "call.ended")
        with world.store.write() as tx:
            availability.set_duty(tx, chief, on=False, command=new_id())
        eve.until("event", "user.duty")
        assert [kind for kind in eve.kinds() if kind.startswith("call.")] == []
        assert "call.arrived" in boss.kinds()
        assert boss.view["calls"] == {}, "they see it, but it is not theirs"
        assert "06 11 22 33 44" not in json.dumps(eve.frames)
    with tab_of(world, world.as_user(stranger), after=1) as eve:
        assert [kind for kind in eve.kinds() if kind.startswith("call.")] == [], "nor when it is replayed"


def test_rights_that_change_take_hold_at_once(world: World, office: desk_kit.Desk) -> None:
    eve = world.user("Eve")
    world.user("Boss", "administrator")
    with tab_of(world, world.as_user(eve)) as tab:
        with world.store.write() as tx:
            line_cases.change(tx, "system", office.line, users=[eve])
        tab.until("event", "line.changed")
        first = office.arrive().call_id
        assert tab.until("event", "call.arrived")["call_id"] == first
        with world.store.write() as tx:
            line_cases.change(tx, "system", office.line, users=[])
        second = office.arrive().call_id
        with world.store.write() as tx:  # rights count when an event is delivered: this one comes after the call
            teams.create(tx, "system", name="Crew", users=[])
        tab.until("event", "team.changed")
        with world.store.write() as tx:
            people.change(tx, "system", eve, role="supervisor")
        tab.until("event", "user.changed")
        office.end(second)
        assert tab.until("event", "call.ended")["call_id"] == second
        assert second not in {one["call_id"] for one in tab.frames if one.get("kind") == "call.arrived"}


def test_a_call_that_rings_is_told_to_its_end(world: World, office: desk_kit.Desk) -> None:
    """Taken off the line while it rings: the ringer must not stay for ever."""
    ada, bob = office.users
    with tab_of(world, world.as_user(ada)) as tab:
        call = office.arrive().call_id
        tab.until("event", "call.ringing")
        with world.store.write() as tx:
            line_cases.change(tx, "system", office.line, users=[bob])
        office.end(call)
        assert tab.until("event", "call.ended")["call_id"] == call
        assert tab.view["calls"] == {}


# ---- ends


def test_a_session_that_is_revoked_ends_its_tabs_and_no_others(world: World, office: desk_kit.Desk) -> None:
    ada, _ = office.users
    here, there = world.as_user(ada), world.as_user(ada)
    with tab_of(world, here) as kept, tab_of(world, there) as lost:
        assert world.client.post("/session/end-others", headers=here).json()["ended"] == 1
        assert lost.ended() == hub.CLOSE_SIGNED_OUT
        assert lost.frames[-1] == {"t": "gone", "reason": "revoked"}
        kept.socket.send_json({"t": "ping"})
        kept.until("pong")
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        world.client.websocket_connect(f"{SOCKET}?tab={new_id()}&browser={new_id()}", headers=there),
    ):
        pass
    assert refused.value.status_code == 401


def test_a_session_that_runs_out_ends_its_tabs(world: World, office: desk_kit.Desk) -> None:
    ada, _ = office.users
    headers = world.as_user(ada)
    with tab_of(world, headers) as tab:
        with world.store.write() as tx:
            for row in session_rows.running_of(tx.conn, ada, 0):
                session_rows.touch(tx.conn, row["id"], row["seen_at"] + 1, 1)
        portal = world.client.portal
        assert portal is not None
        portal.call(world.desk.presence.end_expired)
        assert tab.ended() == hub.CLOSE_SIGNED_OUT


def test_a_session_whose_tab_is_looked_at_runs_on(world: World, office: desk_kit.Desk) -> None:
    ada, _ = office.users
    portal = world.client.portal
    assert portal is not None

    def expiries() -> dict[str, int]:
        with world.store.read() as conn:
            return {row["id"]: row["expires_at"] for row in session_rows.running_of(conn, ada, 0)}

    with tab_of(world, world.as_user(ada)) as looked_at, tab_of(world, world.as_user(ada)) as hidden:
        looked_at.beat()
        hidden.beat(visible=False)
        for tab in (looked_at, hidden):
            tab.socket.send_json({"t": "ping"})
            tab.until("pong")
        with world.store.write() as tx:
            tx.execute(update(tables.sessions).values(seen_at=1, expires_at=tx.now_ms() + 60_000))
        before = expiries()
        portal.call(world.desk.presence.note_use)
        assert sorted(after > before[one] for one, after in expiries().items()) == [False, True]


def test_who_cannot_keep_up_is_let_go() -> None:
    slow, quick, desk = Connection("ada", "s1", "t1", "b1"), Connection("bob", "s2", "t2", "b2"), Hub()
    for one in (slow, quick):
        desk.join(one)
        one.open(Sight("supervisor"), 0)
    for seq in range(1, hub.QUEUE_LIMIT + 2):
        desk.publish([Frame(seq, "kind", "staff", frozenset(), None, str(seq))], {}, seq)
        quick.queue.get_nowait()
    assert slow.ending is not None
    assert slow.ending.code == hub.CLOSE_TOO_SLOW
    assert quick.ending is None
    desk.leave(slow)
    assert desk.dropped_slow == 1


@pytest.mark.parametrize(("changed_at", "sees"), [(4, True), (6, False)])
def test_rights_that_change_while_a_snapshot_is_read(changed_at: int, sees: bool) -> None:
    tab, desk = Connection("ada", "s1", "t1", "b1"), Hub()
    desk.join(tab)
    desk.publish([], {"ada": Sight("agent")}, changed_at)  # ada's line was taken away
    tab.open(Sight("agent", frozenset({"line"})), 5)
    desk.publish([Frame(7, "kind", "line:line", frozenset(), None, "7")], {}, 7)
    assert tab.queue.empty() is not sees


def test_floods_and_junk_from_a_browser(world: World, office: desk_kit.Desk) -> None:
    with tab_of(world, world.as_user(office.users[0])) as tab:
        for junk in ("", "{", "[]", "null", '{"t":"beat","armed":"yes","mic":5}', '{"t":1}', '"x"'):
            tab.socket.send_text(junk)
        tab.socket.send_json({"t": "ping"})
        tab.until("pong")
        tab.socket.send_text("x" * 5000)
        assert tab.ended() == hub.CLOSE_TOO_SLOW


def test_a_tab_cannot_take_the_name_of_anothers(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    with (
        tab_of(world, world.as_user(ada), tab="tab-of-ada-1"),
        pytest.raises(WebSocketDenialResponse) as refused,
        tab_of(world, world.as_user(bob), tab="tab-of-ada-1"),
    ):
        pass
    assert refused.value.status_code == 409


# ---- presence and the browser that rings


def test_beats_make_a_user_available_and_closing_ends_it_soon(world: World) -> None:
    office = desk_kit.Desk.open(world.store, "Ada")
    (ada,) = office.users
    with world.store.write() as tx:
        desk_kit.go_offline(tx, ada)
    assert office.ringing(office.arrive().call_id) == set()
    portal = world.client.portal
    assert portal is not None
    with tab_of(world, world.as_user(ada), tab="tab-of-ada-1") as tab:
        tab.beat()
        tab.socket.send_json({"t": "ping"})
        tab.until("pong")
        portal.call(world.desk.presence.flush)
        assert office.ringing(office.arrive().call_id) == {"Ada"}
        with world.store.read() as conn:
            (row,) = people_rows.tabs(conn, ada, 0)[-1:]
        assert (row["armed"], row["mic"]) == (True, "ok")
        before = row["lease_until"]
    portal.call(world.desk.presence.flush)
    with world.store.read() as conn:
        leases = {one["tab_id"]: one["lease_until"] for one in people_rows.tabs(conn, ada, 0)}
    assert leases["tab-of-ada-1"] < before


def test_who_looks_at_a_conversation_is_told_who_else_does(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    plan = office.arrive("+33612345678")
    office.end(plan.call_id)
    seen = {"t": "viewing", "conversation": plan.conversation_id}

    def names(tab: Tab) -> list[str]:
        return [one["name"] for one in tab.until("viewers")["users"]]

    with tab_of(world, world.as_user(ada)) as first, tab_of(world, world.as_user(world.user("Eve"))) as stranger:
        first.socket.send_json(seen)
        assert names(first) == ["Ada"]
        stranger.socket.send_json(seen)  # a line that is not theirs: they are neither told nor shown
        stranger.socket.send_json({"t": "ping"})
        assert stranger.until("pong") == stranger.frames[-1]
        assert not [one for one in stranger.frames if one["t"] == "viewers"]
        with tab_of(world, world.as_user(bob)) as second:
            second.socket.send_json(seen)
            assert names(second) == names(first) == ["Ada", "Bob"]
            second.socket.send_json({"t": "viewing", "conversation": None})
            assert names(first) == ["Ada"]
            second.socket.send_json(seen)
            assert names(first) == ["Ada", "Bob"]
        assert names(first) == ["Ada"]  # the tab was closed


def test_one_browser_of_a_user_rings_aloud(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    headers = world.as_user(ada)
    with tab_of(world, headers, browser="desktop-1") as desktop:
        desktop.beat()
        assert desktop.until("aloud")["browser"] == "desktop-1"
        with tab_of(world, headers, browser="laptop-12") as laptop, tab_of(world, world.as_user(bob)) as other:
            assert laptop.frames[-1] == {"t": "aloud", "browser": "desktop-1"}
            laptop.beat(sound="blocked")
            laptop.beat(visible=False, sound="ok")
            laptop.beat(visible=True)
            assert laptop.until("aloud")["browser"] == "laptop-12"
            assert desktop.until("aloud")["browser"] == "laptop-12"
            assert other.frames[-1] == {"t": "aloud", "browser": None}
        assert desktop.until("aloud")["browser"] == "desktop-1"
        desktop.beat(armed=False)
        assert desktop.until("aloud")["browser"] is None


def test_the_process_says_goodbye(world: World, office: desk_kit.Desk) -> None:
    with tab_of(world, world.as_user(office.users[0])) as tab:
        portal = world.client.portal
        assert portal is not None
        portal.call(world.desk.hub.end_all, hub.CLOSE_RESTART, "shutdown")
        assert tab.ended() == hub.CLOSE_RESTART
        assert tab.frames[-1] == {"t": "gone", "reason": "shutdown"}


def test_a_follower_that_cannot_go_on_lets_everybody_go(
    world: World, office: desk_kit.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hands out no events must not keep browsers waiting for them."""
    follower, gave_up = world.desk.follower, threading.Event()
    assert follower is not None
    monkeypatch.setattr(follower, "_give_up", gave_up.set)

    def fault(*_: object) -> None:
        raise ValueError("a bug")

    with tab_of(world, world.as_user(office.users[0])) as tab:
        monkeypatch.setattr(feed, "frames_of", fault)
        office.arrive()
        assert tab.ended() == hub.CLOSE_RESTART
        assert gave_up.wait(10)
        assert world.client.get("/readyz").json()["reasons"][0]["code"] == "starting"


def test_a_cut_log_sends_everybody_for_a_snapshot(world: World, office: desk_kit.Desk) -> None:
    """A follower whose place is gone (a restored backup) must not go on as if nothing had been missed."""
    follower = world.desk.follower
    assert follower is not None
    real, cut = world.store.follow, [True]

    def follow(after: int, stop: Any, **kwargs: Any) -> Any:
        if cut:
            cut.clear()
            raise LogTruncated(after, after)
        return real(after, stop, **kwargs)

    with tab_of(world, world.as_user(office.users[0])) as tab:
        world.store.follow = follow  # type: ignore[method-assign]
        again = feed.Follower(world.store, world.desk.hub, world.desk.metrics, follower._loop, world.desk.give_up)
        again.start()
        assert tab.ended() == hub.CLOSE_RESTART
        assert again.ready.wait(5)
        again.stop()
