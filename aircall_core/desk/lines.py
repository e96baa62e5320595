"""Lines: the numbers that customers call, and who answers them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aircall_core import ids, numbers
from aircall_core.desk import audit, dialling, flow_uses
from aircall_core.desk import teams as team_cases
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain.events import LINE_CHANGED, STAFF, Event
from aircall_core.store import Tx, accounts, messages, provisioning
from aircall_core.store.queries import dial_lists

RECORDING: Final = ("off", "on", "notice")
EMERGENCY: Final = ("refuse", "dial")
SHORTEST_RING_S, LONGEST_RING_S = 5, 300
LOWEST_PRIORITY, LONGEST_ASSIGNEE_S = 9, 60
LONGEST_OPEN_MIN: Final = 90 * 24 * 60
_COLUMNS: Final = (
    "name", "number", "country", "language", "ring_s", "recording", "enabled", "priority", "assignee_first_s",
    "tags_required", "outbound_trunk_id", "caller_id", "emergency", "dial_cap", "pause_on_hold", "pause_notice",
    "message_account_id", "auto_close_min",
)  # fmt: skip
_FRESH: Final = {
    "name": "", "number": "", "country": "", "language": "en", "ring_s": 30, "recording": "off", "enabled": True,
    "priority": None, "assignee_first_s": 0, "tags_required": False, "outbound_trunk_id": None, "caller_id": None,
    "emergency": "refuse", "dial_cap": None, "pause_on_hold": False, "pause_notice": False,
    "message_account_id": None, "auto_close_min": None,
}  # fmt: skip
_INTERNAL = re.compile(r"[0-9*#]{2,10}")  # an extension of a PBX
_E164 = re.compile(r"\+[1-9][0-9]{5,14}")  # ITU-T E.164: at most 15 digits
_LANGUAGES: Final = ("en", "es", "fr")


def create(tx: Tx, actor: str, *, users: Sequence[str] = (), teams: Sequence[str] = (), **wanted: Any) -> str:
    """A new line; its id. ``wanted``: name, number, country, and whatever else shall not be as in `_FRESH`."""
    values = _checked(tx, {**_FRESH, **wanted}, None)
    line_id = ids.new_id()
    provisioning.add_line(tx.conn, id=line_id, created_at=tx.now_ms(), **values)
    accounts.set_line_users(tx.conn, line_id, team_cases.known_users(tx, users))
    accounts.set_line_teams(tx.conn, line_id, team_cases.known_teams(tx, teams))
    _changed(tx, actor, line_id)
    assigned = {"users": team_cases.user_names(tx, users), "teams": team_cases.team_names(tx, teams)}
    audit.note(tx, actor, "line.created", line_id, values["name"], audit.differences(_FRESH, {**values, **assigned}))
    return line_id


def change(
    tx: Tx,
    actor: str,
    line_id: str,
    *,
    users: Sequence[str] | None = None,
    teams: Sequence[str] | None = None,
    **wanted: Any,
) -> None:
    """Change what is given of a line; calls that ring now go on as they began."""
    line = provisioning.line(tx.conn, line_id)
    if line is None:
        raise not_found("The line")
    before = {**line, **_assigned(tx, line_id)}
    values: dict[str, Any] = {}
    if wanted:
        values = _checked(tx, {**{key: line[key] for key in _COLUMNS}, **wanted}, line_id)
        provisioning.change_line(tx.conn, line_id, **values)
    if users is not None:
        accounts.set_line_users(tx.conn, line_id, team_cases.known_users(tx, users))
    if teams is not None:
        accounts.set_line_teams(tx.conn, line_id, team_cases.known_teams(tx, teams))
    _changed(tx, actor, line_id)
    after = {**before, **values, **_assigned(tx, line_id)}
    changes = audit.differences(before, after, (*_COLUMNS, "users", "teams"))
    audit.note(tx, actor, LINE_CHANGED, line_id, after["name"], changes)


def remove(tx: Tx, actor: str, line_id: str) -> None:
    """Remove a line that has no conversations; one that has can be switched off."""
    line = provisioning.line(tx.conn, line_id)
    if line is None:
        raise not_found("The line")
    if provisioning.line_has_history(tx.conn, line_id):
        raise DeskError("in_use", "This line has conversations, which stay. Switch it off instead.")
    if leading := flow_uses.lines_using(tx, flow_uses.LINE, line_id):
        raise DeskError("in_use", f"The flow of {', '.join(leading)} sends callers to this line.")
    if dial_lists.has_lists(tx.conn, line_id):
        raise DeskError("in_use", "Lists of the Power Dialer are dialled by this line. Switch it off instead.")
    provisioning.remove_line(tx.conn, line_id)
    _changed(tx, actor, line_id)
    audit.note(tx, actor, "line.removed", line_id, line["name"])


def _assigned(tx: Tx, line_id: str) -> dict[str, list[str]]:
    """Names of who is rung, as the audit log tells them."""
    users, teams = accounts.line_assignments(tx.conn)
    return {
        "users": team_cases.user_names(tx, users.get(line_id, ())),
        "teams": team_cases.team_names(tx, teams.get(line_id, ())),
    }


def _checked(tx: Tx, wanted: Mapping[str, Any], line_id: str | None) -> dict[str, Any]:
    """The line's columns in the form they are kept. Invalid says what is wrong with each, all at once."""
    wrong: dict[str, str] = {}
    name = " ".join(str(wanted["name"]).split())
    if not 1 <= len(name) <= 80:
        wrong["name"] = "Enter a name of at most 80 characters, such as Sales."
    country = str(wanted["country"]).strip().upper()
    number = _number(str(wanted["number"]), country)
    if number is None:
        wrong["number"] = "Enter a number like +33 1 99 00 12 34, or the extension that your PBX dials."
    else:
        country = country or numbers.country_of(number)
        other = provisioning.line_numbered(tx.conn, number)
        if other is not None and other["id"] != line_id:
            wrong["number"] = f"The line {other['name']} has this number."
    if number is not None and not numbers.is_country(country):
        wrong["country"] = "Choose the country whose national numbers this line uses."
    if wanted["language"] not in _LANGUAGES:
        wrong["language"] = f"Choose one of {', '.join(_LANGUAGES)}."
    if not SHORTEST_RING_S <= int(wanted["ring_s"]) <= LONGEST_RING_S:
        wrong["ring_s"] = f"Choose between {SHORTEST_RING_S} and {LONGEST_RING_S} seconds."
    priority = int(wanted["priority"] or 0)
    if not 0 <= priority <= LOWEST_PRIORITY:
        wrong["priority"] = f"Choose 1 (served first) to {LOWEST_PRIORITY}, or none."
    if not 0 <= int(wanted["assignee_first_s"]) <= LONGEST_ASSIGNEE_S:
        wrong["assignee_first_s"] = f"Choose at most {LONGEST_ASSIGNEE_S} seconds; 0 is off."
    if wanted["recording"] not in RECORDING:
        wrong["recording"] = "Choose off, on, or notice."
    wrong |= _outbound_problems(tx, wanted, line_id)
    wrong |= _conversation_problems(tx, wanted)
    shown = str(wanted["caller_id"] or "").strip()
    caller_id = _number(shown, country) if shown else None
    if shown and caller_id is None:
        wrong["caller_id"] = "Enter a number like +33 1 99 00 12 34, or leave it empty to show the line's."
    if wrong:
        raise Invalid(wrong)
    return {
        "name": name,
        "number": number,
        "country": country,
        "language": wanted["language"],
        "ring_s": int(wanted["ring_s"]),
        "recording": wanted["recording"],
        "enabled": bool(wanted["enabled"]),
        "priority": priority or None,
        "assignee_first_s": int(wanted["assignee_first_s"]),
        "tags_required": bool(wanted["tags_required"]),
        "outbound_trunk_id": wanted["outbound_trunk_id"] or None,
        "caller_id": None if caller_id == number else caller_id,
        "emergency": wanted["emergency"],
        "dial_cap": dialling.own_cap(wanted["dial_cap"]),
        "pause_on_hold": bool(wanted["pause_on_hold"]),
        "pause_notice": bool(wanted["pause_notice"]),
        "message_account_id": wanted["message_account_id"] or None,
        "auto_close_min": int(wanted["auto_close_min"] or 0) or None,
    }


def _conversation_problems(tx: Tx, wanted: Mapping[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    account = wanted["message_account_id"] or None
    if account and messages.account(tx.conn, account) is None:
        wrong["message_account_id"] = "This account does not exist any more."
    if not 0 <= int(wanted["auto_close_min"] or 0) <= LONGEST_OPEN_MIN:
        wrong["auto_close_min"] = f"Choose at most {LONGEST_OPEN_MIN} minutes; 0 leaves conversations open."
    return wrong


def _outbound_problems(tx: Tx, wanted: Mapping[str, Any], line_id: str | None) -> dict[str, str]:
    wrong: dict[str, str] = {}
    trunk_id, line = wanted["outbound_trunk_id"], provisioning.line(tx.conn, line_id) if line_id else None
    trunk = provisioning.trunk(tx.conn, trunk_id) if trunk_id else None
    if trunk_id and trunk is None:
        wrong["outbound_trunk_id"] = "This trunk does not exist any more."
    elif (
        trunk is not None
        and not (trunk["outbound_host"] or trunk["host"])
        and (line is None or line["outbound_trunk_id"] != trunk_id)  # one that lost its address must not lock the line
    ):
        wrong["outbound_trunk_id"] = f"{trunk['name']} takes no calls out: enter its address for them first."
    if wanted["emergency"] not in EMERGENCY:
        wrong["emergency"] = f"Choose one of {', '.join(EMERGENCY)}."
    return wrong | dialling.cap_problems(wanted["dial_cap"])


def _number(text: str, country: str) -> str | None:
    plain = re.sub(r"[\s()./-]", "", text)
    if _INTERNAL.fullmatch(plain):
        # "0199001234" in France is a national number, "4100" an extension.
        full = numbers.normalise(plain, country) if country else plain
        return full if _E164.fullmatch(full) else plain
    full = numbers.normalise(text, country)
    return full if _E164.fullmatch(full) else None


def _changed(tx: Tx, actor: str, line_id: str) -> None:
    tx.append(Event(LINE_CHANGED, STAFF, actor, line_id=line_id, data={"id": line_id}))
