"""Insight cards: who is to be asked about a caller, what was said or posted, and what of it is shown.

Nothing here happens in the transaction of a call's arrival, and the network is asked outside of any (service/insights).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.insight_words import problems
from aircall_core.domain.call import Direction
from aircall_core.domain.events import INSIGHT_SHOWN, Event, line_audience
from aircall_core.domain.insight import USER, Line, clean
from aircall_core.domain.insight_kinds import DEFAULT_CACHE_MIN
from aircall_core.numbers import ANONYMOUS
from aircall_core.store import Store, Tx, clock
from aircall_core.store import calls as call_rows
from aircall_core.store import insights as rows
from aircall_core.store.queries.insights import KEPT_MS, Subject, values_of

SWEEP: Final = "insights.sweep"  # a kind of due row
CLAIM_MS: Final = 10_000  # whoever asks has died: another may
AGAIN_MS: Final = 30_000  # a source that failed is left alone about this number for so long
MOST_POSTED: Final = 10  # cards of one call


@dataclass(frozen=True, slots=True)
class Asking:
    """Questions that are ours to ask: the sources' rows (secrets encrypted), and what they are asked about."""

    subject: Subject
    sources: Sequence[Mapping[str, Any]]
    values: Mapping[str, Any] = field(default_factory=dict)


# ---- asking


def claim(store: Store, subjects: Iterable[Subject]) -> list[Asking]:
    """The questions about these callers that are due and that nobody asks: they are ours to ask now."""
    with store.read() as conn:  # callers of a company without sources, or who called a moment ago, need no write
        now = clock.now_ms(conn)
        wanted = [
            (subject, due, values_of(conn, subject))
            for subject in subjects
            if subject.number and (due := rows.due(conn, subject.number, now))
        ]
    if not wanted:
        return []
    with store.write() as tx:
        now = tx.now_ms()
        won = [
            Asking(
                subject,
                [one for one in due if rows.claim(tx.conn, one["id"], subject.number, now, now + CLAIM_MS)],
                values,
            )
            for subject, due, values in wanted
        ]
    return [one for one in won if one.sources]


def answered(
    tx: Tx, source: Mapping[str, Any], subject: Subject, contents: Sequence[Line] | None, error: str | None
) -> None:
    """A source said this, or failed (``contents`` None); all who look at a call with this number hear of it."""
    now = tx.now_ms()
    minutes = int(source["settings"].get("cache_min", DEFAULT_CACHE_MIN))
    expires_at = now + (AGAIN_MS if contents is None else max(minutes * 60_000, CLAIM_MS))
    rows.asked(tx.conn, source["id"], source["version"], now, error)
    if not rows.answered(tx.conn, source["id"], subject.number, contents, now, expires_at):
        return
    live = rows.live_of_number(tx.conn, subject.number)
    tx.append(*(_shown(call["line_id"], call["conversation_id"], call["id"]) for call in live))
    if subject.call_id is None and subject.conversation_id not in {call["conversation_id"] for call in live}:
        tx.append(_shown(subject.line_id, subject.conversation_id, None))


# ---- posting


def post(tx: Tx, actor: str, call_id: str, contents: Sequence[Mapping[str, Any]]) -> None:
    """Somebody has a card for a live call. One that is there already stays one, so that a request may be repeated.

    Raises Invalid, DeskError not_found, ended or too_many.
    """
    call = call_rows.get(tx.conn, call_id, lock=True)
    if call is None:
        raise not_found("The call")
    if call["ended_at"] is not None:
        raise DeskError("ended", "The call is over: cards are shown while it lasts.")
    if wrong := problems(contents):
        raise Invalid(wrong)
    lines = clean(list(contents))
    if unknown := _unknown_users(tx, lines):
        raise Invalid({f"contents.{place}.email": "No user has this address." for place in unknown})
    there = rows.posted(tx.conn, [call_id])
    if any(row["contents"] == lines for row in there):
        return
    if len(there) >= MOST_POSTED:
        raise DeskError("too_many", f"A call has at most {MOST_POSTED} cards.")
    number = call["to_number"] if call["direction"] == Direction.OUTBOUND else call["from_number"]
    rows.add_posted(tx.conn, call_id, number or ANONYMOUS, lines, tx.now_ms())
    tx.append(_shown(call["line_id"], call["conversation_id"], call_id, actor))


def post_about(tx: Tx, actor: str, number: str, contents: Sequence[Mapping[str, Any]]) -> int:
    """The same for every call that goes on with this number; how many there are. Raises DeskError no_call."""
    live = rows.live_of_number(tx.conn, number) if number else []
    if not live:
        raise DeskError("no_call", "No call with this number goes on.", 404)
    for call in live:
        post(tx, actor, call["id"], contents)
    return len(live)


def over(tx: Tx, call_ids: Sequence[str]) -> None:
    """These calls have ended: what was posted about them goes."""
    rows.drop_posted(tx.conn, call_ids)


def sweep(tx: Tx) -> None:
    """Forget what is old."""
    rows.sweep(tx.conn, tx.now_ms() - KEPT_MS)


def _unknown_users(tx: Tx, lines: Sequence[Line]) -> list[int]:
    emails = {line["email"] for line in lines if line["type"] == USER and line.get("email")}
    known = rows.users_by_email(tx.conn, emails)
    return [place for place, line in enumerate(lines) if line.get("email") and line["email"] not in known]


def _shown(line_id: str, conversation_id: str, call_id: str | None, actor: str = "system") -> Event:
    return Event(
        INSIGHT_SHOWN, line_audience(line_id), actor, call_id=call_id, conversation_id=conversation_id, line_id=line_id
    )
