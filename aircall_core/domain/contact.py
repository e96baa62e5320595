"""A contact as people fill it in: what a name, a number's label, an e-mail and a custom value may be; two made one."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from aircall_core.domain.words import plain

LONGEST_NAME: Final = 200
LONGEST_DESCRIPTION: Final = 4_000
LONGEST_LABEL: Final = 40
LONGEST_VALUE: Final = 1_000
LONGEST_EMAIL: Final = 254
MOST_ENTRIES: Final = 20  # numbers of a contact, and e-mails
TAIL: Final = 8  # digits by which two spellings of one number may be known

FIELD_KINDS: Final = ("text", "number", "date", "link", "choice")
# One at-sign with something on both sides and a point in the domain: whoever has such an address gets mail by it.
_EMAIL = re.compile(r"[^\s@<>\",;()]{1,64}@[^\s@<>\",;()]+\.[^\s@<>\",;().]+")
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,9})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A number (E.164) or an e-mail (lower case), and what it is: mobile, work."""

    value: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that is known of a contact. ``custom``: values by the id of their field."""

    name: str = ""
    company: str = ""
    description: str = ""
    numbers: tuple[Entry, ...] = ()
    emails: tuple[Entry, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    priority: int | None = None

    @property
    def blank(self) -> bool:
        """Whether nobody could tell whom it is about."""
        return not (self.name or self.company or self.numbers or self.emails)

    @property
    def name_key(self) -> str:
        """By what it is sorted and compared."""
        first = next((one.value for one in (*self.numbers, *self.emails)), "")
        return key(self.name) or key(self.company) or first


def one_line(text: str) -> str:
    """Without line ends, signs that turn the direction of a line, and double blanks."""
    return " ".join(_CONTROL.sub(" ", text).split())


def several_lines(text: str) -> str:
    """The same line by line."""
    lines = (_CONTROL.sub(" ", line).rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return "\n".join(lines).strip()


def key(text: str) -> str:
    """A name as it is compared: without case, accents and double blanks."""
    return " ".join(plain(text).split())


def tail(number: str) -> str:
    """The last digits of an E.164 number, by which it may be the same as another; '' for a short one."""
    digits = number.removeprefix("+")
    return digits[-TAIL:] if len(digits) >= TAIL and digits.isdigit() else ""


def email(text: str) -> str:
    """An e-mail address as it is kept, or '' for what is none."""
    found = text.strip().removeprefix("mailto:").casefold()
    return found if len(found) <= LONGEST_EMAIL and _EMAIL.fullmatch(found) else ""


def unique(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Each value once, in the order in which they first stand; a label is better than none."""
    found: dict[str, Entry] = {}
    for one in entries:
        known = found.get(one.value)
        if known is None or (one.label and not known.label):
            found[one.value] = one
    return tuple(found.values())


def custom_value(kind: str, choices: Sequence[str], given: Any) -> Any:
    """A value of a custom field as it is kept; None for nothing.

    Raises ValueError with what it is not: long (it is too long), number, date, link, choice.
    """
    text = one_line(str(given)) if given is not None else ""
    if not text:
        return None
    if len(text) > LONGEST_VALUE:
        raise ValueError("long")
    if kind == "number":
        if not _NUMBER.fullmatch(text):
            raise ValueError("number")
        amount = float(text.replace(",", "."))
        return int(amount) if amount.is_integer() else amount
    if kind == "date":
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise ValueError("date") from None
    if kind == "link" and not _LINK.fullmatch(text):
        raise ValueError("link")
    if kind == "choice":
        for choice in choices:
            if key(choice) == key(text):
                return choice
        raise ValueError("choice")
    return text


def merged(kept: Profile, gone: Profile) -> Profile:
    """Both as one: what the first one has stands, and what it lacks comes from the second. Nothing written is lost."""
    descriptions = [one for one in (kept.description, gone.description) if one]
    if len(descriptions) == 2 and descriptions[1] in descriptions[0]:
        descriptions.pop()
    ranks = [one for one in (kept.priority, gone.priority) if one is not None]
    return Profile(
        name=kept.name or gone.name,
        company=kept.company or gone.company,
        description="\n\n".join(descriptions),
        numbers=unique((*kept.numbers, *gone.numbers)),
        emails=unique((*kept.emails, *gone.emails)),
        custom={**gone.custom, **kept.custom},
        priority=min(ranks, default=None),
    )
