"""Words as search compares them."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from aircall_core.domain.words import Query, excerpt, number_words, pieces, query, spans, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("Straße Été ÑANDÚ ﬁn", ["strasse", "ete", "nandu", "fin"]),
        ("a_b-c", ["a", "b", "c"]),
        ("👍 ok 👍", ["ok"]),
        ("Call +33 6 12 34 56 78 now", ["call", "33", "6", "12", "34", "56", "78", "now", "33612345678"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Refund", Query(begun="refund")),
        ("refund ", Query(("refund",))),
        ("late refund", Query(("late",), "refund")),
        ('"late refund"', Query(("late", "refund"), phrases=("late refund",))),
        ("06 12 34", Query(begun="061234")),
        ("+33 6.12", Query(begun="33612")),
        ("0033612345678", Query(begun="33612345678")),
        ("12", Query(begun="12")),
        ("a", Query(("a",))),
        ('" OR *', Query(begun="or")),
        ("  ", Query()),
    ],
)
def test_questions(typed: str, expected: Query) -> None:
    assert query(typed) == expected


def test_a_number_is_found_by_its_beginning_and_by_its_end() -> None:
    assert number_words("+33612345678", "06 12 34 56 78") == [
        "33612345678", "0612345678", "5678", "345678", "12345678",
    ]  # fmt: skip


def test_finds_are_marked_in_their_places() -> None:
    text = "Your Réfund, ref. 06 12 34 56 78: refunded"
    assert [text[a:b] for a, b in spans(text, query("refund"))] == ["Réfund", "refunded"]
    assert [text[a:b] for a, b in spans(text, query("0612345678"))] == ["06 12 34 56 78"]
    decomposed = "re\u0301fund"
    assert spans(decomposed, query("refund")) == [(0, len(decomposed))]


def test_an_excerpt_shows_the_first_find() -> None:
    text = "word " * 100 + "needle " + "word " * 100
    shown, marks = excerpt(text, query("needle"), 60)
    assert [shown[a:b] for a, b in marks] == ["needle"]
    assert shown.startswith("…word")
    assert shown.endswith("…")
    assert len(shown) <= 62


@given(some.text(max_size=300), some.text(max_size=40))
def test_whatever_is_typed_and_written(text: str, typed: str) -> None:
    wanted = query(typed)
    shown, marks = excerpt(text, wanted, 50)
    assert all(0 <= a < b <= len(shown) for a, b in marks)
    assert "".join(part for part, _ in pieces(shown, marks)) == shown
    assert all(word.isalnum() and word for word in (*words(text), *wanted.words))


@given(some.lists(some.text(alphabet="abcdé", min_size=1, max_size=6), min_size=1, max_size=8))
def test_every_word_of_a_text_finds_it(parts: list[str]) -> None:
    text = " ".join(parts)
    for part in parts:
        assert spans(text, query(part + " ")), part
