"""The tables. Times are milliseconds since the epoch (UTC), ids are 26 character texts that sort by age.

State rows say what is so now; the event log says how it came about; both change in one transaction.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(26)
CLIENT_ID = String(64)  # made by a browser or a script: command, peer, tab
MS = BigInteger
# SQLite numbers rows by itself only for the exact type INTEGER.
SEQ = BigInteger().with_variant(Integer, "sqlite")

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False, unique=True),  # lower case
    Column("role", String(16), nullable=False),  # administrator, supervisor, agent, analyst
    Column("state", String(16), nullable=False),  # invited, active, disabled
    Column("password_hash", Text),
    Column("on_duty", Boolean, nullable=False, server_default=text("false")),
    Column("duty_at", MS),
    # The agent's one slot: set by accepting a call, cleared when that fails or the call ends.
    Column("active_call_id", ID),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

teams = Table(
    "teams",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", MS, nullable=False),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team_id", ID, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "user_id"),
)

lines = Table(
    "lines",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("number", String(32), nullable=False, unique=True),  # E.164, or a short internal number
    Column("country", String(2), nullable=False),  # how national numbers of this line are read
    Column("language", String(8), nullable=False, server_default="en"),
    Column("ring_s", Integer, nullable=False, server_default="30"),
    Column("recording", String(8), nullable=False, server_default="off"),  # off, on, notice
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

line_users = Table(
    "line_users",
    metadata,
    Column("line_id", ID, ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "user_id"),
)

line_teams = Table(
    "line_teams",
    metadata,
    Column("line_id", ID, ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True),
    Column("team_id", ID, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "team_id"),
)

trunks = Table(
    "trunks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # register, digest, address
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("transport", String(4), nullable=False, server_default="udp"),  # udp, tcp, tls
    Column("host", Text),  # register: the registrar, with or without a port
    Column("username", Text),
    Column("secret", Text),  # encrypted: the password
    Column("realm", Text),  # digest: the realm that we challenge with
    Column("cidrs", JSON),  # address: ["192.0.2.0/24", ...]
    Column("built_in", Boolean, nullable=False, server_default=text("false")),  # the test phone's
    Column("state", String(16)),  # register: registering, registered, failed
    Column("state_code", Integer),
    Column("state_at", MS),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("company", Text, nullable=False, server_default=""),
    Column("created_at", MS, nullable=False),
)

contact_phones = Table(
    "contact_phones",
    metadata,
    Column("number", String(32), primary_key=True),  # E.164; one number belongs to one contact
    Column("contact_id", ID, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Index(None, "contact_id"),
)

# One conversation for one line and one customer number: S11.
conversations = Table(
    "conversations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("line_id", ID, ForeignKey("lines.id"), nullable=False),
    Column("party", String(64), nullable=False),  # E.164, or "anonymous", or what the trunk sent
    Column("contact_id", ID, ForeignKey("contacts.id")),
    Column("opened_at", MS, nullable=False),
    Column("last_at", MS, nullable=False),
    Column("last_call_id", ID),
    Column("missed", Boolean, nullable=False, server_default=text("false")),  # the last call was not answered
    UniqueConstraint("line_id", "party"),
    Index(None, "last_at", "id"),
    Index(None, "line_id", "last_at"),
    Index(None, "contact_id"),
)

conversation_reads = Table(
    "conversation_reads",
    metadata,
    Column("conversation_id", ID, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("read_at", MS, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", ID, primary_key=True),
    Column("line_id", ID, ForeignKey("lines.id"), nullable=False),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("contact_id", ID),
    Column("trunk_id", ID),
    Column("direction", String(8), nullable=False, server_default="inbound"),
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
    Column("recording", String(16), nullable=False, server_default="off"),  # off, started, stopped, saved, failed
    Column("outcome", String(16)),  # answered, missed, abandoned, lost, failed
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
    # The handful of live calls among millions: found without touching the rest.
    Index(
        "ix_calls_live",
        "owner_node",
        "owner_epoch",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

call_legs = Table(
    "call_legs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("state", String(16), nullable=False),  # ringing, stopped, accepted
    Column("reason", String(16)),  # rejected, timeout, taken, ended, left
    Column("rang_at", MS, nullable=False),
    Column("stopped_at", MS),
    UniqueConstraint("call_id", "user_id"),
    Index(None, "user_id", "rang_at"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("path", Text, nullable=False),  # relative to the data folder
    Column("duration_ms", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", MS, nullable=False),
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
    Column("draining", Boolean, nullable=False, server_default=text("false")),
    Column("version", String(32), nullable=False),
    Column("info", JSON, nullable=False),
    Column("started_at", MS, nullable=False),
    Column("lease_until", MS, nullable=False),
    Column("lost", Boolean, nullable=False, server_default=text("false")),  # its loss has been reported
)

presence = Table(
    "presence",
    metadata,
    Column("tab_id", CLIENT_ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("session_id", ID, nullable=False),
    Column("browser_id", CLIENT_ID, nullable=False),
    Column("armed", Boolean, nullable=False),  # microphone and sound are ready
    Column("mic", String(16), nullable=False),
    Column("focused_at", MS, nullable=False),
    Column("connected_at", MS, nullable=False),
    Column("lease_until", MS, nullable=False),
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

sessions = Table(
    "sessions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", MS, nullable=False),
    Column("seen_at", MS, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("revoked_at", MS),
    Column("agent", Text, nullable=False, server_default=""),  # the browser's name, for the list of sessions
)

links = Table(
    "links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("purpose", String(8), nullable=False),  # setup, invite, reset
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE")),
    Column("created_at", MS, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("used_at", MS),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("subject", String(96), primary_key=True),  # "account:<sha256>" or "address:<ip>"
    Column("count", Integer, nullable=False),
    Column("last_at", MS, nullable=False),
    Column("locked_until", MS, nullable=False),
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
