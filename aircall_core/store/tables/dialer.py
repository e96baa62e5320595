"""The power dialer: lists of numbers, and numbers that nobody dials."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from aircall_core.store.tables.base import ID, MS, metadata

# The power dialer: lists of numbers that are dialled one after another.
dial_lists = Table(
    "dial_lists",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("line_id", ID, ForeignKey("lines.id"), nullable=False),
    Column("pause_s", Integer, nullable=False, server_default="10"),  # between an agent's calls
    Column("archived", Boolean, nullable=False, server_default=text("false")),
    Column("created_by", ID),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

dial_entries = Table(
    "dial_entries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("list_id", ID, ForeignKey("dial_lists.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("number", String(32), nullable=False),  # E.164
    Column("name", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("state", String(16), nullable=False),  # waiting, claimed, dialled, skipped
    Column("reason", String(16)),  # skipped: why (domain/dial_list.py)
    Column("user_id", ID),  # who has claimed, dialled or skipped it
    Column("at", MS),  # when
    Column("lease_until", MS),  # claimed: by then the agent's page has asked again, or is gone
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("call_id", ID),  # the last call to it: its outcome and tags are that call's
    UniqueConstraint("list_id", "number"),
    Index(None, "list_id", "state", "position"),
    Index("ix_dial_entries_claimed", "user_id", sqlite_where=text("state = 'claimed'"),
          postgresql_where=text("state = 'claimed'")),
)  # fmt: skip

# Numbers that nobody dials, from wherever.
do_not_call = Table(
    "do_not_call",
    metadata,
    Column("number", String(32), primary_key=True),  # E.164
    Column("note", Text, nullable=False, server_default=""),
    Column("created_by", ID),
    Column("created_at", MS, nullable=False),
)
