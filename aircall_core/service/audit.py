"""Who changed which setting."""

from typing import Any

from aircall_core.service.endpoint import Ask
from aircall_core.store import audit as rows

PAGE = 100


def read_audit(ask: Ask) -> dict[str, Any]:
    """GET /desk/audit?before=<id>&search=<text>: newest first; `next` is the `before` of the following page."""
    asked = ask.request.query_params
    with ask.desk.store.read() as conn:
        found = rows.entries(conn, before=asked.get("before") or None, search=asked.get("search", ""), limit=PAGE + 1)
    entries = found[:PAGE]
    return {"entries": entries, "next": entries[-1]["id"] if len(found) > PAGE else None}
