"""Two contacts that are one: merged, and parted again as they were, with their conversations."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from aircall_core import ids
from aircall_core.desk import contacts
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain import contact as rules
from aircall_core.domain.contact import Entry, Profile
from aircall_core.store import Connection, Tx, indexing
from aircall_core.store import contacts as rows


def merge(tx: Tx, actor: str, kept_id: str, gone_id: str) -> str:
    """The second contact goes into the first one; the merge's id, by which it can be undone.

    What the first has stands, and what it lacks comes from the second. Raises DeskError not_found, Invalid.
    """
    if kept_id == gone_id:
        raise Invalid({"with": "Choose another contact."})
    found = {one: contacts.found(tx.conn, one, lock=True) for one in sorted((kept_id, gone_id))}  # one order for all
    kept, gone = rows.profile(tx.conn, found[kept_id]), rows.profile(tx.conn, found[gone_id])
    both = rules.merged(kept, gone)
    if max(len(both.numbers), len(both.emails)) > rules.MOST_ENTRIES:
        raise Invalid({"with": f"Together they would have more than {rules.MOST_ENTRIES} numbers or e-mail addresses."})
    denied = rows.denied(tx.conn, gone_id)  # what looked like the one's looks like both's from now on
    contacts.drop(tx, gone_id)
    contacts.write(tx, actor, found[kept_id], kept, both, what="changed")
    contacts.changed(tx, actor, gone_id, "merged", into=kept_id)
    for one in denied:
        if one["number"] not in {entry.value for entry in both.numbers}:
            rows.deny(tx.conn, kept_id, one["number"], one["denied_by"], one["denied_at"])
    merge_id = ids.new_id()
    row = found[gone_id]
    was = {
        "kept": asdict(kept), "both": asdict(both), "gone": asdict(gone),
        "row": {name: row[name] for name in ("id", "created_at", "created_by", "version")},
    }  # fmt: skip
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add_merge(tx.conn, id=merge_id, contact_id=kept_id, gone=was, by_user=author, at=tx.now_ms())
    return merge_id


def undo(tx: Tx, actor: str, merge_id: str) -> str:
    """Both are two again; the id of the one that was gone.

    What was changed since then stays with the one that stayed. Raises DeskError: not_found, undone, not_last.
    """
    known = rows.merge(tx.conn, merge_id)
    if known is None:
        raise not_found("The merge")
    kept_row = contacts.found(tx.conn, known["contact_id"], lock=True)
    last = rows.merges_of(tx.conn, kept_row["id"])
    if known["undone_at"] is not None or not last:
        raise DeskError("undone", "These contacts were parted already.")
    if last[0]["id"] != merge_id:
        raise DeskError("not_last", "Undo the newest merge of this contact first.")
    was = known["gone"]
    before, both, gone = (_profile(was[name]) for name in ("kept", "both", "gone"))
    now = rows.profile(tx.conn, kept_row)
    apart = _parted(now, before, both, gone)
    mine = {entry.value for entry in now.numbers}
    taken = rows.owners(tx.conn, [entry.value for entry in gone.numbers])
    # A number that was taken away from both since, and given to somebody else, stays there.
    back = tuple(entry for entry in gone.numbers if entry.value in mine or entry.value not in taken)
    gone_id = str(was["row"]["id"])
    contacts.write(tx, actor, kept_row, now, apart, what="changed")
    rows.add(
        tx.conn, gone_id, replace(gone, numbers=back), was["row"]["created_at"], was["row"]["created_by"],
        updated_at=tx.now_ms(), version=was["row"]["version"] + 1,
    )  # fmt: skip
    rows.link(tx.conn, [entry.value for entry in back], gone_id)
    indexing.contact(tx.conn, gone_id)
    rows.undone(tx.conn, merge_id, tx.now_ms())
    contacts.changed(tx, actor, gone_id, "parted")
    return gone_id


def of_contact(conn: Connection, contact_id: str) -> list[dict[str, Any]]:
    """Merges that can be undone, newest first: {"id", "at", "by", "name": who went into this one}."""
    return [
        {
            "id": row["id"], "at": row["at"], "by": row["by_user"],
            "name": row["gone"]["gone"]["name"] or row["gone"]["gone"]["company"],
        }
        for row in rows.merges_of(conn, contact_id)
    ]  # fmt: skip


def _parted(now: Profile, before: Profile, both: Profile, gone: Profile) -> Profile:
    """The one that stayed, without what came to it: each part as before, unless somebody has changed it since."""
    values: dict[str, Any] = {}
    for name in ("name", "company", "description", "priority", "custom"):
        if getattr(now, name) == getattr(both, name):
            values[name] = getattr(before, name)
    for name in ("numbers", "emails"):
        own = {entry.value for entry in getattr(before, name)}
        theirs = {entry.value for entry in getattr(gone, name)} - own
        values[name] = tuple(entry for entry in getattr(now, name) if entry.value not in theirs)
    return replace(now, **values)


def _profile(was: Mapping[str, Any]) -> Profile:
    entries = {name: tuple(Entry(**one) for one in was[name]) for name in ("numbers", "emails")}
    return Profile(**{**was, **entries})
