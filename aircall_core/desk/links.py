"""One-time links: the first administrator's, invitations, and password resets. Only a hash of the token is stored."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from aircall_core.config import Settings
from aircall_core.desk.errors import DeskError
from aircall_core.desk.secrets import new_token, token_hash
from aircall_core.store import Store, Tx, clock
from aircall_core.store import sessions as rows

SETUP = "setup"
INVITE = "invite"
RESET = "reset"
_HOURS = {SETUP: 7 * 24, INVITE: 7 * 24, RESET: 24}


@dataclass(frozen=True, slots=True)
class Link:
    """A link that can still be used."""

    purpose: str
    user_id: str | None


def make(tx: Tx, purpose: str, user_id: str | None = None) -> str:
    """A new link's token. Earlier unused links of the same user work no longer."""
    if user_id is not None:
        rows.void_links(tx.conn, at=tx.now_ms(), user_id=user_id)
    token, now = new_token(), tx.now_ms()
    rows.add_link(
        tx.conn,
        token_hash=token_hash(token),
        purpose=purpose,
        user_id=user_id,
        created_at=now,
        expires_at=now + _HOURS[purpose] * 3_600_000,
    )
    return token


def check(store: Store, token: str, *purposes: str) -> Link:
    """The link of a token, to show its form. DeskError ``link`` (410) says why it does not work."""
    with store.read() as conn:
        row = rows.link(conn, token_hash(token)) if token else None
        now = clock.now_ms(conn)
    if row is None or row["purpose"] not in purposes:
        raise DeskError("link", "This link is not complete or not known here. Copy the whole of it.", 410)
    if row["used_at"] is not None:
        raise DeskError("link", "This link has been used, or a newer one has replaced it.", 410)
    if row["expires_at"] <= now:
        raise DeskError("link", "This link is too old. Ask an administrator for a new one.", 410)
    return Link(row["purpose"], row["user_id"])


def use(tx: Tx, token: str) -> None:
    """Use up a link that was checked before. Of two who use it at once, one gets DeskError ``link``."""
    if not rows.use_link(tx.conn, token_hash(token), tx.now_ms()):
        raise DeskError("link", "This link has just been used.", 410)


def make_void(tx: Tx, user_id: str) -> None:
    """Unused links of this user work no longer."""
    rows.void_links(tx.conn, at=tx.now_ms(), user_id=user_id)


def void_setup(tx: Tx) -> None:
    """There is an administrator: no other setup link may make one."""
    rows.void_links(tx.conn, at=tx.now_ms(), purpose=SETUP)


def address(settings: Settings, purpose: str, token: str) -> str:
    """The link as a person opens it."""
    page = "setup" if purpose == SETUP else "join"
    return f"{desk_address(settings)}/session/{page}?token={token}"


def desk_address(settings: Settings) -> str:
    """The desk process's address as a person's browser reaches it."""
    if settings.desk_url:
        return settings.desk_url
    console = urlsplit(settings.console_address)
    host = console.hostname or "127.0.0.1"
    return f"{console.scheme}://{f'[{host}]' if ':' in host else host}:{settings.desk_port}"
