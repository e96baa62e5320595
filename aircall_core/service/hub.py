"""Who is connected now, and the fan-out of events to them. Lives on one event loop; knows neither store nor network.

Every event is encoded once, whoever reads it. A connection that cannot keep up is ended, not waited for: the browser
comes back with the number of the last event it saw and gets the rest from the log.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aircall_core.domain import events as kinds
from aircall_core.domain.events import ADMINS, STAFF
from aircall_core.service.aloud import TabState, elect
from aircall_core.service.frames import Frame, aloud_frame, gone_frame, viewers_frame

QUEUE_LIMIT: Final = 256  # frames that wait for one browser
BACKLOG_LIMIT: Final = 4096  # events that pass while a connection reads its snapshot

# WebSocket close codes (RFC 6455 section 7.4; 4000 and up are ours).
CLOSE_RESTART: Final = 1012
CLOSE_TOO_SLOW: Final = 1013
CLOSE_SIGNED_OUT: Final = 4401

_SEES_EVERY_LINE: Final = frozenset({"administrator", "supervisor", "analyst"})


@dataclass(frozen=True, slots=True)
class Sight:
    """What a user may see: their role, and the lines they are assigned to."""

    role: str
    lines: frozenset[str] = frozenset()

    def line(self, line_id: str) -> bool:
        """Whether the user may see this line."""
        return self.role in _SEES_EVERY_LINE or line_id in self.lines


def may_see(user_id: str, sight: Sight, frame: Frame) -> bool:
    """Whether an event is for this user: by its audience, or because the call rings or rang for them."""
    if user_id in frame.parties:
        return True
    scope, _, subject = frame.audience.partition(":")
    if scope == "line":
        return sight.line(subject)
    if scope == "user":
        return subject == user_id
    return scope == STAFF or (scope == ADMINS and sight.role == "administrator")


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection is ended by us: the close code, and a last frame that says so."""

    code: int
    frame: str


@dataclass(eq=False)
class Connection:
    """One WebSocket of one browser tab."""

    user_id: str
    session_id: str
    tab: str
    browser: str
    name: str = ""
    viewing: str | None = None  # the conversation that the tab shows
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ending: Ending | None = None
    sight: Sight | None = None  # None until its snapshot has been read
    sight_seq: int = 0
    beat: dict[str, Any] = field(default_factory=dict)
    focused_at: int = 0
    connected_at: int = 0
    _backlog: list[Frame] = field(default_factory=list)
    _renewed: tuple[Sight, int] | None = None  # rights that changed while the snapshot was on its way

    def open(self, sight: Sight, seq: int) -> None:
        """From now on deliver; what the snapshot at ``seq`` already holds is dropped."""
        self.sight, self.sight_seq = sight, seq
        if self._renewed is not None:
            self.renew(*self._renewed)
        backlog, self._backlog = self._backlog, []
        for frame in backlog:
            if frame.seq > seq:
                self.offer(frame)

    def renew(self, sight: Sight, seq: int) -> None:
        """What the user may see has changed with the events up to ``seq``."""
        if self.sight is None:
            self._renewed = sight, seq
        elif seq >= self.sight_seq:
            self.sight, self.sight_seq = sight, seq

    def offer(self, frame: Frame) -> None:
        """Queue an event if this user may see it."""
        if self.sight is None:
            self._hold(frame)
        elif may_see(self.user_id, self.sight, frame):
            self.push(frame.text)

    def push(self, text: str) -> None:
        """Queue a frame for this browser alone."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self.end(CLOSE_TOO_SLOW, "slow")

    def end(self, code: int, reason: str) -> None:
        """End this connection; the first reason counts."""
        if self.ending is None:
            self.ending = Ending(code, gone_frame(reason))
            self.over.set()

    def _hold(self, frame: Frame) -> None:
        self._backlog.append(frame)
        if len(self._backlog) > BACKLOG_LIMIT:
            self.end(CLOSE_TOO_SLOW, "slow")


class Hub:
    """All connections of this desk process."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.position = 0  # the last event handed out
        self.delivered = 0
        self.dropped_slow = 0
        self.empty = asyncio.Event()
        self.empty.set()
        self._aloud: dict[str, str] = {}

    # ---- who is here

    def join(self, connection: Connection) -> None:
        """Events are held for this connection from this moment; `Connection.open` lets them through."""
        self.connections.add(connection)
        self.empty.clear()

    def leave(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        self.connections.discard(connection)
        if not self.connections:
            self.empty.set()
        if connection.ending is not None and connection.ending.code == CLOSE_TOO_SLOW:
            self.dropped_slow += 1
        self.elect(connection.user_id)
        self._tell_viewers(connection.viewing)

    def of_user(self, user_id: str) -> list[Connection]:
        """The connections of one user."""
        return [one for one in self.connections if one.user_id == user_id]

    def users(self) -> frozenset[str]:
        """Who is connected. May be called from another thread: it copies before it looks."""
        return frozenset(one.user_id for one in self.connections.copy())

    # ---- what happened

    def publish(self, frames: Iterable[Frame], sights: Mapping[str, Sight], seq: int) -> None:
        """Hand out the events up to ``seq``. ``sights``: what users may see from now on, if these events changed it."""
        for connection in self.connections:
            sight = sights.get(connection.user_id)
            if sight is not None:
                connection.renew(sight, seq)
        for frame in frames:
            self.delivered += 1
            for connection in tuple(self.connections):
                connection.offer(frame)
            if frame.kind == kinds.SESSION_REVOKED and frame.session is not None:
                self.end_sessions(frozenset({frame.session}))
        self.position = seq

    def end_all(self, code: int, reason: str) -> None:
        """End every connection: the process stops, or the log was cut off before our place in it."""
        for connection in tuple(self.connections):
            connection.end(code, reason)

    def end_sessions(self, sessions: frozenset[str]) -> None:
        """End the connections of sessions that are over."""
        for connection in tuple(self.connections):
            if connection.session_id in sessions:
                connection.end(CLOSE_SIGNED_OUT, "revoked")

    # ---- who looks at what

    def view(self, connection: Connection, conversation: str | None) -> None:
        """A tab shows another conversation, or none: those who look at it are told who else does."""
        before, connection.viewing = connection.viewing, conversation
        if before != conversation:
            self._tell_viewers(before)
        self._tell_viewers(conversation)

    def _tell_viewers(self, conversation: str | None) -> None:
        if conversation is None:
            return
        tabs = [one for one in self.connections if one.viewing == conversation]
        frame = viewers_frame(conversation, {one.user_id: one.name for one in sorted(tabs, key=lambda one: one.name)})
        for one in tabs:
            one.push(frame)

    # ---- who rings aloud

    def elect(self, user_id: str) -> None:
        """Pick anew the browser of this user that sounds the ring, and tell their tabs when it is another."""
        tabs = [
            TabState(one.browser, bool(one.beat.get("armed")), one.beat.get("sound") == "ok", one.focused_at)
            for one in self.of_user(user_id)
        ]
        before = self._aloud.get(user_id)
        now = elect(tabs, before)
        if now == before:
            return
        if now is None:
            self._aloud.pop(user_id, None)
        else:
            self._aloud[user_id] = now
        for one in self.of_user(user_id):
            one.push(aloud_frame(now))

    def aloud(self, user_id: str) -> str | None:
        """The browser of this user that sounds the ring."""
        return self._aloud.get(user_id)
