"""A whole installation for tests: backend (desk, worker, gateway) and, if wanted, the console, on ports of its own.

    with System(tmp_path) as system:
        ada = system.add_user("Ada", role="administrator")
        line = system.add_line("+33199000001", [ada])
        tab = system.on_duty(ada)
        with system.phone_call(line) as phone:
            ringing = tab.wait_for("call.ringing")
            with system.accept(ada, tab, ringing["call_id"], voice=tone(440, 1, 8000)) as agent:
                phone.wait_for("answered")

Inside a network namespace (fixture `netns`) nothing changes but that everything lives there.
"""

import contextlib
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

import httpx

from aircall_core.backend import find_backend, read_state, stop_backend
from aircall_core.config import Settings
from aircall_core.desk import company, lines, passwords, people, sessions
from aircall_core.domain.events import EventRow
from aircall_core.ids import new_id
from aircall_core.store import Store, flows, migrate, open_store
from tests.support.audio import Samples
from tests.support.pcm_peer import PcmPeer
from tests.support.peers import TestPhone
from tests.support.ports import free_ports
from tests.support.processes import Process, eventually
from tests.support.realtime import Tab

PASSWORD = "a long passphrase for tests"
ROOT = Path(__file__).parents[2]
_SITE = Path(__file__).with_name("site")


_hash = passwords.hashed


@cache
def _hashed(password: str) -> str:
    """Made once: a hash takes all of a core for a fifth of a second, on purpose."""
    return _hash(password)


@dataclass
class User:
    """A user of the installation, and their session cookie once signed in."""

    id: str
    name: str
    email: str
    cookie: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Line:
    """A number of the installation."""

    id: str
    number: str


class System:
    """One installation. `start()` (or the `with` block) starts the backend and waits until it is ready."""

    def __init__(
        self, folder: Path, *, database_url: str = "", host: str = "127.0.0.1", sip_host: str = "",
        console: bool = False, **settings: object,
    ) -> None:  # fmt: skip
        """`settings` are those of config.py: workers=2, gateway_capacity=2 ..."""
        self.folder, self.host, self.with_console = folder, host, console
        self.sip_host = sip_host or host
        sip, desk, http = free_ports(3, host)
        first = random.randrange(10_000, 30_000, 400)
        values: dict[str, object] = {
            "data_dir": folder / "data", "database_url": database_url, "http_host": host, "http_port": http,
            "desk_port": desk, "sip_host": self.sip_host, "sip_port": sip, "sips_port": free_ports(1, host)[0],
            "rtp_ports": f"{first}-{first + 399}", "log_level": "info", **settings,
        }  # fmt: skip
        self.environment = {f"AIRCALL_{name.upper()}": str(value) for name, value in values.items() if value != ""}
        self.environment["PYTHONPATH"] = str(ROOT)
        # Sockets below the test's own folder would make too long a path; XDG_RUNTIME_DIR may be missing.
        self.settings = Settings(**{name: value for name, value in values.items() if value != ""})  # type: ignore[arg-type]
        self._resources = contextlib.ExitStack()
        self._users = 0
        self.backend: Process | None = None
        self.console: Process | None = None

    # ---- life

    def start(self, timeout: float = 60) -> Self:
        """Start what is not running, and wait until calls can be taken."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "aircall_core", "backend"]
        name = f"backend-{new_id()[-4:]}"
        self.backend = Process(name, words, self.folder, self.environment)
        if self.with_console:
            self.start_console()
        self.wait_ready(timeout)
        return self

    def start_console(self) -> Process:
        """Start the console (again)."""
        words = [sys.executable, "-m", "aircall_core", "console"]
        path = f"{_SITE}{os.pathsep}{self.environment['PYTHONPATH']}"
        environment = {**self.environment, "PYTHONPATH": path}
        self.console = Process(f"console-{new_id()[-4:]}", words, self.folder, environment)
        eventually(self._console_answers, 60, "the console's page", every=0.1)
        return self.console

    def wait_ready(self, timeout: float = 60) -> None:
        """Until /readyz says 200; the reasons and the log's end otherwise."""
        answer: dict[str, object] = {}

        def ready() -> bool:
            assert self.backend is None or self.backend.popen.poll() is None, self.log[-4000:]
            try:
                reply = self.http.get("/readyz")
            except httpx.TransportError:
                return False
            answer.update(reply.json())
            return reply.status_code == 200

        try:
            eventually(ready, timeout, "readiness", every=0.05)
        except AssertionError:
            raise AssertionError(f"not ready: {answer}\n{self.log[-4000:]}") from None

    def stop(self) -> None:
        """Close tabs, phones and the store, stop console and backend, leave no process behind."""
        self._resources.close()
        if self.console is not None:
            self.console.stop()
        left = read_state(self.settings)
        if self.backend is not None:
            self.backend.kill(signal.SIGTERM)
            self.backend.kill(signal.SIGINT)  # asked twice: running calls get no time
            self.backend.stop(15)
        elif left is not None and left.process.alive():  # a console started it
            stop_backend(self.settings, at_once=True)
        for process in left.children.values() if left else ():
            if process.alive():
                os.kill(process.pid, signal.SIGKILL)
        if "store" in self.__dict__:
            self.store.close()
        for name in ("http", "_console_http"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ---- processes

    def pid(self, role: str, index: int = 0) -> int:
        """Process id of `desk`, `worker`, `gateway`, `backend` or `console`."""
        if role == "console":
            assert self.console is not None
            return self.console.pid
        state = find_backend(self.settings)
        assert state is not None, self.log[-2000:]
        return state.process.pid if role == "backend" else state.children[f"{role}-{index}"].pid

    def kill(self, role: str, index: int = 0, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill one process by its role; its pid."""
        pid = self.pid(role, index)
        os.kill(pid, number)
        return pid

    def wait_new(self, role: str, old_pid: int, index: int = 0, timeout: float = 15) -> int:
        """The pid of the process that the supervisor started in place of `old_pid`."""

        def other() -> int:
            state = find_backend(self.settings)
            process = state.children.get(f"{role}-{index}") if state else None
            return process.pid if process and process.pid != old_pid and process.alive() else 0

        return eventually(other, timeout, f"a new {role}")

    @property
    def log(self) -> str:
        """What backend and children have logged so far."""
        return self.backend.errors if self.backend else ""

    # ---- addresses

    @property
    def desk_url(self) -> str:
        """The desk's origin."""
        return f"http://{self.host}:{self.settings.desk_port}"

    @property
    def console_url(self) -> str:
        """The console's origin."""
        return f"http://{self.host}:{self.settings.http_port}"

    @property
    def sip_server(self) -> str:
        """host:port of worker 0."""
        return f"{self.sip_host}:{self.settings.sip_port}"

    @cached_property
    def http(self) -> httpx.Client:
        """A client of the desk with the console's origin and no session."""
        return httpx.Client(base_url=self.desk_url, headers={"Origin": self.console_url}, timeout=10, trust_env=False)

    @cached_property
    def _console_http(self) -> httpx.Client:
        return httpx.Client(base_url=self.console_url, timeout=5, trust_env=False, verify=False)  # noqa: S501  plain HTTP

    @cached_property
    def store(self) -> Store:
        """The installation's store, opened by the test."""
        self.settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        migrate.upgrade(self.settings.database_url)
        store = open_store(self.settings.database_url)
        company.ensure_installation(store)
        return store

    # ---- people and lines

    def add_user(self, name: str = "", role: str = "agent", *, sign_in: bool = True) -> User:
        """Create an active user, signed in unless told otherwise."""
        self._users += 1
        name = name or f"User {self._users}"
        email = f"user{self._users}@example.com"
        with mock.patch.object(passwords, "hashed", _hashed):
            user = User(people.create(self.store, name=name, email=email, role=role, password=PASSWORD), name, email)
        if sign_in:
            self.let_in(user)
        return user

    def let_in(self, user: User) -> tuple[str, str]:
        """A new session, begun without a password; its cookie (name, value), kept in `user.cookie` too."""
        name = f"aircall_{company.ensure_installation(self.store)}"
        with self.store.write() as tx:
            user.cookie = (name, sessions.begin(tx, user.id, user.name, "", "tests", 14).token)
        return user.cookie

    def sign_in(self, user: User) -> tuple[str, str]:
        """As `let_in`, by the password."""
        with httpx.Client(base_url=self.desk_url, trust_env=False, timeout=20) as client:
            reply = client.post(
                "/session/login", json={"email": user.email, "password": PASSWORD}, headers={"Origin": self.desk_url}
            )
            assert reply.status_code == 200, reply.text
            user.cookie = next((name, value) for name, value in client.cookies.items() if name.startswith("aircall_"))
        return user.cookie

    def add_line(self, number: str, users: Sequence[User], name: str = "Sales", **more: Any) -> Line:
        """Create a line that rings these users."""
        with self.store.write() as tx:
            line_id = lines.create(tx, "system", users=[one.id for one in users], name=name, number=number, **more)
        return Line(line_id, number)

    def draw(self, line: Line, steps: Sequence[Mapping[str, Any]]) -> None:
        """The line's next flow, as its editor would save it (and would refuse some that tests want)."""
        with self.store.write() as tx:
            newest = flows.newest(tx.conn, line.id)
            values = {"version": newest["version"] + 1 if newest else 1, "document": {"steps": list(steps)}}
            flows.add(tx.conn, line_id=line.id, created_at=1, created_by=None, **values)

    # ---- what users do

    def post(self, user: User | None, path: str, body: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """POST as this user, with the console's origin."""
        cookies = {"Cookie": f"{user.cookie[0]}={user.cookie[1]}"} if user else {}
        return self.http.post(path, json=body or {}, headers=cookies, **options)

    def get(self, user: User | None, path: str, **options: Any) -> httpx.Response:
        """GET as this user."""
        cookies = {"Cookie": f"{user.cookie[0]}={user.cookie[1]}"} if user else {}
        return self.http.get(path, headers=cookies, **options)

    def open_tab(self, user: User, *, armed: bool = True, after: int = 0, tab: str = "", browser: str = "") -> Tab:
        """A browser tab of the user, greeted; closed with the system."""
        opened = Tab(
            self.desk_url, user.cookie, origin=self.console_url, armed=armed, after=after, tab=tab, browser=browser
        )
        self._resources.callback(opened.close)
        opened.wait_frame("caught_up")
        return opened

    def on_duty(self, user: User, *, browser: str = "") -> Tab:
        """The user's tab, armed, with the duty switch on and their presence known to the store."""
        tab = self.open_tab(user, browser=browser)
        reply = self.post(user, "/desk/duty", {"on": True, "command": new_id(), "tab": tab.id})
        assert reply.status_code == 202, reply.text
        tab.wait_until(lambda: tab.view.get("duty"), "duty")  # on duty before: no event, but in the snapshot
        eventually(lambda: self._present(tab), what="the tab's presence in the store")
        return tab

    def _present(self, tab: Tab) -> bool:
        with self.store.read() as conn:
            row = conn.exec_driver_sql("SELECT armed FROM presence WHERE tab_id = '%s'" % tab.id).first()  # noqa: S608, UP031
        return bool(row and row[0])

    def accept(self, user: User, tab: Tab, call_id: str, *, voice: Samples | None = None, worker: int = 0) -> PcmPeer:
        """Accept with an agent's audio that is a PCM link of the test's own (no gateway, no browser)."""
        peer = new_id()
        link = PcmPeer(self.settings.worker_socket(worker), peer=peer, call=call_id, user=user.id, voice=voice)
        self._resources.callback(link.close)
        reply = self.post(user, f"/desk/calls/{call_id}/accept", {"command": new_id(), "peer": peer, "tab": tab.id})
        assert reply.status_code == 202, reply.text
        return link

    def phone_call(self, line: Line | str, *, worker: int = 0, **options: Any) -> TestPhone:
        """The test phone calls a line at one of the workers; options are those of TestPhone.call."""
        number = line if isinstance(line, str) else line.number
        name = options.pop("name", f"phone-{new_id()[-6:]}")
        server = f"{self.sip_host}:{self.settings.worker_sip_port(worker)}"
        phone = TestPhone.call(self.folder, number, server=server, name=name, **options)
        self._resources.callback(phone.stop)
        return phone

    # ---- what happened

    def events(self, kind: str = "", after: int = 0, **wanted: object) -> list[EventRow]:
        """The log's events of this kind with these values, in order."""
        rows: list[EventRow] = []
        while batch := self.store.events(rows[-1].seq if rows else after, 500):
            rows += batch
        return [row for row in rows if _matches(row, kind, wanted)]

    def wait_for(self, kind: str, timeout: float = 10, after: int = 0, **wanted: object) -> EventRow:
        """The first such event of the log, come or yet to come."""
        stop = threading.Event()
        timer = threading.Timer(timeout, stop.set)
        timer.start()
        try:
            for row in _flat(self.store.follow(after, stop)):
                if _matches(row, kind, wanted):
                    return row
        finally:
            timer.cancel()
        kinds = [row.kind for row in self.events(after=after)]
        raise AssertionError(f"no {kind} {wanted} within {timeout} s; came: {kinds[-40:]}\n{self.log[-2000:]}")

    def _console_answers(self) -> bool:
        assert self.console is not None
        assert self.console.popen.poll() is None, self.console.errors[-2000:]
        try:
            return self._console_http.get("/_stcore/health").status_code == 200
        except httpx.TransportError:
            return False


def _matches(row: EventRow, kind: str, wanted: dict[str, object]) -> bool:
    event = row.event
    if kind and event.kind != kind:
        return False
    return all(getattr(event, name, None) == value or event.data.get(name) == value for name, value in wanted.items())


def _flat(batches: Iterator[list[EventRow]]) -> Iterator[EventRow]:
    for batch in batches:
        yield from batch
