"""Rows of insight cards: their sources, what these said of numbers, and what was posted about live calls."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core import ids
from aircall_core.domain.call import Direction
from aircall_core.domain.insight import Line
from aircall_core.domain.insight_kinds import POSTED, is_asked
from aircall_core.store import clock, provisioning
from aircall_core.store.rows import many, one
from aircall_core.store.tables import (
    calls,
    contact_emails,
    contact_fields,
    contact_phones,
    contacts,
    conversations,
    insight_cards,
    insight_sources,
    lines,
    users,
)

# ---- sources

_SOURCES = select(insight_sources).order_by(
    insight_sources.c.position, insight_sources.c.created_at, insight_sources.c.id
)
_ENABLED = _SOURCES.where(insight_sources.c.enabled.is_(True))
_ANY = select(exists().where(insight_sources.c.enabled.is_(True), insight_sources.c.kind != POSTED))


def sources(conn: Connection) -> list[dict[str, Any]]:
    """Every source, in the order of their cards."""
    return many(conn, _SOURCES)


def enabled(conn: Connection) -> list[dict[str, Any]]:
    """The sources that are asked."""
    return many(conn, _ENABLED)


def source(conn: Connection, source_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """One source; its secret is encrypted. ``lock``: held until the transaction ends."""
    query = select(insight_sources).where(insight_sources.c.id == source_id)
    return one(conn, query.with_for_update() if lock else query)


def named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The source of this name, whatever its case."""
    found = many(conn, select(insight_sources).where(func.lower(insight_sources.c.name) == name.lower()).limit(1))
    return found[0] if found else None


def add_source(conn: Connection, **values: Any) -> None:
    """A new source, the last one."""
    last = conn.scalar(select(func.max(insight_sources.c.position)))
    conn.execute(insert(insight_sources).values(position=(last or 0) + 1, **values))


def change_source(conn: Connection, source_id: str, **values: Any) -> None:
    """Change a source; what it said of anybody counts no longer."""
    version = insight_sources.c.version + 1
    conn.execute(update(insight_sources).where(insight_sources.c.id == source_id).values(version=version, **values))
    conn.execute(delete(insight_cards).where(insight_cards.c.source_id == source_id))


def remove_source(conn: Connection, source_id: str) -> None:
    """Remove a source, and what it said."""
    conn.execute(delete(insight_sources).where(insight_sources.c.id == source_id))


def asked(conn: Connection, source_id: str, version: int, at: int, error: str | None) -> None:
    """How the source's last question went; of one that has been changed meanwhile that says nothing any more."""
    values: dict[str, Any] = {"asked_at": at, "error": error}
    if error is not None:
        values["error_at"] = at
    where = (insight_sources.c.id == source_id, insight_sources.c.version == version)
    conn.execute(update(insight_sources).where(*where).values(**values))


POSTED_AT = "insight_posted_at"  # a setting: when somebody last posted a card, to the day
_POSTING_LASTS_MS = 30 * 86_400_000


def expected(conn: Connection) -> bool:
    """Whether a card is likely: then a ringer keeps room for it. A source is asked, or cards were posted lately."""
    if conn.scalar(_ANY):
        return True
    posted_at = provisioning.setting(conn, POSTED_AT)
    return posted_at is not None and clock.now_ms(conn) - posted_at < _POSTING_LASTS_MS


# ---- what sources say of numbers

_NUMBER: BindParameter[str] = bindparam("who")
_OF_NUMBER = select(insight_cards).where(insight_cards.c.number == _NUMBER, insight_cards.c.source_id.is_not(None))
_POSTED = select(insight_cards).where(insight_cards.c.call_id.in_(bindparam("calls", expanding=True)))


def due(conn: Connection, number: str, at: int) -> list[dict[str, Any]]:
    """The sources to be asked about this number now: nobody asks them, and what they said has run out."""
    known = {row["source_id"]: row for row in of_number(conn, number)}

    def is_due(source_id: str) -> bool:
        row = known.get(source_id)
        return row is None or (row["expires_at"] <= at and (row["claimed_until"] or 0) <= at)

    return [row for row in enabled(conn) if is_asked(row["kind"], number) and is_due(row["id"])]


def claim(conn: Connection, source_id: str, number: str, at: int, until: int) -> bool:
    """Be the one who asks this source about this number, until ``until`` (ms); whether we are."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    fresh = make(insight_cards).values(
        id=ids.new_id(), source_id=source_id, number=number, contents=[], at=0, expires_at=at, claimed_until=until
    )
    statement = fresh.on_conflict_do_update(
        index_elements=[insight_cards.c.source_id, insight_cards.c.number],
        set_={"claimed_until": until, "expires_at": at},  # as one that is asked now it is not swept
        where=and_(
            insight_cards.c.expires_at <= at,
            or_(insight_cards.c.claimed_until.is_(None), insight_cards.c.claimed_until <= at),
        ),
    )
    return conn.scalar(statement.returning(insight_cards.c.id)) is not None


def answered(
    conn: Connection, source_id: str, number: str, contents: Sequence[Line] | None, at: int, expires_at: int
) -> bool:
    """What the source said (None: it failed, and what it said before stays); False: it was erased meanwhile."""
    news: dict[str, Any] = {"claimed_until": None, "expires_at": expires_at}
    if contents is not None:
        news |= {"contents": list(contents), "at": at}
    where = (insight_cards.c.source_id == source_id, insight_cards.c.number == number)
    return conn.execute(update(insight_cards).where(*where).values(**news)).rowcount == 1


def of_number(conn: Connection, number: str) -> list[dict[str, Any]]:
    """What sources said of this number."""
    return many(conn, _OF_NUMBER, {"who": number})


def forget(conn: Connection, number: str) -> None:
    """Erase what is known of a number."""
    conn.execute(delete(insight_cards).where(insight_cards.c.number == number))


def sweep(conn: Connection, before: int) -> None:
    """Forget what ran out before ``before`` and cards of calls that are over."""
    over = exists().where(calls.c.id == insight_cards.c.call_id, calls.c.ended_at.is_not(None))
    conn.execute(
        delete(insight_cards).where(
            or_(and_(insight_cards.c.source_id.is_not(None), insight_cards.c.expires_at < before), over)
        )
    )


# ---- what was posted


def add_posted(conn: Connection, call_id: str, number: str, contents: Sequence[Line], at: int) -> None:
    """One more card for a live call."""
    conn.execute(
        insert(insight_cards).values(
            id=ids.new_id(), call_id=call_id, number=number, contents=list(contents), at=at, expires_at=at
        )
    )
    if (provisioning.setting(conn, POSTED_AT) or 0) < at - 86_400_000:
        provisioning.put_setting(conn, POSTED_AT, at)


def posted(conn: Connection, call_ids: Collection[str]) -> list[dict[str, Any]]:
    """The cards posted for these calls, oldest first."""
    return sorted(many(conn, _POSTED, {"calls": sorted(call_ids)}), key=lambda row: (row["at"], row["id"]))


def drop_posted(conn: Connection, call_ids: Collection[str]) -> None:
    """These calls are over: what was posted about them goes."""
    conn.execute(delete(insight_cards).where(insight_cards.c.call_id.in_(sorted(call_ids))))


# ---- whom cards are about

_CALL = select(calls).where(calls.c.id == bindparam("call"))
_LIVE_OF = select(calls.c.id, calls.c.line_id, calls.c.conversation_id).where(
    calls.c.ended_at.is_(None),
    calls.c.direction != Direction.INTERNAL,
    or_(
        and_(calls.c.direction == Direction.OUTBOUND, calls.c.to_number == _NUMBER),
        and_(calls.c.direction != Direction.OUTBOUND, calls.c.from_number == _NUMBER, calls.c.anonymous.is_(False)),
    ),
)
_LIVE_IN = select(calls.c.id).where(
    calls.c.conversation_id == bindparam("conversation"), calls.c.ended_at.is_(None), calls.c.parent_id.is_(None)
)
_CONTACT = (
    select(contacts)
    .join(contact_phones, contact_phones.c.contact_id == contacts.c.id)
    .where(contact_phones.c.number == _NUMBER)
)
_EMAIL = (
    select(contact_emails.c.email)
    .where(contact_emails.c.contact_id == bindparam("contact"))
    .order_by(contact_emails.c.email)
    .limit(1)
)
_FIELDS = select(contact_fields.c.id, contact_fields.c.name)
_LINE = select(lines.c.id, lines.c.name, lines.c.number, lines.c.country).where(lines.c.id == bindparam("line"))
_USERS = select(users.c.id, users.c.name, users.c.email).where(
    users.c.state == "active", func.lower(users.c.email).in_(bindparam("emails", expanding=True))
)


def call(conn: Connection, call_id: str) -> dict[str, Any] | None:
    """The call's row; of a colleague who is asked about a call, that call's."""
    found = one(conn, _CALL, {"call": call_id})
    if found is not None and found["direction"] == Direction.INTERNAL and found["parent_id"]:
        return one(conn, _CALL, {"call": found["parent_id"]})
    return found


def live_of_number(conn: Connection, number: str) -> list[dict[str, Any]]:
    """The calls that go on with this number."""
    return many(conn, _LIVE_OF, {"who": number})


def live_in(conn: Connection, conversation_id: str) -> list[str]:
    """The calls that go on in this conversation."""
    return list(conn.scalars(_LIVE_IN, {"conversation": conversation_id}))


def conversation(conn: Connection, conversation_id: str) -> dict[str, Any] | None:
    """The conversation's line and party."""
    columns = (conversations.c.id, conversations.c.line_id, conversations.c.party)
    return one(conn, select(*columns).where(conversations.c.id == conversation_id))


def line(conn: Connection, line_id: str) -> dict[str, Any]:
    """The line's id, name, number and country."""
    return one(conn, _LINE, {"line": line_id}) or {"id": line_id, "name": "", "number": "", "country": ""}


def contact(conn: Connection, number: str) -> dict[str, Any] | None:
    """The contact behind a number, as templates name it: custom values under the names of their fields."""
    row = one(conn, _CONTACT, {"who": number})
    if row is None:
        return None
    names = {field.id: field.name for field in conn.execute(_FIELDS)} if row["custom"] else {}
    custom = {names[field]: value for field, value in (row["custom"] or {}).items() if field in names}
    email = conn.scalar(_EMAIL, {"contact": row["id"]})
    kept = {name: row[name] for name in ("id", "name", "company", "description", "priority")}
    return {**kept, "email": email or "", "custom": custom}


def users_by_email(conn: Connection, emails: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Active users by their addresses in lower case."""
    if not emails:
        return {}
    return {
        row.email.lower(): {"id": row.id, "name": row.name} for row in conn.execute(_USERS, {"emails": sorted(emails)})
    }
