"""The search index on both databases: the same questions have the same answers."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import delete

from aircall_core.domain.words import number_words, query, words
from aircall_core.store import Store, search
from aircall_core.store.tables import search_texts

TEXTS = {
    "m1": "Where is my refund? Été 2026",
    "m2": "The refund was sent, late",
    "m3": "late late refunds!",
    "m4": "It's 100 % done & dusted: 'quoted' (x) \\ | * : \"y\"",
    "m5": "Ring me at 06 12 34 56 78",
}


def fill(store: Store) -> None:
    with store.write() as tx:
        for at, (ref, text) in enumerate(TEXTS.items(), 1):
            line = "LINE1" if ref in ("m1", "m2") else "LINE2"
            search.put(tx.conn, search.MESSAGE, ref, text, at, conversation_id=f"c{ref}", line_id=line.lower())
        found_by = number_words("+33699887766", "06 99 88 77 66")
        search.put(tx.conn, search.CONTACT, "k1", "Zoë Refundson, Late Ltd", 9, contact_id="k1", numbers=found_by)


def found(store: Store, typed: str, **narrowed: object) -> list[str]:
    with store.read() as conn:
        return [hit.ref for hit in search.search(conn, query(typed), **{"lines": None, **narrowed})]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("refund", ["k1", "m3", "m2", "m1"]),
        ("refund ", ["m2", "m1"]),
        ("REFUND LATE", ["m2"]),
        ('"late refunds"', ["m3"]),
        ('"refund late"', []),
        ("ete ", ["m1"]),
        ("été", ["m1"]),
        ("0612345678", ["m5"]),
        ("06 12 34", ["m5"]),
        ("7766", ["k1"]),
        ("+33 6 99", ["k1"]),
        ("zoe", ["k1"]),
        ("100 %", ["m4"]),
        ("AND", []),
        ("*", []),
        ("'", []),
        ("nobody", []),
    ],
)
def test_what_is_typed_is_found_newest_first(store: Store, typed: str, expected: list[str]) -> None:
    fill(store)
    assert found(store, typed) == expected


@pytest.mark.parametrize("looked_through", [0, 1, 3, 5_000])
def test_rights_and_filters_narrow(store: Store, looked_through: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_LOOKED_THROUGH", looked_through)
    fill(store)
    assert found(store, "refund", lines=["line1"]) == ["k1", "m2", "m1"]
    assert found(store, "refund", lines=[]) == ["k1"]
    assert found(store, "refund", lines=["line1", "x' | 'l", 'x" OR "l', "a-b"]) == ["k1", "m2", "m1"]
    assert found(store, "refund", conversations=["x'", "a_b"]) == []
    assert found(store, "refund", kinds=[search.MESSAGE], lines=["line2"]) == ["m3"]
    assert found(store, "refund", conversations=["cm2", "cm3"]) == ["m3", "m2"]
    assert found(store, "refund", lines=["line1", "line2"], limit=3) == ["k1", "m3", "m2"]
    assert found(store, "06", lines=["line1", "line2"]) == ["k1", "m5"]
    with store.read() as conn:
        first = search.search(conn, query("refund"), lines=None, limit=2)
        rest = search.search(conn, query("refund"), lines=None, limit=2, before=first[-1].id)
    assert [hit.ref for hit in (*first, *rest)] == ["k1", "m3", "m2", "m1"]
    assert (rest[0].conversation_id, rest[0].line_id, rest[0].at) == ("cm2", "line1", 2)


def test_a_changed_text_is_found_by_its_new_words_and_a_dropped_one_not(store: Store) -> None:
    fill(store)
    with store.write() as tx:
        search.put(tx.conn, search.MESSAGE, "m1", "Now something else", 10, line_id="line1")
        search.drop(tx.conn, search.MESSAGE, "m2")
        search.put(tx.conn, search.MESSAGE, "m3", "…", 10, line_id="line1")
    assert found(store, "refund") == ["k1"]
    assert found(store, "something") == ["m1"]


SAID = some.text(alphabet="abé 1.\"'*&|():-0567", max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(SAID, min_size=1, max_size=6), SAID)
def test_whatever_is_asked_is_answered_as_the_words_say(store: Store, texts: list[str], typed: str) -> None:
    wanted = query(typed)
    with store.write() as tx:
        tx.execute(delete(search_texts))
        for at, text in enumerate(texts):
            search.put(tx.conn, search.NOTE, f"n{at}", text, at)

    def holds(text: str) -> bool:
        kept = words(text)
        line = f" {' '.join(kept)} "
        return (
            bool(wanted)
            and all(word in kept for word in wanted.words)
            and (not wanted.begun or any(word.startswith(wanted.begun) for word in kept))
            and all(f" {phrase} " in line for phrase in wanted.phrases)
        )

    assert found(store, typed) == [f"n{at}" for at, text in reversed(list(enumerate(texts))) if holds(text)]
