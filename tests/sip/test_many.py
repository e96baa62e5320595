"""Many calls: one after another and at once. None is lost, none leaks, the worker stays as it was."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from aircall_core.desk.errors import DeskError
from tests.sip.kit import RATE, Agent, Site
from tests.support.audio import from_pcm, tone, tone_level
from tests.support.processes import eventually
from tests.support.sipp import Sipp

pytestmark = pytest.mark.sip
USERS = tuple(f"User{number}" for number in range(45))  # more than calls: a user is free a moment after their call


class AutoDesk:
    """Agents who take whatever rings, each one call at a time."""

    def __init__(self, site: Site, *, audio: bool) -> None:
        self.site, self.audio = site, audio
        self.agents: dict[str, tuple[Agent, str]] = {}  # call -> its agent and the user
        self.answered = 0
        self.heard_db: list[float] = []  # level of the caller's tone, where there was enough of it
        self._free = list(site.users)
        self._after = site.store.last_seq()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for rows in self.site.store.follow(self._after, self._stop):
            for row in rows:
                call = str(row.event.call_id)
                if row.kind == "call.arrived":
                    self._take(call)
                elif row.kind == "call.ended":
                    self._leave(call)

    def _take(self, call: str) -> None:
        user = self._free.pop()
        agent = Agent(self.site, call, user, tone(660, 1, RATE))
        self.agents[call] = agent, user
        try:
            self.site.accept(call, user, agent.peer)
        except DeskError:  # the caller was quicker
            self._leave(call)
        else:
            self.answered += 1

    def _leave(self, call: str) -> None:
        agent, user = self.agents.pop(call, (None, ""))
        if agent is None:
            return
        agent.close()
        if self.audio and len(agent.heard) > 40:
            self.heard_db.append(tone_level(from_pcm(b"".join(agent.heard[20:40])), 440, RATE))
        self._free.append(user)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        for agent, _ in self.agents.values():
            agent.close()


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A line with plenty of users."""
    with Site(tmp_path, sqlite_url, *USERS, recording="on") as opened:
        yield opened


def outcomes(site: Site) -> list[tuple[str, int]]:
    """How the calls ended, counted."""
    with site.store.read() as conn:
        found = conn.exec_driver_sql("select coalesce(outcome, state), count(*) from calls group by 1 order by 1")
        return [(str(name), int(count)) for name, count in found]


def recordings(site: Site) -> tuple[int, int]:
    """How many recordings have begun, and how many are whole."""
    states = [row.event.data["state"] for row in site.events() if row.kind == "call.recording"]
    return states.count("started"), states.count("saved")


def all_saved(site: Site) -> bool:
    """Whether every recording that has begun is whole."""
    started, saved = recordings(site)
    return 0 < started == saved


def resident_mb(pid: int) -> float:
    """Memory of a process in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.parametrize("count", [30, pytest.param(500, marks=pytest.mark.soak)])
def test_one_after_another(site: Site, tmp_path: Path, count: int) -> None:
    with site.worker() as worker, AutoDesk(site, audio=False) as desk:
        memory: list[float] = []
        for part in range(2):
            with Sipp(
                "call", f"127.0.0.1:{site.port}", tmp_path, calls=count // 2, rate=20, at_once=1, hold_ms=50,
                timeout=600, name=f"sipp{part}",
            ) as caller:  # fmt: skip
                result = caller.result()
                assert (result.successful, result.failed) == (count // 2, 0), caller.why
            memory.append(resident_mb(worker.pid))
        eventually(lambda: outcomes(site) == [("answered", count // 2 * 2)], what="every call has its end")
        assert desk.answered == count // 2 * 2
        eventually(lambda: all_saved(site), 60, "every recording is whole")
        assert memory[1] < 220, memory
        assert not worker.logs("callback_failed")
        assert not worker.logs("bridge_failed")
        assert not worker.logs("audio_port_failed")


@pytest.mark.parametrize(
    ("at_once", "count", "hold_ms"), [(5, 10, 2000), pytest.param(30, 300, 20_000, marks=pytest.mark.soak)]
)
def test_at_once(site: Site, tmp_path: Path, at_once: int, count: int, hold_ms: int) -> None:
    sound = tone(440, hold_ms / 1000 + 1, RATE)
    with site.worker() as worker, AutoDesk(site, audio=True) as desk:
        with Sipp(
            "call", f"127.0.0.1:{site.port}", tmp_path, calls=count, rate=5, at_once=at_once, hold_ms=hold_ms,
            audio=sound, timeout=900,
        ) as caller:  # fmt: skip
            result = caller.result()
            assert (result.successful, result.failed) == (count, 0), caller.why
        eventually(lambda: outcomes(site) == [("answered", count)], what="every call has its end")
        eventually(lambda: len(desk.heard_db) == count, what="every agent has hung up")
        assert min(desk.heard_db) > -30, "an agent did not hear the caller"
        try:
            eventually(lambda: recordings(site) == (count, count), 60, "every recording is whole")
        except AssertionError as late:
            told = [(row.event.call_id, dict(row.event.data)) for row in site.events() if row.kind == "call.recording"]
            raise AssertionError(f"{late}; {recordings(site)}: {told}; {worker.errors[-3000:]}") from None
        assert not worker.logs("bridge_failed")
