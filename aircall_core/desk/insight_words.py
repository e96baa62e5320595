"""What is wrong with an insight card or a template, in words: the rules give codes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aircall_core.domain import insight
from aircall_core.domain.insight import LONGEST, LONGEST_TEMPLATE, MOST_LINES, TYPES

_CARD: Final = {
    "lines": f"A card has 1 to {MOST_LINES} lines.",
    "type": f"Choose one of {', '.join(TYPES)}.",
    "text": "Enter a text.",
    "link": "Enter a web address that begins with https:// or http://.",
}
_TEMPLATE: Final = {
    "type": "choose what kind of line it is.",
    "text": "enter a text.",
    "long": f"a text has at most {LONGEST_TEMPLATE} characters.",
    "variable": "a variable is written {{contact.name}}.",
    "link": "a link begins with https:// or http://.",
    "field": "say which field the condition is about.",
    "condition": "choose a condition.",
    "value": "say what the field is compared with.",
    "number": "compare with a number.",
    "value_long": f"a value has at most {LONGEST['text']} characters.",
}


def problems(contents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong with a card that somebody posts, by field (``contents.2.link``)."""
    return {
        field: f"At most {LONGEST[field.rpartition('.')[2]]} characters." if code == "long" else _CARD[code]
        for field, code in insight.problems(contents).items()
    }


def template_problem(template: Sequence[Mapping[str, Any]]) -> str | None:
    """The first mistake in a template's lines, as a sentence that names the line."""
    found = insight.template_problem(template)
    if found is None:
        return None
    line, code = found
    return f"Line {line}: {_TEMPLATE[code]}" if line else f"Use at most {MOST_LINES * 2} lines."
