"""The last word to a caller whose call rang when its worker died: a final answer that their transaction takes."""

import socket

from aircall_core.sip import farewell
from aircall_core.sip.message import parse

INVITE = (
    "INVITE sip:+33199000001@desk SIP/2.0\r\n"
    "Via: SIP/2.0/UDP proxy.example:5060;branch=z9hG4bKtop;rport, SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKbelow\r\n"
    "v: SIP/2.0/TCP 10.0.0.8;branch=z9hG4bKlast\r\n"
    'From: "Zo\u00eb" <sip:+33199005003@example.com>;tag=caller\r\nTo: <sip:+33199000001@desk>\r\n'
    "Call-ID: 77@example.com\r\nCSeq: 42 INVITE\r\nContact: <sip:+33199005003@10.0.0.7>\r\n\r\n"
)


def test_the_answer_goes_back_the_way_the_call_came() -> None:
    ringing = farewell.ringing_of(parse(INVITE), "ours", "192.0.2.9:5099")
    answer = parse(farewell.unavailable(ringing).decode())
    assert answer.start == "SIP/2.0 480 Temporarily Unavailable"
    assert answer.all("via") == [
        "SIP/2.0/UDP proxy.example:5060;branch=z9hG4bKtop;rport=5099;received=192.0.2.9",
        "SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKbelow",
        "SIP/2.0/TCP 10.0.0.8;branch=z9hG4bKlast",
    ]
    assert answer.get("to") == "<sip:+33199000001@desk>;tag=ours"
    assert answer.get("from") == '"Zo\u00eb" <sip:+33199005003@example.com>;tag=caller'
    assert (answer.get("call-id"), answer.get("cseq")) == ("77@example.com", "42 INVITE")


def test_it_leaves_from_our_own_port_and_one_bad_row_stops_no_other() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free,
    ):
        caller.bind(("127.0.0.1", 0))
        caller.settimeout(5)
        free.bind(("127.0.0.1", 0))
        ours = free.getsockname()[1]
        free.close()
        source = f"127.0.0.1:{caller.getsockname()[1]}"
        good = farewell.ringing_of(parse(INVITE), "ours", source).as_json()
        other = farewell.ringing_of(
            parse(INVITE.replace("SIP/2.0/UDP proxy", "SIP/2.0/TCP proxy")), "t", source
        ).as_json()
        assert good is not None
        assert other is not None
        broken = {**good, "destination": "nowhere"}
        assert farewell.let_go([broken, other, good], "127.0.0.1", ours) == 1
        text, sender = caller.recvfrom(4096)
        assert sender == ("127.0.0.1", ours)
        assert text.startswith(b"SIP/2.0 480 ")
