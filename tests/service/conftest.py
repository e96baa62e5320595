"""A desk process in this one: the real application over a real store, asked by a client that behaves like a browser."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from aircall_core.config import Settings
from aircall_core.desk import sessions
from aircall_core.ids import new_id
from aircall_core.service.app import build_app, build_desk
from aircall_core.service.desk import Desk
from aircall_core.store import Store, open_store
from tests.support.desk_kit import add_user
from tests.support.hashes import cheap_hashes

with warnings.catch_warnings():  # it would rather have httpx's successor
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["cheap_hashes"]

HOST = "desk.test"
CONSOLE = f"http://{HOST}:8501"
DESK = f"http://{HOST}:8502"
SOCKET = f"ws://{HOST}:8502/realtime"  # the client joins relative ones to a host of its own
FOREIGN = "https://evil.example"


def make_settings(data_dir: Path, url: str, **changes: Any) -> Settings:
    """Settings that no environment of the machine has a say in."""
    return Settings(_env_file=None, data_dir=data_dir, database_url=url, **changes)


@dataclass
class World:
    """The desk under test, and how to become somebody in it."""

    desk: Desk
    client: TestClient
    users: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The store below."""
        return self.desk.store

    def user(self, name: str, role: str = "agent", lines: tuple[str, ...] = ()) -> str:
        """A user of this role; their id."""
        with self.store.write() as tx:
            self.users[name] = add_user(tx, name, role=role, lines=lines)
        return self.users[name]

    def session(self, user: str, role: str = "agent") -> str:
        """A session of this user, begun without a password; its token."""
        with self.store.write() as tx:
            return sessions.begin(tx, user, "Somebody", role, "pytest", 14).token

    def as_user(self, user: str) -> dict[str, str]:
        """Request headers of this user's browser on the console's page."""
        return {"cookie": f"{self.desk.cookie}={self.session(user)}", "origin": CONSOLE}

    def ask(self, method: str, path: str, user: str | None = None, **kwargs: Any) -> httpx.Response:
        """A request from the console's page, signed in as ``user``."""
        headers = {"origin": CONSOLE} if user is None else self.as_user(user)
        answer: httpx.Response = self.client.request(method, path, headers=headers, **kwargs)
        return answer


@pytest.fixture
def make_world(tmp_path: Path, sqlite_url: str) -> Iterator[Callable[..., World]]:
    """Makes the desk under test with changed settings."""
    opened: list[tuple[TestClient, Store]] = []

    def make(**changes: Any) -> World:
        settings = make_settings(tmp_path, sqlite_url, **changes)
        store = open_store(settings.database_url)
        desk = build_desk(settings, store)
        client = TestClient(build_app(desk), base_url=DESK, follow_redirects=False, raise_server_exceptions=True)
        client.__enter__()
        assert desk.follower is not None
        assert desk.follower.ready.wait(10)
        opened.append((client, store))
        return World(desk, client)

    yield make
    for client, store in opened:
        client.__exit__(None, None, None)
        store.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """The desk under test with default settings."""
    return make_world()


def command() -> str:
    """A client-made id."""
    return new_id()
