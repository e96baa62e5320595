"""Conversations that close by themselves: on lines that want it, with nothing left to do for a while."""

from typing import Final

from aircall_core.desk import conversations
from aircall_core.store import Store
from aircall_core.store import conversations as rows

JOB: Final = "conversation.auto_close"
EVERY_S: Final = 60
AT_ONCE: Final = 50  # in a transaction, which must be short


def close_old(store: Store, now: int | None = None) -> int:
    """Close all whose time has come at ``now`` (ms; None: the database's clock); how many that were.

    Left to do is: a call that lives, a missed call that nobody answered since, a text of the customer's that is the
    last word, one of ours that has not gone out, and a callback that somebody waits for.
    """
    count = 0
    while True:
        with store.write() as tx:
            tx.take_turn()
            old = rows.quiet(tx.conn, tx.now_ms() if now is None else now, AT_ONCE)
            closed = 0
            for conversation_id, last_at in old:
                row = rows.get(tx.conn, conversation_id, lock=True)
                if row is not None and row["last_at"] == last_at:  # else something has come in meanwhile
                    conversations.close(tx, conversation_id, None)
                    closed += 1
        count += closed
        if len(old) < AT_ONCE or not closed:
            return count
