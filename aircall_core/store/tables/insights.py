"""Insight cards, and where they come from."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from aircall_core.store.tables.base import ID, MS, metadata

# Where insight cards come from: rules over contacts, a web address, a CRM.
insight_sources = Table(
    "insight_sources",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # domain/insight_kinds.py
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("settings", JSON, nullable=False),
    Column("secret", Text),  # encrypted
    Column("error", String(64)),  # of the last question, for administrators
    Column("error_at", MS),
    Column("asked_at", MS),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

# What sources said of a caller, and what was posted about a live call.
insight_cards = Table(
    "insight_cards",
    metadata,
    Column("id", ID, primary_key=True),
    Column("source_id", ID, ForeignKey("insight_sources.id", ondelete="CASCADE")),  # none: posted
    Column("number", String(64), nullable=False),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE")),  # posted: the call that it was posted for
    Column("contents", JSON, nullable=False),  # [{"type": "title" | "shortText" | "user", "text", "label", "link"}]
    Column("at", MS, nullable=False),  # of the source's last answer; 0: it has not answered yet
    Column("expires_at", MS, nullable=False),  # then the source is asked again
    Column("claimed_until", MS),  # somebody asks it now
    UniqueConstraint("source_id", "number"),  # posted ones have no source, and may be many
    Index(None, "number"),
    Index(None, "call_id"),
)
