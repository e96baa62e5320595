"""Texts in SIP MESSAGE bodies: what is read as which text, and how a long one is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.sip.message import parse
from aircall_core.sip.text_body import Unsupported, parts, read

CPIM = "From: <sip:ada@h>\r\nTo: <sip:b@h>\r\nDateTime: 2026-11-22T10:00:00Z\r\n\r\nContent-Type: {}\r\n\r\n{}"


def got(body: bytes | str, kind: str | None = "text/plain", **headers: str) -> str:
    data = body if isinstance(body, bytes) else body.encode()
    lines = [f"Content-Length: {len(data)}", *([f"Content-Type: {kind}"] if kind else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    wire = "\r\n".join(["MESSAGE sip:a@h SIP/2.0", *lines, "", ""]).encode() + data
    return read(parse(wire.decode("utf-8", "surrogateescape")))  # as pjsua2 hands it over


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("Hello 🎉 é", "text/plain", "Hello 🎉 é"),
        ("Hello 🎉 é", "text/plain; charset=utf-8", "Hello 🎉 é"),
        ("Hello", 'TEXT/Plain;charset="UTF-8"', "Hello"),
        ("Hello", None, "Hello"),
        ("caf\u00e9".encode("latin-1"), "text/plain", "café"),
        ("caf\u00e9 \u20ac".encode("cp1252"), "text/plain;charset=UTF-8", "café €"),
        ("caf\u00e9".encode("latin-1"), "text/plain;charset=iso-8859-1", "café"),
        ("Ж".encode("koi8-r"), "text/plain;charset=koi8-r", "Ж"),
        ("a\r\nb\x00\x07\tc\n", "text/plain", "a\nb\tc"),
        (CPIM.format("text/plain; charset=utf-8", "Bonjour 👋"), "message/cpim", "Bonjour 👋"),
        ("", "text/plain", ""),
        ("", None, ""),
    ],
)
def test_what_is_read(body: bytes | str, kind: str | None, text: str) -> None:
    assert got(body, kind) == text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<p>hi</p>", "text/html"), ("x", "image/png"), ("<isComposing/>", "application/im-iscomposing+xml"),
        ("x", "text/plain;charset=klingon"), ("eA==", "text/plain;charset=base64"), ("x", "text/plain;charset=\u00e9"),
        ("From: <sip:a@h>", "message/cpim"), (CPIM.format("message/imdn+xml", "<imdn/>"), "message/cpim"),
    ],
)  # fmt: skip
def test_what_is_not(body: str, kind: str) -> None:
    with pytest.raises(Unsupported):
        got(body, kind)
    with pytest.raises(Unsupported):
        got(b"x", "text/plain", Content_Encoding="gzip")


def test_what_follows_the_content_is_left_out() -> None:
    wire = "MESSAGE sip:a@h SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi, and junk"
    assert read(parse(wire)) == "hi"


@given(st.text(max_size=400), st.integers(40, 200))
def test_parts_are_the_whole_text_in_order_and_short_enough(text: str, limit: int) -> None:
    cut = parts(text, limit)
    assert "".join(cut) == text
    assert all(len(part.encode()) <= limit for part in cut)
    assert all(cut) or cut == [""]


def test_parts_end_with_words_and_no_sign_is_cut() -> None:
    assert parts("one two three", 9) == ["one two ", "three"]
    family = "👨‍👩‍👧"  # three signs with joiners: 18 bytes
    assert parts(family * 3, 40) == [family * 2, family]
