"""What is not let in, or not as it wishes: the right answer or none, a clear log line, and the worker lives on."""

import hashlib
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from aircall_core.desk.calls import hang_up
from tests.sip.kit import NUMBER, RATE, Agent, Caller, Site, WorkerProcess
from tests.support.audio import tone
from tests.support.processes import eventually
from tests.support.sipp import Sipp

pytestmark = pytest.mark.sip
SITE = {"AIRCALL_INBOUND_SHARE": "0.1", "ring_s": 5}


def call_answered(site: Site) -> None:
    """An honest call gets through."""
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        caller.wait_for(180)
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            caller.wait_for(200)
            site.wait("call.confirmed")
            caller.bye()
            site.wait("call.ended")


def alone(site: Site) -> None:
    """No call is left over."""

    def live() -> int:
        with site.store.read() as conn:
            return conn.exec_driver_sql("select count(*) from calls where ended_at is null").scalar_one()  # type: ignore[no-any-return]

    eventually(lambda: live() == 0, timeout=45, what="all calls have ended")


def test_unknown_number(site: Site, worker: WorkerProcess) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite("+33199009999")
        caller.wait_for(404)
    assert worker.wait_log("call_refused")["why"] == "unknown_number"
    assert "33199009999" not in worker.errors, "a dialled number is in the log"


def test_no_common_codec(site: Site) -> None:
    with Caller("127.0.0.1", site.port, payloads=(18,)) as caller:
        caller.invite(NUMBER)
        caller.wait_for(488)


def test_a_second_offer_in_the_call_without_common_codec_leaves_it_up(site: Site) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            caller.wait_for(200)
            site.wait("call.confirmed")
            caller.payloads = (18,)
            ok = caller.wait_for(200)
            caller.send(
                caller.request("INVITE", 3, uri=ok.header("Contact").strip("<>"), to=ok.header("To"),
                               branch="z9hG4bKsecond", body=caller._sdp())
            )  # fmt: skip
            caller.wait_for(500)  # the library's answer; RFC 3261 14.2 would have 488
            assert site.call(call)["state"] == "confirmed"
            caller.bye()
            site.wait("call.ended")


def test_refer_is_declined_and_nobody_is_dialled(site: Site, tmp_path: Path, worker: WorkerProcess) -> None:
    with Caller("127.0.0.1", site.port) as target:
        refer_to = f"sip:+33199001111@127.0.0.1:{target.socket.getsockname()[1]}"
        with Sipp("refer", f"127.0.0.1:{site.port}", tmp_path, refer_to=refer_to, hold_ms=500, code=603) as caller:
            call = site.arrived()
            with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
                site.accept(call, "Ada", agent.peer)
                site.wait("call.ended")
            assert caller.result().successful == 1, caller.why
        target.pump(0.3)
        assert not target.messages
    assert worker.wait_log("request_refused")["what"] == "REFER"


def test_replaces_takes_nobodys_call(site: Site, worker: WorkerProcess) -> None:
    """RFC 3891 would hand the agent over to whoever knows (or guesses) the dialog."""
    with Caller("127.0.0.1", site.port) as caller, Caller("127.0.0.1", site.port) as thief:
        caller.invite(NUMBER)
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            ok = caller.wait_for(200)
            site.wait("call.confirmed")
            ours, theirs = ok.header("To").split(";tag=")[1], ok.header("From").split(";tag=")[1]
            replaces = f"Replaces: {ok.header('Call-ID')};to-tag={ours};from-tag={theirs}"
            thief.invite(NUMBER, headers=["Require: replaces", replaces])
            assert thief.wait_final().status == 603
            assert site.call(call)["state"] == "confirmed"
            caller.bye()
            assert site.wait("call.ended").event.call_id == call
    assert any(line["what"] == "Replaces" for line in worker.logs("request_refused"))


def test_huge_display_name_with_markup_is_cut_and_cleaned(site: Site) -> None:
    with Caller("127.0.0.1", site.port, display="<b>Eve\u202e\u0007</b>" + "x" * 3000) as caller:
        caller.invite(NUMBER)
        caller.wait_for(180)
        row = site.call(site.arrived())
        caller.cancel()
        site.wait("call.ended")
    assert row["from_display"].startswith("<b>Eve</b>xxx")  # kept as text: pages escape it
    assert len(row["from_display"]) == 120


@pytest.mark.parametrize(
    ("sender", "headers", "number", "anonymous"),
    [
        ("+33199005003", [], "+33199005003", False),
        ("0199005003", [], "+33199005003", False),
        ("33199005003", [], "+33199005003", False),
        ("100", [], "100", False),
        ("pbx", ["P-Asserted-Identity: <sip:+33199005004@pbx>, <tel:+33199005004>"], "+33199005004", False),
        ("+33199005003", ["Privacy: id"], "", True),
        ("anonymous", [], "", True),
        ("anonymous", ["P-Asserted-Identity: <sip:+33199005004@pbx>", "Privacy: id"], "", True),
    ],
)
def test_who_calls(site: Site, sender: str, headers: list[str], number: str, anonymous: bool) -> None:
    with Caller("127.0.0.1", site.port, caller=sender) as caller:
        caller.invite(NUMBER, headers=headers)
        caller.wait_for(180)
        row = site.call(site.arrived())
        caller.cancel()
        site.wait("call.ended")
    assert (row["from_number"], row["anonymous"]) == (number, anonymous)


@pytest.mark.parametrize(
    ("uri", "headers"),
    [
        ("sip:0199000001@127.0.0.1", []),
        ("sip:33199000001@127.0.0.1;user=phone", []),
        ("sip:trunk-user@127.0.0.1", [f"P-Called-Party-ID: <sip:{NUMBER}@example.com>"]),
        ("tel:+33-1-99-00-00-01", []),
    ],
)
def test_ways_to_dial_the_line(site: Site, uri: str, headers: list[str]) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER, uri=uri, headers=headers)
        caller.wait_for(180)
        site.arrived()
        caller.cancel()
        site.wait("call.ended")


STRAY_BYE = (
    b"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:a@b>;tag=2\r\nCall-ID: junk\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
)
JUNK = [
    b"",
    b"\0",
    b"hello",
    b"INVITE sip:x SIP/2.0\r\n\r\n",
    b"\xff" * 1500,
    os.urandom(1200),
    b"SIP/2.0 200 OK\r\n\r\n",
    b"INVITE sip:a@b SIP/7.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n",
    b"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\nFrom: y\r\n\r\n",
    STRAY_BYE,
]


def test_junk_is_dropped_and_counted(site: Site, worker: WorkerProcess) -> None:
    with Caller("127.0.0.1", site.port) as caller:
        for _ in range(5):
            for data in JUNK:
                caller.send(data)
    call_answered(site)
    eventually(lambda: site.node()["info"].get("malformed", 0) >= 5, what="junk is counted")
    assert worker.popen.poll() is None


@pytest.mark.parametrize("field", ["call-id", "from", "contact", "display"])
def test_broken_bytes_in_a_call_that_is_let_in(site: Site, worker: WorkerProcess, field: str) -> None:
    """What no database takes (bytes that are no UTF-8, escaped NULs) neither loses the call nor stops the store."""
    broken, escaped = b"\xc3\x28\xff", b"a%00%0d%ff"  # a URI with the former is no SIP: dropped by the library
    with Caller("127.0.0.1", site.port) as caller:
        caller.invite(NUMBER)  # only to build the text; this one is given up
        caller.wait_for(180)
        site.arrived()
        caller.cancel()
        site.wait("call.ended")
        text = caller.request("INVITE", 1, branch=f"z9hG4bK{field}", body=caller._sdp()).encode()
        call_id = text.split(b"Call-ID: ")[1].split(b"\r\n")[0]
        text = text.replace(call_id, b"again-" + field.encode() + (broken if field == "call-id" else b""))
        if field == "from":
            text = text.replace(b"<sip:+33199005003@", b"<sip:" + escaped + b"@")
        elif field == "contact":
            text = text.replace(b"Contact: <sip:", b"Contact: <sip:" + escaped)
        elif field == "display":
            text = text.replace(b"From: ", b'From: "' + broken + b'" ')
        caller.send(text)
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            site.wait("call.answered")
            site.do(hang_up, call, "Ada")
            assert site.wait("call.ended").event.data["outcome"] == "answered"
    assert not worker.logs("fact_lost")
    assert not worker.logs("judging_failed")


@pytest.mark.soak  # `make test` has a short form with all processes: system/test_hostile.py
@pytest.mark.parametrize("count", [40, 300])
def test_invites_that_are_never_acknowledged(site: Site, count: int) -> None:
    """The broken caller's calls take slots; beyond the share they get 503 without Retry-After, and it passes."""
    capacity = site.node()["capacity"]
    with Caller("127.0.0.1", site.port, acknowledge=False) as flood:
        for _ in range(count):
            flood.invite(NUMBER)
            flood.pump(0.01)
        flood.pump(0.5)
        answers = Counter((m.header("Call-ID"), m.status) for m in flood.messages if m.received)
        codes = Counter(code for _, code in answers)
        assert codes[180] == min(count, capacity)
        assert codes[503] == max(0, count - capacity)
        assert set(codes) <= {100, 180, 503}
        assert not any("Retry-After" in m.text for m in flood.messages)
        alone(site)
    site.seen = site.store.last_seq()
    call_answered(site)


def test_a_stranger_is_forbidden(site: Site, worker: WorkerProcess) -> None:
    trunk_off(site, enabled=False)
    try:
        with Caller("127.0.0.1", site.port) as caller:
            for _ in range(3):
                caller.invite(NUMBER)
                caller.wait_for(403)
    finally:
        trunk_off(site, enabled=True)
    lines = [line for line in worker.logs("call_refused") if line["why"] == "stranger"]
    assert len(lines) == 1, "one line a source"
    eventually(lambda: site.node()["info"].get("refused", {}).get("stranger", 0) >= 3, what="counted")
    call_answered(site)


def test_digest(site: Site) -> None:
    from aircall_core.desk.secrets import open_box

    settings = site.settings
    sealed = open_box(settings.data_dir, settings.secret_key).seal("s3cret")
    trunk = site.add_trunk(kind="digest", username="pbx", secret=sealed, realm="desk")
    trunk_off(site, enabled=False)
    try:
        with Caller("127.0.0.1", site.port) as caller:
            caller.invite(NUMBER)
            challenge = caller.wait_for(401)
            caller.invite(NUMBER, headers=[authorization(challenge.text, caller.uri, "wrong")])
            caller.wait_for(403)
            good = authorization(challenge.text, caller.uri, "s3cret")
            caller.invite(NUMBER, headers=[good])
            caller.wait_for(180)
            assert site.call(site.arrived())["trunk_id"] == trunk
            caller.cancel()
            site.wait("call.ended")
            caller.invite(NUMBER, headers=[good])
            caller.wait_for(403)  # the same answer a second time is a replay
    finally:
        trunk_off(site, enabled=True)


def authorization(challenge: str, uri: str, password: str) -> str:
    """The answer of RFC 7616, by the RFC's own words."""
    line = next(line for line in challenge.split("\r\n") if line.startswith("WWW-Authenticate"))
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', line.split("Digest", 1)[1]))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    secret, request = md5(f"pbx:{given['realm']}:{password}"), md5(f"INVITE:{uri}")
    response = md5(f"{secret}:{given['nonce']}:00000001:abc:auth:{request}")
    return (
        f'Authorization: Digest username="pbx", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", '
        f'response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="abc"'
    )


def trunk_off(site: Site, *, enabled: bool) -> None:
    """The test phone's trunk is switched; the worker has heard of it once it judges so."""
    from sqlalchemy import update

    from aircall_core.domain.events import STAFF, TRUNK_CHANGED, Event
    from aircall_core.store import tables as t

    with site.store.write() as tx:
        tx.execute(update(t.trunks).where(t.trunks.c.id == "test-phone").values(enabled=enabled))
        tx.append(Event(TRUNK_CHANGED, STAFF, "system", data={"id": "test-phone"}))

    def judged() -> bool:
        with Caller("127.0.0.1", site.port) as caller:
            caller.invite("+33199009999")
            return (caller.wait_final().status == 404) == enabled

    eventually(judged, what="the worker knows the trunks")
    site.seen = site.store.last_seq()
