"""Texts to and from customers: accounts, messages, attachments, drafts, templates, opt-outs."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from aircall_core.store.tables.base import CLIENT_ID, ID, MS, metadata

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
    Column("put_aside_at", MS),  # somebody has seen that it was not delivered, and leaves it at that
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
    # What could not be delivered, or may not have been, until somebody sends it again or puts it aside.
    Index(
        "ix_messages_undelivered",
        "conversation_id",
        sqlite_where=text("state IN ('failed', 'unknown') AND put_aside_at IS NULL"),
        postgresql_where=text("state IN ('failed', 'unknown') AND put_aside_at IS NULL"),
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
