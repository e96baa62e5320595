"""Signing in, being kept out, and ceasing to be signed in."""

import concurrent.futures
import re
from collections.abc import Callable

import argon2
import pytest

from aircall_core.desk import lockout, passwords, people, sessions
from aircall_core.desk.errors import DeskError
from aircall_core.domain.events import SESSION_REVOKED
from aircall_core.store import Store, accounts
from aircall_core.store import sessions as rows
from tests.service.conftest import CONSOLE, DESK, World

PASSWORD = "correct horse battery"


def make(store: Store, name: str = "Ada", role: str = "agent") -> str:
    """A user who can sign in with PASSWORD."""
    return people.create(store, name=name, email=f"{name}@example.com", role=role, password=PASSWORD)


def sign_in(store: Store, password: str = PASSWORD, name: str = "Ada", address: str = "192.0.2.1") -> sessions.SignedIn:
    return sessions.sign_in(store, f"{name}@example.com", password, address=address)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Turns the store's clock on by so many ms. Sign-in asks it and nothing else."""
    from aircall_core.store import clock as store_clock

    real, ahead = store_clock.now_ms, 0

    def turn(by_ms: int) -> None:
        nonlocal ahead
        ahead += by_ms

    monkeypatch.setattr(store_clock, "now_ms", lambda conn: real(conn) + ahead)
    return turn


# ---- the right password


def test_the_right_password_begins_a_session(store: Store) -> None:
    user = make(store)
    signed_in = sessions.sign_in(store, "  ADA@Example.com ", PASSWORD, address="192.0.2.1", agent="Firefox")
    found = sessions.identify(store, signed_in.token)
    assert found is not None
    assert (found[0].user_id, found[0].role, found[0].name) == (user, "agent", "Ada")
    with store.read() as conn:
        (row,) = rows.running_of(conn, user, 0)
    assert signed_in.token not in str(row), "only a hash of the token is kept"
    assert sessions.identify(store, signed_in.token + "x") is None
    assert sessions.identify(store, "") is None


def test_a_wrong_password_and_an_unknown_user_get_the_same_words(store: Store) -> None:
    make(store)
    said = set()
    for name, password in (("Ada", "wrong"), ("Nobody", PASSWORD), ("Ada", ""), ("Ada", PASSWORD + "x" * 500)):
        with pytest.raises(DeskError) as wrong:
            sign_in(store, password, name)
        said.add((wrong.value.code, wrong.value.message, wrong.value.status))
    assert len(said) == 1


def test_an_unknown_user_costs_a_hash_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make(store)
    checked: list[str | None] = []
    real = passwords.matches

    def watched(given: str, stored: str | None) -> bool:
        checked.append(stored)
        return real(given, stored)

    monkeypatch.setattr(passwords, "matches", watched)
    for name in ("Ada", "Nobody"):
        with pytest.raises(DeskError):
            sign_in(store, "wrong", name)
    assert len(checked) == 2
    assert checked[1] is None
    assert passwords.matches("nobody's password", None) is False, "the decoy's own password opens nothing"


def test_an_old_hash_is_made_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make(store)
    with store.read() as conn:
        before = accounts.user(conn, user)
    assert before is not None
    weak = before["password_hash"]
    monkeypatch.setattr(passwords, "_hasher", argon2.PasswordHasher())  # as in production
    sign_in(store)
    with store.read() as conn:
        row = accounts.user(conn, user)
    assert row is not None
    assert row["password_hash"] != weak
    assert not passwords.is_outdated(row["password_hash"])
    sign_in(store)


# ---- being kept out


def test_failures_keep_an_account_waiting_ever_longer(store: Store, clock: Callable[[int], None]) -> None:
    make(store)
    waits = []
    for attempt in range(12):
        with pytest.raises(DeskError) as wrong:
            sign_in(store, "wrong", address=f"192.0.2.{attempt}")
        assert wrong.value.code == "wrong_credentials"
        with pytest.raises(DeskError) as locked:
            sign_in(store, PASSWORD) if attempt >= lockout.ACCOUNT.free else sign_in(store, "wrong", "Other")
        if attempt >= lockout.ACCOUNT.free:
            assert (locked.value.code, locked.value.status) == ("locked", 429)
            seconds = locked.value.details["retry_s"]
            assert isinstance(seconds, int)
            waits.append(seconds)
            clock(seconds * 1000)
    assert waits == [1, 2, 4, 8, 16, 32, 64]
    sign_in(store)  # the wait is over and the password right
    with pytest.raises(DeskError) as wrong:
        sign_in(store, "wrong")
    assert wrong.value.code == "wrong_credentials", "signing in forgave the failures"


def test_the_wait_survives_a_restart(store: Store) -> None:
    from aircall_core.store import open_store

    make(store)
    for _ in range(lockout.ACCOUNT.free + 1):
        with pytest.raises(DeskError):
            sign_in(store, "wrong")
    with open_store(store.url.render_as_string(hide_password=False)) as again, pytest.raises(DeskError) as locked:
        sign_in(again)
    assert locked.value.code == "locked"


def test_an_address_is_kept_waiting_over_many_accounts(store: Store) -> None:
    make(store)
    for number in range(lockout.ADDRESS.free + 1):
        with pytest.raises(DeskError) as wrong:
            sign_in(store, "wrong", f"guess{number}")
        assert wrong.value.code == "wrong_credentials"
    with pytest.raises(DeskError) as locked:
        sign_in(store)
    assert locked.value.code == "locked"
    sign_in(store, address="192.0.2.2")


def test_a_wait_does_not_tell_whether_the_account_exists(store: Store) -> None:
    make(store)
    said = []
    for name in ("Ada", "Nobody"):
        for _ in range(lockout.ACCOUNT.free + 1):
            with pytest.raises(DeskError):
                sign_in(store, "wrong", name)
        with pytest.raises(DeskError) as locked:
            sign_in(store, "wrong", name)
        said.append((locked.value.code, locked.value.message))
    assert said[0] == said[1]


def test_attempts_at_once_are_all_counted(store: Store) -> None:
    make(store)

    def attempt(number: int) -> str:
        try:
            sign_in(store, "wrong", address=f"198.51.100.{number}")
        except DeskError as wrong:
            return wrong.code
        return "in"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(16)))
    # One more than the free ones is checked, and begins the wait; the others come too early.
    assert results.count("wrong_credentials") <= lockout.ACCOUNT.free + 3
    assert results.count("locked") >= 16 - lockout.ACCOUNT.free - 3


def test_addresses_are_grouped_by_who_has_them() -> None:
    assert lockout.address_subject("2001:db8:1:2::3") == lockout.address_subject("2001:db8:1:2:ffff::9")
    assert lockout.address_subject("2001:db8:1:2::3") != lockout.address_subject("2001:db8:1:3::3")
    assert lockout.address_subject("::ffff:192.0.2.1") == lockout.address_subject("192.0.2.1")
    assert lockout.address_subject("testclient") == "address:unknown"
    assert "@" not in lockout.account_subject("ada@example.com")


# ---- ceasing to be signed in


def test_a_session_slides_and_ends(store: Store, clock: Callable[[int], None]) -> None:
    make(store)
    token = sign_in(store).token
    clock(sessions.IDLE_MS - 60_000)
    found = sessions.identify(store, token)
    assert found is not None
    assert found[1], "its use is to be noted"
    with store.write() as tx:
        sessions.touch(tx, token)
    clock(sessions.IDLE_MS - 60_000)
    assert sessions.identify(store, token) is not None
    clock(120_000)
    assert sessions.identify(store, token) is None, "not used for twelve hours"
    with store.write() as tx:
        sessions.touch(tx, token)
    assert sessions.identify(store, token) is None, "what has ended stays ended"


def test_no_session_outlives_its_longest_life(store: Store, clock: Callable[[int], None]) -> None:
    make(store)
    token = sign_in(store).token
    for _ in range(14 * 24 // 6):
        assert sessions.identify(store, token) is not None
        with store.write() as tx:
            sessions.touch(tx, token, longest_days=14)
        clock(6 * 3600 * 1000)
    assert sessions.identify(store, token) is None


def test_sessions_end_one_by_one_or_all(store: Store) -> None:
    user = make(store)
    first, second, third = (sign_in(store) for _ in range(3))
    before = store.last_seq()
    with store.write() as tx:
        assert sessions.revoke(tx, user, first.identity.session_id, "system")
        assert not sessions.revoke(tx, user, first.identity.session_id, "system")
    assert sessions.identify(store, first.token) is None
    with store.write() as tx:
        assert sessions.revoke_all(tx, user, "system", keep=second.identity.session_id) == 1
    assert sessions.identify(store, second.token) is not None
    assert sessions.identify(store, third.token) is None
    told = [row.event for row in store.events(before)]
    assert [event.kind for event in told] == [SESSION_REVOKED] * 2
    assert {event.audience for event in told} == {f"user:{user}"}


# ---- the pages


def field_error(page: str, name: str) -> str:
    """The words beside a field, which must also be tied to it for those who cannot see."""
    found = re.search(rf'id="{name}-error">([^<]*)<', page)
    assert found, f"no error at {name}"
    field = re.search(rf'<input id="{name}"[^>]*>', page)
    assert field
    assert 'aria-invalid="true"' in field[0]
    assert f"{name}-error" in field[0]
    return found[1]


def test_the_page_signs_in_and_leads_back(world: World) -> None:
    make(world.store, role="administrator")
    asked = f"{CONSOLE}/conversation?id=1"
    page = world.client.get("/session/login", params={"next": asked})
    assert page.status_code == 200
    assert "form-action 'self' http://desk.test:8501" in page.headers["content-security-policy"]
    sent = {"email": "ada@example.com", "password": "wrong", "next": asked}
    headers = {"origin": DESK}
    wrong = world.client.post("/session/login", data=sent, headers=headers)
    assert wrong.status_code == 401
    assert "do not belong together" in field_error(wrong.text, "password")
    assert 'value="ada@example.com"' in wrong.text
    assert 'value="wrong"' not in wrong.text
    assert 'value="http://desk.test:8501/conversation?id=1"' in wrong.text
    right = world.client.post("/session/login", data=sent | {"password": PASSWORD}, headers=headers)
    assert (right.status_code, right.headers["location"]) == (303, asked)
    cookie = right.headers["set-cookie"]
    assert cookie.startswith(f"aircall_{world.desk.install_id}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    me = world.client.get("/session/me")
    assert me.json()["user"]["name"] == "Ada"
    assert world.client.get("/session/login").headers["location"] == f"{CONSOLE}/"
    out = world.client.post("/session/logout", headers={"origin": CONSOLE})
    assert out.headers["location"] == "/session/login"
    assert world.client.get("/session/me").status_code == 401


def test_the_cookie_is_secure_behind_https(make_world: Callable[..., World]) -> None:
    world = make_world(console_url="https://calls.example.com", desk_url="https://calls.example.com")
    make(world.store)
    body = {"email": "ada@example.com", "password": PASSWORD}
    answer = world.client.post("/session/login", json=body, headers={"origin": "https://calls.example.com"})
    assert "Secure" in answer.headers["set-cookie"]


def test_the_page_says_how_long_to_wait(world: World) -> None:
    make(world.store, role="administrator")
    sent = {"email": "ada@example.com", "password": "wrong"}
    for _ in range(lockout.ACCOUNT.free + 1):
        world.client.post("/session/login", data=sent, headers={"origin": DESK})
    answer = world.client.post("/session/login", data=sent, headers={"origin": DESK})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert re.search(r'role="alert">Too many attempts. Please wait \d+ seconds', answer.text)


def test_what_was_typed_is_shown_as_text(world: World) -> None:
    make(world.store, role="administrator")
    evil = '"><script>alert(1)</script>'
    page = world.client.post("/session/login", data={"email": evil, "next": evil}, headers={"origin": DESK})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


def test_the_addresses_of_proxies_are_believed_only_when_named(world: World) -> None:
    make(world.store, role="administrator")
    for number in range(lockout.ADDRESS.free + 1):
        body = {"email": f"guess{number}@example.com", "password": "wrong"}
        headers = {"origin": DESK, "x-forwarded-for": f"203.0.113.{number}"}
        world.client.post("/session/login", json=body, headers=headers)
    right = {"email": "ada@example.com", "password": PASSWORD}
    answer = world.client.post("/session/login", json=right, headers={"origin": DESK, "x-forwarded-for": "8.8.8.8"})
    assert answer.status_code == 429


def test_signing_out_everywhere_else(world: World) -> None:
    user = make(world.store)
    here, there = world.as_user(user), world.as_user(user)
    listed = world.client.get("/session/mine", headers=here).json()["sessions"]
    assert sorted(one["this"] for one in listed) == [False, True]
    (other,) = [one["id"] for one in listed if not one["this"]]
    stranger = world.as_user(make(world.store, "Eve"))
    assert world.client.post("/session/end", headers=stranger, json={"session": other}).status_code == 404
    third = world.as_user(user)
    assert world.client.post("/session/end", headers=here, json={"session": other}).status_code == 204
    assert world.client.get("/session/me", headers=third).status_code == 200
    assert world.client.post("/session/end-others", headers=here).json() == {"ended": 1}
    assert world.client.get("/session/me", headers=third).status_code == 401
    assert world.client.get("/session/me", headers=here).status_code == 200
    assert world.client.get("/session/me", headers=there).status_code == 401
