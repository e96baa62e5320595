"""Rows of sign-in: sessions, one-time links, and failed attempts. Tokens are stored as hashes only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import links, sessions, sign_in_failures, users

# ---- sessions


def add(conn: Connection, **values: Any) -> None:
    """A session begins."""
    conn.execute(insert(sessions).values(**values))


def live(conn: Connection, token_hash: str, at: int) -> dict[str, Any] | None:
    """The running session of a token with its active user's name and role, or None."""
    query = (
        select(
            sessions.c.id,
            sessions.c.user_id,
            sessions.c.created_at,
            sessions.c.seen_at,
            sessions.c.expires_at,
            users.c.name,
            users.c.email,
            users.c.role,
        )
        .join(users, users.c.id == sessions.c.user_id)
        .where(
            sessions.c.token_hash == token_hash,
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > at,
            users.c.state == "active",
        )
    )
    return one(conn, query)


def touch(conn: Connection, session_id: str, seen_at: int, expires_at: int) -> None:
    """The session was used: it ends later."""
    conn.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.revoked_at.is_(None), sessions.c.seen_at < seen_at)
        .values(seen_at=seen_at, expires_at=expires_at)
    )


def unseen(conn: Connection, session_ids: Sequence[str], since: int, at: int) -> list[dict[str, Any]]:
    """Those of these running sessions whose use was not noted since this moment."""
    query = select(sessions.c.id, sessions.c.created_at).where(
        sessions.c.id.in_(session_ids),
        sessions.c.seen_at < since,
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > at,
    )
    return many(conn, query)


def revoke(conn: Connection, session_id: str, at: int) -> bool:
    """End one session; whether it was running."""
    done = conn.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.revoked_at.is_(None), sessions.c.expires_at > at)
        .values(revoked_at=at)
    )
    return done.rowcount == 1


def running_of(conn: Connection, user_id: str, at: int) -> list[dict[str, Any]]:
    """A user's running sessions, the latest first."""
    query = select(sessions).where(
        sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None), sessions.c.expires_at > at
    )
    return many(conn, query.order_by(sessions.c.seen_at.desc(), sessions.c.created_at.desc(), sessions.c.id))


def over(conn: Connection, session_ids: Sequence[str], at: int) -> frozenset[str]:
    """Which of these sessions do not run any more."""
    if not session_ids:
        return frozenset()
    query = (
        select(sessions.c.id)
        .join(users, users.c.id == sessions.c.user_id)
        .where(
            sessions.c.id.in_(session_ids),
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > at,
            users.c.state == "active",
        )
    )
    return frozenset(session_ids) - frozenset(conn.scalars(query))


def sweep(conn: Connection, before: int) -> int:
    """Forget sessions and links that were over before this moment, and failures that nobody added to since."""
    gone = conn.execute(
        delete(sessions).where(or_(sessions.c.expires_at < before, sessions.c.revoked_at < before))
    ).rowcount
    gone += conn.execute(delete(links).where(links.c.expires_at < before)).rowcount
    gone += conn.execute(
        delete(sign_in_failures).where(sign_in_failures.c.last_at < before, sign_in_failures.c.locked_until < before)
    ).rowcount
    return gone


# ---- one-time links


def add_link(conn: Connection, **values: Any) -> None:
    """A link that works once."""
    conn.execute(insert(links).values(**values))


def link(conn: Connection, token_hash: str) -> dict[str, Any] | None:
    """The link's row, used or not."""
    return one(conn, select(links).where(links.c.token_hash == token_hash))


def use_link(conn: Connection, token_hash: str, at: int) -> bool:
    """Mark the link as used if it was neither used nor too old: one of two who try at once gets True."""
    done = conn.execute(
        update(links)
        .where(links.c.token_hash == token_hash, links.c.used_at.is_(None), links.c.expires_at > at)
        .values(used_at=at)
    )
    return done.rowcount == 1


def void_links(conn: Connection, *, at: int, user_id: str | None = None, purpose: str | None = None) -> None:
    """Unused links of this user, or for this purpose, work no longer."""
    where: list[ColumnElement[bool]] = [links.c.used_at.is_(None)]
    if user_id is not None:
        where.append(links.c.user_id == user_id)
    if purpose is not None:
        where.append(links.c.purpose == purpose)
    conn.execute(update(links).where(*where).values(used_at=at))


# ---- failed attempts


def failures(conn: Connection, subjects: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Failed attempts by subject (an account or an address)."""
    query = select(sign_in_failures).where(sign_in_failures.c.subject.in_(subjects))
    return {row["subject"]: row for row in many(conn, query)}


def put_failures(conn: Connection, subject: str, *, count: int, last_at: int, locked_until: int) -> None:
    """Note how often this subject has failed, and until when it may not try again."""
    values = {"count": count, "last_at": last_at, "locked_until": locked_until}
    done = conn.execute(update(sign_in_failures).where(sign_in_failures.c.subject == subject).values(**values))
    if done.rowcount == 0:
        conn.execute(insert(sign_in_failures).values(subject=subject, **values))


def forget_failures(conn: Connection, subject: str) -> None:
    """The subject signed in."""
    conn.execute(delete(sign_in_failures).where(sign_in_failures.c.subject == subject))
