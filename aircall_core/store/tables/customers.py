"""Who calls and writes: contacts, their conversations and what is read of them, notes, and the search index."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from aircall_core.store.tables.base import ID, MS, SEQ, metadata

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

# Numbers that look like one of a contact and are somebody else's: nobody is asked again.
contact_denials = Table(
    "contact_denials",
    metadata,
    Column("contact_id", ID, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
    Column("number", String(32), primary_key=True),  # E.164
    Column("denied_by", ID, nullable=False),
    Column("denied_at", MS, nullable=False),
    Index(None, "number"),
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
    Column("reopened_at", MS),  # by a user: it does not close by itself as long as if it had only come then
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
    Column("read_seq", SEQ),  # the newest event then: what came after it is new to them
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

# What search looks through: one row a text, its words as both databases index them (store/search.py). Newer rows have
# higher numbers, what was there before the index has negative ones. An index, made anew from what it stands for by
# `db reindex`.
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
