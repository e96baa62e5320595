"""How a call finds its way: lines and who answers them, flows, hours, prompts, tags, blocked numbers, trunks."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from aircall_core.store.tables.base import ID, MS, metadata

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
    Column("priority", Integer),  # 1 is served first; none after all others
    Column(
        "assignee_first_s", Integer, nullable=False, server_default="0"
    ),  # ring a conversation's assignee alone first
    Column("tags_required", Boolean, nullable=False, server_default=text("false")),
    # Calls out: through which trunk (none: the line cannot), which number they show (none: the line's).
    Column("outbound_trunk_id", ID, ForeignKey("trunks.id", name="fk_lines_outbound_trunk_id_trunks")),
    Column("caller_id", String(32)),
    Column("emergency", String(8), nullable=False, server_default="refuse"),  # refuse, dial
    Column("dial_cap", Integer),  # outside calls in 24 hours; none: the company's
    Column("pause_on_hold", Boolean, nullable=False, server_default=text("false")),  # the recording
    Column("pause_notice", Boolean, nullable=False, server_default=text("false")),  # a pause is spoken of
    # Through which account the line's texts come and go; none: the line has no texts.
    Column(
        "message_account_id", ID, ForeignKey("message_accounts.id", name="fk_lines_message_account_id_message_accounts")
    ),
    Column("auto_close_min", Integer),  # a conversation closes so long after its last call; none: never by itself
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

# A line's call flow, version by version: the newest is the one that calls begin with; a call keeps the one it began
# with. A line without any has the default flow (domain/flow.py).
flows = Table(
    "flows",
    metadata,
    Column("line_id", ID, ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("created_by", ID),
)

# Opening hours of lines, and working hours of users: domain/hours.py.
schedules = Table(
    "schedules",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("timezone", String(64), nullable=False),
    Column("weekly", JSON, nullable=False),  # Monday first: [[["09:00", "12:00"], ["13:00", "18:00"]], ...]
    Column("country", String(2)),  # whose public holidays are closed days; none: no holidays
    Column("subdivision", String(8)),
    Column("special", JSON, nullable=False),  # {"2026-12-24": [["09:00", "12:00"]], "2026-12-31": []}
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

# What callers hear: sound files that the company made.
prompts = Table(
    "prompts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # uploaded, recorded, spoken
    Column("text", Text, nullable=False, server_default=""),  # spoken: what it says
    Column("path", Text, nullable=False),  # relative to the data folder; 8 kHz mono 16 bit
    Column("duration_ms", Integer, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("created_by", ID),
)

tags = Table(
    "tags",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("color", String(7), nullable=False),  # #rrggbb
    Column("archived", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", MS, nullable=False),
)

# Callers who hear a message and ring nobody.
blocked_numbers = Table(
    "blocked_numbers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("pattern", String(32), nullable=False, unique=True),  # E.164, a prefix ending in *, or "anonymous"
    Column("note", Text, nullable=False, server_default=""),
    Column("hits", Integer, nullable=False, server_default="0"),
    Column("last_at", MS),
    Column("created_at", MS, nullable=False),
    Column("created_by", ID),
)

# Groups that callers wait for ("line:<id>", "team:<id>", "user:<id>") and that are rung round robin.
queues = Table(
    "queues",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("last_user_id", ID),  # round robin goes on after this one
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
    Column("outbound_host", Text),  # where calls out go, with or without a port; none: the registrar
    Column("dial_format", String(8), nullable=False, server_default="e164"),  # e164, digits (no plus), national
    Column("hold_by", String(8), nullable=False, server_default="bridge"),  # bridge, reinvite (sendonly)
    Column("transfer_by", String(8), nullable=False, server_default="bridge"),  # bridge, refer
    Column("built_in", Boolean, nullable=False, server_default=text("false")),  # the test phone's
    Column("state", String(16)),  # register: registering, registered, failed
    Column("state_code", Integer),
    Column("state_at", MS),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)
