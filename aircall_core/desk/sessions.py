"""Signing in and staying signed in: sessions that a browser holds as a cookie and the store as a hash."""

from dataclasses import dataclass

from aircall_core import ids
from aircall_core.desk import lockout, passwords
from aircall_core.desk.errors import DeskError
from aircall_core.desk.secrets import new_token, token_hash
from aircall_core.domain.events import SESSION_REVOKED, Event, user_audience
from aircall_core.store import Store, Tx, accounts, clock
from aircall_core.store import sessions as rows
from aircall_core.store.queries.people import Identity

__all__ = [
    "Identity",
    "SignedIn",
    "begin",
    "forgive",
    "identify",
    "over",
    "revoke",
    "revoke_all",
    "sign_in",
    "sweep",
    "touch",
    "touch_all",
]

IDLE_MS = 12 * 3600 * 1000
TOUCH_MS = 5 * 60 * 1000  # how often use of a session is noted
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; ``token`` is shown this once, for the cookie. ``max_age_s`` is the longest it can last."""

    token: str
    identity: Identity
    max_age_s: int


def sign_in(
    store: Store, email: str, password: str, *, address: str, agent: str = "", longest_days: int = 14
) -> SignedIn:
    """Begin a session for the right e-mail address and password.

    ``address`` is the asker's network address, ``agent`` the browser's name. DeskError ``wrong_credentials`` (401)
    says the same for an unknown user, a disabled one and a wrong password; ``locked`` (429) has ``retry_s``.
    """
    email = email.strip().lower()
    with store.write() as tx:
        user, charged = accounts.by_email(tx.conn, email), _charge(tx, email, address)
    if isinstance(charged, int):
        raise _locked(charged)
    stored = user["password_hash"] if user is not None and user["state"] == "active" else None
    if not passwords.matches(password[: passwords.LONGEST + 1], stored) or user is None:
        raise DeskError("wrong_credentials", "This e-mail address and password do not belong together.", 401)
    renewed = passwords.hashed(password) if passwords.is_outdated(stored or "") else None
    with store.write() as tx:
        rows.forget_failures(tx.conn, lockout.account_subject(email))
        _refund(tx, address)
        current = accounts.by_email(tx.conn, email)
        # Between the check and now an administrator may have acted.
        if current is None or current["state"] != "active" or current["password_hash"] != stored:
            raise DeskError("wrong_credentials", "This account was changed a moment ago. Please try again.", 401)
        if renewed is not None:
            accounts.change_user(tx.conn, current["id"], password_hash=renewed)
        return begin(tx, current["id"], current["name"], current["role"], agent, longest_days)


def begin(tx: Tx, user_id: str, name: str, role: str, agent: str, longest_days: int) -> SignedIn:
    """A session for a user who has just proved who they are."""
    token, session_id, now = new_token(), ids.new_id(), tx.now_ms()
    rows.add(
        tx.conn,
        id=session_id,
        token_hash=token_hash(token),
        user_id=user_id,
        created_at=now,
        seen_at=now,
        expires_at=now + min(IDLE_MS, longest_days * DAY_MS),
        agent=agent[:200],
    )
    return SignedIn(token, Identity(user_id, name, role, session_id), longest_days * 86_400)


def identify(store: Store, token: str) -> tuple[Identity, bool] | None:
    """Who holds this token, and whether its use should be noted by `touch`. None when it is not (any more) valid."""
    if not token or len(token) > 100:
        return None
    with store.read() as conn:
        at = clock.now_ms(conn)
        row = rows.live(conn, token_hash(token), at)
    if row is None:
        return None
    identity = Identity(row["user_id"], row["name"], row["role"], row["id"])
    return identity, at - row["seen_at"] >= TOUCH_MS


def touch(tx: Tx, token: str, longest_days: int = 14) -> None:
    """The session is in use: let it run on, up to its longest life."""
    now = tx.now_ms()
    row = rows.live(tx.conn, token_hash(token), now)
    if row is not None:
        end = min(now + IDLE_MS, row["created_at"] + longest_days * DAY_MS)
        rows.touch(tx.conn, row["id"], now, end)


def touch_all(tx: Tx, session_ids: list[str], longest_days: int = 14) -> int:
    """These sessions are in use (a tab is being looked at): note it where that is due; how many."""
    now = tx.now_ms()
    due = rows.unseen(tx.conn, session_ids, now - TOUCH_MS, now)
    for row in due:
        rows.touch(tx.conn, row["id"], now, min(now + IDLE_MS, row["created_at"] + longest_days * DAY_MS))
    return len(due)


def revoke(tx: Tx, user_id: str, session_id: str, actor: str) -> bool:
    """End one session; its tabs are told at once. Whether it was running."""
    if not rows.revoke(tx.conn, session_id, tx.now_ms()):
        return False
    tx.append(
        Event(
            kind=SESSION_REVOKED,
            audience=user_audience(user_id),
            actor=actor,
            user_id=user_id,
            data={"session": session_id},
        )
    )
    return True


def revoke_all(tx: Tx, user_id: str, actor: str, keep: str | None = None) -> int:
    """End all sessions of a user except ``keep``; how many."""
    running = [row["id"] for row in rows.running_of(tx.conn, user_id, tx.now_ms()) if row["id"] != keep]
    return sum(revoke(tx, user_id, one, actor) for one in running)


def forgive(tx: Tx, email: str) -> None:
    """The owner proved who they are in another way: failures of others do not keep them out."""
    rows.forget_failures(tx.conn, lockout.account_subject(email))


def over(store: Store, session_ids: list[str]) -> frozenset[str]:
    """Which of these sessions have ended, by time or by somebody."""
    with store.read() as conn:
        return rows.over(conn, session_ids, clock.now_ms(conn))


def sweep(tx: Tx, keep_ms: int = 30 * DAY_MS) -> int:
    """Forget what has been over for long; how many rows."""
    return rows.sweep(tx.conn, tx.now_ms() - keep_ms)


def _charge(tx: Tx, email: str, address: str) -> int | None:
    """Count an attempt against account and address before it is checked; the wait in ms if one of them must wait."""
    now = tx.now_ms()
    subjects = {lockout.account_subject(email): lockout.ACCOUNT, lockout.address_subject(address): lockout.ADDRESS}
    known = rows.failures(tx.conn, list(subjects))
    waits = [row["locked_until"] - now for row in known.values() if row["locked_until"] > now]
    if waits:
        return int(max(waits))
    for subject, rule in subjects.items():
        row = known.get(subject)
        count = 1 if row is None or now - row["last_at"] > lockout.FORGET_MS else row["count"] + 1
        rows.put_failures(tx.conn, subject, count=count, last_at=now, locked_until=now + rule.wait_ms(count))
    return None


def _refund(tx: Tx, address: str) -> None:
    """The attempt was right: it does not count against the address that others share."""
    subject = lockout.address_subject(address)
    row = rows.failures(tx.conn, [subject]).get(subject)
    if row is not None:
        count = max(0, row["count"] - 1)
        rows.put_failures(tx.conn, subject, count=count, last_at=row["last_at"], locked_until=0)


def _locked(wait_ms: int) -> DeskError:
    seconds = max(1, -(-wait_ms // 1000))
    shown = f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
    return DeskError("locked", f"Too many attempts. Please wait {shown}.", 429, {"retry_s": seconds})
