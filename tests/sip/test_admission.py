"""Which line was dialled, who calls, who is let in: decided from memory."""

import hashlib
from dataclasses import replace

import pytest

from aircall_core.sip.admission import REFUSED_TEXTS_S, Admission
from aircall_core.sip.digest import NONCE_LIFE_S, Digest
from aircall_core.sip.events import Invite
from aircall_core.sip.message import Message, parse
from aircall_core.sip.trunks import Directory, Line, Trunk, caller_of, international, source_ip

PARIS = Line("paris", "+33199000001", "FR")
BERLIN = Line("berlin", "+4930123456", "DE")
DESK = Line("desk", "100", "FR")
CARRIER = Trunk("carrier", cidrs=("192.0.2.0/24",))
ONE_HOST = Trunk("one", cidrs=("192.0.2.7/32",))
REGISTERED = Trunk("registered", registrar="sip.example.com", resolved=("198.51.100.5",))
PBX = Trunk("pbx", username="pbx", password="s3cret", realm="desk", challenge=True)


def invite(uri: str = "sip:+33199000001@h", source: str = "192.0.2.1:5060", **headers: str) -> Invite:
    lines = [
        f"{name.replace('_', '-')}: {value}" for name, value in {"From": "<sip:+33123456789@h>", **headers}.items()
    ]
    text = "\r\n".join([f"INVITE {uri} SIP/2.0", *lines, "", ""])
    return Invite(1, parse(text), source, "", has_offer=True)


@pytest.mark.parametrize(
    ("dialled", "line"),
    [
        ("+33199000001", PARIS), ("33199000001", PARIS), ("0033199000001", PARIS), ("0199000001", PARIS),
        ("01.99-00-00(01)", PARIS), ("+4930123456", BERLIN), ("030123456", BERLIN), ("100", DESK),
        ("0199000002", None), ("", None), ("anonymous", None),
    ],
)  # fmt: skip
def test_forms_of_a_number(dialled: str, line: Line | None) -> None:
    directory = Directory([PARIS, BERLIN, DESK])
    found = directory.line_for(invite(f"sip:{dialled}@h").message)
    assert (found[0] if found else None) == line


def test_a_national_form_that_two_lines_share_reaches_neither() -> None:
    directory = Directory([Line("fr", "+33123456789", "FR"), Line("gb", "+44123456789", "GB")])
    assert directory.line_for(invite("sip:+33123456789@h").message) is not None
    assert directory.line_for(invite("sip:0123456789@h").message) is None
    assert Directory([Line("fr", "+33123456789", "FR")]).line_for(invite("sip:0123456789@h").message) is not None


def test_the_called_party_is_found_beside_our_own_contact() -> None:
    directory = Directory([PARIS, BERLIN])
    for header in ("P_Called_Party_ID", "To"):
        found = directory.line_for(invite("sip:trunk-user@us", **{header: "<sip:+33199000001@carrier>"}).message)
        assert found == (PARIS, "+33199000001")


@pytest.mark.parametrize(
    ("headers", "number", "anonymous"),
    [
        ({"From": "<sip:0123456789@h>"}, "+33123456789", False),
        ({"From": "<sip:14155550100@h>"}, "+14155550100", False),
        ({"From": "<sip:100@h>"}, "100", False),
        ({"From": "<sip:bob@h>"}, "bob", False),
        ({"From": "<sip:x@h>", "P_Asserted_Identity": '"A" <sip:+33123456789@h>'}, "+33123456789", False),
        ({"From": '"Anonymous" <sip:anonymous@anonymous.invalid>'}, "", True),
        ({"Privacy": "user;id"}, "", True),
        ({"Privacy": "none"}, "+33123456789", False),
        ({"P_Asserted_Identity": "<tel:+33123456789>", "Privacy": "id"}, "", True),
    ],
)
def test_the_caller(headers: dict[str, str], number: str, anonymous: bool) -> None:
    found = caller_of(invite(**headers).message, "FR")
    assert (found.number, found.anonymous) == (number, anonymous)
    if anonymous:
        assert found.display == ""


def test_e164_of_nonsense_is_nothing() -> None:
    assert [international(text, "FR") for text in ("", "+", "abc", "12", "+999999999999999999")] == [""] * 5


def test_the_narrowest_network_wins() -> None:
    directory = Directory(trunks=[CARRIER, ONE_HOST, REGISTERED])
    assert directory.trunk_from("192.0.2.1:5060") == CARRIER
    assert directory.trunk_from("192.0.2.7:5060") == ONE_HOST
    assert directory.trunk_from("198.51.100.5:5060") == REGISTERED
    assert directory.trunk_from("203.0.113.1:5060") is None


def test_a_carrier_that_calls_from_elsewhere_is_known_by_the_contact_that_it_was_given() -> None:
    gate = Gate(replace(REGISTERED, token="f00d"), CARRIER)
    there = "203.0.113.1:5060"
    to = {"To": "<sip:+33199000001@carrier>"}
    assert gate.code("sip:4711@us:5060;tk=f00d;ob", there, **to) == 180
    for uri in ("sip:4711@us:5060;tk=f00", "sip:4711@us;tk=", "sip:4711@us;tk", "sip:4711@us", "sip:4711@us;tk=\u00e9"):
        assert gate.code(uri, there, **to) == 403


def test_addresses_in_all_spellings() -> None:
    assert str(source_ip("192.0.2.1:5060")) == str(source_ip("192.0.2.1")) == "192.0.2.1"
    assert str(source_ip("[2001:db8::1]:5060")) == "2001:db8::1"
    assert str(source_ip("[::ffff:192.0.2.1]:5060")) == "192.0.2.1"
    assert source_ip("nonsense") is None


class Gate:
    """An admission with room for two."""

    def __init__(self, *trunks: Trunk) -> None:
        self.taken = 0
        self.now = 1_000_000.0
        self.admission = Admission(Directory([PARIS], trunks), Digest(lambda: self.now), 2, lambda: self.taken)

    def code(self, *args: str, **headers: str) -> int:
        return self.admission.judge(invite(*args, **headers)).code


def test_codes() -> None:
    gate = Gate(CARRIER)
    assert gate.code() == 180
    assert gate.code("sip:+33199000009@h") == 404
    assert gate.code("sip:+33199000001@h", "203.0.113.1:5060") == 403
    gate.taken = 2
    assert gate.code() == 503
    gate.taken, gate.admission.draining = 0, True
    assert gate.code() == 503
    assert gate.admission.counts == {"unknown_number": 1, "stranger": 1, "full": 1, "draining": 1}


def test_digest_needs_the_password_a_fresh_nonce_and_its_own_source() -> None:
    gate, uri, there = Gate(PBX), "sip:+33199000001@h", "203.0.113.1:5060"
    verdict = gate.admission.judge(invite(uri, there))
    assert verdict.code == 401
    challenges = [value for name, value in verdict.headers if name == "WWW-Authenticate"]
    assert [text.partition("algorithm=")[2].partition(",")[0] for text in challenges] == ["MD5"]
    nonce = challenges[0].split('nonce="')[1].split('"')[0]

    def answer(password: str = PBX.password, count: str = "00000001", algorithm: str = "SHA-256") -> str:
        def digest(text: str) -> str:
            kind = "sha256" if algorithm == "SHA-256" else "md5"
            return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()

        secret, request = digest(f"pbx:desk:{password}"), digest(f"INVITE:{uri}")
        response = digest(f"{secret}:{nonce}:{count}:c:auth:{request}")
        return (
            f'Digest username="pbx", realm="desk", nonce="{nonce}", uri="{uri}", response="{response}", '
            f'algorithm={algorithm}, qop=auth, nc={count}, cnonce="c"'
        )

    assert gate.code(uri, there, Authorization=answer("wrong")) == 403
    assert gate.code(uri, there, Authorization=answer()) == 180
    assert gate.code(uri, there, Authorization=answer()) == 403, "a replay"
    assert gate.code(uri, there, Authorization=answer(count="00000002")) == 180
    assert gate.code(uri, there, Authorization=answer(count="00000003", algorithm="MD5")) == 180
    assert gate.code(uri, "203.0.113.9:5060", Authorization=answer(count="00000004")) == 403, "another source"
    gate.now += NONCE_LIFE_S + 1
    again = gate.admission.judge(invite(uri, there, Authorization=answer(count="00000005")))
    assert (again.code, "stale=true" in again.headers[0][1]) == (401, True), "an old nonce: asked again, not refused"
    junk = ("Digest", "Basic x", "Digest username=pbx", 'Digest nonce="zz.1", username="pbx", realm="desk"')
    odd = ('Digest nonce="\u00e9\udcff", username="pbx", realm="desk"', 'Digest username="pbx", realm="\udcff"')
    for given in (*junk, *odd):
        assert gate.code(uri, there, Authorization=given) == 403
    gate.now -= NONCE_LIFE_S + 1
    spoilt = answer(count="00000006").replace('cnonce="c"', 'cnonce="c", response="\u00e9\udcff"')
    assert gate.code(uri, there, Authorization=spoilt) == 403


def text_from(source: str = "192.0.2.1:5060", to: str = "+33199000001", **headers: str) -> tuple[Message, str]:
    made = invite(f"sip:{to}@h", source, **headers).message
    return replace(made, start=made.start.replace("INVITE", "MESSAGE")), source


def test_texts_are_let_in_as_calls_are_where_the_line_takes_them() -> None:
    now, berlin = [0.0], replace(BERLIN, texts="account")
    admission = Admission(Directory([PARIS, berlin], [CARRIER]), Digest(), 0, lambda: 0, clock=lambda: now[0])
    for expected, asked in (
        (200, text_from(to="+4930123456")), (200, text_from(to="us", To="<sip:+4930123456@h>")),
        (404, text_from(to="+4930999999")), (405, text_from()), (403, text_from("203.0.113.1:5060")),
    ):  # fmt: skip
        verdict = admission.judge_text(*asked)
        assert verdict.code == expected
        assert (verdict.admitted is not None) == (expected == 200)
    assert dict(admission.judge_text(*text_from()).headers)["Allow"]
    admission.draining = True
    assert admission.judge_text(*text_from(to="+4930123456")).code == 503
    now[0] = 60
    stranger = [admission.judge_text(*text_from("203.0.113.1:5060")).code for _ in range(60)]
    assert stranger == [403] * REFUSED_TEXTS_S + [0] * (60 - REFUSED_TEXTS_S), "a flood hears little"
    now[0] = 61
    assert admission.judge_text(*text_from("203.0.113.1:5060")).code == 403


def test_a_digest_is_good_for_its_method_alone() -> None:
    admission = Admission(Directory([replace(PARIS, texts="account")], [PBX]), Digest(), 2, lambda: 0)
    challenge = dict(admission.judge_text(*text_from()).headers)["WWW-Authenticate"]
    nonce = challenge.split('nonce="')[1].split('"')[0]

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def answer(method: str, count: str) -> str:
        proof = f"{md5('pbx:desk:s3cret')}:{nonce}:{count}:c:auth:{md5(f'{method}:sip:x@h')}"
        return (
            f'Digest username="pbx", realm="desk", nonce="{nonce}", uri="sip:x@h", response="{md5(proof)}", '
            f'algorithm=MD5, qop=auth, nc={count}, cnonce="c"'
        )

    assert admission.judge_text(*text_from(Authorization=answer("INVITE", "00000001"))).code == 403
    assert admission.judge_text(*text_from(Authorization=answer("MESSAGE", "00000002"))).code == 200
