"""Users: the first administrator, invitations, passwords, roles, and leaving."""

import re
from typing import Any, Final

from aircall_core import ids
from aircall_core.config import Settings
from aircall_core.desk import audit, availability, links, passwords, sessions
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain.events import STAFF, USER_CHANGED, USER_CREATED, USER_DUTY, Event
from aircall_core.store import Store, Tx, accounts
from aircall_core.store import people as duty_rows

ADMINISTRATOR: Final = "administrator"
ROLES: Final = (ADMINISTRATOR, "supervisor", "agent", "analyst")
_EMAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,190}")


# ---- the first administrator


def first_admin_link(store: Store, settings: Settings) -> str | None:
    """A one-time link that makes the first administrator; None once there is one."""
    with store.read() as conn:
        if accounts.active_administrators(conn):
            return None
    with store.write() as tx:
        token = links.make(tx, links.SETUP)
    return links.address(settings, links.SETUP, token)


def check_setup(store: Store, token: str) -> None:
    """Whether the first administrator can be made by this link; DeskError ``link`` says why not."""
    with store.read() as conn:
        if accounts.active_administrators(conn):
            raise DeskError("link", "There is an administrator already: ask them for an invitation.", 410)
    links.check(store, token, links.SETUP)


def create_first(store: Store, token: str, *, name: str, email: str, password: str) -> str:
    """The first administrator, by the one-time link; the user's id. Invalid names the wrong fields."""
    check_setup(store, token)
    name, email = _person(name, email, password)
    stored = passwords.hashed(password)
    with store.write() as tx:
        if accounts.active_administrators(tx.conn, lock=True):
            raise DeskError("link", "There is an administrator already: ask them for an invitation.", 410)
        links.use(tx, token)
        links.void_setup(tx)
        return _add(tx, "system", name, email, ADMINISTRATOR, state="active", password_hash=stored)


def create(store: Store, *, name: str, email: str, role: str, password: str, actor: str = "system") -> str:
    """An active user with a password, for the command line, the demo and tests; the user's id."""
    name, email = _person(name, email, password)
    stored = passwords.hashed(password)
    with store.write() as tx:
        return _add(tx, actor, name, email, _role(role), state="active", password_hash=stored)


# ---- invitations and passwords


def invite(tx: Tx, actor: str, *, name: str, email: str, role: str) -> tuple[str, str]:
    """A user who is yet to choose a password: their id, and the token of the link that lets them."""
    name, email = _person(name, email)
    user_id = _add(tx, actor, name, email, _role(role), state="invited")
    return user_id, links.make(tx, links.INVITE, user_id)


def new_link(tx: Tx, user_id: str) -> tuple[str, str]:
    """Another invitation, or a password reset for who had joined: purpose and token. Sessions end when it is used."""
    user = _user(tx, user_id)
    if user["state"] == "disabled":
        raise DeskError("disabled", "Enable this user first.")
    purpose = links.INVITE if user["state"] == "invited" else links.RESET
    return purpose, links.make(tx, purpose, user_id)


def invited(store: Store, token: str) -> tuple[links.Link, dict[str, Any]]:
    """The link of an invitation or a reset, and the user it is for, to show the form."""
    link = links.check(store, token, links.INVITE, links.RESET)
    with store.read() as conn:
        user = accounts.user(conn, link.user_id or "")
    if user is None or user["state"] == "disabled":
        raise DeskError("link", "This account is switched off. Ask an administrator.", 410)
    return link, user


def join(store: Store, token: str, password: str) -> str:
    """Choose the password by a link; all earlier sessions end. The user's id."""
    _, user = invited(store, token)
    problem = passwords.weakness(password, name=user["name"], email=user["email"])
    if problem:
        raise Invalid({"password": problem})
    stored = passwords.hashed(password)
    with store.write() as tx:
        links.use(tx, token)
        fresh = _user(tx, user["id"])
        if fresh["state"] == "disabled":
            raise DeskError("link", "This account is switched off. Ask an administrator.", 410)
        accounts.change_user(tx.conn, user["id"], password_hash=stored, state="active")
        sessions.revoke_all(tx, user["id"], f"user:{user['id']}")
        sessions.forgive(tx, user["email"])
        _changed(tx, f"user:{user['id']}", user["id"])
        audit.note(tx, f"user:{user['id']}", USER_CHANGED, user["id"], user["name"], {"password": (None, "new")})
    return str(user["id"])


def set_password(store: Store, user_id: str, password: str, actor: str = "system") -> None:
    """A new password, set from the command line or for the demo; all sessions end."""
    stored = passwords.hashed(password)
    with store.write() as tx:
        user = _user(tx, user_id)
        accounts.change_user(tx.conn, user_id, password_hash=stored)
        sessions.revoke_all(tx, user_id, actor)
        sessions.forgive(tx, user["email"])
        _changed(tx, actor, user_id)
        audit.note(tx, actor, USER_CHANGED, user_id, user["name"], {"password": (None, "new")})


# ---- changes


def change(tx: Tx, actor: str, user_id: str, **wanted: str) -> None:
    """Change name, email, role or state (active, disabled). There is always an administrator left who can sign in."""
    user = _user(tx, user_id)
    values: dict[str, Any] = {}
    if "name" in wanted or "email" in wanted:
        name, email = _person(wanted.get("name", user["name"]), wanted.get("email", user["email"]))
        _email_is_free(tx, email, user_id)
        values |= {"name": name, "email": email}
    if "role" in wanted:
        values["role"] = _role(wanted["role"])
    if "state" in wanted:
        values["state"] = _state(wanted["state"], user)
    values = {key: value for key, value in values.items() if user[key] != value}
    if not values:
        return
    after = {**user, **values}
    if (user["role"], user["state"]) == (ADMINISTRATOR, "active") and (
        (after["role"], after["state"]) != (ADMINISTRATOR, "active")
        and accounts.active_administrators(tx.conn, lock=True) == [user_id]
    ):
        raise DeskError("last_administrator", "This is the last administrator. Make another one first.")
    accounts.change_user(tx.conn, user_id, **values)
    if values.get("state") == "disabled":
        _leave(tx, actor, user)
    _changed(tx, actor, user_id)
    audit.note(tx, actor, USER_CHANGED, user_id, after["name"], audit.differences(user, values))
    availability.settle(tx, [user_id], actor)


def _leave(tx: Tx, actor: str, user: dict[str, Any]) -> None:
    """A disabled user is rung no more and signed out everywhere; a call they are in goes on."""
    accounts.change_user(tx.conn, user["id"], on_duty=False)
    accounts.drop_presence(tx.conn, user["id"])
    if user["on_duty"]:
        tx.append(Event(USER_DUTY, STAFF, actor, user_id=user["id"], data={"on": False}))
    links.make_void(tx, user["id"])
    sessions.revoke_all(tx, user["id"], actor)


# ---- helpers


def _add(tx: Tx, actor: str, name: str, email: str, role: str, **values: Any) -> str:
    _email_is_free(tx, email, None)
    user_id = ids.new_id()
    accounts.add_user(tx.conn, id=user_id, name=name, email=email, role=role, created_at=tx.now_ms(), **values)
    tx.append(Event(USER_CREATED, STAFF, actor, user_id=user_id, data={"id": user_id}))
    audit.note(tx, actor, USER_CREATED, user_id, name, {"email": (None, email), "role": (None, role)})
    return user_id


def _changed(tx: Tx, actor: str, user_id: str) -> None:
    tx.append(Event(USER_CHANGED, STAFF, actor, user_id=user_id, data={"id": user_id}))


def _user(tx: Tx, user_id: str) -> dict[str, Any]:
    user = duty_rows.user(tx.conn, user_id)
    if user is None:
        raise not_found("The user")
    return user


def _person(name: str, email: str, password: str | None = None) -> tuple[str, str]:
    """Name and e-mail address in the form they are kept. Invalid says what is wrong with each, all at once."""
    name, email = " ".join(name.split()), email.strip().lower()
    wrong: dict[str, str] = {}
    if not name:
        wrong["name"] = "Enter the name that colleagues shall see."
    elif len(name) > 80:
        wrong["name"] = "Use at most 80 characters."
    if not _EMAIL.fullmatch(email):
        wrong["email"] = "Enter an e-mail address like name@example.com."
    if password is not None:
        problem = passwords.weakness(password, name=name, email=email)
        if problem:
            wrong["password"] = problem
    if wrong:
        raise Invalid(wrong)
    return name, email


def _email_is_free(tx: Tx, email: str, user_id: str | None) -> None:
    other = accounts.by_email(tx.conn, email)
    if other is not None and other["id"] != user_id:
        raise Invalid({"email": "Another user has this e-mail address."})


def _role(role: str) -> str:
    if role not in ROLES:
        raise Invalid({"role": f"Choose one of {', '.join(ROLES)}."})
    return role


def _state(state: str, user: dict[str, Any]) -> str:
    if state not in ("active", "disabled"):
        raise Invalid({"state": "Choose active or disabled."})
    if state == "active" and user["password_hash"] is None:
        return "invited"  # enabled again before they ever joined
    return state
