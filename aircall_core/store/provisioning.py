"""Rows that an administrator sets up: lines, trunks, and the installation's own settings."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from aircall_core.store.rows import many, one
from aircall_core.store.tables import calls, conversations, lines, message_accounts, settings, trunks

# ---- settings of the installation (not those of the environment)


def setting(conn: Connection, key: str) -> Any:
    """A stored value, or None."""
    return conn.execute(select(settings.c.value).where(settings.c.key == key)).scalar_one_or_none()


def put_setting(conn: Connection, key: str, value: Any) -> None:
    """Store a JSON value under a key."""
    if conn.execute(update(settings).where(settings.c.key == key).values(value=value)).rowcount == 0:
        conn.execute(insert(settings).values(key=key, value=value))


# ---- lines


def add_line(conn: Connection, **values: Any) -> None:
    """A new line."""
    conn.execute(insert(lines).values(**values))


_LINE = select(lines).where(lines.c.id == bindparam("line"))  # built once: asked at every call's arrival


def line(conn: Connection, line_id: str) -> dict[str, Any] | None:
    """The line's row."""
    return one(conn, _LINE, {"line": line_id})


def line_for_change(conn: Connection, line_id: str) -> dict[str, Any] | None:
    """The line's row, held until the transaction ends: two who change its flow at once do so one after the other."""
    return one(conn, select(lines).where(lines.c.id == line_id).with_for_update())


def line_numbered(conn: Connection, number: str) -> dict[str, Any] | None:
    """The line with this number (E.164 or internal)."""
    return one(conn, select(lines).where(lines.c.number == number))


def all_lines(conn: Connection) -> list[dict[str, Any]]:
    """Every line, by name."""
    return many(conn, select(lines).order_by(func.lower(lines.c.name), lines.c.id))


def enabled_lines(conn: Connection) -> list[dict[str, Any]]:
    """The lines that take calls."""
    return many(conn, select(lines).where(lines.c.enabled.is_(True)).order_by(lines.c.id))


def text_accounts(conn: Connection, kind: str) -> dict[str, str]:
    """By line: the enabled account of this kind (sip, twilio, webhook) that its texts go through."""
    query = select(lines.c.id, message_accounts.c.id.label("account")).join(message_accounts)
    query = query.where(message_accounts.c.kind == kind, message_accounts.c.enabled.is_(True))
    return {row.id: row.account for row in conn.execute(query)}


def change_line(conn: Connection, line_id: str, **values: Any) -> bool:
    """Change the line's row; whether there is one."""
    done = conn.execute(update(lines).where(lines.c.id == line_id).values(version=lines.c.version + 1, **values))
    return done.rowcount == 1


def line_has_history(conn: Connection, line_id: str) -> bool:
    """Whether conversations hang on the line, so that it can be switched off but not removed."""
    return bool(conn.scalar(select(exists().where(conversations.c.line_id == line_id))))


def remove_line(conn: Connection, line_id: str) -> None:
    """Remove a line without history."""
    conn.execute(delete(lines).where(lines.c.id == line_id))


# ---- trunks


def add_trunk(conn: Connection, **values: Any) -> None:
    """A new trunk."""
    conn.execute(insert(trunks).values(**values))


def trunk(conn: Connection, trunk_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The trunk's row; its secret is encrypted. ``lock``: held until the transaction ends."""
    query = select(trunks).where(trunks.c.id == trunk_id)
    return one(conn, query.with_for_update() if lock else query)


def trunk_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The trunk with this name, whatever its case."""
    query = select(trunks).where(func.lower(trunks.c.name) == name.lower())
    found = many(conn, query.limit(1))
    return found[0] if found else None


def digest_user(conn: Connection, username: str, realm: str) -> dict[str, Any] | None:
    """The digest trunk that signs in with this name in this realm."""
    query = select(trunks).where(trunks.c.kind == "digest", trunks.c.username == username, trunks.c.realm == realm)
    found = many(conn, query.limit(1))
    return found[0] if found else None


def all_trunks(conn: Connection) -> list[dict[str, Any]]:
    """Every trunk, our own first, then by name."""
    query = select(trunks).order_by(trunks.c.built_in.desc(), func.lower(trunks.c.name), trunks.c.id)
    return many(conn, query)


def change_trunk(conn: Connection, trunk_id: str, **values: Any) -> bool:
    """Change the trunk's row; whether there is one."""
    done = conn.execute(update(trunks).where(trunks.c.id == trunk_id).values(version=trunks.c.version + 1, **values))
    return done.rowcount == 1


def remove_trunk(conn: Connection, trunk_id: str) -> None:
    """Remove the trunk."""
    conn.execute(delete(trunks).where(trunks.c.id == trunk_id))


def lines_through(conn: Connection, trunk_id: str) -> list[str]:
    """The names of the lines that call out through this trunk."""
    return list(conn.scalars(select(lines.c.name).where(lines.c.outbound_trunk_id == trunk_id).order_by(lines.c.name)))


# ---- what has happened, for the checklist


def last_calls_by_trunk(conn: Connection) -> dict[str, int]:
    """When the newest call of each trunk arrived, of the newest thousand calls."""
    newest = select(calls.c.trunk_id, calls.c.arrived_at).order_by(calls.c.id.desc()).limit(1000).subquery()
    query = select(newest.c.trunk_id, func.max(newest.c.arrived_at)).group_by(newest.c.trunk_id)
    return {trunk: at for trunk, at in conn.execute(query) if trunk is not None}


def any_answered_call(conn: Connection) -> bool:
    """Whether a call was ever answered here."""
    return bool(conn.scalar(select(exists().where(calls.c.answered_at.is_not(None)))))
