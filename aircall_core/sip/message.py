"""Reading what a stranger wrote: headers and addresses of a SIP message (RFC 3261 sections 7.3 and 25.1).

Everything here is untrusted text: nothing raises on bad input, lengths are capped, control characters never get out.
"""

import re
import unicodedata
from dataclasses import dataclass, field

MAX_DISPLAY = 120  # characters of a display name that are kept; longer ones are attacks or mistakes
MAX_USER = 128

_COMPACT = {
    "f": "from", "t": "to", "i": "call-id", "m": "contact", "v": "via", "c": "content-type",
    "l": "content-length", "s": "subject", "k": "supported", "r": "refer-to",
}  # fmt: skip
_NAME_ADDR = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*))\s*<([^>]*)>(.*)', re.DOTALL)
_URI = re.compile(r"\s*(sips?|tel):(?:([^@;?>]*)@)?([^;?>\s]*)([^?>]*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Address:
    """A name-addr or addr-spec: `"Ada" <sip:+33123@example.org;user=phone>;tag=1`."""

    display: str = ""
    uri: str = ""
    scheme: str = ""
    user: str = ""
    host: str = ""
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """A SIP message's first line and its headers in order, names in lower case and long form."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str

    def get(self, name: str) -> str:
        """First value of a header, or ''."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header that may repeat, lists by comma taken apart, in order."""
        return [part for key, value in self.headers if key == name for part in split_list(value)]

    def every(self, name: str) -> list[str]:
        """Every value of a header whose values hold commas themselves (credentials)."""
        return [value for key, value in self.headers if key == name]

    @property
    def method(self) -> str:
        """The request's method, '' for a response."""
        word = self.start.split(" ", 1)[0]
        return "" if word.startswith("SIP/") else word

    @property
    def request_uri(self) -> str:
        """The request URI, '' for a response."""
        words = self.start.split(" ")
        return words[1] if self.method and len(words) > 1 else ""


def parse(text: str) -> Message:
    """Headers of a message; lines that are none are left out."""
    head, _, body = text.partition("\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers.append((_COMPACT.get(key, key), value.strip()))
    return Message(lines[0], tuple(headers), body)


def split_list(value: str) -> list[str]:
    """Takes a comma list apart, minding quotes and angle brackets."""
    parts, current, quoted, angle, escaped = [], "", False, False, False
    for char in value:
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"' and not angle:
            quoted = not quoted
        elif not quoted and char in "<>":
            angle = char == "<"
        elif char == "," and not quoted and not angle:
            parts.append(current.strip())
            current = ""
            continue
        current += char
    return [part for part in (*parts, current.strip()) if part]


def params(text: str) -> dict[str, str]:
    """`;tag=1;lr` -> {'tag': '1', 'lr': ''}."""
    found = {}
    for part in text.split(";"):
        name, _, value = part.strip().partition("=")
        if name:
            found[name.strip().lower()] = value.strip().strip('"')
    return found


def address(value: str) -> Address:
    """Reads a From, To, Contact, P-Asserted-Identity... value; what cannot be read is empty."""
    named = _NAME_ADDR.match(value)
    if named:
        quoted, bare, uri, rest = named.groups()
        display = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (bare or "")
    else:  # addr-spec: parameters after ';' belong to the header, not to the URI (RFC 3261 20.10)
        uri, _, rest = value.strip().partition(";")
        display = ""
    match = _URI.match(uri)
    if not match:
        return Address(clean_display(display), uri.strip(), params=params(rest))
    scheme, user, host, _ = match.groups()
    scheme = scheme.lower()
    if scheme == "tel":
        user, host = host, ""
    user = printable(_unescape((user or "").partition(":")[0]))[:MAX_USER]
    return Address(clean_display(display), uri.strip(), scheme, user, host.lower(), params(rest))


def raw(text: str) -> bytes:
    """The bytes that were on the wire: pjsua2 hands us UTF-8 with what is none of it escaped (PEP 383)."""
    return text.encode("utf-8", "surrogateescape")


def printable(text: str) -> str:
    """Without control characters and broken bytes, which no database takes."""
    return "".join(char for char in text if char.isprintable())


def clean_display(text: str) -> str:
    """A display name fit for a screen: no control, format or bidirectional characters, one line, capped."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    spaced = (" " if char.isspace() else char for char in text[: MAX_DISPLAY * 8])
    kept = "".join(char for char in spaced if unicodedata.category(char)[0] != "C")
    return " ".join(kept.split())[:MAX_DISPLAY].strip()


def _unescape(user: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda hit: chr(int(hit[1], 16)), user)
