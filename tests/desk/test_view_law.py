"""The law of the log: a browser that applies the events after its snapshot knows what a fresh snapshot would say."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import select

from aircall_core.desk import availability, calls, endings, facts, outbound, talk, transfers
from aircall_core.desk.errors import DeskError
from aircall_core.domain import view as fold
from aircall_core.domain.call import TALKING
from aircall_core.domain.flow import DEFAULTS, STRATEGIES, Kind
from aircall_core.domain.transfer import BACK
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store import calls as rows
from aircall_core.store.queries.views import snapshot
from aircall_core.store.tables import calls as calls_table
from aircall_core.store.tables import line_users
from aircall_core.store.tables import lines as lines_table
from aircall_core.store.tables import users as users_table
from tests.support.desk_kit import Desk, add_line, beat_of, go_offline

# Ends are rare and answers common, so that most calls live long enough for everything to happen to them.
STEPS = (
    "arrive accept accept " * 3
    + "answer mute audio " * 8
    + "return away back record " * 4
    + "fail reject ring_step ring_step ring_missed check " * 2
    + "overflow end_caller end_agent off_duty on_duty offline online online lose hang_up "
    + "ring_over step voicemail callback redirect unavailable available "
    + "consult hold began began answer transfer began online online available on_duty " * 8
    + "dial merge transferred forwarded progress step_back swap waits asked asked " * 4
).split()
TALK = {"consult", "hold", "began", "dial", "merge", "transferred", "transfer", "forwarded", "progress", "step_back",
        "swap", "waits", "asked"}  # fmt: skip


def step(desk: Desk, name: str, who: int, which: int) -> None:  # noqa: C901 - a list of deeds
    """One thing that somebody does to a live call; a refusal is as good as a deed."""
    user, owner = desk.users[who], desk.owner
    if name in TALK:
        in_the_call(desk, name, who, which)
        return
    if name in ("ring_step", "ring_missed", "check", "ring_over", "step", "voicemail", "callback", "redirect"):
        in_the_flow(desk, name, who, which)
        return
    with desk.store.read() as conn:
        live = rows.live_of_owner(conn, owner.node, owner.epoch)
    if name == "arrive" or not live:
        desk.arrive(f"+3361122{which:04d}")
        return
    call = live[(which - who) % len(live)]
    with desk.store.write() as tx:
        row = rows.get(tx.conn, call)
        assert row is not None
        command, holder = row["accept_command"] or new_id(), row["accepted_by"] or user
        match name:
            case "accept":
                fresh, rung = new_id(), rows.ringing_users(tx.conn, call)
                user = rung[who % len(rung)] if rung else user  # mostly who is rung
                calls.accept(tx, call, user, command=fresh, peer=f"peer-{fresh}", tab="tab-000000")
            case "answer":
                if row["state"] in ("accepting", "dialling") and row["accepted_by"] is not None:
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


def in_the_call(desk: Desk, name: str, who: int, which: int) -> None:
    """One thing that somebody does in a call, or that its worker does with it: outside calls, families, transfers."""
    with desk.store.read() as conn:
        live = [rows.get(conn, call) for call in rows.live_of_owner(conn, desk.owner.node, desk.owner.epoch)]
    found = [row for row in live if row is not None]
    user = desk.users[who]
    talks = [row for row in found if row["state"] in TALKING]
    tops = [row for row in talks if row["parent_id"] is None]
    if name == "dial":
        wanted = outbound.Dial(desk.line, f"+3361199988{which}", "peer-00000001", "tab-00000001")
        with desk.store.write() as tx:
            outbound.dial(tx, user, wanted, command=new_id())
    elif name == "waits":
        with desk.store.write() as tx:
            tx.execute(users_table.update().where(users_table.c.id == user).values(call_waiting=bool(which)))
            availability.settle(tx, [user], "system")
    elif name == "began":
        began(desk, found, which)
    elif found and name in ("forwarded", "progress", "step_back"):
        reported(desk, name, found[which % len(found)]["id"], user)
    elif tops and name not in ("forwarded", "progress", "step_back"):
        wished(desk, name, talks, tops[which % len(tops)], (who, which))


def reported(desk: Desk, name: str, call: str, user: str) -> None:
    """What the worker says of a call, whatever it is."""
    at = now_ms()
    match name:
        case "forwarded":
            desk.report(name, call, at=at)
        case "progress":
            desk.report(name, call, state=("ringing", "early")[at % 2], at=at)
        case _:
            ring = {**DEFAULTS[Kind.RING], "kind": "ring", "target": {"user": user}}
            desk.fact("ring_step", call, step=BACK, settings=ring, at=at)


def wished(
    desk: Desk, name: str, talks: Sequence[Mapping[str, Any]], call: Mapping[str, Any], dice: tuple[int, int]
) -> None:
    """What the agent of a call wants of it, or gets."""
    who, which = dice
    agent, other, at = call["accepted_by"], desk.users[(who + 1 + which) % 3], now_ms()
    target = ({"user": other}, {"line": desk.line}, {"number": "+33611999887"})[who]
    if name == "hold":
        one = talks[which % len(talks)]
        desk.report("held", one["id"], user_id=agent, command=None, held=not one["held"], at=at)
        return
    if name == "transferred":
        for child in [row for row in talks if row["parent_id"] is not None][:1]:
            desk.report(name, child["parent_id"], via=child["id"], command=None, at=at)
        return
    if name == "asked":  # to the answer, which it would seldom come to by chance
        with desk.store.write() as tx:
            asked = transfers.consult(tx, call["id"], agent, target={"user": other}, join=bool(who), command=new_id())
        desk.report("dial_began", asked, command="c", at=at)
        desk.answer(asked, other)
        return
    with desk.store.write() as tx:
        match name:
            case "consult":
                whom = {"user": other} if who else target
                transfers.consult(tx, call["id"], agent, target=whom, join=bool(which), command=new_id())
            case "transfer":
                transfers.transfer(tx, call["id"], agent, target=target, command=new_id())
            case "merge":
                talk.merge(tx, call["id"], agent, command=new_id())
            case "swap":
                talk.talk(tx, call["id"], agent, command=new_id())


def began(desk: Desk, found: Sequence[Mapping[str, Any]], which: int) -> None:
    """The worker begins what was wished: a number is dialled, a colleague rung, a call handed on."""
    for row in found:
        if row["state"] == "dialling" and row["progress"] is None:
            desk.report("dial_began", row["id"], command="c", at=now_ms())
            return
        if row["transfer"] and not row["parent_id"] and row["state"] in TALKING and "over" not in row["transfer"]:
            desk.report("transfer_began", row["id"], command="c", at=now_ms())
            return


# The diagram of docs/architecture.md.
FOLLOWS = {
    "dialling": {"answered", "flow", "queued", "ringing", "overflow", "ended"},
    "flow": {"queued", "ringing", "voicemail", "overflow", "forwarded", "ended"},
    "queued": {"ringing", "flow", "voicemail", "overflow", "ended"},
    "ringing": {"queued", "accepting", "flow", "voicemail", "overflow", "ended"},
    "accepting": {"queued", "ringing", "answered", "flow", "voicemail", "overflow", "ended"},
    "answered": {"confirmed", "flow", "queued", "ringing", "forwarded", "ended"},
    "confirmed": {"flow", "queued", "ringing", "forwarded", "ended"},
    "forwarded": {"ended"},
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


def different(ours: Mapping[str, Any], fresh: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Where two views are not the same: the two values, by their place."""
    found: dict[str, Any] = {}
    for name in {*ours, *fresh}:
        one, other, place = ours.get(name), fresh.get(name), f"{at}/{name}"
        if isinstance(one, dict) and isinstance(other, dict):
            found |= different(one, other, place)
        elif one != other:
            found[place] = (one, other)
    return found


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
        """A fresh snapshot says the same, and the user's slot holds a call that is theirs, if there is one."""
        self.catch_up()
        with self.store.read() as conn:
            fresh = snapshot(conn, self.user)[1]
            wrong = different(self.view, fresh)
            assert not wrong, str(wrong)
            slot = rows.active_call_of(conn, self.user)
        held = [
            call["id"]
            for call in self.view["calls"].values()
            if call["by"] == self.user and (call["parent"] is None or call["started_by"] != self.user)
        ]
        assert slot in (held or [None])


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
        desk.may_call_out(tx)
    browsers, diagram = [Browser(store, user) for user in desk.users], Diagram(store)
    for number in range(80):
        name = dice.choice(STEPS)
        try:
            step(desk, name, dice.randrange(3), dice.randrange(2))
        except DeskError as refusal:
            note(f"{name}: {refusal.code}")
            continue
        note(name)
        if name not in (
            "answer",
            "redirect",
            "ring_step",
            "began",
            "step_back",
            "dial",
            "asked",
        ):  # several steps in one
            diagram.check()
        else:
            diagram.states.clear()
        browsers[number % 3].check()
        if number == 30:  # a reload in the middle of it all
            browsers += [Browser(store, user) for user in desk.users]
    for browser in browsers:
        browser.check()
