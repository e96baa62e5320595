"""The text frames of the realtime WebSocket, each encoded once for all its readers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aircall_core.domain.events import EventRow


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as browsers get it, and what decides who does."""

    seq: int
    kind: str
    audience: str
    parties: frozenset[str]  # users with a leg in the event's call: it concerns them whatever they may see
    session: str | None  # the session that session.revoked ended
    text: str


def encode(message: Mapping[str, Any]) -> str:
    """JSON without blanks, as the socket carries it."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def event_frame(
    row: EventRow, parties: frozenset[str], names: Mapping[str, str], card: Mapping[str, Any] | None
) -> Frame:
    """The frame of one event. Names and cards are joined here, since the log itself holds ids only."""
    event = row.event
    message: dict[str, Any] = {
        "t": "event",
        "seq": row.seq,
        "at": row.at,
        "kind": event.kind,
        "call_id": event.call_id,
        "conversation_id": event.conversation_id,
        "line_id": event.line_id,
        "user_id": event.user_id,
        "actor": event.actor,
        "data": dict(event.data),
    }
    if event.user_id is not None:
        message["who"] = {"id": event.user_id, "name": names.get(event.user_id, "")}
    if card is not None:
        message["card"] = dict(card)
    session = event.data.get("session")
    return Frame(
        seq=row.seq,
        kind=event.kind,
        audience=event.audience,
        parties=parties,
        session=session if isinstance(session, str) else None,
        text=encode(message),
    )


def snapshot_frame(seq: int, now: int, view: Mapping[str, Any], cards: Mapping[str, Any]) -> str:
    """The state at event ``seq``, which the following events build upon."""
    return encode({"t": "snapshot", "seq": seq, "now": now, "view": view, "cards": cards})


def caught_up_frame(seq: int) -> str:
    """All events up to ``seq`` that this user may see have been sent."""
    return encode({"t": "caught_up", "seq": seq})


def aloud_frame(browser: str | None) -> str:
    """Which browser of this user sounds the ring."""
    return encode({"t": "aloud", "browser": browser})


def viewers_frame(conversation: str, users: Mapping[str, str]) -> str:
    """Who looks at a conversation now: names by id."""
    shown = [{"id": one, "name": name} for one, name in users.items()]
    return encode({"t": "viewers", "conversation": conversation, "users": shown})


def gone_frame(reason: str) -> str:
    """The last frame of a connection that the desk ends: revoked, shutdown or slow."""
    return encode({"t": "gone", "reason": reason})
