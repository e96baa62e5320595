"""A queue under load: a day told in simulated time by a model of the worker, and writers who act at the same moment."""

import heapq
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import availability
from aircall_core.desk.distribution import Entered
from aircall_core.desk.errors import DeskError
from aircall_core.domain.flow import DEFAULTS, Kind
from aircall_core.ids import new_id
from aircall_core.store import Store, clock, open_store
from aircall_core.store import tables as t
from tests.support.desk_kit import Desk, beat_of, go_offline

QUEUE = {"id": "queue", "kind": "queue"}
NAMES = ("Anna", "Ben", "Cleo", "Dora", "Emil")
SETTINGS = {**DEFAULTS[Kind.QUEUE], "kind": "queue"}


@dataclass
class Day:
    """Simulated time (ms), what is due in it, and what each caller went through."""

    desk: Desk
    dice: random.Random
    total_s: int = 3600
    now: int = 1_800_000_000_000
    due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    numbers: Any = field(default_factory=count)
    waiting: dict[str, tuple[int, int]] = field(default_factory=dict)  # call: (priority, since)
    served: list[str] = field(default_factory=list)
    rung: dict[str, list[str]] = field(default_factory=dict)  # call: users, in order
    told: list[tuple[str, int, int]] = field(default_factory=list)  # call, when, estimate
    answered_at: dict[str, int] = field(default_factory=dict)
    ended: dict[str, tuple[int, str]] = field(default_factory=dict)
    misses: float = 0.1

    def later(self, seconds: float, deed: Callable[[], None]) -> None:
        """Something happens after a time."""
        heapq.heappush(self.due, (self.now + int(seconds * 1000), next(self.numbers), deed))

    def run(self) -> None:
        """To the end of all that is due."""
        while self.due:
            self.now, _, deed = heapq.heappop(self.due)
            deed()
            self.look()

    def look(self) -> None:
        """What the worker hears from the log: who is rung now, and for how long."""
        names = self.desk.names
        legs = select(t.call_legs.c.call_id, t.call_legs.c.user_id).where(t.call_legs.c.state == "ringing")
        with self.desk.store.read() as conn:
            now = [(row.call_id, names[row.user_id]) for row in conn.execute(legs)]
        fresh = [(call, name) for call, name in now if name not in self.rung.setdefault(call, [])]
        for call, name in fresh:
            self.rung[call].append(name)
        for call, name in fresh:
            self.in_order(call, name, {one for one, _ in now})
            self.act(call, name)

    def act(self, call: str, name: str) -> None:
        """The user who is rung takes it soon, or misses it."""
        user = self.desk.ids[name]
        if self.dice.random() < self.misses:
            self.later(25, lambda: self.miss(call, user))
        else:
            self.later(self.dice.uniform(1, 4), lambda: self.answer(call, name))

    def miss(self, call: str, user: str) -> None:
        if call in self.waiting:
            self.desk.fact("ring_missed", call, user_id=user, at=self.now)

    def answer(self, call: str, name: str) -> None:
        if call not in self.waiting or name not in self.desk.ringing(call):
            return
        self.desk.answer(call, self.desk.ids[name])
        del self.waiting[call]
        self.served.append(call)
        self.answered_at[call] = self.now
        self.later(self.dice.lognormvariate(0, 0.4) * 40, lambda: self.over(call, "agent"))

    def in_order(self, call: str, name: str, ringing: set[str]) -> None:
        """Who is served before this one is being rung already, or this agent has missed them."""
        for other, place in self.waiting.items():
            if place < self.waiting[call]:
                assert other in ringing or name in self.rung.get(other, []), f"{other} was overtaken"

    def arrive(self, number: str, priority: int | None) -> None:
        plan = self.desk.arrive(number, arrived_at=self.now)
        self.waiting[plan.call_id] = (priority or 99, self.now)
        self.later(self.total_s, lambda: self.give_up(plan.call_id))
        self.later(30, lambda: self.announce(plan.call_id))

    def announce(self, call: str) -> None:
        if call in self.waiting:
            stands: Entered = self.desk.fact("check", call)
            if stands.estimate_s is not None and not stands.ringing and len(self.served) >= 20:
                self.told.append((call, self.now, stands.estimate_s))
            self.later(30, lambda: self.announce(call))

    def give_up(self, call: str) -> None:
        """The step's whole time is over."""
        if call in self.waiting:
            del self.waiting[call]
            self.desk.fact("ring_over", call, at=self.now, reason="timeout")
            self.over(call, "caller")

    def over(self, call: str, by: str) -> None:
        self.ended[call] = (self.now, by)
        self.desk.end(call, by)


@pytest.fixture
def day(store: Store, monkeypatch: pytest.MonkeyPatch) -> Day:
    """Five agents at their desks, a queue, and the database's clock in the test's hands."""
    desk = Desk.open(store, *NAMES)
    desk.flow(QUEUE)
    day = Day(desk, random.Random(5))
    desk.now = lambda: day.now
    monkeypatch.setattr(clock, "now_ms", lambda _: day.now)
    with store.write() as tx:
        tx.execute(update(t.presence).values(lease_until=day.now * 2))
    return day


@pytest.mark.parametrize("seed", range(2))
def test_fifty_callers_for_five_agents(day: Day, seed: int) -> None:
    """In order of priority, then arrival; the longest idle agent first; nobody starved; everybody told the truth."""
    day.dice = random.Random(seed)
    with day.desk.store.write() as tx:
        tx.execute(insert(t.contacts).values(id="vip", name="VIP", priority=1, created_at=1))
        urgent = {f"+3361000{n:04d}" for n in range(0, 50, 7)}
        tx.execute(insert(t.contact_phones), [{"number": one, "contact_id": "vip"} for one in urgent])
    for n in range(50):
        number = f"+3361000{n:04d}"
        moment = day.dice.uniform(0, 60)
        day.later(moment, partial(day.arrive, number, 1 if number in urgent else None))
    day.run()
    assert len(day.served) == len(day.ended) == 50, "nobody is starved, no call is without an end"
    with day.desk.store.read() as conn:
        legs = conn.execute(select(t.call_legs)).mappings().all()
        rows = {row["id"]: row for row in conn.execute(select(t.calls)).mappings()}
        idle = dict(conn.execute(select(t.users.c.id, t.users.c.active_call_id)).all())
    assert {row["outcome"] for row in rows.values()} == {"answered"}
    assert not any(idle.values()), "no agent is left in a call"
    assert {leg["state"] for leg in legs} == {"accepted", "stopped"}
    winners = [leg for leg in legs if leg["state"] == "accepted"]
    assert len(winners) == len({leg["call_id"] for leg in winners}) == 50, "never two winners"
    for call, users in day.rung.items():
        assert len(users) == len(set(users)), f"{call} rang somebody twice"
    waits = [(said, (day.answered_at[call] - at) / 1000) for call, at, said in day.told]
    real = [(said, wait) for said, wait in waits if wait >= 30]
    assert len(real) >= 30
    assert sum(abs(said - wait) <= wait / 2 for said, wait in real) / len(real) >= 0.8, (
        "one ring in ten is missed, which nobody can foresee"
    )


def test_the_longest_idle_agent_is_rung_first(day: Day) -> None:
    day.misses = 0
    for n in range(30):
        day.later(n * 60, partial(day.arrive, f"+3361000{n:04d}", None))
    free_since: dict[str, int] = {}
    original = day.over

    def over(call: str, by: str) -> None:
        original(call, by)
        free_since[day.rung[call][0]] = day.now

    day.over = over  # type: ignore[method-assign]
    act = day.act

    def rung(call: str, name: str) -> None:
        busy = {day.rung[one][0] for one in day.answered_at if one not in day.ended}
        free = [other for other in NAMES if other not in busy]
        assert free_since.get(name, 0) == min(free_since.get(other, 0) for other in free)
        act(call, name)

    day.act = rung  # type: ignore[method-assign]
    day.run()
    assert len(day.served) == 30


def test_total_time_is_kept_and_callers_who_gave_up_hold_nobody(day: Day) -> None:
    day.total_s, day.misses = 90, 0.6
    for n in range(40):
        day.later(day.dice.uniform(0, 120), partial(day.arrive, f"+3361000{n:04d}", None))
    day.run()
    gave_up = [call for call, (_, by) in day.ended.items() if by == "caller"]
    assert len(day.ended) == 40
    assert len(gave_up) > 5, "a test of nothing"
    with day.desk.store.read() as conn:
        rows = {row["id"]: row for row in conn.execute(select(t.calls)).mappings()}
    for call in gave_up:
        assert day.ended[call][0] - rows[call]["queued_at"] == 90_000
        assert rows[call]["missed_reason"] == ("agents_did_not_answer" if day.rung.get(call) else "no_available_agent")
    with day.desk.store.read() as conn:
        assert conn.scalar(select(t.call_legs.c.id).where(t.call_legs.c.state == "ringing")) is None


# ---- at the same moment


def at_once(desk: Desk, url: str, deeds: Sequence[Callable[[Desk], object]]) -> None:
    """Each deed in a thread with a store of its own, as if in other processes."""
    start = threading.Barrier(len(deeds))

    def run(deed: Callable[[Desk], object]) -> None:
        with open_store(url) as own:
            own.last_seq()  # connected before the start
            start.wait(10)
            deed(replace(desk, store=own))

    with ThreadPoolExecutor(len(deeds)) as threads:
        list(threads.map(run, deeds))


def exclusive_rings(store: Store) -> dict[str, int]:
    """How many calls ring each user now."""
    with store.read() as conn:
        rung = conn.scalars(select(t.call_legs.c.user_id).where(t.call_legs.c.state == "ringing")).all()
    return {user: list(rung).count(user) for user in rung}


@pytest.mark.parametrize("race", range(4))
def test_two_workers_never_give_one_idle_agent_two_callers(store: Store, store_url: str, race: int) -> None:
    """Four callers arrive at once, on two lines with one queue each, for two agents who are on both."""
    desk = Desk.open(store, "Anna", "Ben")
    other = Desk.open(store, number="+33199990000")
    with store.write() as tx:
        for user in desk.users:
            tx.execute(insert(t.line_users).values(line_id=other.line, user_id=user))
    desk.flow(QUEUE)
    other.flow(QUEUE)
    lines = (desk.line, other.line) * 2
    arrivals = [lambda own, n=n, line=line: own.arrive(f"+3361000000{n}", line_id=line) for n, line in enumerate(lines)]
    at_once(desk, store_url, arrivals)
    assert exclusive_rings(store) == dict.fromkeys(desk.users, 1)


@pytest.mark.parametrize("race", range(4))
def test_freed_agents_and_new_callers_at_once(store: Store, store_url: str, race: int) -> None:
    """Ends of calls, rejections, new callers and somebody coming on duty, at the same moment: nobody is left over."""
    desk = Desk.open(store, "Anna", "Ben", "Cleo")
    desk.flow(QUEUE)
    anna, ben, cleo = desk.users
    with store.write() as tx:
        availability.set_duty(tx, cleo, on=False, command=new_id())
    first = desk.arrive("+33610000001").call_id
    second = desk.arrive("+33610000002").call_id
    waiting = [desk.arrive(f"+3361000001{n}").call_id for n in range(2)]
    [holder] = desk.ringing(first)
    [rejecter] = desk.ringing(second)
    desk.answer(first, desk.ids[holder])

    def on_duty(own: Desk) -> None:
        with own.store.write() as tx:
            tx.take_turn()
            availability.set_duty(tx, cleo, on=True, command=new_id())

    at_once(
        desk,
        store_url,
        [
            lambda own: own.end(first),
            lambda own: own.reject(second, rejecter),
            on_duty,
            lambda own: own.arrive("+33610000099"),
        ],
    )
    rung = exclusive_rings(store)
    assert rung == {anna: 1, ben: 1, cleo: 1}, "three are free, four wait: each of the three has one"
    assert all(desk.ringing(call) for call in waiting), "those who wait longest"


def test_many_writers_neither_wait_for_each_other_nor_share_an_agent(store: Store, store_url: str) -> None:
    """Four processes do all that desks and workers do, on two queues with the same agents; then everything is over."""
    desk = Desk.open(store, *NAMES)
    other = Desk.open(store, number="+33199990000")
    with store.write() as tx:
        for user in desk.users:
            tx.execute(insert(t.line_users).values(line_id=other.line, user_id=user))
    desk.flow(QUEUE)
    other.flow({**QUEUE, "strategy": "round_robin"})

    def work(own: Desk, seed: int) -> None:
        dice = random.Random(seed)
        for number in range(40):
            with suppress(DeskError):  # a refusal (somebody was faster) is as good as a deed
                any_deed(own, dice, f"+3361{seed}00{number:04d}", dice.choice((desk.line, other.line)))

    at_once(desk, store_url, [partial(work, seed=seed) for seed in range(4)])
    with store.read() as conn:
        rings = select(t.call_legs.c.user_id).join(t.calls, t.calls.c.id == t.call_legs.c.call_id)
        rung = conn.scalars(rings.where(t.call_legs.c.state == "ringing", t.calls.c.ended_at.is_(None))).all()
        live = conn.scalars(select(t.calls.c.id).where(t.calls.c.ended_at.is_(None))).all()
        holders = conn.execute(select(t.users.c.active_call_id).where(t.users.c.active_call_id.is_not(None))).all()
    assert len(set(rung)) == len(rung), "an agent is rung by one of them at a time"
    assert len(set(holders)) == len(holders)
    for call in live:
        desk.end(call)
    with store.read() as conn:
        assert conn.scalar(select(t.users.c.id).where(t.users.c.active_call_id.is_not(None))) is None
        assert conn.scalar(select(t.call_legs.c.id).where(t.call_legs.c.state == "ringing")) is None
        assert conn.scalar(select(t.calls.c.id).where(t.calls.c.outcome.is_(None))) is None


def any_deed(desk: Desk, dice: random.Random, number: str, line: str) -> None:
    """One thing that a desk or a worker does."""
    with desk.store.read() as conn:
        live = list(conn.scalars(select(t.calls.c.id).where(t.calls.c.ended_at.is_(None)).order_by(t.calls.c.id)))
    user = dice.choice(desk.users)
    name = dice.choice(
        ["arrive", "arrive", "answer", "answer", "end", "reject", "missed", "check", "over", "duty", "beat"]
    )
    if name == "arrive" or not live:
        desk.arrive(number, line_id=line)
        return
    call = dice.choice(live)
    match name:
        case "answer":
            rung = [one for one in desk.users if desk.names[one] in desk.ringing(call)]
            if rung:
                desk.answer(call, dice.choice(rung))
        case "end":
            desk.end(call)
        case "reject":
            desk.reject(call, desk.names[user])
        case "missed":
            desk.fact("ring_missed", call, user_id=user, at=desk.now())
        case "check":
            desk.fact("check", call)
        case "over":
            desk.fact("ring_over", call, at=desk.now(), reason="timeout")
            desk.fact("ring_step", call, step="queue", settings=SETTINGS, at=desk.now())
        case "duty":
            for on in (False, True):
                with desk.store.write() as tx:
                    availability.set_duty(tx, user, on=on, command=new_id())
        case "beat":
            with desk.store.write() as tx:
                go_offline(tx, user)
            with desk.store.write() as tx:
                availability.beat(tx, [beat_of(user)])
