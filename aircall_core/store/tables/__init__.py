"""The tables. Times are milliseconds since the epoch (UTC), ids are 26 character texts that sort by age.

State rows say what is so now; the event log says how it came about; both change in one transaction.

One module a subject; everybody imports them from here. Foreign keys name their tables by text, so the modules do
not need one another.
"""

from aircall_core.store.tables.base import CLIENT_ID, ID, MS, SEQ, metadata
from aircall_core.store.tables.customers import (
    contact_denials,
    contact_emails,
    contact_fields,
    contact_merges,
    contact_phones,
    contacts,
    conversation_reads,
    conversations,
    notes,
    search_texts,
    unread,
)
from aircall_core.store.tables.dialer import dial_entries, dial_lists, do_not_call
from aircall_core.store.tables.insights import insight_cards, insight_sources
from aircall_core.store.tables.people import (
    audit,
    links,
    presence,
    sessions,
    sign_in_failures,
    team_members,
    teams,
    user_states,
    users,
)
from aircall_core.store.tables.routing import (
    blocked_numbers,
    flows,
    line_teams,
    line_users,
    lines,
    prompts,
    queues,
    schedules,
    tags,
    trunks,
)
from aircall_core.store.tables.system import due, events, nodes, settings
from aircall_core.store.tables.telephony import call_legs, call_tags, callbacks, calls, keys, recordings, tags_due
from aircall_core.store.tables.texts import attachments, drafts, message_accounts, message_templates, messages, opt_outs

__all__ = [
    "CLIENT_ID",
    "ID",
    "MS",
    "SEQ",
    "attachments",
    "audit",
    "blocked_numbers",
    "call_legs",
    "call_tags",
    "callbacks",
    "calls",
    "contact_denials",
    "contact_emails",
    "contact_fields",
    "contact_merges",
    "contact_phones",
    "contacts",
    "conversation_reads",
    "conversations",
    "dial_entries",
    "dial_lists",
    "do_not_call",
    "drafts",
    "due",
    "events",
    "flows",
    "insight_cards",
    "insight_sources",
    "keys",
    "line_teams",
    "line_users",
    "lines",
    "links",
    "message_accounts",
    "message_templates",
    "messages",
    "metadata",
    "nodes",
    "notes",
    "opt_outs",
    "presence",
    "prompts",
    "queues",
    "recordings",
    "schedules",
    "search_texts",
    "sessions",
    "settings",
    "sign_in_failures",
    "tags",
    "tags_due",
    "team_members",
    "teams",
    "trunks",
    "unread",
    "user_states",
    "users",
]
