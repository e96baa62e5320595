"""vCard files (2.1; 3.0: RFC 2426; 4.0: RFC 6350), as telephones and address books write them.

Only what a contact is made of is read. The libraries there are read 3.0 alone, or stop at the first card that is not by
the book; here a card with broken lines is told of, and the others are read.
"""

import binascii
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aircall_core.domain.dial_file import LARGEST, MOST_ROWS, Unreadable, decode

_LINE = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)")
_PARAMETER = re.compile(r";([^;:=\"]*)(?:=((?:\"[^\"]*\"|[^;:\"])*))?")
_ESCAPED = re.compile(r"\\([\\,;:nN])")
_NOT_A_LABEL: Final = frozenset({"voice", "pref", "internet", "text", "msg", "x400", "uri", "pref=1"})


@dataclass(slots=True)
class Card:
    """One card: its first line in the file (from 1), and what stands in it. ``broken``: it is not by the book."""

    line: int
    name: str = ""
    company: str = ""
    note: str = ""
    numbers: list[tuple[str, str]] = field(default_factory=list)  # with what each is: mobile, work
    emails: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    @property
    def text(self) -> str:
        """The card in one line, for telling people which one it is."""
        parts = (self.name, self.company, *(one for one, _ in (*self.numbers, *self.emails)))
        return " · ".join(" ".join(part.split()) for part in parts if part.strip())[:200]


def is_vcard(data: bytes) -> bool:
    """Whether a file says that it is one."""
    head = (
        data[:400].replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    )
    return head.lstrip()[:11].upper() == b"BEGIN:VCARD"


def read(data: bytes) -> list[Card]:
    """The cards of a file of at most `LARGEST` bytes and `MOST_ROWS` cards. Raises Unreadable."""
    if len(data) > LARGEST:
        raise Unreadable("too_large")
    text, _ = decode(data)
    cards: list[Card] = []
    inside: list[Card] = []  # a card may stand in a card: its agent's
    for number, line in _unfolded(text):
        word = line.strip().upper()
        if word == "BEGIN:VCARD":
            inside.append(Card(number))
        elif word == "END:VCARD":
            if inside:
                done = inside.pop()
                if not inside:
                    cards.append(done)
        elif inside and line.strip():
            _take(inside[-1], line)
        if len(cards) > MOST_ROWS:
            raise Unreadable("too_many")
    for card in inside[:1]:  # the file ends in the middle of it
        card.broken = True
        cards.append(card)
    if not cards:
        raise Unreadable("empty")
    return cards


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Lines with what they go on in, and the number of the first of each."""
    begun: tuple[int, str] | None = None
    for number, line in enumerate(_LINE.split(text), 1):
        if begun is None:
            begun = (number, line)
        elif begun[1].endswith("=") and _is_quoted(begun[1]):  # 2.1: a soft line end
            begun = (begun[0], begun[1][:-1] + line.lstrip("\t"))
        elif line[:1] in (" ", "\t"):
            begun = (begun[0], begun[1] + line[1:])
        else:
            yield begun
            begun = (number, line)
    if begun is not None:
        yield begun


def _is_quoted(line: str) -> bool:
    return "QUOTED-PRINTABLE" in line.partition(":")[0].upper()


def _take(card: Card, line: str) -> None:
    """What a line says of the card's contact."""
    named = _NAME.match(line)
    if named is None:
        card.broken = True
        return
    at, parameters = named.end(), dict[str, list[str]]()
    while found := _PARAMETER.match(line, at):
        key, value = found[1].strip().upper(), found[2]
        if value is None:  # 2.1 writes TEL;CELL for TEL;TYPE=CELL
            key, value = "TYPE", found[1]
        parameters.setdefault(key, []).extend(one.strip().strip('"') for one in value.split(","))
        at = found.end()
    if line[at : at + 1] != ":":
        card.broken = True
        return
    name, raw = named[1].upper(), line[at + 1 :]
    if name in ("FN", "N", "ORG", "NOTE", "TEL", "EMAIL", "NICKNAME"):
        _put(card, name, _decoded(raw, parameters), _label(parameters))


def _put(card: Card, name: str, value: str, label: str) -> None:
    if name == "FN":
        card.name = _plain(value) or card.name
    elif name == "N" and not card.name:
        family, given, middle, prefix, suffix = (_parts(value) + [""] * 5)[:5]
        card.name = " ".join(part for part in (prefix, given, middle, family, suffix) if part)
    elif name == "ORG":
        card.company = next((part for part in _parts(value) if part), "")
    elif name == "NICKNAME":
        card.name = card.name or _plain(value)
    elif name == "NOTE":
        card.note = "\n".join(filter(None, (card.note, _plain(value))))
    elif name == "TEL":
        number = _plain(value).removeprefix("tel:").partition(";")[0]  # 4.0: tel:+33-1-99;ext=1 (RFC 3966)
        if number:
            card.numbers.append((number, label))
    elif name == "EMAIL" and (mail := _plain(value).removeprefix("mailto:")):
        card.emails.append((mail, label))


def _decoded(raw: str, parameters: Mapping[str, list[str]]) -> str:
    """The value without its transfer encoding; '' for what cannot be decoded."""
    encodings = {one.upper() for key in ("ENCODING", "TYPE") for one in parameters.get(key, ())}
    charset = next(iter(parameters.get("CHARSET", ())), "utf-8")
    try:
        if "QUOTED-PRINTABLE" in encodings:
            return quopri.decodestring(raw.encode()).decode(charset, "replace")
        if encodings & {"B", "BASE64"}:
            return binascii.a2b_base64(raw.encode()).decode(charset, "replace")
    except (LookupError, ValueError):
        return ""
    return raw


def _label(parameters: Mapping[str, list[str]]) -> str:
    """What a number or address is, in the card's words: "cell", "work"."""
    words = (one.lower() for one in parameters.get("TYPE", ()))
    return " ".join(dict.fromkeys(one for one in words if one and one not in _NOT_A_LABEL))[:40]


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()


def _parts(value: str) -> list[str]:
    """The parts of a structured value, which semicolons part unless a backslash stands before them."""
    return [_plain(part) for part in re.split(r"(?<!\\);", value)]
