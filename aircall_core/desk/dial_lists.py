"""Lists of the power dialer: making and filling them.

What an agent does with an entry is in desk/dial_entries.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aircall_core import ids
from aircall_core.desk import audit, dial_entries, dialling
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain import dial_list as rules
from aircall_core.domain.dial_list import Code, Problem, Row
from aircall_core.domain.dialling import Why
from aircall_core.domain.events import DIAL_ENTRY_CHANGED, DIAL_LIST_CHANGED, Event, line_audience
from aircall_core.domain.plan import Feature, gate
from aircall_core.store import Connection, Tx, clock, conversations, provisioning
from aircall_core.store import dial_lists as rows
from aircall_core.store import dialling as forbidding
from aircall_core.store.queries import company

CHUNK: Final = 200  # rows a transaction


def require(conn: Connection) -> None:
    """Raises DeskError ``plan`` unless the company's plan has the power dialer."""
    if not gate(Feature.POWER_DIALER, company.everything(conn), clock.now_ms(conn)).on:
        raise DeskError(
            "plan", "Power Dialer is not part of your plan. An administrator can change that under Settings, Plan.", 403
        )


def create(tx: Tx, actor: str, *, name: str, line_id: str, pause_s: int = rules.DEFAULT_PAUSE_S) -> str:
    """A new list whose numbers are dialled by this line; its id."""
    name = _name(tx, name, None)
    values = {"name": name, "pause_s": _pause(pause_s)}
    if provisioning.line(tx.conn, line_id) is None:
        raise Invalid({"line_id": "Choose the line that dials these numbers."})
    list_id = ids.new_id()
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add_list(tx.conn, id=list_id, line_id=line_id, created_by=author, created_at=tx.now_ms(), **values)
    changed(tx, actor, {"id": list_id, "line_id": line_id})
    audit.note(tx, actor, "dial_list.created", list_id, name, audit.differences(None, values, ("pause_s",)))
    return list_id


def change(tx: Tx, actor: str, list_id: str, wanted: Mapping[str, Any]) -> None:
    """Change name, pause_s (seconds between an agent's calls) or archived. An archived list is dialled by nobody."""
    known = found(tx.conn, list_id, lock=True)
    values = dict(wanted)
    if "name" in values:
        values["name"] = _name(tx, values["name"], list_id)
    if "pause_s" in values:
        values["pause_s"] = _pause(values["pause_s"])
    changes = audit.differences(known, values)
    if not changes:
        return
    rows.change_list(tx.conn, list_id, **{name: after for name, (_, after) in changes.items()})
    if values.get("archived"):
        for entry in rows.claims_in(tx.conn, list_id):
            dial_entries.put_back(tx, entry, known, actor)
    changed(tx, actor, known)
    audit.note(tx, actor, DIAL_LIST_CHANGED, list_id, values.get("name", known["name"]), changes)


def found(conn: Connection, list_id: str, *, lock: bool = False) -> dict[str, Any]:
    """The list's row. Raises DeskError not_found."""
    row = rows.dial_list(conn, list_id, lock=lock)
    if row is None:
        raise not_found("The list")
    return row


def open_list(conn: Connection, list_id: str) -> dict[str, Any]:
    """The row of a list that can be filled and dialled. Raises DeskError not_found, archived."""
    row = found(conn, list_id)
    if row["archived"]:
        raise DeskError("archived", "This list is archived.")
    return row


def changed(tx: Tx, actor: str, row: Mapping[str, Any]) -> None:
    """Tell who sees the line that the list is not as it was."""
    line = row["line_id"]
    tx.append(Event(DIAL_LIST_CHANGED, line_audience(line), actor, line_id=line, data={"id": row["id"]}))


# ---- filling


def judge(conn: Connection, line_id: str) -> rules.Judge:
    """How numbers of a line's lists are read, as they were typed or stand in a file."""
    policy = dialling.policy(conn, line_id)
    ours = {line["number"] for line in provisioning.all_lines(conn)}

    def read(text: str) -> tuple[str, str]:
        verdict = dialling.judge(text, policy)
        if verdict.emergency:  # a line may dial them by hand; nobody puts them on a list
            return "", Why.EMERGENCY
        if verdict.number in ours:
            return verdict.number, Why.OWN_NUMBER
        return verdict.number, "extension" if verdict.extension else verdict.why or ""

    return read


def kept_out(conn: Connection, list_id: str, given: Sequence[Row]) -> list[Problem]:
    """Those of these rows that this list cannot take: listed already, on the do-not-call list, beyond its size."""
    numbers = [row.number for row in given]
    listed, forbidden = rows.known(conn, list_id, numbers), forbidding.forbidden(conn, numbers)
    room = rules.MOST_ENTRIES - rows.size(conn, list_id)
    out: list[Problem] = []
    for row in given:
        if row.number in listed:
            out.append(Problem(row.line, Code.LISTED, row.number))
        elif row.number in forbidden:
            out.append(Problem(row.line, Code.DO_NOT_CALL, row.number))
        elif room <= 0:
            out.append(Problem(row.line, Code.FULL, row.number))
        else:
            room -= 1
    return out


def take(tx: Tx, actor: str, list_id: str, given: Sequence[Row]) -> list[Problem]:
    """Put rows that `kept_out` has let through at the end of the list, at most `CHUNK` of them.

    Returns those that somebody else has put there in between.
    """
    known = open_list(tx.conn, list_id)
    new = rows.add(
        tx.conn,
        list_id,
        [{"id": ids.new_id(), "number": row.number, "name": row.name, "note": row.note} for row in given],
    )
    if new:
        changed(tx, actor, known)
    return [Problem(row.line, Code.LISTED, row.number) for row in given if row.number not in new]


def imported(tx: Tx, actor: str, list_id: str, count: int, entry: str | None) -> str | None:
    """Write down who has put how many numbers of a file on the list by now, in the transaction that does some of it.

    ``entry``: the audit log's entry about this file so far; the one to go on with.
    """
    if not count:
        return entry
    changes = {"numbers": (None, count)}
    if entry is None:
        return audit.note(tx, actor, "dial_list.imported", list_id, found(tx.conn, list_id)["name"], changes)
    audit.amend(tx, entry, changes)
    return entry


def add_one(tx: Tx, actor: str, list_id: str, *, number: str, name: str = "", note: str = "") -> str:
    """Put one number on the list, as typed; the entry's id. Raises Invalid, DeskError not_found, archived."""
    known = open_list(tx.conn, list_id)
    read = rules.read(number, judge(tx.conn, known["line_id"]))
    row = read if isinstance(read, Problem) else rules.entry(read, name, note)
    problems = [row] if isinstance(row, Problem) else kept_out(tx.conn, list_id, [row])
    if not problems:
        assert isinstance(row, Row)
        problems = take(tx, actor, list_id, [row])
    if problems:
        problem = problems[0]
        raise Invalid({_FIELD.get(problem.code, "number"): said(problem)})
    assert isinstance(row, Row)
    added = rows.entry_with(tx.conn, list_id, row.number)
    assert added is not None
    line = known["line_id"]
    conversation = conversations.find(tx.conn, line, row.number)
    tx.append(
        Event(
            DIAL_ENTRY_CHANGED,
            line_audience(line),
            actor,
            conversation_id=conversation["id"] if conversation else None,  # its timeline tells who did it
            line_id=line,
            data={"list": list_id, "entry": added["id"], "state": "added", "call": None},
        )
    )
    return str(added["id"])


_FIELD: Final = {Code.NAME_TOO_LONG: "name", Code.NOTE_TOO_LONG: "note"}
_SAID: Final[Mapping[Code, str]] = {
    Code.NO_NUMBER: "Enter a number.",
    Code.NAME_TOO_LONG: f"Use at most {rules.LONGEST_NAME} characters.",
    Code.NOTE_TOO_LONG: f"Use at most {rules.LONGEST_NOTE} characters.",
    Code.SEVERAL: "Enter one number.",
    Code.EXTENSION: "Extensions cannot be dialled from a list.",
    Code.LISTED: "This number is on the list already.",
    Code.DO_NOT_CALL: dialling.WORDS[Why.DO_NOT_CALL],
    Code.FULL: f"A list holds at most {rules.MOST_ENTRIES} numbers. Begin another one.",
}


def said(problem: Problem) -> str:
    """What is wrong with a number, in a sentence."""
    if problem.code is Code.REFUSED:
        return dialling.words(Why(problem.detail), {})
    return _SAID.get(problem.code, dialling.WORDS[Why.NOT_A_NUMBER])


def _name(tx: Tx, name: str, list_id: str | None) -> str:
    name = rules.one_line(name)
    if not 1 <= len(name) <= rules.LONGEST_LIST_NAME:
        raise Invalid({"name": f"Enter a name of at most {rules.LONGEST_LIST_NAME} characters, such as Spring offer."})
    other = rows.list_named(tx.conn, name)
    if other is not None and other["id"] != list_id:
        raise Invalid({"name": "Another list has this name."})
    return name


def _pause(seconds: int) -> int:
    if not 0 <= seconds <= rules.LONGEST_PAUSE_S:
        raise Invalid({"pause_s": f"Choose 0 to {rules.LONGEST_PAUSE_S} seconds."})
    return seconds
