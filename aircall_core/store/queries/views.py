"""One user's view of the calls that concern them, read from the state rows: what ``domain.view`` folds from the log."""

from sqlalchemy import Connection, func, select

from aircall_core.domain import view as fold
from aircall_core.store import calls, people, states
from aircall_core.store.tables import events


def snapshot(conn: Connection, user_id: str) -> tuple[int, fold.View]:
    """The view, and the place in the log at which it was true. ``conn`` must be one snapshot of the store."""
    seq = conn.scalar(select(func.max(events.c.seq))) or 0
    user = people.user(conn, user_id)
    view = fold.empty(user_id)
    if user is None:
        return seq, view
    view["duty"] = bool(user["on_duty"])
    view["me"] = {
        "status": user["status"],
        "reason": user["status_reason"],
        "since": user["status_at"],
        "choice": user["choice"],
        "choice_reason": user["choice_reason"],
        "wrap_up_until": user["wrap_up_until"],
        "tags_due": states.owed_tags(conn, user_id),
    }
    for row in calls.of_user(conn, user_id):
        view["calls"][row["id"]] = fold.entry_of(row, calls.ringing_users(conn, row["id"]))
    return seq, view
