"""Calls out: what the company allows, asked before every number that is dialled, by whomever and from wherever.

`check` is asked in the transaction that dials, `look` while somebody types. A refusal is written to the audit log and
to the event log by `refusals_noted`, in a transaction of its own, since the one that was refused is rolled back.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from aircall_core import numbers
from aircall_core.desk import audit
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.domain import dialling
from aircall_core.domain.dialling import Verdict, Why
from aircall_core.domain.events import ADMINS, COMPANY_CHANGED, DIAL_REFUSED, STAFF, Event
from aircall_core.store import Connection, Store, Tx
from aircall_core.store import dialling as rows
from aircall_core.store.clock import now_ms
from aircall_core.store.queries import dialling as stored

HIGHEST_CAP: Final = 100_000
_MALFORMED: Final = frozenset(
    {Why.NOT_A_NUMBER, Why.SERVICE_CODE, Why.INCOMPLETE, Why.NO_SUCH_NUMBER, Why.SHORT_CODE, Why.EMERGENCY_ELSEWHERE}
)
_UNREADY: Final = frozenset({Why.NO_TRUNK, Why.LINE_OFF})

WORDS: Final[Mapping[Why, str]] = {
    Why.NOT_A_NUMBER: "This is not a telephone number. Use digits, and + with the country's code for other countries.",
    Why.SERVICE_CODE: "Codes with * or # are not dialled from here.",
    Why.INCOMPLETE: "This number is not complete.",
    Why.NO_SUCH_NUMBER: "There is no number like this{of_country}.",
    Why.SHORT_CODE: "Short numbers and enquiries are not dialled from here: they may cost any amount.",
    Why.EMERGENCY: "This phone cannot reach emergency services. Take another phone and call {number} now.",
    Why.EMERGENCY_ELSEWHERE: "This is not the emergency number{of_country}. There it is {number}.",
    Why.PREMIUM: "Premium-rate numbers are not dialled from here.",
    Why.SHARED_COST: "Numbers that charge the caller extra are not dialled from here.",
    Why.PERSONAL: "Personal and pager numbers are not dialled from here: what they cost depends on where they lead.",
    Why.SATELLITE: "Satellite phones and ship or aircraft networks are not dialled from here.",
    Why.GLOBAL_SERVICE: "International service numbers are not dialled from here.",
    Why.COUNTRY: "{country}: calls there are not allowed. An administrator can allow them under Settings, Calling out.",
    Why.OWN_NUMBER: "This is the number of your own line {line}.",
    Why.DO_NOT_CALL: "This number is on the do-not-call list.",
    Why.NO_TRUNK: "{line} cannot call out: an administrator chooses its trunk for that under Settings, Lines.",
    Why.LINE_OFF: "{line} is switched off.",
    Why.USER_CAP: "You have made {cap} calls out in 24 hours, and no more are allowed.",
    Why.LINE_CAP: "{line} has made {cap} calls out in 24 hours, and no more are allowed.",
}


class DialRefused(DeskError):
    """A number that may not be dialled. ``code`` is a `Why`; ``number`` what was typed or read, for the audit log."""

    def __init__(self, why: Why, line_id: str, user_id: str | None, number: str, params: Mapping[str, Any]) -> None:
        status = 422 if why in _MALFORMED else 409 if why in _UNREADY else 403
        super().__init__(why, words(why, params), status, {"country": params.get("country") or None})
        self.why, self.line_id, self.user_id, self.number = why, line_id, user_id, number


@dataclass(frozen=True, slots=True)
class Checked:
    """A number that may be dialled, and how.

    ``number`` is E.164; an emergency number is as its country has it (``112``), without + and to be sent as it is.
    ``caller_id`` is the line's, E.164 or whatever its trunk wants shown.
    """

    number: str
    country: str
    emergency: bool
    trunk_id: str
    caller_id: str
    extension: str = ""  # was typed behind the number: to be sent by keypad once somebody answers


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides whether a number may be dialled by a line, apart from how much was dialled already."""

    country: str  # how national numbers are read
    allowed: frozenset[str]
    emergency: str  # refuse, dial


@dataclass(frozen=True, slots=True)
class Look:
    """What would come of dialling: the verdict on the number, and what else stands in the way."""

    verdict: Verdict
    refused: DialRefused | None
    way: Mapping[str, Any]


def policy(conn: Connection, line_id: str) -> Policy:
    """The policy of a line. Raises DeskError not_found."""
    return _policy(conn, _way(conn, line_id))


def judge(typed: str, rules: Policy) -> Verdict:
    """The verdict on a number as it was typed, without the store."""
    return dialling.verdict(numbers.read(typed, rules.country), allowed=rules.allowed, emergency=rules.emergency)


def words(why: Why, params: Mapping[str, Any]) -> str:
    """A refusal in a sentence. ``params`` may have country (ISO 3166), number, line (a name) and cap."""
    country = numbers.country_name(str(params.get("country") or ""))
    places = {"country": country or "Another country", "of_country": f" in {country}" if country else ""}
    return WORDS[why].format(**{"number": "112", "line": "This line", "cap": "", **params, **places})


def check(tx: Tx, line_id: str, number: str, user_id: str | None) -> Checked:
    """Whether the line may dial this number now, for a user (None: for its call flow). Raises DialRefused, not_found.

    Emergency numbers are beyond caps and lists. Let `refusals_noted` surround the transaction.
    """
    seen = look(tx.conn, line_id, number, user_id)
    if seen.refused is not None:
        raise seen.refused
    way, verdict = seen.way, seen.verdict
    return Checked(
        number=verdict.number,
        country=verdict.country,
        emergency=verdict.emergency,
        trunk_id=way["outbound_trunk_id"],
        caller_id=way["caller_id"] or way["number"],
        extension=verdict.extension,
    )


def look(conn: Connection, line_id: str, number: str, user_id: str | None) -> Look:
    """What `check` would say, without raising: for who is still typing."""
    way = _way(conn, line_id)
    verdict = judge(number, _policy(conn, way))
    why, params = verdict.why, {**verdict.params, "line": way["name"]}
    if why is None:
        why = _unready(way)
    if why is None and not verdict.emergency:
        why, more = _kept_from(conn, way, verdict.number, user_id)
        params |= more
    shown = verdict.number or number
    refused = DialRefused(why, line_id, user_id, shown, params) if why is not None else None
    return Look(verdict, refused, way)


@contextmanager
def refusals_noted(store: Store) -> Iterator[None]:
    """Around a transaction that dials: a refused number is written down, and the refusal goes on."""
    try:
        yield
    except DialRefused as refused:
        with store.write() as tx:
            note_refusal(tx, refused)
        raise


def note_refusal(tx: Tx, refused: DialRefused) -> None:
    """Write a refused number to the audit log, and to the event log that there was one."""
    actor = f"user:{refused.user_id}" if refused.user_id else "system"
    audit.note(tx, actor, DIAL_REFUSED, refused.line_id, refused.number[: dialling.LONGEST], {"why": ("", refused.why)})
    data = {"why": refused.why.value, "line": refused.line_id}
    tx.append(Event(DIAL_REFUSED, ADMINS, actor, line_id=refused.line_id, user_id=refused.user_id, data=data))


def change(tx: Tx, actor: str, wanted: Mapping[str, Any]) -> None:
    """Change the company's rules. Invalid names each wrong field.

    countries: ISO 3166 codes, or None for its own and its lines'; user_cap and line_cap: calls out in 24 hours.
    """
    known = stored.settings(tx.conn)
    after = {**known, **{name: value for name, value in wanted.items() if name in known}}
    wrong: dict[str, str] = {}
    if after["countries"] is not None:
        after["countries"] = sorted({str(code).strip().upper() for code in after["countries"]})
        if unknown := [code for code in after["countries"] if not numbers.is_country(code)]:
            wrong["countries"] = f"{', '.join(unknown)[:60]} is no country."
    for name in ("user_cap", "line_cap"):
        if not 0 <= int(after[name]) <= HIGHEST_CAP:
            wrong[name] = f"Choose at most {HIGHEST_CAP} calls; 0 allows none."
    if wrong:
        raise Invalid(wrong)
    changes = audit.differences(known, after)
    if not changes:
        return
    stored.put(tx.conn, after)
    tx.append(Event(COMPANY_CHANGED, STAFF, actor, data={}))
    audit.note(tx, actor, "dialling.changed", "", "", changes)


def can_call_out(conn: Connection, line_id: str) -> bool:
    """Whether the line has a trunk for calls out, and is on."""
    way = rows.way_out(conn, line_id)
    return way is not None and _unready(way) is None


def own_cap(wanted: int | None) -> int | None:
    """A user's or a line's own cap in the form it is kept: a negative one is the company's."""
    return None if wanted is None or wanted < 0 else wanted


def cap_problems(wanted: int | None) -> dict[str, str]:
    """What is wrong with a cap of a user's or a line's own."""
    return {"dial_cap": f"Choose at most {HIGHEST_CAP} calls."} if wanted is not None and wanted > HIGHEST_CAP else {}


def _way(conn: Connection, line_id: str) -> dict[str, Any]:
    way = rows.way_out(conn, line_id)
    if way is None:
        raise not_found("The line")
    return way


def _policy(conn: Connection, way: Mapping[str, Any]) -> Policy:
    return Policy(way["country"], stored.countries(conn), way["emergency"])


def _unready(way: Mapping[str, Any]) -> Why | None:
    if not way["enabled"]:
        return Why.LINE_OFF
    return None if rows.takes_calls_out(way) else Why.NO_TRUNK


def _kept_from(
    conn: Connection, way: Mapping[str, Any], number: str, user_id: str | None
) -> tuple[Why | None, dict[str, Any]]:
    own = rows.line_with_number(conn, number)
    if own is not None:  # it would come back in, and a call flow that dials its own number would go round and round
        return Why.OWN_NUMBER, {"line": own["name"]}
    if rows.forbidden(conn, [number]):
        return Why.DO_NOT_CALL, {}
    company, since = stored.settings(conn), now_ms(conn) - dialling.DAY_S * 1000
    if user_id is not None:
        cap = rows.user_cap(conn, user_id)
        cap = company["user_cap"] if cap is None else cap
        if rows.dialled_by_user(conn, user_id, since) >= cap:
            return Why.USER_CAP, {"cap": cap}
    cap = company["line_cap"] if way["dial_cap"] is None else way["dial_cap"]
    if rows.dialled_by_line(conn, way["id"], since) >= cap:
        return Why.LINE_CAP, {"cap": cap}
    return None, {}
