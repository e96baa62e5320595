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

contacts = Table(
    "contacts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    # As sorted and compared: lower case, without accents; who has no name goes by company, number or e-mail.
    Column("name_key", Text, nullable=False, server_default=""),
    Column("company", Text, nullable=False, server_default=""),
    Column("company_key", Text, nullable=False, server_default=""),  # as compared: casefolded, one blank between words
    Column("description", Text, nullable=False, server_default=""),
    Column("custom", JSON, nullable=False, server_default=text("'{}'")),  # values of contact_fields, by their ids
    Column("priority", Integer),  # as a line's: 1 is served first
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS),
    Column("created_by", ID),
    Column("version", Integer, nullable=False, server_default="1"),
    Index(
        "ix_contacts_company_key",
        "company_key",
        sqlite_where=text("company_key <> ''"),
        postgresql_where=text("company_key <> ''"),
    ),
    Index(None, "name_key", "id"),
)

contact_phones = Table(
    "contact_phones",
    metadata,
    Column("number", String(32), primary_key=True),  # E.164; one number belongs to one contact
    Column("contact_id", ID, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("tail", String(8), nullable=False, server_default=""),  # the last digits: how "maybe the same" is found
    Index(None, "contact_id"),
    Index(None, "tail"),
)

contact_emails = Table(
    "contact_emails",
    metadata,
    Column("contact_id", ID, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
    Column("email", String(254), primary_key=True),  # lower case
    Column("label", Text, nullable=False, server_default=""),
    Index(None, "email"),
)

# What a company wants to know of its contacts beyond name and numbers.
contact_fields = Table(
    "contact_fields",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", String(8), nullable=False),  # text, number, date, link, choice
    Column("choices", JSON, nullable=False, server_default=text("'[]'")),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("created_at", MS, nullable=False),
)

# Contacts that became one, with all that is needed to part them again.
contact_merges = Table(
    "contact_merges",
    metadata,
    Column("id", ID, primary_key=True),
    Column("contact_id", ID, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False),  # the one that stayed
    Column("gone", JSON, nullable=False),  # both as they were before
    Column("by_user", ID),
    Column("at", MS, nullable=False),
    Column("undone_at", MS),
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
    Column("last_message_id", ID),
    Column("direction", String(8), nullable=False, server_default="inbound"),  # of what came last, a call or a text
    Column("missed", Boolean, nullable=False, server_default=text("false")),  # the last call was not answered
    Column("closed_at", MS),  # none: open
    Column("closed_by", ID),  # none: it closed by itself
    Column("assigned_to", ID, ForeignKey("users.id", name="fk_conversations_assigned_to_users")),
    UniqueConstraint("line_id", "party"),
    # The inbox walks these, and finds in them all that its categories ask for: for every line, and for one.
    Index("ix_conversations_newest", "last_at", "id", "line_id", "closed_at"),
    Index("ix_conversations_newest_line", "line_id", "last_at", "id", "closed_at"),
    Index(
        "ix_conversations_open",
        "last_at",
        "id",
        "line_id",
        "assigned_to",
        "direction",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "ix_conversations_open_line",
        "line_id",
        "last_at",
        "id",
        "assigned_to",
        "direction",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "ix_conversations_texts",
        "last_at",
        "id",
        "line_id",
        "closed_at",
        "assigned_to",
        "direction",
        sqlite_where=text("last_message_id IS NOT NULL"),
        postgresql_where=text("last_message_id IS NOT NULL"),
    ),
    Index(None, "contact_id"),
)

conversation_reads = Table(
    "conversation_reads",
    metadata,
    Column("conversation_id", ID, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("read_at", MS, nullable=False),
)

# Who has not seen the news of a conversation: a row for each user, made when something comes in, gone when they look.
unread = Table(
    "unread",
    metadata,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("since", MS, nullable=False),  # when the newest came in that the user has not seen
    Index(None, "user_id", "since", "conversation_id"),
    Index(None, "conversation_id"),
)

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

# Keys that an agent pressed and the worker has not sent yet: claimed by deleting the row, since they may be secret.
keys = Table(
    "keys",
    metadata,
    Column("id", CLIENT_ID, primary_key=True),  # the command
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digits", String(64), nullable=False),
    Column("at", MS, nullable=False),
)

# What a user writes about a call while it lasts and after, saved as typed; or about a customer, without any call.
notes = Table(
    "notes",
    metadata,
    Column("id", ID, primary_key=True),
    Column("call_id", ID, ForeignKey("calls.id", ondelete="CASCADE")),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    UniqueConstraint("call_id", "user_id"),  # a user writes one note on a call, and goes on writing it
    Index(None, "conversation_id", "created_at", "id"),
)

# Where texts come from and go to: the SIP trunk, Twilio, or a web address of the company's own.
message_accounts = Table(
    "message_accounts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", String(8), nullable=False),  # sip, twilio, webhook
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("trunk_id", ID, ForeignKey("trunks.id")),  # sip: the trunk that texts go through
    Column("settings", JSON, nullable=False),  # twilio: account_sid, messaging_service_sid; webhook: url
    Column("secret", Text),  # encrypted: the auth token, or the webhook's signing secret
    Column("state", String(16)),  # of the last sending: ok, failing
    Column("state_reason", String(64)),
    Column("state_at", MS),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

# Texts: SMS, and MMS where there are attachments. Their way is domain/message.py.
messages = Table(
    "messages",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("line_id", ID, ForeignKey("lines.id"), nullable=False),
    Column("account_id", ID),
    Column("direction", String(8), nullable=False),  # inbound, outbound
    Column("party", String(64), nullable=False),  # the customer's number
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),  # received; queued, sending, sent, delivered, failed, unknown
    Column("reason", String(32)),  # failed, unknown: why, in our words (domain/message.py)
    Column("remote_code", String(64)),  # and in the gateway's
    Column("remote_id", String(128)),  # the gateway's name for it
    Column("command", CLIENT_ID),  # of who sent it: one message however often it is posted
    Column("user_id", ID),  # who sent it
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("queued_at", MS),  # outbound: when it was written, or sent again by hand
    Column("not_before", MS),  # queued: the next try
    Column("claimed_by", String(96)),  # sending: node and epoch of who does it
    Column("claimed_at", MS),
    Column("at", MS, nullable=False),  # written or received
    Column("sent_at", MS),
    Column("delivered_at", MS),
    Column("version", Integer, nullable=False, server_default="1"),
    Index(None, "conversation_id", "at", "id"),
    Index(None, "line_id", "at", "id"),
    Index(
        "ix_messages_unsent",
        "account_id",
        "not_before",
        sqlite_where=text("state IN ('queued', 'sending')"),
        postgresql_where=text("state IN ('queued', 'sending')"),
    ),
    Index(
        "uq_messages_remote_id",
        "account_id",
        "remote_id",
        unique=True,
        sqlite_where=text("remote_id IS NOT NULL"),
        postgresql_where=text("remote_id IS NOT NULL"),
    ),
    Index(
        "uq_messages_command",
        "command",
        unique=True,
        sqlite_where=text("command IS NOT NULL"),
        postgresql_where=text("command IS NOT NULL"),
    ),
)

# Pictures and files of texts. Uploaded ones belong to nobody's message until it is sent.
attachments = Table(
    "attachments",
    metadata,
    Column("id", ID, primary_key=True),
    Column("message_id", ID, ForeignKey("messages.id", ondelete="CASCADE")),
    Column("conversation_id", ID, ForeignKey("conversations.id"), nullable=False),
    Column("user_id", ID),  # who uploaded it
    Column("position", Integer, nullable=False, server_default="0"),
    Column("name", Text, nullable=False, server_default=""),
    Column("content_type", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("path", Text, nullable=False),  # relative to the data folder; '' while it is still to be fetched
    Column("source", Text),  # inbound, not fetched yet: where from
    Column("reason", String(32)),  # why there is no file: too_large, type, refused, unreachable, erased
    Column("created_at", MS, nullable=False),
    Index(None, "message_id"),
    Index(None, "conversation_id"),
)

# What a user has begun to write to a customer.
drafts = Table(
    "drafts",
    metadata,
    Column("conversation_id", ID, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("body", Text, nullable=False),
    Column("attachments", JSON, nullable=False, server_default=text("'[]'")),  # ids
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", MS, nullable=False),
)

message_templates = Table(
    "message_templates",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("body", Text, nullable=False),  # with {{contact.name}} and the like
    Column("line_id", ID, ForeignKey("lines.id")),  # none: every line's
    Column("created_by", ID),
    Column("created_at", MS, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

# Customers who asked a line for no more texts.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("line_id", ID, ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True),
    Column("number", String(64), primary_key=True),
    Column("at", MS, nullable=False),
)

# Where insight cards come from: rules over contacts, a web address, a CRM.
insight_sources = Table(
    "insight_sources",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # rules, http, hubspot, salesforce, zendesk, pipedrive
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

# What search looks through: one row a text, its words as both databases index them (store/search.py). Newer rows have
# higher numbers. An index, made anew from what it stands for by `db reindex`.
search_texts = Table(
    "search_texts",
    metadata,
    Column("id", SEQ, Identity(always=False), primary_key=True),
    Column("kind", String(12), nullable=False),  # contact, conversation, message, note
    Column("ref", ID, nullable=False),  # the row it stands for
    Column("conversation_id", ID),
    Column("contact_id", ID),
    Column("line_id", ID),
    Column("at", MS, nullable=False),
    Column("words", Text, nullable=False),
    Column("scope", Text, nullable=False),  # words as well: the kind and the line, so that rights narrow in the index
    UniqueConstraint("kind", "ref"),
    Index(None, "conversation_id"),
    sqlite_autoincrement=True,
)

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
