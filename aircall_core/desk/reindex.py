"""The search index made anew, or completed: in short transactions, while everybody works on."""

from collections.abc import Callable
from typing import Final

from aircall_core.store import Store, indexing, search

JOB: Final = "search.reindex"  # the due row's kind
_CHUNK: Final = 50  # rows a transaction: a few milliseconds


def complete(store: Store, told: Callable[[str, int], None] = lambda _kind, _done: None) -> int:
    """Index whatever the index does not know yet, such as what was there before it; how many texts.

    ``told``: called after each chunk with the kind and how many of it are done. Safe to repeat and to break off.
    """
    total = 0
    for kind, (_, index) in indexing.INDEXED.items():
        after, done = "", 0
        while True:
            with store.read() as conn:
                ids = indexing.missing(conn, kind, after, _CHUNK)
            if not ids:
                break
            with store.write() as tx:
                for one in ids:
                    if indexing.exists_row(tx.conn, kind, one):  # else it was removed meanwhile
                        index(tx.conn, one)
            after, done = ids[-1], done + len(ids)
            told(kind, done)
        total += done
    return total


def rebuild(store: Store, told: Callable[[str, int], None] = lambda _kind, _done: None) -> int:
    """Forget the index and make it anew. Until it is done, older texts are not found."""
    while True:
        with store.write() as tx:
            if not search.forget(tx.conn, _CHUNK * 10):
                break
    return complete(store, told)
