"""The same call over TCP and TLS, with SRTP, and through a trunk that we register at."""

import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from aircall_core.desk.secrets import open_box
from tests.sip.kit import NUMBER, RATE, Agent, Caller, Site
from tests.support.audio import from_pcm, read_wav, sounds, tone
from tests.support.peers import TestPhone
from tests.support.ports import free_ports
from tests.support.processes import Process, eventually
from tests.support.sipp import Sipp

pytestmark = pytest.mark.sip


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """A site with a certificate of its own."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*words, "-keyout", key, "-out", cert], check=True, capture_output=True)
    port = str(free_ports(1)[0])
    with Site(
        tmp_path, sqlite_url, AIRCALL_TLS_CERT=str(cert), AIRCALL_TLS_KEY=str(key), AIRCALL_SIPS_PORT=port
    ) as opened:
        yield opened


def test_tcp(site: Site, tmp_path: Path) -> None:
    sound = tone(440, 4, RATE)
    with (
        site.worker(),
        Sipp("call", f"127.0.0.1:{site.port}", tmp_path, transport="t1", hold_ms=1500, audio=sound) as caller,
    ):
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            site.wait("call.ended")
        assert caller.result().successful == 1, caller.why
    assert sounds(from_pcm(agent.pcm)[RATE // 2 : RATE], 440, RATE)


def test_tls_with_srtp(site: Site, tmp_path: Path) -> None:
    target = f"sip:{NUMBER}@127.0.0.1:{site.environment['AIRCALL_SIPS_PORT']}"
    script = str(Path(__file__).with_name("tls_caller.py"))
    with site.worker(), Process("tls", [sys.executable, script, target, "20"], tmp_path) as caller:
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, RATE)) as agent:
            site.accept(call, "Ada", agent.peer)
            site.wait("call.confirmed")
            eventually(lambda: '"media"' in caller.output, what="the caller's media")
            eventually(lambda: len(agent.heard) > 25, what="half a second heard")
    said = [json.loads(line) for line in caller.output.splitlines() if line.startswith("{")]
    media = next(line for line in said if "media" in line)
    assert media["secure"], said
    assert site.call(call)["dialog"]["transport"] == "tls"


def test_wide_bridge(tmp_path: Path, sqlite_url: str) -> None:
    """At 16 kHz the caller's G.711 is resampled both ways, messages and recordings are whole."""
    rate, record = 16000, tmp_path / "heard.wav"
    with (
        Site(tmp_path, sqlite_url, recording="on", AIRCALL_AUDIO_RATE=str(rate)) as site,
        site.worker(),
        TestPhone.call(
            tmp_path, NUMBER, server=f"127.0.0.1:{site.port}", audio=tone(440, 1, RATE), record=record, hangup_after=3
        ) as phone,
    ):
        call = site.arrived()
        with Agent(site, call, "Ada", tone(660, 1, rate)) as agent:
            assert agent.said == [{"ok": {"rate": rate}}]
            site.accept(call, "Ada", agent.peer)
            site.wait("call.ended")
        site.wait("call.recording", state="saved")
        phone.wait(10)
        with site.store.read() as conn:
            path = str(conn.exec_driver_sql("select path from recordings").scalar_one())
        tape, tape_rate = read_wav(site.folder / "data" / path)
    assert sounds(from_pcm(agent.pcm)[rate : 2 * rate], 440, rate)
    heard, heard_rate = read_wav(record)
    assert sounds(heard[0][heard_rate : 2 * heard_rate], 660, heard_rate)
    assert tape_rate == rate
    assert sounds(tape[0][rate : 2 * rate], 440, rate)
    assert sounds(tape[1][rate : 2 * rate], 660, rate)


class Registrar:
    """A carrier's registrar: one user with a password, MD5 digest as carriers do it (RFC 2617)."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.contacts: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, source = self.socket.recvfrom(4096)
            text = data.decode()
            if text == "stop":
                return
            if text.startswith("REGISTER"):
                self.socket.sendto(self._answer(text).encode(), source)

    def _answer(self, text: str) -> str:
        kept = [line for line in text.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        given = dict(re.findall(r'(\w+)="?([^",\r]+)"?', text.partition("Authorization: Digest ")[2].split("\r\n")[0]))
        if not given:
            head, extra = "SIP/2.0 401 Unauthorized", ['WWW-Authenticate: Digest realm="carrier", nonce="n1"']
        elif given["response"] == self._expected(given):
            contact = re.search(r"^Contact: (.*?)\r?$", text, re.MULTILINE)
            self.contacts.append(contact[1] if contact else "")
            head, extra = "SIP/2.0 200 OK", [f"Contact: {self.contacts[-1]};expires=300"]
        else:
            head, extra = "SIP/2.0 403 Forbidden", []
        return "\r\n".join([head, *kept, *extra, "Content-Length: 0", "", ""])

    def _expected(self, given: dict[str, str]) -> str:
        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        secret, request = md5(f"{self.user}:carrier:{self.password}"), md5(f"REGISTER:{given['uri']}")
        return md5(f"{secret}:n1:{request}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join(5)
        self.socket.close()


def test_registered_trunk(site: Site) -> None:
    """We register with digest, the state is in the log, and calls come to our contact with the number in To."""
    settings = site.settings
    box = open_box(settings.data_dir, settings.secret_key)
    with Registrar("4711", "s3cret") as carrier, site.worker():
        trunk = site.add_trunk(
            kind="register", host=f"127.0.0.1:{carrier.port}", username="4711", secret=box.seal("s3cret")
        )
        assert site.wait("trunk.state").event.data == {"id": trunk, "state": "registered", "code": 200}
        wrong = site.add_trunk(
            kind="register", host=f"127.0.0.1:{carrier.port}", username="4711", secret=box.seal("wrong")
        )
        failed = site.wait("trunk.state", id=wrong)
        assert failed.event.data["state"] == "failed"
        contact = re.search(r"<([^>]+)", carrier.contacts[0])
        assert contact
        assert ";tk=" in contact[1]
        with Caller("127.0.0.1", site.port) as caller:
            caller.invite(NUMBER, uri=contact[1], headers=[f"P-Called-Party-ID: <sip:{NUMBER}@carrier>"])
            caller.wait_for(180)
            assert site.call(site.arrived())["to_number"] == NUMBER
            caller.cancel()
            site.wait("call.ended")
