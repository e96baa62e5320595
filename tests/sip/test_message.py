"""Reading headers that strangers wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.sip.message import MAX_DISPLAY, address, clean_display, params, parse, split_list

INVITE = (
    "INVITE sip:+33199000001@192.0.2.1 SIP/2.0\r\n"
    "v: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1\r\n"
    'f: "Ada ""L"" <sip:ada@example.com>;tag=1\r\n'
    "Subject: folded\r\n  over two lines\r\n"
    "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
    "Record-Route: <sip:p3;lr>\r\n"
    "no colon here\r\n"
    "\r\nv=0\r\n"
)


def test_compact_names_folding_lists_and_body() -> None:
    message = parse(INVITE)
    assert (message.method, message.request_uri) == ("INVITE", "sip:+33199000001@192.0.2.1")
    assert message.get("via").startswith("SIP/2.0/UDP")
    assert message.get("subject") == "folded over two lines"
    assert message.all("record-route") == ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]
    assert message.get("missing") == ""
    assert message.body == "v=0\r\n"


def test_a_response_has_no_method() -> None:
    assert parse("SIP/2.0 200 OK\r\n\r\n").method == ""


@pytest.mark.parametrize(
    ("value", "display", "user", "host", "tag"),
    [
        (
            '"Ada \\"L\\" <x>" <sip:ada@Example.COM:5070;transport=tcp>;tag=7',
            'Ada "L" <x>',
            "ada",
            "example.com:5070",
            "7",
        ),
        ("Ada <sip:ada@h>", "Ada", "ada", "h", ""),
        ("sip:+331@h;tag=9", "", "+331", "h", "9"),
        ("<tel:+33-199-000001>", "", "+33-199-000001", "", ""),
        ("<sip:user:secret@h>", "", "user", "h", ""),
        ("<sip:a%23b@h>", "", "a#b", "h", ""),
        ("<sip:h>", "", "", "h", ""),
        ("", "", "", "", ""),
        ("<<<>>>", "", "", "", ""),
    ],
)
def test_address(value: str, display: str, user: str, host: str, tag: str) -> None:
    found = address(value)
    assert (found.display, found.user, found.host, found.params.get("tag", "")) == (display, user, host, tag)


def test_lists_mind_quotes_and_brackets() -> None:
    parts = ['"A, B" <sip:a@h>', "<sip:b@h;x=1,2>", "sip:c@h"]
    assert split_list(", ".join(parts)) == parts
    assert params(';lr;Tag=A ; q="1"') == {"lr": "", "tag": "A", "q": "1"}


def test_display_names_hold_nothing_that_moves_the_screen() -> None:
    assert clean_display("A\u202eB\u0000\u0007\tC\r\nD\u200f") == "AB C D"
    assert len(clean_display("x" * 5000)) == MAX_DISPLAY


@given(st.text(max_size=300))
def test_nothing_raises(text: str) -> None:
    message = parse(text)
    for value in (text, message.request_uri, *(value for _, value in message.headers)):
        found = address(value)
        assert len(found.display) <= MAX_DISPLAY
        assert all(char.isprintable() for char in found.display)
    split_list(text)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_utf8_do_not_raise(data: bytes) -> None:
    clean_display(data.decode("utf-8", "surrogateescape")).encode()
