"""Insight cards: what a line of one may hold, and how lines are made from a template and what is known of a caller.

All of it is plain text for people; nothing in it is ever run, and links lead to web pages only.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

Line = dict[str, str]  # type, text; label, link, email (user: whose line it is) where there is one
Values = Mapping[str, Any]  # what is known, by the first part of its path: number, line, contact, answer

TITLE: Final = "title"
SHORT_TEXT: Final = "shortText"
USER: Final = "user"
TYPES: Final = (TITLE, SHORT_TEXT, USER)
MOST_LINES: Final = 12
LONGEST: Final = {"text": 200, "label": 60, "link": 1000, "email": 254}
CONDITIONS: Final = ("known", "unknown", "is", "is_not", "contains", "above", "below")
COMPARED: Final = ("is", "is_not", "contains", "above", "below")
LONGEST_TEMPLATE: Final = 400
LONGEST_PATH: Final = 120

_VARIABLE = re.compile(r"\{\{([^{}]{1,120})\}\}")
# Line ends, and the signs that turn the direction of text or cannot be seen: one line shows what it says.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def plain(value: object) -> str:
    """A value as one line of text; '' for what is none (lists, objects, null)."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float):
        return ""
    return " ".join(_UNSEEN.sub(" ", str(value)[:4000]).split())


def at(values: Values, path: str) -> object:
    """What is found at a path such as ``answer.items.0.name``; None where there is nothing.

    The rest of a path that is a key itself is taken whole: names of a company's own fields may hold dots.
    """
    found: object = values
    rest = path.strip()
    while rest:
        if isinstance(found, Mapping):
            if rest in found:
                return found[rest]
            key, _, rest = rest.partition(".")
            found = found.get(key)
        elif isinstance(found, list):
            key, _, rest = rest.partition(".")
            found = found[int(key)] if key.isascii() and key.isdigit() and int(key[:6]) < len(found) else None
        else:
            return None
    return found


def fill(template: str, values: Values, *, quoted: bool = False) -> str:
    """The template with each ``{{path}}`` replaced; '' when it has variables and none of them is known.

    ``quoted``: it is a web address, whose variables are parts of it and cannot change where it leads.
    """
    known: list[bool] = []

    def value(match: re.Match[str]) -> str:
        text = plain(at(values, match[1]))
        known.append(bool(text))
        return quote(text, safe="") if quoted and match.start() else text

    filled = _VARIABLE.sub(value, template)
    return plain(filled) if not known or any(known) else ""


def holds(condition: Mapping[str, Any] | None, values: Values) -> bool:
    """Whether a condition ({"field", "is", "value"}) is true of these values; there may be none."""
    if not condition:
        return True
    found, wanted = at(values, str(condition.get("field", ""))), plain(condition.get("value"))
    text, how = plain(found), str(condition.get("is"))
    if how in ("known", "unknown"):
        is_known = bool(text) or (isinstance(found, Mapping | list) and bool(found))
        return is_known == (how == "known")
    if how in ("above", "below"):
        number, limit = _number(text), _number(wanted)
        if number is None or limit is None:
            return False
        return number > limit if how == "above" else number < limit
    same, other = text.casefold(), wanted.casefold()
    if how == "contains":
        return bool(other) and other in same
    return (same == other) == (how == "is")


def lines_of(template: Sequence[Mapping[str, Any]], values: Values) -> list[Line]:
    """The card that a template makes of these values: lines whose condition is false, or whose text is empty, go."""
    made = []
    for one in template:
        if not holds(one.get("when"), values):
            continue
        line = {name: fill(str(one.get(name) or ""), values, quoted=name == "link") for name in LONGEST}
        made.append({"type": str(one.get("type")), **line})
    return clean(made)


def clean(contents: object) -> list[Line]:
    """What can be shown of contents that a stranger sent: good lines, cut to their lengths."""
    given = contents if isinstance(contents, list) else []
    lines = (_line(one) for one in given[: MOST_LINES * 4] if isinstance(one, Mapping) and one.get("type") in TYPES)
    return [line for line in lines if line["text"] or line.get("email")][:MOST_LINES]


def _line(one: Mapping[str, Any]) -> Line:
    texts = {name: plain(one.get(name)) for name in LONGEST}
    line = {"type": str(one["type"]), "text": _cut(texts["text"], LONGEST["text"])}
    if texts["label"]:
        line["label"] = _cut(texts["label"], LONGEST["label"])
    if is_link(texts["link"]):
        line["link"] = texts["link"]
    if one["type"] == USER and 0 < len(texts["email"]) <= LONGEST["email"]:
        line["email"] = texts["email"].lower()
    return line


def problems(contents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong with contents that are posted: lines, type, text, link, long; by field (``contents.2.link``)."""
    if not 1 <= len(contents) <= MOST_LINES:
        return {"contents": "lines"}
    wrong: dict[str, str] = {}
    for place, one in enumerate(contents):
        for name, problem in _line_problems(one).items():
            wrong[f"contents.{place}.{name}"] = problem
    return wrong


def _line_problems(one: Mapping[str, Any]) -> dict[str, str]:
    wrong = {name: "long" for name, most in LONGEST.items() if len(str(one.get(name) or "")) > most}
    if one.get("type") not in TYPES:
        wrong["type"] = "type"
    if not plain(one.get("text")) and not (one.get("type") == USER and plain(one.get("email"))):
        wrong.setdefault("text", "text")
    if one.get("link") and not is_link(str(one["link"])):
        wrong.setdefault("link", "link")
    return wrong


def template_problem(template: Sequence[Mapping[str, Any]]) -> tuple[int, str] | None:
    """The first mistake in a template's lines: the line (from 1; 0 for the whole) and what is wrong there."""
    if len(template) > MOST_LINES * 2:
        return 0, "lines"
    for place, one in enumerate(template, 1):
        if problem := _template_line_problem(one):
            return place, problem
    return None


def _template_line_problem(one: Mapping[str, Any]) -> str | None:
    texts = {name: str(one.get(name) or "") for name in LONGEST}
    if one.get("type") not in TYPES:
        return "type"
    if not texts["text"].strip() and not (one["type"] == USER and texts["email"].strip()):
        return "text"
    if any(len(text) > LONGEST_TEMPLATE for text in texts.values()):
        return "long"
    if any(text.count("{{") != len(_VARIABLE.findall(text)) for text in texts.values()):
        return "variable"
    if texts["link"] and not texts["link"].startswith(("https://", "http://", "{{")):
        return "link"
    return _condition_problem(one.get("when") or {})


def _condition_problem(when: Mapping[str, Any]) -> str | None:
    if not when:
        return None
    field = str(when.get("field") or "").strip()
    if not 1 <= len(field) <= LONGEST_PATH:
        return "field"
    if when.get("is") not in CONDITIONS:
        return "condition"
    value = str(when.get("value") or "").strip()
    if when["is"] in COMPARED and not value:
        return "value"
    if when["is"] in ("above", "below") and _number(value) is None:
        return "number"
    return None if len(value) <= LONGEST["text"] else "value_long"


def is_link(text: str) -> bool:
    """Whether this is a web address that a card may lead to."""
    if not 1 <= len(text) <= LONGEST["link"] or _UNSEEN.search(text) or " " in text or "\\" in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def _number(text: str) -> float | None:
    try:
        return float(text.replace(" ", "").replace(",", "."))
    except ValueError:
        return None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
