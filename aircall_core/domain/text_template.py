"""Templates of texts: {{contact.name}} and the like, filled with what is known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VARIABLES: Final = (
    "contact.name", "contact.first_name", "contact.last_name", "contact.company", "user.name", "user.first_name",
    "line.name", "line.number", "company.name",
)  # fmt: skip
_MARK: Final = re.compile(r"\{\{\s*([a-z_.]{1,40})\s*\}\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A template's text, and the variables of which nothing is known: they stand in it as they are."""

    text: str
    missing: tuple[str, ...]


def variables_of(body: str) -> list[str]:
    """The variables that a template uses, each once, as they come."""
    return list(dict.fromkeys(_MARK.findall(body)))


def unknown_in(body: str) -> list[str]:
    """Those among them that there are not."""
    return [name for name in variables_of(body) if name not in VARIABLES]


def fill(body: str, values: Mapping[str, str]) -> Filled:
    """The template with these values. A value is put in as it is: what looks like a variable in it stays text."""
    missing = tuple(name for name in variables_of(body) if not values.get(name))
    return Filled(_MARK.sub(lambda found: values.get(found[1]) or found[0], body), missing)


def first_name(name: str) -> str:
    """The first word of a name."""
    return name.split()[0] if name.split() else ""


def last_name(name: str) -> str:
    """All but the first word of a name."""
    return " ".join(name.split()[1:])
