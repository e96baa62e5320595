"""Users from the first one on: one-time links, roles, and leaving."""

import concurrent.futures
from collections.abc import Callable
from pathlib import Path

import pytest

from aircall_core.desk import links, passwords, people, sessions
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.store import Store, accounts
from tests.service.conftest import CONSOLE, DESK, World, make_settings

PASSWORD = "correct horse battery"


def token_of(link: str | None) -> str:
    assert link is not None
    return link.partition("token=")[2]


def first(world: World) -> str:
    """The first administrator, made on the page; their id."""
    token = token_of(people.first_admin_link(world.store, world.desk.settings))
    sent = {"token": token, "name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    assert world.client.post("/session/setup", data=sent, headers={"origin": DESK}).status_code == 303
    world.client.cookies.clear()
    with world.store.read() as conn:
        (user,) = accounts.active_administrators(conn)
    return user


def test_the_first_administrator_comes_by_the_link(world: World) -> None:
    said = world.client.get("/session/login").text
    assert "Nobody can sign in yet" in said
    link = people.first_admin_link(world.store, world.desk.settings)
    assert link is not None
    assert link.startswith("http://127.0.0.1:8502/session/setup?token=")
    token = token_of(link)
    page = world.client.get("/session/setup", params={"token": token})
    assert page.status_code == 200
    assert token in page.text
    wrong = world.client.post(
        "/session/setup",
        data={"token": token, "name": " ", "email": "no", "password": "short"},
        headers={"origin": DESK},
    )
    assert wrong.status_code == 422
    assert all(f'id="{name}-error"' in wrong.text for name in ("name", "email", "password"))
    assert 'value="no"' in wrong.text, "what was typed is kept"
    assert "short" not in wrong.text.replace("shortest", ""), "but not the password"
    done = world.client.post(
        "/session/setup",
        data={"token": token, "name": "Ada", "email": "Ada@Example.com", "password": PASSWORD},
        headers={"origin": DESK},
    )
    assert (done.status_code, done.headers["location"]) == (303, f"{CONSOLE}/")
    assert world.client.get("/session/me").json()["user"]["role"] == "administrator"
    assert people.first_admin_link(world.store, world.desk.settings) is None
    world.client.cookies.clear()
    again = world.client.get("/session/setup", params={"token": token})
    assert again.status_code == 410
    assert "There is an administrator already" in again.text


def test_only_one_first_administrator(store: Store, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store.url.render_as_string(hide_password=False))
    tokens = [token_of(people.first_admin_link(store, settings)) for _ in range(4)]

    def attempt(number: int) -> bool:
        try:
            people.create_first(
                store, tokens[number], name=f"A{number}", email=f"a{number}@example.com", password=PASSWORD
            )
        except DeskError:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1


def test_an_invitation_is_used_once(world: World) -> None:
    boss = first(world)
    made = world.ask("POST", "/desk/users", boss, json={"name": "Bob", "email": "bob@example.com", "role": "agent"})
    assert made.status_code == 201
    token = token_of(made.json()["link"])
    page = world.client.get("/session/join", params={"token": token})
    assert "Hello Bob" in page.text
    weak = world.client.post(
        "/session/join", data={"token": token, "password": "bob@example.com"}, headers={"origin": DESK}
    )
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    done = world.client.post("/session/join", data={"token": token, "password": PASSWORD}, headers={"origin": DESK})
    assert done.status_code == 303
    assert world.client.get("/session/me").json()["user"] == {"id": made.json()["id"], "name": "Bob", "role": "agent"}
    world.client.cookies.clear()
    for answer in (
        world.client.get("/session/join", params={"token": token}),
        world.client.post("/session/join", data={"token": token, "password": PASSWORD}, headers={"origin": DESK}),
    ):
        assert answer.status_code == 410
        assert "has been used" in answer.text


def test_a_reset_ends_sessions_and_forgives_failures(world: World) -> None:
    boss = first(world)
    bob = people.create(world.store, name="Bob", email="bob@example.com", role="agent", password=PASSWORD)
    old = world.as_user(bob)
    for _ in range(7):
        with pytest.raises(DeskError):
            sessions.sign_in(world.store, "bob@example.com", "wrong", address="203.0.113.9")
    answer = world.ask("POST", f"/desk/users/{bob}/link", boss).json()
    assert answer["purpose"] == "reset"
    newer = world.ask("POST", f"/desk/users/{bob}/link", boss).json()
    token = token_of(answer["link"])
    assert world.client.get("/session/join", params={"token": token}).status_code == 410, "replaced by the newer"
    assert world.client.get("/session/me", headers=old).status_code == 200, "nothing happened yet"
    sent = {"token": token_of(newer["link"]), "password": "another horse battery"}
    assert world.client.post("/session/join", data=sent, headers={"origin": DESK}).status_code == 303
    assert world.client.get("/session/me", headers=old).status_code == 401
    sessions.sign_in(world.store, "bob@example.com", "another horse battery", address="192.0.2.5")


def test_links_age(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from aircall_core.store import clock

    with store.write() as tx:
        _, token = people.invite(tx, "system", name="Bob", email="bob@example.com", role="agent")
    with pytest.raises(DeskError):
        links.check(store, token, links.RESET)
    real = clock.now_ms
    monkeypatch.setattr(clock, "now_ms", lambda conn: real(conn) + 8 * 24 * 3600 * 1000)
    with pytest.raises(DeskError) as old:
        links.check(store, token, links.INVITE)
    assert "too old" in old.value.message
    with pytest.raises(DeskError):
        people.join(store, token, PASSWORD)


def test_there_is_always_an_administrator(store: Store) -> None:
    ada = people.create(store, name="Ada", email="ada@example.com", role="administrator", password=PASSWORD)
    for wanted in ({"role": "agent"}, {"state": "disabled"}):
        with pytest.raises(DeskError) as last, store.write() as tx:
            people.change(tx, "system", ada, **wanted)
        assert last.value.code == "last_administrator"
    bob = people.create(store, name="Bob", email="bob@example.com", role="administrator", password=PASSWORD)

    def step_down(user: str) -> bool:
        try:
            with store.write() as tx:
                people.change(tx, "system", user, role="agent")
        except DeskError:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(step_down, [ada, bob])) == [False, True]


def test_who_leaves_is_signed_out_and_not_rung(store: Store) -> None:
    from aircall_core.desk import availability
    from tests.support.desk_kit import beat_of

    people.create(store, name="Ada", email="ada@example.com", role="administrator", password=PASSWORD)
    bob = people.create(store, name="Bob", email="bob@example.com", role="agent", password=PASSWORD)
    token = sessions.sign_in(store, "bob@example.com", PASSWORD, address="192.0.2.1").token
    with store.write() as tx:
        availability.beat(tx, [beat_of(bob)])
        availability.set_duty(tx, bob, on=True, command="command-1")
        _, link = people.new_link(tx, bob)
    with store.write() as tx:
        people.change(tx, "system", bob, state="disabled")
    assert sessions.identify(store, token) is None
    with store.read() as conn:
        row = accounts.user(conn, bob)
    assert row is not None
    assert not row["on_duty"]
    with pytest.raises(DeskError):
        people.join(store, link, PASSWORD)
    with store.write() as tx:
        people.change(tx, "system", bob, state="active")
    sessions.sign_in(store, "bob@example.com", PASSWORD, address="192.0.2.1")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"email": "bob"}, "email"),
        ({"email": "bob@@example.com"}, "email"),
        ({"email": "b ob@example.com"}, "email"),
        ({"email": "ADA@example.com"}, "email"),
        ({"role": "owner"}, "role"),
    ],
)
def test_mistakes_are_told_at_their_field(store: Store, values: dict[str, str], field: str) -> None:
    people.create(store, name="Ada", email="ada@example.com", role="administrator", password=PASSWORD)
    given = {"name": "Bob", "email": "bob@example.com", "role": "agent"} | values
    with pytest.raises(Invalid) as wrong, store.write() as tx:
        people.invite(tx, "system", **given)
    assert list(wrong.value.details["fields"]) == [field]  # type: ignore[call-overload]


@pytest.mark.parametrize("password", ["", "short", "x" * 201, "aaaaaaaaaaaa", "Password123", "ada@example.com", "ADA"])
def test_weak_passwords(password: str) -> None:
    assert passwords.weakness(password, name="Ada", email="ada@example.com")


@pytest.mark.parametrize("password", [PASSWORD, "日本語のパスワードです", "x7#kQ!p2vL"])
def test_good_passwords(password: str) -> None:
    assert passwords.weakness(password, name="Ada", email="ada@example.com") is None
    assert passwords.matches(password, passwords.hashed(password))


def test_a_crowd_at_the_door_is_asked_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_QUEUE_S", 0)
    with passwords._Turn(), passwords._Turn(), pytest.raises(DeskError) as busy:
        passwords.matches("x", None)
    assert busy.value.status == 503
    assert passwords.matches("x", None) is False


def test_the_link_names_the_desk_as_browsers_see_it(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(desk_url="https://calls.example.com", console_url="https://calls.example.com")
    link = people.first_admin_link(world.store, world.desk.settings)
    assert link is not None
    assert link.startswith("https://calls.example.com/session/setup?token=")
