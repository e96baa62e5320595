"""Cards of plain text: templates, conditions, what is let through of what strangers send."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.desk import insight_words
from aircall_core.domain.insight import (
    LONGEST,
    MOST_LINES,
    TYPES,
    at,
    clean,
    fill,
    holds,
    is_link,
    lines_of,
    problems,
    template_problem,
)
from aircall_core.domain.insight_kinds import KINDS

VALUES: dict[str, Any] = {
    "number": "+33611223344",
    "line": {"name": "Support"},
    "contact": {"name": "Marie Dupont", "company": "Acme & Sons", "custom": {"Contract no. 2": "C/7?x"}, "email": ""},
    "answer": {"orders": [{"total": 12.0}, {"total": 7.5}], "open": 3, "vip": True, "empty": [], "none": None},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello", "Hello"),
        ("{{contact.name}} on {{line.name}}", "Marie Dupont on Support"),
        ("{{ contact.custom.Contract no. 2 }}", "C/7?x"),
        ("{{answer.orders.1.total}} EUR", "7.5 EUR"),
        ("{{answer.orders.0.total}}", "12"),
        ("{{answer.vip}}", "yes"),
        ("{{answer.orders}}", ""),  # no list is a text
        ("{{answer.orders.9.total}}", ""),
        ("{{answer.orders.x.total}}", ""),
        ("Order of {{contact.email}}", ""),  # nothing of it is known
        ("{{contact.email}}{{contact.name}}", "Marie Dupont"),
        ("{{contact.name.first}}", ""),
        ("{{contact.__class__}}", ""),
        ("{{7*7}}", ""),
        ("{% for x in y %}", "{% for x in y %}"),
    ],
)
def test_variables_are_paths_and_nothing_else(template: str, text: str) -> None:
    assert fill(template, VALUES) == text


def test_variables_of_an_address_cannot_lead_elsewhere() -> None:
    values = {"contact": {"custom": {"id": "../../evil?x=1#y@host"}}}
    link = fill("https://crm.example/c/{{contact.custom.id}}", values, quoted=True)
    assert link == "https://crm.example/c/..%2F..%2Fevil%3Fx%3D1%23y%40host"
    assert fill("{{link}}", {"link": "https://crm.example/7"}, quoted=True) == "https://crm.example/7"


@pytest.mark.parametrize(
    ("field", "how", "value", "true"),
    [
        ("contact.name", "known", "", True),
        ("contact.email", "known", "", False),
        ("contact.email", "unknown", "", True),
        ("answer.orders", "known", "", True),
        ("answer.empty", "known", "", False),
        ("contact.company", "is", "ACME & sons", True),
        ("contact.company", "is_not", "Other", True),
        ("contact.company", "contains", "acme", True),
        ("contact.email", "contains", "", False),
        ("answer.open", "above", "2", True),
        ("answer.open", "above", "3", False),
        ("answer.open", "below", "3,5", True),
        ("contact.name", "above", "1", False),
    ],
)
def test_conditions(field: str, how: str, value: str, true: bool) -> None:
    assert holds({"field": field, "is": how, "value": value}, VALUES) is true


def test_a_card_has_the_lines_that_hold_and_say_something() -> None:
    template: list[dict[str, Any]] = [
        {"type": "title", "text": "{{contact.name}}", "link": "https://crm.example/{{contact.custom.Contract no. 2}}"},
        {"type": "shortText", "label": "Open", "text": "{{answer.open}}",
         "when": {"field": "answer.open", "is": "above", "value": "0"}},
        {"type": "shortText", "label": "Late", "text": "yes", "when": {"field": "answer.late", "is": "known"}},
        {"type": "shortText", "label": "E-mail", "text": "{{contact.email}}"},
        {"type": "user", "label": "Owner", "text": "", "email": "BO@Example.com"},
    ]  # fmt: skip
    assert lines_of(template, VALUES) == [
        {"type": "title", "text": "Marie Dupont", "link": "https://crm.example/C%2F7%3Fx"},
        {"type": "shortText", "text": "3", "label": "Open"},
        {"type": "user", "text": "", "label": "Owner", "email": "bo@example.com"},
    ]


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "//evil.example", "https://", "https://user:pw@host/", "HTTPS:x",
        "https://a b", "https://x\n.example", "https://[::1", "ftp://x.example", "https:\\\\x.example", "x" * 2000,
        "https://x/" + "y" * 1000, "java\tscript:alert(1)", "https://ex\u202eample.com",
    ],
)  # fmt: skip
def test_links_lead_to_web_pages(link: str) -> None:
    assert not is_link(link)
    assert clean([{"type": "title", "text": "x", "link": link}]) == [{"type": "title", "text": "x"}]
    assert "contents.0.link" in problems([{"type": "title", "text": "x", "link": link}])


def test_what_can_be_shown_of_what_strangers_send() -> None:
    given: list[Any] = [
        {"type": "title", "text": "a\x00b\n\u202ec" + "d" * 400, "label": 7, "extra": {"x": 1}},
        {"type": "script", "text": "x"}, {"type": "title"}, "text", None, {"type": "title", "text": {"a": 1}},
    ]  # fmt: skip
    (line,) = clean(given)
    assert line["text"].startswith("a b cddd")
    assert len(line["text"]) == LONGEST["text"]
    assert line["label"] == "7"
    assert clean("contents") == clean(None) == clean({"type": "title", "text": "x"}) == []
    assert len(clean([{"type": "title", "text": "x"}] * 50)) == MOST_LINES


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "text", "link", "a"]), inner),
    max_leaves=12,
)


@given(json_values, st.text(alphabet="{}a.0 x", max_size=30))
def test_whatever_comes_a_card_is_lines_of_plain_text(value: Any, template: str) -> None:
    lines = [*clean(value), *lines_of([{"type": "title", "text": template, "link": template}], {"a": value})]
    for line in lines:
        assert line["type"] in TYPES
        assert all(text.isprintable() for text in line.values())
    at({"a": value}, template)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"type": "heading", "text": "x"}, "type"),
        ({"type": "title", "text": " "}, "text"),
        ({"type": "title", "text": "{{contact.name"}, "variable"),
        ({"type": "title", "text": "x", "link": "javascript:x"}, "link"),
        ({"type": "title", "text": "x" * 401}, "long"),
        ({"type": "title", "text": "x", "when": {"field": "", "is": "known"}}, "field"),
        ({"type": "title", "text": "x", "when": {"field": "a", "is": "like"}}, "condition"),
        ({"type": "title", "text": "x", "when": {"field": "a", "is": "is", "value": ""}}, "value"),
        ({"type": "title", "text": "x", "when": {"field": "a", "is": "above", "value": "many"}}, "number"),
    ],
)
def test_mistakes_in_a_template_name_the_line(line: dict[str, Any], said: str) -> None:
    template = [{"type": "title", "text": "fine"}, line]
    assert template_problem(template) == (2, said)
    words = insight_words.template_problem(template)
    assert words is not None
    assert words.startswith("Line 2: ")


def test_mistakes_in_a_card_have_words_for_their_field() -> None:
    wrong = insight_words.problems([{"type": "x", "text": "", "link": "no"}, {"type": "title", "text": "x" * 4_000}])
    assert set(wrong) == {"contents.0.type", "contents.0.text", "contents.0.link", "contents.1.text"}
    assert wrong["contents.1.text"] == f"At most {LONGEST['text']} characters."
    assert insight_words.problems([]) == {"contents": f"A card has 1 to {MOST_LINES} lines."}


def test_the_cards_that_kinds_bring_are_good() -> None:
    for kind in KINDS.values():
        assert template_problem(kind.lines) is None
