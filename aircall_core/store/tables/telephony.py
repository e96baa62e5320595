"""Calls, and what belongs to one: legs, keys, tags, the wish to be called back, recordings."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from aircall_core.store.tables.base import CLIENT_ID, ID, MS, metadata

calls = Table(
    "calls",
    metadata,
    Column("id", ID, primary_key=True),
    Column("line_id", ID, ForeignKey("lines.id"), nullable=False),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("contact_id", ID),
    Column("trunk_id", ID),
    Column("direction", String(8), nullable=False, server_default="inbound"),  # inbound, outbound, internal
    Column("started_by", ID),  # who dialled it, or asks a colleague for a call of theirs
    Column("parent_id", ID),  # the call that this one was made for: talk first, or one more participant
    Column("callback_id", ID),  # it calls back one who waits
    Column("held", Boolean, nullable=False, server_default=text("false")),  # by who has it; a child: by who started it
    Column("held_at", MS),
    Column("progress", String(8)),  # outbound, until answered: dialling, ringing, early (sound before the answer)
    Column("transfer", JSON),  # under way or last: {"target", "by", "at"}; desk/transfers.py
    Column("forwarded_to", String(64)),  # the outside number that the far end talks with, without any of us
    Column("state", String(16), nullable=False),  # domain/call.py
    Column("from_number", String(64), nullable=False, server_default=""),
    Column("from_display", Text, nullable=False, server_default=""),
    Column("to_number", String(64), nullable=False, server_default=""),
    Column("anonymous", Boolean, nullable=False, server_default=text("false")),
    Column("accepted_by", ID),
    Column("accept_command", CLIENT_ID),
    Column("accept_deadline", MS),
    Column("answered_by", ID),
    Column("audio_peer", CLIENT_ID),
    Column("muted", Boolean, nullable=False, server_default=text("false")),
    Column("agent_away", Boolean, nullable=False, server_default=text("false")),
    # off, started, paused, stopped, saved, failed
    Column("recording", String(16), nullable=False, server_default="off"),
    # The way through the line's flow.
    Column("flow_version", Integer, nullable=False, server_default="0"),  # 0: the default flow
    Column("step", String(32)),  # id of the step the call is in, or ended in
    Column("path", JSON),  # menu choices so far: [{"step", "key", "label"}]
    Column("digits", JSON),  # typed and not hidden: [{"step", "label", "value"}]
    Column("out_of_hours", Boolean, nullable=False, server_default=text("false")),  # last took the branch for closed
    Column("ring_steps", Integer, nullable=False, server_default="0"),  # how many ring and queue steps it entered
    Column("picked_up_at", MS),  # the flow answered the caller, to speak with them
    Column("queue_id", String(40)),  # the group it waits for in a ring or queue step, or that has answered it
    Column("ring", JSON),  # how that step rings (domain/distribution.py: Manner), and its group
    Column("queued_at", MS),  # when it began to wait; its place in the queue
    Column("priority", Integer),  # the better of its line's and its contact's
    Column("missed_reason", String(32)),  # domain/missed_reason.py
    Column("outcome", String(16)),  # answered, voicemail, callback, missed, abandoned, lost, failed
    Column("end_reason", String(32)),
    Column("ended_by", String(8)),  # caller, agent, system
    Column("sip_code", Integer),
    Column("arrived_at", MS, nullable=False),
    Column("answered_at", MS),
    Column("confirmed_at", MS),
    Column("ended_at", MS),
    Column("owner_node", String(96), nullable=False),
    Column("owner_epoch", Integer, nullable=False),
    Column("sip_call_id", Text, nullable=False, server_default=""),
    Column("dialog", JSON),  # what a farewell BYE needs after a crash of the worker
    Column("version", Integer, nullable=False, server_default="1"),
    Index(None, "conversation_id", "arrived_at", "id"),
    Index(None, "arrived_at", "id"),  # the list of calls, of every line and of one
    Index(None, "line_id", "arrived_at", "id"),
    # The handful of live calls among millions: found without touching the rest.
    Index(
        "ix_calls_live",
        "owner_node",
        "owner_epoch",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_calls_waiting",
        "queue_id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_calls_parent_id",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    # A customer's lifetime figures, from the index alone; a call comes in when it is over.
    Index(
        "ix_calls_figures",
        "conversation_id",
        "direction",
        "outcome",
        "answered_at",
        "ended_at",
        "parent_id",
        sqlite_where=text("ended_at IS NOT NULL AND parent_id IS NULL"),
        postgresql_where=text("ended_at IS NOT NULL AND parent_id IS NULL"),
    ),
    # How much was dialled lately: the caps.
    Index(
        "ix_calls_dialled",
        "started_by",
        "arrived_at",
        sqlite_where=text("direction = 'outbound'"),
        postgresql_where=text("direction = 'outbound'"),
    ),
    Index(
        "ix_calls_dialled_line",
        "line_id",
        "arrived_at",
        sqlite_where=text("direction = 'outbound'"),
        postgresql_where=text("direction = 'outbound'"),
    ),
    Index(
        "ix_calls_forwarded_line",
        "line_id",
        "arrived_at",
        sqlite_where=text("forwarded_to IS NOT NULL"),
        postgresql_where=text("forwarded_to IS NOT NULL"),
    ),
    # How long callers of a group waited lately, for the estimate.
    Index(
        "ix_calls_answered",
        "queue_id",
        "answered_at",
        sqlite_where=text("queue_id IS NOT NULL"),
        postgresql_where=text("queue_id IS NOT NULL"),
    ),
)

call_legs = Table(
    "call_legs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("state", String(16), nullable=False),  # ringing, stopped, accepted
    Column("exclusive", Boolean, nullable=False, server_default=text("false")),  # no other such call rings the user
    Column("reason", String(16)),  # rejected, missed (or, of old, timeout), taken, ended, left
    Column("rang_at", MS, nullable=False),
    Column("stopped_at", MS),
    UniqueConstraint("call_id", "user_id"),
    Index(None, "user_id", "rang_at"),
    # Who is rung now, among millions who were.
    Index(
        "ix_call_legs_ringing",
        "user_id",
        sqlite_where=text("state = 'ringing'"),
        postgresql_where=text("state = 'ringing'"),
    ),
)

# Keys that an agent pressed and the worker has not sent yet: claimed by deleting the row, since they may be secret.
keys = Table(
    "keys",
    metadata,
    Column("id", CLIENT_ID, primary_key=True),  # the command
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digits", String(64), nullable=False),
    Column("at", MS, nullable=False),
)

call_tags = Table(
    "call_tags",
    metadata,
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ID, ForeignKey("tags.id"), primary_key=True),
    Column("user_id", ID),
    Column("at", MS, nullable=False),
)

# Who must tag a call before they get the next one: several, where it was handed on untagged (desk/afterwork.py).
tags_due = Table(
    "tags_due",
    metadata,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "call_id"),
)

# A caller who gave up waiting but keeps the place.
callbacks = Table(
    "callbacks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("line_id", ID, ForeignKey("lines.id"), nullable=False),
    Column("queue_id", String(40), nullable=False),
    Column("number", String(64), nullable=False),
    Column("priority", Integer),
    Column("queued_at", MS, nullable=False),
    Column("requested_at", MS, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, calling, taken, declined
    Column("user_id", ID),  # who took or declined it
    Column("settled_at", MS),
    Index("ix_callbacks_open", "queue_id", "queued_at", sqlite_where=text("state = 'waiting'"),
          postgresql_where=text("state = 'waiting'")),
)  # fmt: skip

recordings = Table(
    "recordings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("path", Text, nullable=False),  # relative to the data folder; '' once a deleted one's file is gone
    Column("duration_ms", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False, server_default="call"),  # call, voicemail
    Column("created_at", MS, nullable=False),
    Column("deleted_at", MS),  # its time was over (desk/retention.py): the row stays, so that the timeline can say so
    # What may be too old among what is kept, without looking at millions that are deleted.
    Index(
        "ix_recordings_kept",
        "kind",
        "created_at",
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(
        "ix_recordings_going",
        "id",
        sqlite_where=text("deleted_at IS NOT NULL AND path <> ''"),
        postgresql_where=text("deleted_at IS NOT NULL AND path <> ''"),
    ),
)
