"""Who works here: users and teams, how they signed in, where they are, and who changed what."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from aircall_core.store.tables.base import CLIENT_ID, ID, MS, metadata

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
    # The call the user talks in: set by accepting or dialling one; when it is over, another that they hold, or none.
    Column("active_call_id", ID),
    # What the user chose: available, auto (by their working hours) or unavailable, and then why.
    Column("choice", String(16), nullable=False, server_default="available"),
    Column("choice_reason", String(16)),  # domain/availability.py
    Column("schedule_id", ID, ForeignKey("schedules.id", name="fk_users_schedule_id_schedules")),
    Column("wrap_up_s", Integer, nullable=False, server_default="0"),
    Column("wrap_up_until", MS),
    Column("missed_in_a_row", Integer, nullable=False, server_default="0"),
    Column("call_waiting", Boolean, nullable=False, server_default=text("false")),  # a second call rings them softly
    Column("dial_cap", Integer),  # outside calls in 24 hours; none: the company's (domain/dialling.py)
    Column("idle_since", MS),  # the longest idle agent is rung first
    # The status last written to the history (user_states): derived from all of the above, never decided upon.
    Column("status", String(16), nullable=False, server_default="offline"),
    Column("status_reason", String(16)),
    Column("status_at", MS),
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

# Every status a user was in, one row each; the open one has no end.
user_states = Table(
    "user_states",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(16)),
    Column("since", MS, nullable=False),
    Column("until", MS),
    Index(None, "user_id", "since"),
)

# Who changed which setting, and from what to what. No secrets: a changed password is said to have changed.
audit = Table(
    "audit",
    metadata,
    Column("id", ID, primary_key=True),
    Column("at", MS, nullable=False),
    Column("actor", String(112), nullable=False),
    Column("action", String(32), nullable=False),  # line.changed, user.created ...
    Column("subject_id", String(64), nullable=False, server_default=""),
    Column("subject_name", Text, nullable=False, server_default=""),
    Column("changes", JSON, nullable=False),  # {"ring_s": [30, 20]}
    Index(None, "at"),
)
