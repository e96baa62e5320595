"""The desk process itself: started, asked, killed and stopped as its supervisor does it."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from aircall_core.desk import company, people, sessions
from aircall_core.service.hub import CLOSE_RESTART, CLOSE_SIGNED_OUT
from aircall_core.store import Store, open_store
from tests.service.test_sign_in import PASSWORD
from tests.support.desk_kit import Desk as Office
from tests.support.ports import free_ports
from tests.support.processes import Process
from tests.support.realtime import Tab


class DeskProcess:
    """`python -m aircall_core desk` over a store of its own."""

    def __init__(self, folder: Path, url: str, **settings: Any) -> None:
        self.folder, self.console_port, self.port = folder, *free_ports(2)
        self.environment = {
            "AIRCALL_DATA_DIR": str(folder),
            "AIRCALL_DATABASE_URL": url,
            "AIRCALL_HTTP_PORT": str(self.console_port),
            "AIRCALL_DESK_PORT": str(self.port),
            **{f"AIRCALL_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.url, self.origin = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.console_port}"
        self.store: Store = open_store(url)
        self.cookie_name = f"aircall_{company.ensure_installation(self.store)}"
        self.lives = 0
        self.start()

    def start(self) -> None:
        self.lives += 1
        argv = [sys.executable, "-m", "aircall_core", "desk"]
        self.process = Process(f"desk-{self.lives}", argv, self.folder, self.environment)
        with httpx.Client(transport=httpx.HTTPTransport(retries=20), trust_env=False) as client:
            assert client.get(f"{self.url}/healthz", timeout=20).status_code == 200

    def cookie(self, user: str) -> tuple[str, str]:
        with self.store.write() as tx:
            return self.cookie_name, sessions.begin(tx, user, "Somebody", "agent", "pytest", 14).token

    def tab(self, cookie: tuple[str, str], **more: Any) -> Tab:
        return Tab(self.url, cookie, origin=self.origin, **more)

    def close(self) -> None:
        self.process.stop()
        self.store.close()


@pytest.fixture
def running(tmp_path: Path, sqlite_url: str) -> Iterator[DeskProcess]:
    """A desk process."""
    process = DeskProcess(tmp_path, sqlite_url)
    yield process
    process.close()


def test_killed_and_started_again_nothing_is_missed(running: DeskProcess) -> None:
    office = Office.open(running.store, "Ada", "Bob")
    ada, bob = office.users
    cookie = running.cookie(ada)
    with running.tab(cookie) as tab:
        tab.wait_frame("caught_up")  # else the snapshot may have the call already, and no event tells of it
        first = office.arrive().call_id
        tab.wait_for("call.ringing", call_id=first)
        running.process.kill(signal.SIGKILL)
        running.process.wait()
        tab.wait_until(lambda: tab.closed, "the end of the socket")
        cursor, view = tab.seq, tab.view
    office.answer(first, bob)
    second = office.arrive().call_id
    running.start()
    with running.tab(cookie, after=cursor) as again:
        again.view = view
        again.wait_frame("caught_up")
        assert not [frame for frame in again.frames if frame["t"] == "snapshot"]
        assert again.events("call.answered", call_id=first)[0]["who"]["name"] == "Bob"
        assert again.events("call.ringing", call_id=second)
        office.end(second)
        again.wait_for("call.ended", call_id=second)


def test_stopped_in_order_it_says_goodbye(running: DeskProcess) -> None:
    office = Office.open(running.store, "Ada")
    with running.tab(running.cookie(office.users[0])) as tab:
        tab.wait_frame("aloud")
        running.process.kill(signal.SIGTERM)
        assert running.process.wait(15) == 0
        tab.wait_until(lambda: tab.closed, "the end of the socket")
        assert tab.closed is not None
        assert tab.closed[0] == CLOSE_RESTART
        assert tab.frames[-1]["t"] == "gone"
        assert tab.frames[-1]["reason"] == "shutdown"
    assert "Traceback" not in running.process.errors
    with running.store.read() as conn:
        from aircall_core.store.queries import health

        assert [one.alive for one in health.node_states(conn) if one.kind == "desk"] == [False]


def test_a_session_revoked_elsewhere_ends_the_socket(running: DeskProcess) -> None:
    office = Office.open(running.store, "Ada")
    (ada,) = office.users
    cookie = running.cookie(ada)
    with running.tab(cookie) as tab:
        tab.wait_frame("aloud")
        with running.store.write() as tx:  # by another process, as the command line is
            sessions.revoke_all(tx, ada, "system")
        tab.wait_until(lambda: tab.closed, "the end of the socket")
        assert tab.closed is not None
        assert tab.closed[0] == CLOSE_SIGNED_OUT
    with pytest.raises(InvalidStatus) as refused:
        running.tab(cookie)
    assert refused.value.response.status_code == 401


def test_twenty_tabs_all_hear_of_every_call(running: DeskProcess) -> None:
    office = Office.open(running.store, *[f"user{number}" for number in range(20)])
    tabs = [running.tab(running.cookie(user)) for user in office.users]
    try:
        for tab in tabs:
            tab.wait_frame("aloud")
        calls = [office.arrive().call_id for _ in range(5)]
        for call in calls:
            office.end(call)
        for tab in tabs:
            tab.wait_for("call.ended", call_id=calls[-1])
            assert tab.view["calls"] == {}
            seqs = [frame["seq"] for frame in tab.events()]
            assert seqs == sorted(set(seqs))
            assert len(tab.events("call.ended")) == 5
    finally:
        for tab in tabs:
            tab.close()


def test_a_named_proxy_is_believed(tmp_path: Path, sqlite_url: str) -> None:
    process = DeskProcess(tmp_path, sqlite_url, trusted_proxies="127.0.0.1")
    try:
        people.create(process.store, name="Ada", email="ada@example.com", role="agent", password=PASSWORD)
        headers = {"origin": process.origin, "x-forwarded-for": "203.0.113.7"}
        body = {"email": "ada@example.com", "password": "wrong"}
        assert httpx.post(f"{process.url}/session/login", json=body, headers=headers).status_code == 401
        with process.store.read() as conn:
            from aircall_core.store import sessions as rows

            assert list(rows.failures(conn, ["address:203.0.113.7"])) == ["address:203.0.113.7"]
        assert httpx.get(f"{process.url}/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 403
        assert httpx.get(f"{process.url}/metrics").status_code == 200
    finally:
        process.close()


def test_a_taken_port_is_told_and_logs_hold_no_content(running: DeskProcess) -> None:
    second = Process("second", [sys.executable, "-m", "aircall_core", "desk"], running.folder, running.environment)
    assert second.wait(30) == 1
    assert "desk_port_taken" in second.errors
    assert "Traceback" not in second.errors
    answer = httpx.get(f"{running.url}/session/join?token=secret-token-in-the-address")
    assert answer.status_code == 410
    httpx.get(f"{running.url}/nowhere?token=secret-token-in-the-address")
    assert "secret-token" not in running.process.errors
