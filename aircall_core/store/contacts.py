"""Rows of contacts, their numbers and e-mails, the custom fields, and which conversations are theirs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, text, tuple_, update

from aircall_core.domain.contact import Entry, Profile, key, tail
from aircall_core.store.rows import many, one
from aircall_core.store.tables import (
    callbacks,
    calls,
    contact_denials,
    contact_emails,
    contact_fields,
    contact_merges,
    contact_phones,
    contacts,
    conversations,
    lines,
)

_ID: BindParameter[str] = bindparam("row")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_GET = select(contacts).where(contacts.c.id == _ID)
_PHONES = (
    select(contact_phones.c.contact_id, contact_phones.c.number, contact_phones.c.label)
    .where(contact_phones.c.contact_id.in_(_IDS))
    .order_by(contact_phones.c.number)
)
_EMAILS = (
    select(contact_emails.c.contact_id, contact_emails.c.email, contact_emails.c.label)
    .where(contact_emails.c.contact_id.in_(_IDS))
    .order_by(contact_emails.c.email)
)
_NOT_THEM = select(contact_denials.c.contact_id).where(contact_denials.c.number == bindparam("number"))
_ALIKE = (
    select(contact_phones.c.contact_id)
    .where(contact_phones.c.tail.in_(_IDS), contact_phones.c.contact_id.not_in(_NOT_THEM))
    .distinct()
)
_NAMESAKES = (
    select(contacts.c.id).where(contacts.c.name_key.in_(_IDS), contacts.c.id.not_in(_NOT_THEM)).order_by(contacts.c.id)
)
_OWNERS = select(contact_phones.c.number, contact_phones.c.contact_id).where(contact_phones.c.number.in_(_IDS))
_WITH_EMAIL = select(contact_emails.c.email, contact_emails.c.contact_id).where(contact_emails.c.email.in_(_IDS))
# A conversation's number stands in an index behind its line: asked line by line, it is found without a scan.
_OF_NUMBERS = conversations.c.line_id.in_(select(lines.c.id)) & conversations.c.party.in_(_IDS)
_THEIRS = select(conversations.c.id).where(_OF_NUMBERS)
_LINK = update(conversations).where(_OF_NUMBERS).values(contact_id=bindparam("whose"))
_LINK_LIVE = (
    update(calls)
    .where(calls.c.ended_at.is_(None), calls.c.conversation_id.in_(_THEIRS))
    .values(contact_id=bindparam("whose"))
)

# Written as the partial index has it, so that PostgreSQL uses it.
_WAITING = select(callbacks.c.call_id).where(text("callbacks.state = 'waiting'"), callbacks.c.number.in_(_IDS))
_LINK_WAITING = update(calls).where(calls.c.id.in_(_WAITING)).values(contact_id=bindparam("whose"))


def get(conn: Connection, contact_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The contact's row."""
    return one(conn, _GET.with_for_update() if lock else _GET, {"row": contact_id})


def profile(conn: Connection, row: Mapping[str, Any]) -> Profile:
    """Everything that is known of the contact of this row."""
    ids = {"ids": [row["id"]]}
    return Profile(
        row["name"], row["company"], row["description"],
        tuple(Entry(found.number, found.label) for found in conn.execute(_PHONES, ids)),
        tuple(Entry(found.email, found.label) for found in conn.execute(_EMAILS, ids)),
        dict(row["custom"] or {}), row["priority"],
    )  # fmt: skip


def _columns(known: Profile) -> dict[str, Any]:
    return {
        "name": known.name,
        "name_key": known.name_key[:200],
        "company": known.company,
        "company_key": key(known.company),
        "description": known.description,
        "custom": dict(known.custom),
        "priority": known.priority,
    }


def add(conn: Connection, contact_id: str, known: Profile, at: int, by: str | None, **more: Any) -> None:
    """A new contact; none of its numbers belongs to anybody."""
    conn.execute(
        insert(contacts).values(
            id=contact_id, **{**_columns(known), "created_at": at, "updated_at": at, "created_by": by, **more}
        )
    )
    _add_entries(conn, contact_id, known.numbers, known.emails)


def add_many(conn: Connection, made: Mapping[str, Profile], at: int, by: str | None) -> None:
    """New contacts by their ids, in a few statements; none of their numbers belongs to anybody."""
    fixed = {"created_at": at, "updated_at": at, "created_by": by}
    conn.execute(insert(contacts), [{"id": one, **_columns(known), **fixed} for one, known in made.items()])
    numbers = [{"contact_id": one, **_phone(entry)} for one, known in made.items() for entry in known.numbers]
    emails = [{"contact_id": one, **_mail(entry)} for one, known in made.items() for entry in known.emails]
    if numbers:
        conn.execute(insert(contact_phones), numbers)
    if emails:
        conn.execute(insert(contact_emails), emails)


def parties_among(conn: Connection, numbers: Collection[str]) -> set[str]:
    """Those of the numbers with which there are conversations."""
    query = select(conversations.c.party).where(_OF_NUMBERS).distinct()
    return set(conn.scalars(query, {"ids": list(numbers)})) if numbers else set()


def put(conn: Connection, contact_id: str, before: Profile, after: Profile, version: int, at: int) -> bool:
    """Write the contact anew, if it still has this version; whether it had."""
    where = (contacts.c.id == contact_id, contacts.c.version == version)
    if (
        conn.execute(
            update(contacts).where(*where).values(**_columns(after), updated_at=at, version=version + 1)
        ).rowcount
        != 1
    ):
        return False
    gone_numbers = set(before.numbers) - set(after.numbers)
    if gone_numbers:
        numbers = [entry.value for entry in gone_numbers]
        conn.execute(
            delete(contact_phones).where(
                contact_phones.c.contact_id == contact_id, contact_phones.c.number.in_(numbers)
            )
        )
    gone_emails = set(before.emails) - set(after.emails)
    if gone_emails:
        emails = [entry.value for entry in gone_emails]
        conn.execute(
            delete(contact_emails).where(contact_emails.c.contact_id == contact_id, contact_emails.c.email.in_(emails))
        )
    _add_entries(
        conn, contact_id,
        [entry for entry in after.numbers if entry not in before.numbers],
        [entry for entry in after.emails if entry not in before.emails],
    )  # fmt: skip
    return True


def _add_entries(conn: Connection, contact_id: str, numbers: Sequence[Entry], emails: Sequence[Entry]) -> None:
    if numbers:
        conn.execute(insert(contact_phones), [{"contact_id": contact_id, **_phone(entry)} for entry in numbers])
        allow(conn, contact_id, [entry.value for entry in numbers])
    if emails:
        conn.execute(insert(contact_emails), [{"contact_id": contact_id, **_mail(entry)} for entry in emails])


def _phone(entry: Entry) -> dict[str, str]:
    return {"number": entry.value, "label": entry.label, "tail": tail(entry.value)}


def _mail(entry: Entry) -> dict[str, str]:
    return {"email": entry.value, "label": entry.label}


def remove(conn: Connection, contact_id: str) -> None:
    """The contact goes, with its numbers, e-mails and merges; its conversations are nobody's, its calls too."""
    conn.execute(update(conversations).where(conversations.c.contact_id == contact_id).values(contact_id=None))
    conn.execute(
        update(calls).where(calls.c.ended_at.is_(None), calls.c.contact_id == contact_id).values(contact_id=None)
    )
    conn.execute(delete(contact_emails).where(contact_emails.c.contact_id == contact_id))
    conn.execute(delete(contact_phones).where(contact_phones.c.contact_id == contact_id))
    conn.execute(delete(contact_merges).where(contact_merges.c.contact_id == contact_id))
    conn.execute(delete(contact_denials).where(contact_denials.c.contact_id == contact_id))
    conn.execute(delete(contacts).where(contacts.c.id == contact_id))


def link(conn: Connection, numbers: Collection[str], contact_id: str | None) -> None:
    """From now on conversations with these numbers are this contact's or nobody's.

    So are calls that go on, and those whose callers wait to be called back.
    """
    if numbers:
        values = {"ids": list(numbers), "whose": contact_id}
        conn.execute(_LINK, values)
        conn.execute(_LINK_LIVE, values)
        conn.execute(_LINK_WAITING, values)


def conversations_with(conn: Connection, numbers: Collection[str]) -> list[str]:
    """Ids of the conversations with these numbers, of every line."""
    return list(conn.scalars(_THEIRS, {"ids": list(numbers)})) if numbers else []


def owners(conn: Connection, numbers: Collection[str]) -> dict[str, str]:
    """Whose each of these numbers is: contact ids by number."""
    return {row.number: row.contact_id for row in conn.execute(_OWNERS, {"ids": list(numbers)})} if numbers else {}


def with_emails(conn: Connection, emails: Collection[str]) -> dict[str, list[str]]:
    """Ids of the contacts that have these e-mails."""
    found: dict[str, list[str]] = {}
    if emails:
        for row in conn.execute(_WITH_EMAIL.order_by(contact_emails.c.contact_id), {"ids": list(emails)}):
            found.setdefault(row.email, []).append(row.contact_id)
    return found


def names(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """Names of contacts; company or '' where one has none."""
    query = select(contacts.c.id, contacts.c.name, contacts.c.company).where(contacts.c.id.in_(_IDS))
    return {row.id: row.name or row.company for row in conn.execute(query, {"ids": list(ids)})}


# ---- for reading


def page(conn: Connection, after: tuple[str, str] | None, limit: int) -> list[dict[str, Any]]:
    """Contacts in the order of their names, after this (name_key, id)."""
    query = select(contacts).order_by(contacts.c.name_key, contacts.c.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(contacts.c.name_key, contacts.c.id) > tuple_(*after))
    return with_entries(conn, many(conn, query))


def by_ids(conn: Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    """These contacts, in this order."""
    found = {row["id"]: row for row in many(conn, select(contacts).where(contacts.c.id.in_(_IDS)), {"ids": list(ids)})}
    return with_entries(conn, [found[one_id] for one_id in ids if one_id in found])


def with_entries(conn: Connection, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with "numbers": [{number, label}] and "emails": [{email, label}]."""
    found = {row["id"]: {**row, "numbers": [], "emails": []} for row in rows}
    if found:
        ids = {"ids": list(found)}
        for phone in conn.execute(_PHONES, ids):
            found[phone.contact_id]["numbers"].append({"number": phone.number, "label": phone.label})
        for mail in conn.execute(_EMAILS, ids):
            found[mail.contact_id]["emails"].append({"email": mail.email, "label": mail.label})
    return list(found.values())


def alike(conn: Connection, number: str, tails: Collection[str], name_keys: Collection[str], most: int) -> list[str]:
    """Ids of contacts with a number that ends so, or of one of these names, that are not known to be others."""
    found: list[str] = []
    if tails:
        found += conn.scalars(_ALIKE.limit(most), {"ids": list(tails), "number": number})
    if name_keys:
        found += conn.scalars(_NAMESAKES.limit(most), {"ids": list(name_keys), "number": number})
    return list(dict.fromkeys(found))[:most]


def deny(conn: Connection, contact_id: str, number: str, by: str, at: int) -> bool:
    """The number is not this contact's, however much it looks like it; whether that is new."""
    mine = (contact_denials.c.contact_id == contact_id, contact_denials.c.number == number)
    if conn.execute(select(contact_denials.c.number).where(*mine)).first():
        return False
    conn.execute(insert(contact_denials).values(contact_id=contact_id, number=number, denied_by=by, denied_at=at))
    return True


def allow(conn: Connection, contact_id: str, numbers: Collection[str]) -> bool:
    """These numbers may be this contact's after all; whether anybody had said no."""
    mine = contact_denials.c.contact_id == contact_id
    gone = conn.execute(delete(contact_denials).where(mine, contact_denials.c.number.in_(_IDS)), {"ids": list(numbers)})
    return gone.rowcount > 0


def denied(conn: Connection, contact_id: str) -> list[dict[str, Any]]:
    """What is not this contact's: number, denied_by, denied_at."""
    return many(conn, select(contact_denials).where(contact_denials.c.contact_id == contact_id))


def forget_denials(conn: Connection, numbers: Collection[str]) -> None:
    """Nothing is known any more of whose these numbers are not."""
    conn.execute(delete(contact_denials).where(contact_denials.c.number.in_(_IDS)), {"ids": list(numbers)})


def count(conn: Connection) -> int:
    """How many contacts there are."""
    return conn.scalar(select(func.count()).select_from(contacts)) or 0


# ---- merges


def add_merge(conn: Connection, **values: Any) -> None:
    """Two contacts have become one."""
    conn.execute(insert(contact_merges).values(**values))


def merge(conn: Connection, merge_id: str) -> dict[str, Any] | None:
    """The row of a merge."""
    return one(conn, select(contact_merges).where(contact_merges.c.id == merge_id))


def merges_of(conn: Connection, contact_id: str) -> list[dict[str, Any]]:
    """Merges into this contact that are not undone, newest first."""
    query = select(contact_merges).where(
        contact_merges.c.contact_id == contact_id, contact_merges.c.undone_at.is_(None)
    )
    return many(conn, query.order_by(contact_merges.c.at.desc(), contact_merges.c.id.desc()))


def undone(conn: Connection, merge_id: str, at: int) -> None:
    """A merge is undone, and what was kept for that is needed no more."""
    conn.execute(update(contact_merges).where(contact_merges.c.id == merge_id).values(undone_at=at, gone={}))


# ---- custom fields


def fields(conn: Connection) -> list[dict[str, Any]]:
    """The custom fields, in their order."""
    return many(conn, select(contact_fields).order_by(contact_fields.c.position, contact_fields.c.id))


def add_field(conn: Connection, **values: Any) -> None:
    """A new custom field."""
    conn.execute(insert(contact_fields).values(**values))


def change_field(conn: Connection, field_id: str, **values: Any) -> None:
    """Change a custom field."""
    conn.execute(update(contact_fields).where(contact_fields.c.id == field_id).values(**values))


def remove_field(conn: Connection, field_id: str) -> None:
    """Remove a custom field; what contacts hold under its id is shown no more."""
    conn.execute(delete(contact_fields).where(contact_fields.c.id == field_id))
