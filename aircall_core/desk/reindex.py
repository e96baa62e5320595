"""The search index made anew, or completed: in short transactions, while everybody works on."""

from collections.abc import Callable
from typing import Final

from aircall_core.store import Store, indexing, search

JOB: Final = "search.reindex"  # the due row's kind
_CHUNK: Final = 50  # rows a transaction: a few milliseconds


def complete(store: Store, told: Callable[[int], None] = lambda _done: None) -> int:
    """Index whatever the index does not know yet, such as what was there before it; how many texts.

    From the newest row to the oldest, whatever its kind, and behind all that is known already: what is written
    meanwhile stays newer. ``told``: called after each chunk with how many are done. Safe to repeat and to break off.
    """
    done, before = 0, None
    while True:
        with store.read() as conn:
            rows = indexing.missing(conn, before, _CHUNK)
        if not rows:
            return done
        with store.write() as tx:
            # The oldest first: FTS5 writes a transaction's rows in one go only if their numbers rise.
            for place, (kind, one) in zip(search.places_below(tx.conn, len(rows)), reversed(rows), strict=True):
                if indexing.exists_row(tx.conn, kind, one):  # else it was removed meanwhile
                    indexing.INDEXED[kind][1](tx.conn, one, place)
        before, done = rows[-1][1], done + len(rows)
        told(done)


def rebuild(store: Store, told: Callable[[int], None] = lambda _done: None) -> int:
    """Forget the index and make it anew. Until it is done, older texts are not found."""
    while True:
        with store.write() as tx:
            if not search.forget(tx.conn, _CHUNK * 10):
                break
    return complete(store, told)
