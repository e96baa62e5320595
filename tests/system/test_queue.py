"""The line's flow with all of the system: by SIP into menus, queues and voicemail, by HTTP and WebSocket out again."""

import contextlib
import random
import statistics
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from sqlalchemy import select

from aircall_core.desk import flow_facts, teams
from aircall_core.domain import events as kinds
from aircall_core.domain.events import EventRow
from aircall_core.store import tables as t
from aircall_core.store.calls import Owner
from tests.support.audio import Samples, level, read_wav, tone
from tests.support.desk_system import Line, System, User
from tests.support.ivr_caller import RATE, IvrCaller
from tests.support.processes import eventually
from tests.support.realtime import Tab
from tests.support.sipp import Sipp

pytestmark = [pytest.mark.sip]
SHIPPED = Path(__file__).parents[2] / "data" / "prompts" / "en"


def shipped(name: str) -> Samples:
    return np.asarray(read_wav(SHIPPED / f"{name}.wav")[0][0])


class Directory(BaseHTTPRequestHandler):
    """A customer's service: who shows the token learns the branch."""

    TOKEN = "let-me-in"

    def do_POST(self) -> None:
        """Any question."""
        self.rfile.read(int(self.headers["Content-Length"]))
        known = self.headers.get("Authorization") == f"Bearer {self.TOKEN}"
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(b'{"branch": "known"}')

    def log_message(self, *_: object) -> None:
        """Not into the test's output."""


@contextlib.contextmanager
def directory() -> Iterator[str]:
    """The service's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Directory) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def draw(
    system: System, admin: User, line: Line, steps: Sequence[Mapping[str, Any]], version: int = 0, **secrets: str
) -> int:
    """Saves the line's flow as its editor does; the new version."""
    path = f"/desk/lines/{line.id}/flow"
    cookie = {"Cookie": f"{admin.cookie[0]}={admin.cookie[1]}"}
    body = {"document": {"steps": list(steps)}, "version": version, "secrets": secrets}
    reply = system.http.put(path, json=body, headers=cookie)
    assert reply.status_code == 200, reply.text
    return int(reply.json()["version"])


@pytest.mark.timeout(180)
def test_a_caller_chooses_types_waits_asks_for_a_call_back_and_another_leaves_a_message(tmp_path: Path) -> None:
    with directory() as service, System(tmp_path, min_free_disk_mb=0) as system:
        boss, ada = system.add_user("Boss", role="administrator"), system.add_user("Ada")
        line = system.add_line("+33199000001", [ada])
        prompt = {"shipped": "goodbye"}  # any: what it says is not the point
        account = {"id": "account", "kind": "digits", "prompt": prompt, "label": "Account", "branches": {"none": []}}
        queue = {"id": "queue", "kind": "queue", "announce_first_s": 5, "announce_s": 60}
        mail = {"id": "mail", "kind": "voicemail", "max_s": 30}
        menu = {"id": "menu", "kind": "menu", "prompt": prompt, "options": {"1": "Orders", "9": "Message"},
                "branches": {"1": [account], "9": [mail], "none": []}}  # fmt: skip
        ask = {"id": "ask", "kind": "lookup", "url": service, "branches": {"known": [menu]}}
        draw(system, boss, line, [ask, queue], ask=Directory.TOKEN)
        tab = system.on_duty(ada)
        with IvrCaller("127.0.0.1", system.settings.sip_port, caller="+33199005001") as first:
            first.invite(line.number)
            first.wait_for(200)
            first.press("1")
            first.press("77#")
            ringing = tab.wait_for("call.ringing", user_id=ada.id)
            call_id = ringing["call_id"]
            assert ringing["card"]["path"] == ["Orders"]
            assert [(one["label"], one["value"]) for one in ringing["card"]["digits"]] == [("Account", "77")]
            system.accept(ada, tab, call_id, voice=tone(700, 1, RATE))
            tab.wait_for("call.confirmed", call_id=call_id)  # Ada is busy from here on
            with IvrCaller("127.0.0.1", system.settings.sip_port, caller="+33199005002") as second:
                second.invite(line.number)
                second.wait_for(200)
                second.press("1")
                second.press("4711#", info=True)
                places = [second.wait_heard(shipped(name)) for name in ("queue-next", "callback-offer")]
                assert places == sorted(places)
                second.press("*")
                second.wait_heard(shipped("callback-confirmed"))
                second.bye()
                second.wait_for(200, "BYE")
            wish = tab.wait_for(kinds.CALLBACK_REQUESTED)
            assert tab.wait_for("call.ended", call_id=wish["call_id"])["data"]["outcome"] == "callback"
            cards = system.get(ada, "/desk/callbacks").json()["callbacks"]
            assert [card["call_id"] for card in cards] == [wish["call_id"]]
            with IvrCaller("127.0.0.1", system.settings.sip_port, caller="+33199005003") as third:
                third.invite(line.number)
                third.wait_for(200)
                third.press("9")
                third.wait_heard(shipped("beep"))
                third.speak(tone(440, 3, RATE, -20))
                third.bye()
                third.wait_for(200, "BYE")
            left = tab.wait_for(kinds.CALL_RECORDING, state="saved")
            reply = system.get(ada, f"/desk/recordings/{left['call_id']}")
            assert reply.status_code == 200, reply.text
            (tmp_path / "left.wav").write_bytes(reply.content)
            heard, rate = read_wav(tmp_path / "left.wav")
            assert level(heard[0][rate : 2 * rate]) == pytest.approx(-20, abs=1)
            assert tab.wait_for("call.ended", call_id=left["call_id"])["data"]["outcome"] == "voicemail"
            first.bye()
            tab.wait_for("call.ended", call_id=call_id)


# ---- a queue with agents at work


class Agents:
    """Users who take whatever rings, talk for a while, hang up, and take the next."""

    def __init__(self, system: System, users: Sequence[User], talk_s: tuple[float, float]) -> None:
        self.system, self.talk_s = system, talk_s
        self.over = threading.Event()
        self.failures: list[str] = []
        self.tabs = {user.id: system.on_duty(user) for user in users}
        self._threads = [threading.Thread(target=self._work, args=(user,)) for user in users]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for tab in self.tabs.values():
            tab.close()
        for thread in self._threads:
            thread.join(20)

    def _work(self, user: User) -> None:
        tab, known = self.tabs[user.id], set[str]()
        lengths = random.Random(user.name)
        while not self.over.is_set():
            try:
                call_id = self._next(tab, user, known)
                if call_id:
                    self._talk(user, tab, call_id, lengths.uniform(*self.talk_s))
            except (AssertionError, OSError) as problem:
                if not self.over.is_set():
                    self.failures.append(f"{user.name}: {problem}"[:500])

    def _next(self, tab: Tab, user: User, known: set[str]) -> str:
        def ringing() -> str | None:
            calls = tab.view.get("calls", {})
            return next((one for one, seen in calls.items() if user.id in seen["ringing"] and one not in known), None)

        with contextlib.suppress(AssertionError):
            call_id: str = tab.wait_until(ringing, "a call", 1)
            known.add(call_id)
            return call_id
        return ""

    def _talk(self, user: User, tab: Tab, call_id: str, seconds: float) -> None:
        peer = self.system.accept(user, tab, call_id, voice=tone(700, 1, RATE))
        tab.wait_for("call.confirmed", call_id=call_id)
        self.over.wait(seconds)
        reply = self.system.post(user, f"/desk/calls/{call_id}/hangup", {"command": f"hang-up-{call_id}"[:36]})
        assert reply.status_code == 202, reply.text
        tab.wait_for("call.ended", call_id=call_id)
        peer.close()


class Forecasts:
    """What the waiting callers would be told from second to second: call, when (ms), position, estimate (s)."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.told: list[tuple[str, int, int, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        columns = t.calls.c.id, t.calls.c.owner_node, t.calls.c.owner_epoch
        while not self._over.wait(1):
            with self.system.store.read() as conn:
                waiting = conn.execute(select(*columns).where(t.calls.c.state == "queued")).all()
            for call_id, node, epoch in waiting:
                with self.system.store.write() as tx:  # as the worker asks before each announcement
                    entered = flow_facts.check(tx, Owner(node, epoch), call_id)
                    if entered.estimate_s is not None and not entered.ringing:
                        self.told.append((call_id, tx.now_ms(), entered.position, entered.estimate_s))


@pytest.mark.parametrize(
    ("callers", "agents", "important", "talk_s"),
    [
        pytest.param(12, 3, 3, (1.0, 2.0), id="12-for-3", marks=pytest.mark.timeout(240)),
        pytest.param(50, 5, 10, (4.0, 8.0), id="50-for-5", marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
def test_a_queue_is_served_in_order_by_whoever_is_idle_longest(
    tmp_path: Path, callers: int, agents: int, important: int, talk_s: tuple[float, float]
) -> None:
    with System(tmp_path, min_free_disk_mb=0) as system:
        boss = system.add_user("Boss", role="administrator")
        users = [system.add_user(f"Agent {number}") for number in range(agents)]
        with system.store.write() as tx:
            team = teams.create(tx, "system", name="Service", users=[user.id for user in users])
        normal = system.add_line("+33199000001", users)
        gold = system.add_line("+33199000002", users, name="Gold", priority=1)
        queue = {"id": "queue", "kind": "queue", "target": {"team": team}, "total_s": 600, "user_s": 60,
                 "strategy": "longest_idle", "announce_first_s": 5, "announce_s": 15}  # fmt: skip
        for line in (normal, gold):
            draw(system, boss, line, [queue])
        with Agents(system, users, talk_s) as staff, Forecasts(system) as forecasts, contextlib.ExitStack() as stack:
            for line, count, rate in ((normal, callers - important, 10.0), (gold, important, 2.0)):
                stack.enter_context(
                    Sipp("callee_hangs_up", system.sip_server, tmp_path, number=line.number, calls=count, rate=rate,
                         audio=tone(440, 1, RATE), hangup_ms=500_000, timeout=500, name=f"sipp-{line.number}")
                )  # fmt: skip
            ended = eventually(lambda: _all(system, kinds.CALL_ENDED, callers), 500, f"{callers} calls", every=0.5)
        assert staff.failures == []
        assert {row.event.data["outcome"] for row in ended} == {"answered"}, "somebody was not served"
        rows = system.events()
        with system.store.read() as conn:
            calls = {row["id"]: dict(row) for row in conn.execute(select(t.calls)).mappings()}
        _check_order(rows, calls)
        _check_idle(rows, {user.id for user in users})
        _check_forecasts(forecasts, calls, warm=2 * agents)


def _all(system: System, kind: str, count: int) -> list[EventRow]:
    found = system.events(kind)
    return found if len(found) >= count else []


def _check_order(rows: Sequence[EventRow], calls: Mapping[str, Mapping[str, Any]]) -> None:
    """Whenever a call rang, nobody was waiting who should have been before it."""
    waiting: dict[str, tuple[int, int]] = {}
    waited = 0
    for row in rows:
        call_id = str(row.event.call_id)
        if row.kind == kinds.CALL_QUEUED:
            waiting[call_id] = (calls[call_id]["priority"] or 99, calls[call_id]["queued_at"])
        elif row.kind == kinds.CALL_RINGING and call_id in waiting:
            place = waiting.pop(call_id)
            before = [one for one, other in waiting.items() if other < place]
            assert not before, f"{call_id} rang before {before}"
            waited += bool(waiting)
    assert not waiting, "somebody never rang"
    assert waited >= len(calls) // 2, "there was no queue to speak of"


def _check_idle(rows: Sequence[EventRow], users: set[str]) -> None:
    """Whoever was rung had been idle for longer than every other free user, and was rung by one call at a time."""
    idle_since: dict[str, int] = {}
    busy: dict[str, str] = {}  # user -> call
    for row in rows:
        user, call_id = str(row.event.user_id), str(row.event.call_id)
        if row.kind == kinds.CALL_RINGING:
            assert user not in busy, "rung by two at once"
            others = {other: since for other, since in idle_since.items() if other not in busy and other != user}
            if user in idle_since:
                assert all(since >= idle_since[user] for since in others.values()), (user, idle_since)
            busy[user] = call_id
        elif row.kind == kinds.CALL_ENDED:
            for one in [one for one, held in busy.items() if held == call_id]:
                del busy[one]
                idle_since[one] = row.seq
    assert set(idle_since) == users, "somebody had no work"


def _check_forecasts(forecasts: Forecasts, calls: Mapping[str, Mapping[str, Any]], warm: int) -> None:
    """Places are told from the first caller on; once the queue has its pace, estimates are within half of the truth.

    `warm`: so many answers make a pace. Truths below three seconds are left out: there half is nothing.
    """
    assert max(position for _, _, position, _ in forecasts.told) >= len(calls) // 3
    answers = sorted(call["answered_at"] for call in calls.values())
    errors = []
    for call_id, at, position, estimate in forecasts.told:
        truth = (calls[call_id]["answered_at"] - at) / 1000
        if answers[warm - 1] < at and truth >= 3 and position > 1:
            errors.append(abs(estimate - truth) / truth)
    if len(calls) >= 50:  # a dozen callers are served before there is a pace
        assert len(errors) >= 20
        worst = statistics.quantiles(errors, n=10)[8]
        print(f"{len(errors)} estimates: median error {statistics.median(errors):.0%}, nine in ten below {worst:.0%}")
        assert worst <= 0.5
