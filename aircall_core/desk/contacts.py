"""Contacts: who stands behind the numbers. The whole company's, so that everybody knows who calls.

A number belongs to one contact at most, and whatever has it (conversations, calls that go on) is that contact's from
then on. Names are content: they stand in rows that can be erased, never in events or the audit log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aircall_core import ids, numbers
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.lines import LOWEST_PRIORITY
from aircall_core.domain import contact as rules
from aircall_core.domain.contact import Entry, Profile
from aircall_core.domain.events import CONTACT_CHANGED, STAFF, Event
from aircall_core.store import Connection, Tx, indexing, provisioning, search
from aircall_core.store import contacts as rows
from aircall_core.store.queries import company

MOST_MAYBE: Final = 5


def create(tx: Tx, actor: str, given: Mapping[str, Any], *, what: str = "created") -> str:
    """A new contact from name, company, description, numbers, emails, custom, priority as typed; its id.

    Raises Invalid, at the field; a number of somebody else says whose it is (details ``contact``).
    """
    after = cleaned(tx.conn, Profile(), given)
    if after.blank:
        raise Invalid({"name": "Enter a name, a company, a number or an e-mail address."})
    _free(tx.conn, after, None)
    return add(tx, actor, after, what=what)


def add(tx: Tx, actor: str, known: Profile, *, contact_id: str = "", what: str = "created") -> str:
    """A new contact that has been looked at already; its id."""
    contact_id = contact_id or ids.new_id()
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add(tx.conn, contact_id, known, tx.now_ms(), author)
    rows.link(tx.conn, [entry.value for entry in known.numbers], contact_id)
    indexing.contact(tx.conn, contact_id)
    changed(tx, actor, contact_id, what)
    return contact_id


def change(
    tx: Tx, actor: str, contact_id: str, given: Mapping[str, Any], version: int | None = None, *, what: str = "changed"
) -> int:
    """Change what is given; the version it has now.

    ``version``: the one that was looked at; another one is refused ("changed", with the contact as it is), so that
    nobody overwrites what a colleague has just written. Raises Invalid, DeskError not_found.
    """
    row = found(tx.conn, contact_id, lock=True)
    before = rows.profile(tx.conn, row)
    after = cleaned(tx.conn, before, given)
    if after == before:
        return int(row["version"])
    if version is not None and version != row["version"]:
        said = "A colleague has changed this contact. Look at it again."
        raise DeskError("changed", said, 409, {"version": row["version"]})
    if after.blank:
        raise Invalid({"name": "A contact has at least a name, a company, a number or an e-mail address."})
    _free(tx.conn, after, contact_id)
    write(tx, actor, row, before, after, what=what)
    return int(row["version"]) + 1


def write(tx: Tx, actor: str, row: Mapping[str, Any], before: Profile, after: Profile, *, what: str | None) -> None:
    """Put a contact that has been looked at already in place of what it was. ``what`` None: one event tells of many."""
    if not rows.put(tx.conn, row["id"], before, after, row["version"], tx.now_ms()):
        raise DeskError("changed", "A colleague has changed this contact. Look at it again.")
    had, has = {entry.value for entry in before.numbers}, {entry.value for entry in after.numbers}
    rows.link(tx.conn, had - has, None)
    rows.link(tx.conn, has - had, row["id"])
    indexing.contact(tx.conn, row["id"])
    if what is not None:
        changed(tx, actor, row["id"], what)


def add_number(tx: Tx, actor: str, contact_id: str, number: str, label: str = "") -> int:
    """Give a number to a contact: also how a "maybe" becomes sure. The contact's version. Raises as `change`."""
    known = rows.profile(tx.conn, found(tx.conn, contact_id, lock=True))
    kept = [{"number": entry.value, "label": entry.label} for entry in known.numbers]
    return change(tx, actor, contact_id, {"numbers": [*kept, {"number": number, "label": label}]})


def deny(tx: Tx, actor: str, contact_id: str, number: str) -> None:
    """A number that looks like this contact's is somebody else's: nobody is asked again. Raises as `change`."""
    known = found(tx.conn, contact_id, lock=True)
    plain = reader(tx.conn)(number)
    if not plain:
        raise Invalid({"number": _SAID["number"]})
    if rows.owners(tx.conn, [plain]).get(plain) == known["id"]:
        raise Invalid({"number": "This is one of the contact's numbers. Take it from there."})
    if rows.deny(tx.conn, known["id"], plain, actor.removeprefix("user:"), tx.now_ms()):
        changed(tx, actor, known["id"], "denied")


def allow(tx: Tx, actor: str, contact_id: str, number: str) -> None:
    """Take a no back: the number may be this contact's after all. Raises DeskError not_found."""
    known = found(tx.conn, contact_id, lock=True)
    if rows.allow(tx.conn, known["id"], [reader(tx.conn)(number)]):
        changed(tx, actor, known["id"], "denied")


def found(conn: Connection, contact_id: str, *, lock: bool = False) -> dict[str, Any]:
    """The contact's row. Raises DeskError not_found."""
    row = rows.get(conn, contact_id, lock=lock)
    if row is None:
        raise not_found("The contact")
    return row


def changed(tx: Tx, actor: str, contact_id: str, what: str, **more: Any) -> None:
    """Tell everybody that a contact is not as it was."""
    tx.append(Event(CONTACT_CHANGED, STAFF, actor, data={"contact": contact_id, "what": what, **more}))


def maybe(conn: Connection, number: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Contacts that may stand behind a number which is nobody's: one of theirs ends like it, or they are called so.

    ``names``: what trunks said of who calls. Each with "why": number, name; numbers come first.
    """
    tail, keys = rules.tail(number), [found for found in map(rules.key, names) if len(found) >= 3]
    if rows.owners(conn, [number]):
        return []
    ids_found = rows.alike(conn, number, [tail] if tail else [], keys, MOST_MAYBE)
    candidates = rows.by_ids(conn, ids_found)
    for one in candidates:
        alike = any(rules.tail(entry["number"]) == tail for entry in one["numbers"]) if tail else False
        one["why"] = "number" if alike else "name"
    return candidates


def drop(tx: Tx, contact_id: str) -> None:
    """Take a contact out of the store and out of what is found. Who calls does it for a reason, and says it."""
    rows.remove(tx.conn, contact_id)
    search.drop(tx.conn, search.CONTACT, contact_id)


# ---- what was typed


def cleaned(conn: Connection, before: Profile, given: Mapping[str, Any]) -> Profile:
    """The contact with what is given in it, in the form in which it is kept. Raises Invalid."""
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name in ("name", "company"):
        if name in given:
            values[name] = rules.one_line(str(given[name] or ""))
            if len(values[name]) > rules.LONGEST_NAME:
                wrong[name] = f"Use at most {rules.LONGEST_NAME} characters."
    if "description" in given:
        values["description"] = rules.several_lines(str(given["description"] or ""))
        if len(values["description"]) > rules.LONGEST_DESCRIPTION:
            wrong["description"] = f"Use at most {rules.LONGEST_DESCRIPTION:,} characters."
    if "numbers" in given:
        values["numbers"] = _entries(given["numbers"] or (), "number", reader(conn), wrong, before.numbers)
    if "emails" in given:
        values["emails"] = _entries(given["emails"] or (), "email", rules.email, wrong, before.emails)
    if "custom" in given:
        values["custom"] = _custom(conn, before.custom, given["custom"] or {}, wrong)
    if "priority" in given:
        values["priority"] = given["priority"]
        if given["priority"] is not None and not 1 <= given["priority"] <= LOWEST_PRIORITY:
            wrong["priority"] = f"Choose 1 to {LOWEST_PRIORITY}, or none."
    if wrong:
        raise Invalid(wrong)
    return replace(before, **values)


def home(conn: Connection) -> str:
    """The country whose national numbers people type: the company's, else that of its first line."""
    lines = provisioning.all_lines(conn)
    return str(company.everything(conn)["country"] or (lines[0]["country"] if lines else ""))


def reader(conn: Connection) -> Callable[[str], str]:
    """How a number is read that was typed or stands in a file: as one of the company's country. '' for none."""
    country = home(conn)

    def read(text: str) -> str:
        plain = numbers.normalise(text, country)
        return plain if plain.startswith("+") and len(plain) >= 7 and plain[1:].isdigit() else ""

    return read


_SAID: Final = {
    "number": "Enter a telephone number, with its country code if it is from abroad.",
    "email": "Enter an e-mail address, such as ada@example.com.",
}

_CUSTOM_SAID: Final = {
    "long": f"Use at most {rules.LONGEST_VALUE:,} characters.",
    "number": "Enter a number, such as 12 or 3.5.",
    "date": "Enter a date, such as 2026-03-31.",
    "link": "Enter a web address that begins with https:// or http://.",
    "choice": "Choose one of those that are offered.",
}


def _entries(
    given: Sequence[Any], name: str, read: Callable[[str], str], wrong: dict[str, str], before: Sequence[Entry]
) -> tuple[Entry, ...]:
    known, made = {entry.value for entry in before}, []
    field = f"{name}s"
    for one in given:
        typed, label = (one, "") if isinstance(one, str) else (str(one.get(name) or ""), str(one.get("label") or ""))
        if not typed.strip():
            continue
        value = typed if typed in known else read(typed[: 2 * rules.LONGEST_EMAIL])
        if not value:
            wrong[field] = _SAID[name]
            continue
        label = rules.one_line(label)
        if len(label) > rules.LONGEST_LABEL:
            wrong[field] = f"Use at most {rules.LONGEST_LABEL} characters for what it is."
        made.append(Entry(value, label))
    found = rules.unique(made)
    if len(found) > rules.MOST_ENTRIES:
        wrong[field] = f"A contact has at most {rules.MOST_ENTRIES}."
    return tuple(sorted(found, key=lambda entry: entry.value))


def _custom(
    conn: Connection, before: Mapping[str, Any], given: Mapping[str, Any], wrong: dict[str, str]
) -> dict[str, Any]:
    """Values by field; what is not given stays, an empty one goes."""
    fields = {row["id"]: row for row in rows.fields(conn)}
    values = dict(before)
    for field_id, typed in given.items():
        field = fields.get(field_id)
        if field is None:
            wrong[f"custom.{field_id}"[:80]] = "There is no such field any more."
            continue
        try:
            value = rules.custom_value(field["kind"], field["choices"], typed)
        except ValueError as error:
            wrong[f"custom.{field_id}"] = _CUSTOM_SAID[str(error)]
            continue
        values.pop(field_id, None)
        if value is not None:
            values[field_id] = value
    return values


def _free(conn: Connection, wanted: Profile, contact_id: str | None) -> None:
    taken = {
        number: owner
        for number, owner in rows.owners(conn, [entry.value for entry in wanted.numbers]).items()
        if owner != contact_id
    }
    if taken:
        number, owner = next(iter(taken.items()))
        name = rows.names(conn, [owner]).get(owner) or "another contact"
        wrong = Invalid({"numbers": f"{number} belongs to {name}. Merge both, or take it from there first."})
        wrong.details["contact"] = owner
        raise wrong
