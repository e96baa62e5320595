"""What stands beside a conversation: the customer, what they had with us, what is open and related, the AI's part."""

from typing import Any

from aircall_core.desk import contacts
from aircall_core.desk.errors import not_found
from aircall_core.domain import plan
from aircall_core.service.endpoint import Ask
from aircall_core.store import Connection, clock
from aircall_core.store.queries import company, conversation, inbox
from aircall_core.store.queries import snapshot as snapshots
from aircall_core.store.queries.contacts import shown


def snapshot(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}/snapshot: as far as the viewer's lines go."""
    conversation_id, who = ask.id("conversation"), ask.who
    with ask.desk.store.read() as conn:
        if not conversation.may_see(conn, conversation_id, who.user_id, who.role):
            raise not_found("The conversation")
        allowed = inbox.visible_lines(conn, who.user_id, who.role)
        found = snapshots.snapshot(conn, conversation_id, who.user_id, allowed)
        maybe = _maybe(conn, found["party"]) if found["contact"] is None else []
        settings, now = company.everything(conn), clock.now_ms(conn)
    gate = plan.gate(plan.Feature.AI_CONTEXT, settings, now)
    return {**found, "maybe": maybe, "now": now, "ai": ai_part(gate)}


def _maybe(conn: Connection, party: dict[str, Any]) -> list[dict[str, Any]]:
    """Contacts that may stand behind a number that is nobody's."""
    if not party["number"].startswith("+"):
        return []
    country = contacts.home(conn)
    candidates = contacts.maybe(conn, party["number"], [party["display"]] if party["display"] else [])
    return [{**shown(row, country), "why": row["why"]} for row in candidates]


def ai_part(gate: plan.Gate) -> dict[str, Any]:
    """The AI section's state: on, trial, over (the trial is), off (a trial is offered); ``until`` (ms) of the trial."""
    entitled = gate.on or gate.why == "not_built"
    state = ("trial" if gate.until else "on") if entitled else "over" if gate.why == "trial_over" else "off"
    return {"state": state, "until": gate.until}
