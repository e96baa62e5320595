"""Lists of the power dialer and their entries; who is faster gets an entry, by compare-and-set."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from aircall_core.domain.dial_list import State
from aircall_core.store.rows import many, one
from aircall_core.store.tables import dial_entries, dial_lists, lines

_MANY: Final = 500  # values a statement
_CLAIMED: Final = text("dial_entries.state = 'claimed'")  # as the partial index has it, word by word
_IN_ORDER = (dial_entries.c.position, dial_entries.c.id)
# Rows that another agent is claiming at this moment are not waited for: there is a next one.
_NEXT = (
    select(dial_entries.c.id)
    .where(dial_entries.c.list_id == bindparam("of_list"), dial_entries.c.state == State.WAITING.value)
    .order_by(*_IN_ORDER)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_CLAIM = (
    update(dial_entries)
    .where(dial_entries.c.id == _NEXT, dial_entries.c.state == State.WAITING.value)
    .values(state=State.CLAIMED.value, user_id=bindparam("who"), at=bindparam("moment"), lease_until=bindparam("until"))
    .returning(dial_entries)
)
# By state, since the index stands so: four short looks in place of a walk through a long list.
_LAST = select(func.max(dial_entries.c.position)).where(
    dial_entries.c.list_id == bindparam("of_list"), dial_entries.c.state == bindparam("with_state")
)


# ---- lists


def dial_list(conn: Connection, list_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The list's row with its line's `country`."""
    query = select(dial_lists, lines.c.country).join(lines, lines.c.id == dial_lists.c.line_id)
    return one(conn, (query.with_for_update(of=dial_lists) if lock else query).where(dial_lists.c.id == list_id))


def list_named(conn: Connection, name: str) -> dict[str, Any] | None:
    """The list with this name, whatever its case."""
    found = many(conn, select(dial_lists).where(func.lower(dial_lists.c.name) == name.lower()).limit(1))
    return found[0] if found else None


def add_list(conn: Connection, **values: Any) -> None:
    """A new list."""
    conn.execute(insert(dial_lists).values(**values))


def change_list(conn: Connection, list_id: str, **values: Any) -> None:
    """Change the list's row."""
    conn.execute(
        update(dial_lists).where(dial_lists.c.id == list_id).values(version=dial_lists.c.version + 1, **values)
    )


# ---- entries


def entry(conn: Connection, entry_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The entry's row."""
    query = select(dial_entries).where(dial_entries.c.id == entry_id)
    return one(conn, query.with_for_update() if lock else query)


def entry_with(conn: Connection, list_id: str, number: str) -> dict[str, Any] | None:
    """The list's entry with this number (E.164)."""
    query = select(dial_entries).where(dial_entries.c.list_id == list_id, dial_entries.c.number == number)
    return one(conn, query)


def size(conn: Connection, list_id: str) -> int:
    """How many entries a list has."""
    return int(conn.scalar(select(func.count()).where(dial_entries.c.list_id == list_id)) or 0)


def known(conn: Connection, list_id: str, numbers: Collection[str]) -> set[str]:
    """Which of these numbers are in the list."""
    found: set[str] = set()
    asked = list(numbers)
    for start in range(0, len(asked), _MANY):
        some = asked[start : start + _MANY]
        query = select(dial_entries.c.number).where(dial_entries.c.list_id == list_id, dial_entries.c.number.in_(some))
        found |= set(conn.scalars(query))
    return found


def add(conn: Connection, list_id: str, entries: Sequence[Mapping[str, Any]]) -> set[str]:
    """Put these (id, number, name, note) at the end; the numbers that were not in the list yet."""
    if not entries:
        return set()
    place = last_position(conn, list_id) + 1
    new = {"list_id": list_id, "state": State.WAITING.value}
    values = [{**new, **one_entry, "position": place + at} for at, one_entry in enumerate(entries)]
    fresh = postgresql.insert(dial_entries) if conn.dialect.name == "postgresql" else sqlite.insert(dial_entries)
    statement = fresh.on_conflict_do_nothing(index_elements=[dial_entries.c.list_id, dial_entries.c.number])
    return set(conn.scalars(statement.returning(dial_entries.c.number), values))


def last_position(conn: Connection, list_id: str) -> int:
    """The highest position in a list; 0 in an empty one."""
    return max(0, *(conn.scalar(_LAST, {"of_list": list_id, "with_state": state.value}) or 0 for state in State))


def first_position(conn: Connection, list_id: str) -> int:
    """The lowest position of those that wait; 0 where none does."""
    waits = (dial_entries.c.list_id == list_id, dial_entries.c.state == State.WAITING.value)
    return int(conn.scalar(select(func.min(dial_entries.c.position)).where(*waits)) or 0)


def neighbour(conn: Connection, row: Mapping[str, Any], *, before: bool) -> dict[str, Any] | None:
    """The waiting entry next to this one, held."""
    place = tuple_(*_IN_ORDER)
    mine = tuple_(row["position"], row["id"])
    beyond = place < mine if before else place > mine
    order = [column.desc() if before else column.asc() for column in _IN_ORDER]
    query = (
        select(dial_entries)
        .where(dial_entries.c.list_id == row["list_id"], dial_entries.c.state == State.WAITING.value, beyond)
        .order_by(*order)
        .limit(1)
        .with_for_update()
    )
    return one(conn, query)


def claim_next(conn: Connection, list_id: str, user_id: str, at: int, until: int) -> dict[str, Any] | None:
    """Give the first entry that waits to this user; None where none does."""
    values = {"of_list": list_id, "who": user_id, "moment": at, "until": until}
    row = conn.execute(_CLAIM, values).mappings().one_or_none()
    return None if row is None else dict(row)


def claims_of(conn: Connection, user_id: str) -> list[dict[str, Any]]:
    """The entries that a user has claimed."""
    query = select(dial_entries).where(_CLAIMED, dial_entries.c.user_id == user_id)
    return many(conn, query.order_by(dial_entries.c.at, dial_entries.c.id))


def claims_in(conn: Connection, list_id: str, *, over_at: int | None = None) -> list[dict[str, Any]]:
    """The entries of a list that are claimed; ``over_at``: those whose claim has run out at this moment."""
    query = select(dial_entries).where(dial_entries.c.list_id == list_id, _CLAIMED)
    if over_at is not None:
        query = query.where(dial_entries.c.lease_until <= over_at)
    return many(conn, query.order_by(dial_entries.c.id))


def change(
    conn: Connection, entry_id: str, states: Iterable[State], *, user_id: str | None = None, **values: Any
) -> bool:
    """Change an entry if it is in one of these states and, if given, this user's; whether it was so."""
    statement = update(dial_entries).where(
        dial_entries.c.id == entry_id, dial_entries.c.state.in_(sorted(state.value for state in states))
    )
    if user_id is not None:
        statement = statement.where(dial_entries.c.user_id == user_id)
    return conn.execute(statement.values(**values)).rowcount == 1


def keep(conn: Connection, entry_id: str, user_id: str, until: int) -> bool:
    """A claim goes on; whether it was still this user's."""
    return change(conn, entry_id, [State.CLAIMED], user_id=user_id, lease_until=until)


def dialled(conn: Connection, entry_id: str, user_id: str, call_id: str, at: int) -> bool:
    """A claimed entry is dialled in this call; whether it was still this user's."""
    return change(
        conn, entry_id, [State.CLAIMED], user_id=user_id, state=State.DIALLED.value, call_id=call_id, at=at,
        lease_until=None, tries=dial_entries.c.tries + 1,
    )  # fmt: skip


def swap(conn: Connection, one_row: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Two entries change places."""
    ids = {one_row["id"]: other["position"], other["id"]: one_row["position"]}
    conn.execute(
        update(dial_entries)
        .where(dial_entries.c.id.in_(sorted(ids)))
        .values(position=case(ids, value=dial_entries.c.id))
    )


def remove(conn: Connection, entry_id: str) -> None:
    """An entry goes."""
    conn.execute(delete(dial_entries).where(dial_entries.c.id == entry_id))
