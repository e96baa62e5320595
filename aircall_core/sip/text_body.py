"""The text that a SIP MESSAGE holds, and a long text cut into bodies that every peer takes. Pure.

UTF-8 is what SIP means by text (RFC 3428 section 9). Gateways from before that send Latin-1 without saying so; what is
no UTF-8 is read as that, since a text with a wrong accent is better than none.
"""

import re
from collections.abc import Iterator

from aircall_core.sip.message import Message, params, raw

ACCEPT = "text/plain, message/cpim"
MAX_BODY = (
    3000  # bytes: a MESSAGE of more than 4,000 in all is cut or dropped by many peers, pjsip's default among them
)

_PLAIN, _CPIM = "text/plain", "message/cpim"
_BREAKS = ("\n\n", "\n", ". ", " ")
# What must not stand at the beginning of a part: joiners, variation selectors, combining marks, skin tones.
_CLINGS = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\u20d0-\u20ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")


class Unsupported(Exception):
    """A kind of content that is no text: 415."""


def read(message: Message) -> str:
    """The text of a MESSAGE, '' when it has none. Raises Unsupported."""
    given = message.get("content-type")
    length = message.get("content-length")
    body = raw(message.body)
    if length.isascii() and length.isdigit():
        body = body[: int(length)]  # what follows in the same packet is none of it (RFC 3261 18.3)
    if not body:
        return ""
    if message.get("content-encoding").strip().lower() not in ("", "identity"):
        raise Unsupported
    kind, charset = _kind(given or _PLAIN)
    if kind == _CPIM:
        kind, charset, body = _unwrapped(body)
    if kind != _PLAIN:
        raise Unsupported
    return _clean(_decoded(body, charset))


def parts(text: str, limit: int = MAX_BODY) -> list[str]:
    """The text in parts of at most `limit` bytes of UTF-8, in order, cut between words and never within a sign."""
    return list(_parts(text, limit))


def _parts(text: str, limit: int) -> Iterator[str]:
    while len(text.encode()) > limit:
        piece = text.encode()[:limit].decode("utf-8", "ignore")
        end = _end(piece, text)
        yield text[:end]
        text = text[end:]
    yield text


def _end(piece: str, text: str) -> int:
    """Where to cut: behind a paragraph, a line, a sentence, a word; else between two signs."""
    for mark in _BREAKS:
        at = piece.rfind(mark)
        if at > len(piece) // 2:
            return at + len(mark)
    at = len(piece)
    while at > len(piece) // 2 and (_CLINGS.match(text, at) or text[at - 1] == "\u200d"):
        at -= 1
    return at


def _kind(content_type: str) -> tuple[str, str]:
    name, _, rest = content_type.partition(";")
    return name.strip().lower(), params(rest).get("charset", "").strip("'\"").lower()


def _unwrapped(body: bytes) -> tuple[str, str, bytes]:
    """What a message/cpim holds (RFC 3862): its own headers, those of its content, the content; empty lines between."""
    blocks = re.split(rb"\r?\n\r?\n", body, maxsplit=2)
    if len(blocks) < 3:
        raise Unsupported
    found = re.search(rb"^content-type\s*:\s*(.+?)\s*$", blocks[1], re.IGNORECASE | re.MULTILINE)
    kind, charset = _kind(found[1].decode("ascii", "replace")) if found else (_PLAIN, "")
    return kind, charset, blocks[2]


def _decoded(body: bytes, charset: str) -> str:
    if charset and charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        try:
            return body.decode(charset, "replace")
        except (LookupError, ValueError):
            raise Unsupported from None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _clean(text: str) -> str:
    """With line feeds for line ends, and without what no database takes or no screen shows."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (char for char in lines if char in "\n\t" or (char >= " " and char not in "\x7f\ufffe\uffff"))
    return "".join(kept).strip("\n\ufeff")
