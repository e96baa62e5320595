"""Many calls at once, and many one after another: nothing is lost, nothing is left behind."""

import contextlib
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from aircall_core.domain import events as kinds
from aircall_core.domain.events import EventRow
from tests.support.audio import Samples, gaps, read_wav, tone
from tests.support.desk_system import Line, System, User
from tests.support.processes import eventually
from tests.support.rawsip import RawCaller
from tests.support.realtime import Tab
from tests.support.sipp import Sipp
from tests.system.kit import AGENT_HZ, CALLER_HZ, begin_talk, log_lines, next_ring, open_files, rss_mb, worker_row

pytestmark = [pytest.mark.sip]

ROLES = ("backend", "desk", "gateway", "worker")


@pytest.mark.parametrize(
    ("talking", "ringing", "sockets", "seconds", "ring_ms"),
    [
        pytest.param(3, 5, 8, 8, 3_000, id="8-calls-8s", marks=pytest.mark.timeout(240)),
        pytest.param(5, 25, 20, 600, 20_000, id="30-calls-10min", marks=[pytest.mark.soak, pytest.mark.timeout(1500)]),
    ],
)
def test_calls_at_once(tmp_path: Path, talking: int, ringing: int, sockets: int, seconds: int, ring_ms: int) -> None:
    with System(tmp_path, min_free_disk_mb=0) as system:
        agents = [system.add_user(f"Agent {number}") for number in range(talking)]
        rung = [system.add_user(f"Rung {number}") for number in range(3)]
        sales = system.add_line("+33199000001", agents, ring_s=60, recording="on")
        support = system.add_line("+33199000002", rung, name="Support", ring_s=300)
        tabs = {user.id: system.on_duty(user) for user in [*agents, *rung]}
        more = [system.on_duty(rung[number % len(rung)]) for number in range(sockets - len(tabs))]
        known: set[str] = set()
        talks = [
            begin_talk(system, sales, user, tabs[user.id], known, record=tmp_path / f"heard-{user.id}.wav")
            for user in agents
        ]
        count = max(ringing * 2, round(ringing * seconds * 1000 / ring_ms))
        peak = 0
        with _memory(system, 2.0) as samples, Sipp(
            "cancel", system.sip_server, tmp_path, number=support.number, calls=count, at_once=ringing,
            rate=max(5, ringing), cancel_ms=ring_ms, timeout=seconds * 3 + 120,
        ) as sipp:  # fmt: skip
            began = time.monotonic()
            while sipp.popen.poll() is None or time.monotonic() < began + seconds:
                peak = max(peak, _calls_now(system))
                time.sleep(0.5)  # the load itself is what this waits for
            result = sipp.result()
        lasted = time.monotonic() - began
        assert (result.successful, result.failed) == (count, 0), sipp.why
        assert peak >= talking + ringing - 1, "the calls were not up at once"  # one may be between CANCEL and INVITE

        told: dict[str, int] = {}
        for user, talk in zip(agents, talks, strict=True):
            assert [one for one in talk.phone.happenings.seen if one["event"] == "ended"] == []
            talk.phone.hang_up()
            talk.phone.wait_for("ended")
            ended = tabs[user.id].wait_for("call.ended", call_id=talk.id)
            told[talk.id] = ended["data"]["duration_ms"]
        rows = _settled(system)
        _check_rings(rows, support, rung, [*more, *(tabs[user.id] for user in rung)])
        for user, talk in zip(agents, talks, strict=True):
            _check_recording(system, user, talk.id, told[talk.id], tmp_path)
            _check_heard(tmp_path / f"heard-{user.id}.wav", AGENT_HZ, lasted)
            assert _missing(talk.agent.heard(), CALLER_HZ, 8000) < 0.05 * lasted
        assert [row for row in rows if row.kind == kinds.NODE_LOST] == []
        assert log_lines(system.log, "child_exited") == []
        assert not any(tab.closed for tab in [*tabs.values(), *more])
        print(f"{count} rings, {talking + ringing} calls at once (seen {peak}), {len(tabs) + len(more)} sockets,"
              f" {lasted:.0f} s; sent again by SIPp: {result.retransmissions}")  # fmt: skip
        _check_memory(samples)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(9, id="9", marks=pytest.mark.timeout(240)),
        pytest.param(500, id="500", marks=[pytest.mark.soak, pytest.mark.timeout(1500)]),
    ],
)
def test_calls_one_after_another_leave_nothing_behind(tmp_path: Path, count: int) -> None:
    with System(tmp_path, min_free_disk_mb=0) as system:
        ada = system.add_user("Ada")
        line = system.add_line("+33199000001", [ada], ring_s=60, recording="on")
        tab = system.on_duty(ada)
        known: set[str] = set()
        _calls_in_turn(system, line, ada, tab, known, 6)
        before = _left(system)
        with _memory(system, 0.5) as samples:
            began = time.monotonic()
            _calls_in_turn(system, line, ada, tab, known, count)
            print(f"{count} calls in {time.monotonic() - began:.0f} s")
        after = _left(system)
        print(f"left behind: before {before}, after {after}")
        for name, number in after.items():
            assert number <= before[name] + (4 if name.endswith("files") else 0), (name, before, after)
        rows = _settled(system)
        assert sum(row.kind == kinds.CALL_ENDED for row in rows) == count + 6
        assert log_lines(system.log, "child_exited") == []
        _check_memory(samples)


def _calls_in_turn(system: System, line: Line, user: User, tab: Tab, known: set[str], count: int) -> None:
    """Calls that end in every usual way: given up, hung up by the caller, hung up by the agent."""
    for number in range(count):
        with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
            caller.invite(line.number)
            caller.wait_for(180)
            call_id = next_ring(tab, user, known)
            if number % 3 == 0:
                caller.cancel()
                caller.wait_for(487)
            else:
                with system.accept(user, tab, call_id, voice=tone(AGENT_HZ, 1, 8000)) as agent:
                    caller.wait_for(200)
                    tab.wait_for("call.confirmed", call_id=call_id)
                    if number % 3 == 1:
                        caller.bye()
                        caller.wait_for(200, "BYE")
                    else:
                        answer = system.post(user, f"/desk/calls/{call_id}/hangup", {"command": f"hang-up-{number:06}"})
                        assert answer.status_code == 202, answer.text
                        caller.wait_for_request("BYE")
                    assert agent.ended.wait(10)
            tab.wait_for("call.ended", call_id=call_id)
            tab.wait_until(lambda: tab.view["calls"] == {}, "an empty desk")


def _left(system: System) -> dict[str, int]:
    """What an idle installation still holds: calls, ports of the bridge, open files."""

    def idle() -> bool:
        row = worker_row(system)
        # Before its first heartbeat a worker tells only what its library holds.
        return row["in_use"] == row["info"].get("calls_up") == 0 and not _parts(system)

    eventually(idle, 30, "the worker to be idle")
    seen: list[int] = []

    def settled() -> bool:  # ports are freed in the bridge's clock, told with the next heartbeat
        seen.append(worker_row(system)["info"]["bridge_ports"])
        return len(seen) > 4 and len(set(seen[-4:])) == 1

    eventually(settled, 30, "the bridge to settle", every=1.0)
    files = {f"{role}'s open files": open_files(system.pid(role)) for role in ("desk", "gateway", "worker")}
    return {"bridge ports": seen[-1], **files}


def _parts(system: System) -> list[Path]:
    return list((system.settings.data_dir / "recordings" / "parts" / "worker-0").iterdir())


def _calls_now(system: System) -> int:
    """Live calls by /metrics."""
    text = system.http.get("/metrics").text
    return sum(int(float(value)) for value in re.findall(r'^aircall_calls\{state="\w+"\} (\S+)$', text, re.MULTILINE))


def _settled(system: System) -> list[EventRow]:
    """The whole log, once every call in it has ended."""

    def ended() -> list[EventRow]:
        rows = system.events()
        arrived = {row.event.call_id for row in rows if row.kind == kinds.CALL_ARRIVED}
        return rows if arrived == {row.event.call_id for row in rows if row.kind == kinds.CALL_ENDED} else []

    return eventually(ended, 30, "the end of every call", every=0.2)


def _check_rings(rows: list[EventRow], line: Line, users: list[User], tabs: list[Tab]) -> None:
    """Every call of the line rang every one of its users, and every tab was told of all of it."""
    arrived = {row.event.call_id for row in rows if row.kind == kinds.CALL_ARRIVED and row.event.line_id == line.id}
    rung: dict[str | None, set[str | None]] = defaultdict(set)
    for row in rows:
        if row.kind == kinds.CALL_RINGING:
            rung[row.event.call_id].add(row.event.user_id)
    wanted: set[str | None] = {user.id for user in users}
    assert [call for call in arrived if rung[call] != wanted] == [], "a call did not ring everybody"
    last = rows[-1].seq
    for tab in tabs:
        tab.wait_until(lambda tab=tab: tab.view["calls"] == {} and tab.seq >= last - 500, "the tab to catch up", 20)  # type: ignore[misc]
        told = {frame["call_id"] for frame in tab.events("call.ringing") if frame["line_id"] == line.id}
        over = {frame["call_id"] for frame in tab.events("call.ended") if frame["line_id"] == line.id}
        assert told == over == arrived


def _check_recording(system: System, user: User, call_id: str, talked_ms: int, folder: Path) -> None:
    saved = system.wait_for("call.recording", call_id=call_id, state="saved", timeout=60)
    assert abs(int(str(saved.event.data["duration_ms"])) - talked_ms) < 1500, (saved.event.data, talked_ms)
    audio = system.get(user, f"/desk/recordings/{call_id}")
    assert audio.status_code == 200
    (folder / f"{call_id}.wav").write_bytes(audio.content)
    (left, right), rate = read_wav(folder / f"{call_id}.wav")
    assert abs(len(left) / rate * 1000 - talked_ms) < 1500
    for samples, frequency in ((left, CALLER_HZ), (right, AGENT_HZ)):
        missing = _missing(samples, frequency, rate)
        print(f"recording {len(left) / rate:.1f} s, {frequency:.0f} Hz missing for {missing:.2f} s")
        assert missing < 0.05 * len(left) / rate + 0.5


def _check_heard(path: Path, frequency: float, seconds: float) -> None:
    (heard,), rate = read_wav(path)
    assert len(heard) / rate >= seconds - 2
    missing = _missing(heard, frequency, rate)
    print(f"caller heard {len(heard) / rate:.1f} s, {frequency:.0f} Hz missing for {missing:.2f} s")
    assert missing < 0.05 * len(heard) / rate + 0.5


def _missing(samples: Samples, frequency: float, rate: int) -> float:
    """Seconds, between its first and last sound, in which the tone cannot be heard."""
    return float(sum(gap.length_s for gap in gaps(samples, frequency, rate, step_s=0.01) if gap.length_s > 0.04))


# ---- memory

Memory = list[tuple[float, dict[str, float]]]


@contextlib.contextmanager
def _memory(system: System, every_s: float) -> Iterator[Memory]:
    """RSS of each process in MB, taken all the time while the block runs."""
    pids = {role: system.pid(role) for role in ROLES}
    taken: Memory = []
    over = threading.Event()

    def look() -> None:
        taken.append((time.monotonic(), {role: rss_mb(pid) for role, pid in pids.items()}))

    def take() -> None:
        while not over.wait(every_s):
            look()

    thread = threading.Thread(target=take, name="memory", daemon=True)
    look()
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join(10)
    look()


def _check_memory(taken: Memory) -> None:
    """From the second third on, the last third holds no more: pools and caches fill at the beginning."""
    third = max(1, len(taken) // 3)
    for role in ROLES:
        figures = [one[role] for _, one in taken]
        first, middle, last = (figures[0], max(figures[third : 2 * third] or figures), max(figures[-third:]))
        print(f"RSS of {role}: {first:.1f} MB at first, {middle:.1f} in the middle, {last:.1f} at the end")
        assert last <= middle * 1.1 + 8, f"{role} grows: {[round(figure, 1) for figure in figures]}"
