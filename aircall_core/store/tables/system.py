"""What the installation itself keeps: settings, its processes, work that is due, the event log."""

from sqlalchemy import JSON, Boolean, Column, Identity, Index, Integer, String, Table, Text, UniqueConstraint, text

from aircall_core.store.tables.base import ID, MS, SEQ, metadata

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(96), primary_key=True),  # worker-0@host
    Column("kind", String(16), nullable=False),  # desk, worker, gateway
    Column("host", String(80), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("capacity", Integer, nullable=False, server_default="0"),
    Column("in_use", Integer, nullable=False, server_default="0"),
    Column("serving", Boolean, nullable=False, server_default=text("true")),  # false: it lives, and is still starting
    Column("draining", Boolean, nullable=False, server_default=text("false")),
    Column("version", String(32), nullable=False),
    Column("info", JSON, nullable=False),
    Column("started_at", MS, nullable=False),
    Column("lease_until", MS, nullable=False),
    Column("lost", Boolean, nullable=False, server_default=text("false")),  # its loss has been reported
)

# Work that is due at a time and owned by nobody: claimed by compare-and-set by any desk process.
due = Table(
    "due",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(96), nullable=False),
    Column("due_at", MS, nullable=False),
    Column("claimed_by", String(96)),
    Column("claimed_until", MS),
    Column("data", JSON, nullable=False),
    UniqueConstraint("kind", "subject"),
    Index(None, "due_at"),
)

events = Table(
    "events",
    metadata,
    Column("seq", SEQ, Identity(always=False), primary_key=True),
    Column("at", MS, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("v", Integer, nullable=False),
    Column("call_id", ID),
    Column("conversation_id", ID),
    Column("line_id", ID),
    Column("user_id", ID),
    Column("actor", String(112), nullable=False),
    Column("audience", String(40), nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "conversation_id", "seq"),
    Index(None, "call_id", "seq"),
    # SQLite must never hand out a number twice, even after old events were removed.
    sqlite_autoincrement=True,
)
