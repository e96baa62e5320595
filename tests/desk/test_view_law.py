"""The law of the log: a browser that applies the events after its snapshot knows what a fresh snapshot would say."""

import random

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import select

from aircall_core.desk import availability, calls, endings, facts
from aircall_core.desk.errors import DeskError
from aircall_core.domain import view as fold
from aircall_core.domain.flow import DEFAULTS, STRATEGIES, Kind
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store import calls as rows
from aircall_core.store.queries.views import snapshot
from aircall_core.store.tables import calls as calls_table
from aircall_core.store.tables import line_users
from aircall_core.store.tables import lines as lines_table
from tests.support.desk_kit import Desk, add_line, beat_of, go_offline

# Ends are rare and answers common, so that most calls live long enough for everything to happen to them.
STEPS = (
    "arrive accept accept " * 3
    + "answer mute audio " * 8
    + "return away back record " * 4
    + "fail reject ring_step ring_step ring_missed check " * 2
    + "overflow end_caller end_agent off_duty on_duty offline online online lose hang_up "
    + "ring_over step voicemail callback redirect unavailable available"
).split()


def step(desk: Desk, name: str, who: int, which: int) -> None:  # noqa: C901 - a list of deeds
    """One thing that somebody does to a live call; a refusal is as good as a deed."""
    user, owner = desk.users[who], desk.owner
    if name in ("ring_step", "ring_missed", "check", "ring_over", "step", "voicemail", "callback", "redirect"):
        in_the_flow(desk, name, who, which)
        return
    with desk.store.read() as conn:
        live = rows.live_of_owner(conn, owner.node, owner.epoch)
    if name == "arrive" or not live:
        desk.arrive(f"+3361122{which:04d}")
        return
    call = live[which % len(live)]
    with desk.store.write() as tx:
        row = rows.get(tx.conn, call)
        assert row is not None
        command, holder = row["accept_command"] or new_id(), row["accepted_by"] or user
        match name:
            case "accept":
                fresh = new_id()
                calls.accept(tx, call, user, command=fresh, peer=f"peer-{fresh}", tab="tab-000000")
            case "answer":
                if row["state"] == "accepting":
                    facts.answered(tx, owner, call, user_id=holder, command=command, at=now_ms(), dialog=None)
                facts.confirmed(tx, owner, call, at=now_ms())
            case "fail":
                facts.accept_failed(tx, owner, call, user_id=holder, command=command, reason="no_audio")
            case "reject":
                calls.reject(tx, call, user, command=new_id())
            case "overflow":
                facts.overflow(tx, owner, call, reason="timeout", at=now_ms())
            case "away":
                facts.agent_away(tx, owner, call, reason="silence")
            case "back":
                facts.agent_back(tx, owner, call)
            case "return":
                facts.returned(tx, owner, call, at=now_ms())
            case "mute":
                facts.muted(tx, owner, call, user_id=holder, command=new_id(), muted=not row["muted"])
            case "audio":
                calls.move_audio(tx, call, holder, peer=f"peer-{new_id()}", tab="tab-000000")
            case "record":
                facts.recording(tx, owner, call, state="stopped" if row["recording"] == "started" else "started")
            case "end_caller" | "end_agent":
                facts.ended(tx, owner, call, by=name.removeprefix("end_"), at=now_ms())
            case "off_duty" | "on_duty":
                availability.set_duty(tx, user, on=name == "on_duty", command=new_id())
            case "offline":
                go_offline(tx, user)
            case "online":
                availability.beat(tx, [beat_of(user)])
            case "unavailable":
                availability.choose(tx, user, "unavailable", "break", new_id())
            case "available":
                availability.choose(tx, user, "available", None, new_id())
            case "lose":
                endings.close_lost(tx, owner.node, owner.epoch, actor="system", at=now_ms())
            case "hang_up":
                calls.hang_up(tx, call, holder, command=new_id())


def in_the_flow(desk: Desk, name: str, who: int, which: int) -> None:
    """One thing that the flow does with a live call."""
    with desk.store.read() as conn:
        live = rows.live_of_owner(conn, desk.owner.node, desk.owner.epoch)
    if not live:
        return
    call, at = live[which % len(live)], now_ms()
    match name:
        case "ring_step":
            kind = (Kind.RING, Kind.QUEUE)[which]
            target = ({"line": True}, {"user": desk.users[which]}, {"line": True})[who]
            how = {**DEFAULTS[kind], "kind": kind.value, "strategy": STRATEGIES[who + which], "target": target}
            desk.fact(name, call, step=f"step-{who}-{which}", settings=how, at=at)
        case "ring_missed":
            desk.fact(name, call, user_id=desk.users[who], at=at)
        case "check":
            desk.fact(name, call)
        case "ring_over":
            desk.fact(name, call, at=at + 30_000 * which, reason="timeout")
        case "step":
            desk.fact(name, call, step="menu", kind="menu", at=at)
        case "redirect":
            with desk.store.read() as conn:
                lines = sorted(conn.scalars(select(lines_table.c.id)))
            desk.fact("redirected", call, line_id=lines[which], at=at)
        case _:
            desk.fact(name, call, at=at)


# The diagram of docs/architecture.md.
FOLLOWS = {
    "flow": {"queued", "ringing", "voicemail", "overflow", "ended"},
    "queued": {"ringing", "flow", "voicemail", "overflow", "ended"},
    "ringing": {"queued", "accepting", "flow", "voicemail", "overflow", "ended"},
    "accepting": {"queued", "ringing", "answered", "flow", "voicemail", "overflow", "ended"},
    "answered": {"confirmed", "queued", "ringing", "ended"},
    "confirmed": {"queued", "ringing", "ended"},
    "voicemail": {"flow", "overflow", "ended"},
    "overflow": {"ended"},
    "ended": set(),
}


class Diagram:
    """Watches every call's state: one state follows another only as the diagram says."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.states: dict[str, str] = {}

    def check(self) -> None:
        """Look at all calls again."""
        with self.store.read() as conn:
            now = {row.id: row.state for row in conn.execute(select(calls_table.c.id, calls_table.c.state))}
        for call, state in self.states.items():
            assert now[call] == state or now[call] in FOLLOWS[state], f"{state} -> {now[call]}"
        self.states = now


class Browser:
    """A user's view that began with a snapshot and has followed the log since."""

    def __init__(self, store: Store, user: str) -> None:
        self.store, self.user = store, user
        with store.read() as conn:
            self.seq, self.view = snapshot(conn, user)

    def catch_up(self) -> None:
        """Apply what has happened."""
        for row in self.store.events(self.seq, 10_000):
            self.seq, self.view = row.seq, fold.apply(self.view, row.event)

    def check(self) -> None:
        """A fresh snapshot says the same, and the user's slot holds the one call that is theirs."""
        self.catch_up()
        with self.store.read() as conn:
            assert self.view == snapshot(conn, self.user)[1]
            slot = rows.active_call_of(conn, self.user)
        held = [call["id"] for call in self.view["calls"].values() if call["by"] == self.user]
        assert held == ([slot] if slot else [])


@settings(
    max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32))
def test_snapshot_and_events_agree_with_a_later_snapshot(store: Store, seed: int) -> None:
    dice = random.Random(seed)  # a day at the desk, told again from its seed
    desk = Desk.open(store, "Anna", "Ben", "Chloe", number=f"+33{new_id()[-9:]}")
    with store.write() as tx:
        other = add_line(tx, number=f"+33{new_id()[-9:]}")
        tx.execute(line_users.insert().values(line_id=other, user_id=desk.users[0]))
    browsers, diagram = [Browser(store, user) for user in desk.users], Diagram(store)
    for number in range(80):
        name = dice.choice(STEPS)
        try:
            step(desk, name, dice.randrange(3), dice.randrange(2))
        except DeskError as refusal:
            note(f"{name}: {refusal.code}")
            continue
        note(name)
        if name not in ("answer", "redirect", "ring_step"):  # which are several steps in one
            diagram.check()
        else:
            diagram.states.clear()
        browsers[number % 3].check()
        if number == 30:  # a reload in the middle of it all
            browsers += [Browser(store, user) for user in desk.users]
    for browser in browsers:
        browser.check()
