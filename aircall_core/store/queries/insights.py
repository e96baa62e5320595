"""What insight cards show: whom they are about, what is known of them, and the cards for whoever looks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from aircall_core import numbers
from aircall_core.domain.call import Direction
from aircall_core.domain.insight import Line, lines_of
from aircall_core.domain.insight_kinds import POSTED, RULES, is_asked
from aircall_core.store import clock, people
from aircall_core.store import insights as rows
from aircall_core.store.queries import realtime

KEPT_MS: Final = 86_400_000  # an old answer is shown until there is a newer one, for a day


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom cards are about: the far end of a call, or of a conversation. ``number`` is '' when it is withheld."""

    line_id: str
    conversation_id: str
    number: str
    call_id: str | None = None
    live: bool = False


def of_call(conn: Connection, call_id: str) -> Subject | None:
    """Whom a call is with; None when there is no such call."""
    call = rows.call(conn, call_id)
    if call is None:
        return None
    if call["direction"] == Direction.OUTBOUND:
        number = call["to_number"]
    else:
        number = "" if call["anonymous"] else call["from_number"]
    live = call["ended_at"] is None
    return Subject(call["line_id"], call["conversation_id"], _number(number), call["id"], live)


def of_conversation(conn: Connection, conversation_id: str) -> Subject | None:
    """Whom a conversation is with; None when there is no such conversation."""
    found = rows.conversation(conn, conversation_id)
    if found is None:
        return None
    return Subject(found["line_id"], found["id"], _number(found["party"]))


def _number(text: str) -> str:
    """A number; '' for a caller who withholds it, has been erased, or comes with a name in its place."""
    return text if text.removeprefix("+").isdecimal() else ""


def values_of(conn: Connection, subject: Subject) -> dict[str, Any]:
    """What templates may name of this caller."""
    line = rows.line(conn, subject.line_id)
    number = subject.number
    return {
        "number": number,
        "spoken": numbers.spoken_form(number, line["country"]),
        "country": numbers.country_of(number),
        "line": {"id": line["id"], "name": line["name"], "number": line["number"]},
        "contact": rows.contact(conn, number) if number else None,
    }


def shown(conn: Connection, subject: Subject) -> dict[str, Any]:
    """The cards, in the order of their sources, posted ones first.

    ``asking``: another answer may come in a moment. ``expected``: whether anything may come at all.
    """
    calls = [subject.call_id] if subject.call_id and subject.live else []
    if subject.call_id is None:
        calls = rows.live_in(conn, subject.conversation_id)
    found = [("", row["contents"]) for row in rows.posted(conn, calls)] if calls else []
    now = clock.now_ms(conn)
    said = {row["source_id"]: row for row in rows.of_number(conn, subject.number)} if subject.number else {}
    sources = [one for one in rows.enabled(conn) if one["kind"] != POSTED]
    values = values_of(conn, subject) if any(one["kind"] == RULES for one in sources) else {}
    asking = False
    for source in sources:
        if source["kind"] == RULES:
            found.append((source["name"], lines_of(source["settings"]["lines"], values)))
        elif (row := said.get(source["id"])) is not None:
            asking |= (row["claimed_until"] or 0) > now
            found.append((source["name"], row["contents"] if row["at"] > now - KEPT_MS else []))
        elif subject.live and is_asked(source["kind"], subject.number):
            asking = True  # its turn comes in a moment
    cards = _named(conn, [{"source": name, "contents": lines} for name, lines in found if lines])
    return {"cards": cards, "asking": asking, "expected": bool(sources) or bool(cards)}


def _named(conn: Connection, cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines about a user name them as they are called here."""
    emails = {line["email"] for card in cards for line in card["contents"] if line.get("email")}
    known = rows.users_by_email(conn, emails)

    def line_of(line: Line) -> dict[str, Any]:
        user = known.get(line.get("email", ""))
        rest = {name: value for name, value in line.items() if name != "email"}
        return {**rest, "text": user["name"], "user_id": user["id"]} if user else rest

    named = [{**card, "contents": [line_of(one) for one in card["contents"]]} for card in cards]
    return [{**card, "contents": [one for one in card["contents"] if one["text"]]} for card in named]


def any_posted(conn: Connection, call_ids: Collection[str]) -> bool:
    """Whether a card was posted about one of these calls."""
    return bool(rows.posted(conn, call_ids))


def listed(conn: Connection) -> list[dict[str, Any]]:
    """The sources for administrators: without their secrets, with how their last questions went."""
    return [
        {**{name: value for name, value in row.items() if name != "secret"}, "has_secret": row["secret"] is not None}
        for row in rows.sources(conn)
    ]


def is_stale(conn: Connection, subject: Subject) -> bool:
    """Whether a source is to be asked about this caller, and nobody asks it."""
    return bool(subject.number) and bool(rows.due(conn, subject.number, clock.now_ms(conn)))


def may_see(conn: Connection, call_id: str, subject: Subject, user_id: str, role: str) -> bool:
    """Whether the user may see who calls: by the line, or because a live call concerns them."""
    if people.sees_line(conn, user_id, role, subject.line_id):
        return True
    concerned = {call_id, subject.call_id or call_id}
    return subject.live and any(user_id in users for users in realtime.parties(conn, concerned).values())
