"""What happened, as one immutable record: the shape of a row of the event log before it has its place in the order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STAFF = "staff"
ADMINS = "admin"

# The kinds of events, version 1. docs/events.md says who writes each and what its data holds.
CALL_ARRIVED = "call.arrived"
CALL_RINGING = "call.ringing"
CALL_RING_STOPPED = "call.ring_stopped"
CALL_ACCEPTING = "call.accepting"
CALL_ACCEPT_FAILED = "call.accept_failed"
CALL_ANSWERED = "call.answered"
CALL_CONFIRMED = "call.confirmed"
CALL_AUDIO = "call.audio"
CALL_AGENT_AWAY = "call.agent_away"
CALL_AGENT_BACK = "call.agent_back"
CALL_MUTE_WANTED = "call.mute_wanted"
CALL_MUTED = "call.muted"
CALL_HANGUP_WANTED = "call.hangup_wanted"
CALL_HOLD_WANTED = "call.hold_wanted"
CALL_HELD = "call.held"
CALL_KEYS_WANTED = "call.keys_wanted"
CALL_KEYS_SENT = "call.keys_sent"
CALL_RECORD_WANTED = "call.record_wanted"
CALL_DIAL_WANTED = "call.dial_wanted"
CALL_PROGRESS = "call.progress"
CALL_TRANSFER_WANTED = "call.transfer_wanted"
CALL_COMPLETE_WANTED = "call.complete_wanted"
CALL_TRANSFERRING = "call.transferring"
CALL_TRANSFERRED = "call.transferred"
CALL_FORWARDED = "call.forwarded"
CALL_PICKED_UP = "call.picked_up"
CALL_STEP = "call.step"
CALL_CHOSE = "call.chose"
CALL_TYPED = "call.typed"
CALL_QUEUED = "call.queued"
CALL_REDIRECTED = "call.redirected"
CALL_TAGGED = "call.tagged"
CALL_TAG_DUE = "call.tag_due"
CALL_NOTED = "call.noted"
CALL_OVERFLOW = "call.overflow"
CALL_RETURNED = "call.returned"
CALL_ENDED = "call.ended"
CALL_RECORDING = "call.recording"
COMMAND_FAILED = "command.failed"
CONVERSATION_OPENED = "conversation.opened"
CONVERSATION_READ = "conversation.read"
CONVERSATION_UNREAD = "conversation.unread"
CONVERSATION_ASSIGNED = "conversation.assigned"
CONVERSATION_CLOSED = "conversation.closed"
CONVERSATION_REOPENED = "conversation.reopened"
CONVERSATION_NOTED = "conversation.noted"
MESSAGE_RECEIVED = "message.received"
MESSAGE_WRITTEN = "message.written"
MESSAGE_SEND_WANTED = "message.send_wanted"
MESSAGE_STATE = "message.state"
MESSAGE_PUT_ASIDE = "message.put_aside"
MESSAGE_FILES = "message.files"
OPT_OUT_CHANGED = "opt_out.changed"
CONTACT_CHANGED = "contact.changed"
INSIGHT_SHOWN = "insight.shown"
MESSAGING_CHANGED = "messaging.changed"
INSIGHTS_CHANGED = "insights.changed"
CALLBACK_REQUESTED = "callback.requested"
CALLBACK_SETTLED = "callback.settled"
DIAL_LIST_CHANGED = "dial_list.changed"
DIAL_ENTRY_CHANGED = "dial_entry.changed"
DO_NOT_CALL_CHANGED = "do_not_call.changed"
DIAL_REFUSED = "dial.refused"
USER_DUTY = "user.duty"
USER_CHOICE = "user.choice"
USER_STATUS = "user.status"
USER_WRAP_UP = "user.wrap_up"
USER_CREATED = "user.created"
USER_CHANGED = "user.changed"
TEAM_CHANGED = "team.changed"
LINE_CHANGED = "line.changed"
FLOW_CHANGED = "flow.changed"
SCHEDULE_CHANGED = "schedule.changed"
PROMPT_CHANGED = "prompt.changed"
RECORDINGS_DELETED = "recordings.deleted"
TAG_CHANGED = "tag.changed"
BLOCKLIST_CHANGED = "blocklist.changed"
TRUNK_CHANGED = "trunk.changed"
TRUNK_STATE = "trunk.state"
COMPANY_CHANGED = "company.changed"
CHECKLIST_CHANGED = "checklist.changed"
SESSION_REVOKED = "session.revoked"
NODE_STARTED = "node.started"
NODE_LOST = "node.lost"

# What a worker must hear of: wishes of users for calls that it owns.
INTENTS = frozenset(
    {
        CALL_ACCEPTING, CALL_AUDIO, CALL_MUTE_WANTED, CALL_HANGUP_WANTED, CALL_HOLD_WANTED, CALL_KEYS_WANTED,
        CALL_RECORD_WANTED, CALL_DIAL_WANTED, CALL_TRANSFER_WANTED, CALL_COMPLETE_WANTED, MESSAGE_SEND_WANTED,
    }
)  # fmt: skip


def line_audience(line_id: str) -> str:
    """Whoever may see the line: its assigned users, and every supervisor, analyst and administrator."""
    return f"line:{line_id}"


def user_audience(user_id: str) -> str:
    """This user alone, in all of their browsers."""
    return f"user:{user_id}"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    ``data`` holds ids and states only, never names, numbers or texts: the log is kept, content can be erased.
    """

    kind: str
    audience: str
    actor: str
    call_id: str | None = None
    conversation_id: str | None = None
    line_id: str | None = None
    user_id: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    v: int = 1


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event with its place in the order (``seq``, the order of commits) and its time in ms since the epoch."""

    seq: int
    at: int
    event: Event

    @property
    def kind(self) -> str:
        """The event's kind, since followers choose by it."""
        return self.event.kind
