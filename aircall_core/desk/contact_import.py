"""Contacts from a file, a few at a time: new ones, and those that are there already, as was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from aircall_core import ids
from aircall_core.desk import audit, contacts
from aircall_core.domain import contact as rules
from aircall_core.domain.contact import Entry, Profile
from aircall_core.domain.contact_file import Problem, Raw
from aircall_core.domain.events import CONTACT_CHANGED, STAFF, Event
from aircall_core.store import Connection, Tx, indexing
from aircall_core.store import contacts as rows

CHUNK: Final = 10  # contacts a transaction: at most 5 ms as a rule (measured: 20 took 8)
Same = Literal["skip", "merge", "new"]


@dataclass
class Tally:
    """What came of a file, or would come."""

    created: int = 0
    merged: int = 0
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    # Looking only: whose a number or address would be by now, of rows that were read before.
    seen: set[str] = field(default_factory=set)

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.created + other.created,
            self.merged + other.merged,
            self.skipped + other.skipped,
            self.problems + other.problems,
            self.seen | other.seen,
        )


def look(conn: Connection, given: Sequence[tuple[Raw, Profile]], tally: Tally) -> list[bool]:
    """Count what would come of these; of each, whether it is there already (in the store, or above in the file)."""
    numbers, emails = _owners(conn, given)
    known = []
    for _, profile in given:
        values = [entry.value for entry in (*profile.numbers, *profile.emails)]
        same = any(value in numbers or value in emails or value in tally.seen for value in values)
        tally.seen.update(values)
        known.append(same)
        if same:
            tally.skipped += 1
        else:
            tally.created += 1
    return known


def take(tx: Tx, actor: str, given: Sequence[tuple[Raw, Profile]], same: Same) -> Tally:
    """Take these in, at most `CHUNK` of them; what came of them, once the transaction has held.

    ``same``: what becomes of one that is there already.
    """
    tally = Tally()
    numbers, emails = _owners(tx.conn, given)
    made: dict[str, Profile] = {}
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    for raw, profile in given:
        owner = next((numbers[one.value] for one in profile.numbers if one.value in numbers), None)
        owner = owner or next((emails[one.value] for one in profile.emails if one.value in emails), None)
        if owner is not None and same == "skip":
            tally.skipped += 1
            continue
        if owner is not None and same == "merge":
            if _merge(tx, actor, owner, profile, numbers, made):
                tally.merged += 1
            else:
                tally.skipped += 1
        else:
            free = tuple(one for one in profile.numbers if one.value not in numbers)
            new = replace(profile, numbers=free)
            if new.blank or (free != profile.numbers and not (new.name or new.company or free)):
                tally.problems.append(Problem(raw.line, "taken", "", raw.text))
                continue
            owner = ids.new_id()
            made[owner] = new
            tally.created += 1
        for one in profile.numbers:
            numbers.setdefault(one.value, owner)
        for one in profile.emails:
            emails.setdefault(one.value, owner)
    if made:
        _add(tx, made, author)
    if tally.created + tally.merged:
        tx.append(Event(CONTACT_CHANGED, STAFF, actor, data={"contact": None, "what": "imported"}))
    return tally


def _merge(tx: Tx, actor: str, owner: str, profile: Profile, numbers: dict[str, str], made: dict[str, Profile]) -> bool:
    """Give a contact what it lacks; whether that was anything. Numbers of others stay theirs."""
    own = tuple(one for one in profile.numbers if numbers.get(one.value, owner) == owner)
    given = replace(profile, numbers=own)
    if owner in made:  # a row above in the same chunk
        made[owner] = _limited(rules.merged(made[owner], given))
        return True
    row = contacts.found(tx.conn, owner, lock=True)
    before = rows.profile(tx.conn, row)
    after = _limited(rules.merged(before, given))
    if after == before:
        return False
    contacts.write(tx, actor, row, before, after, what=None)
    return True


def _limited(known: Profile) -> Profile:
    def some(entries: Sequence[Entry]) -> tuple[Entry, ...]:
        return tuple(sorted(entries[: rules.MOST_ENTRIES], key=lambda entry: entry.value))

    description = known.description[: rules.LONGEST_DESCRIPTION]
    return replace(known, numbers=some(known.numbers), emails=some(known.emails), description=description)


def _add(tx: Tx, made: dict[str, Profile], author: str | None) -> None:
    rows.add_many(tx.conn, made, tx.now_ms(), author)
    parties = rows.parties_among(tx.conn, [entry.value for known in made.values() for entry in known.numbers])
    for contact_id, known in made.items():
        rows.link(tx.conn, [entry.value for entry in known.numbers if entry.value in parties], contact_id)
        indexing.profile(tx.conn, contact_id, known, tx.now_ms())


def imported(tx: Tx, actor: str, tally: Tally, entry: str | None) -> str | None:
    """Write down who has brought how many of a file by now, in the transaction that takes some of them in.

    ``entry``: the audit log's entry about this file so far; the one to go on with.
    """
    if not tally.created + tally.merged:
        return entry
    changes: dict[str, tuple[Any, Any]] = {"created": (None, tally.created), "merged": (None, tally.merged)}
    if entry is None:
        return audit.note(tx, actor, "contacts.imported", "", "", changes)
    audit.amend(tx, entry, changes)
    return entry


def _owners(conn: Connection, given: Sequence[tuple[Raw, Profile]]) -> tuple[dict[str, str], dict[str, str]]:
    numbers = rows.owners(conn, [one.value for _, profile in given for one in profile.numbers])
    mails = rows.with_emails(conn, [one.value for _, profile in given for one in profile.emails])
    return numbers, {email: found[0] for email, found in mails.items()}
