"""Trunks of each kind on real peers: SIPp as a carrier's registrar, baresip as a PBX that signs in or speaks TLS."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aircall_core.desk import trunks
from aircall_core.desk.secrets import open_box
from aircall_core.store import tables as t
from tests.support.audio import has_tone, read_wav, sounds, tone
from tests.support.desk_system import Line, System, User
from tests.support.netns import NetNs, netns
from tests.support.peers import Baresip
from tests.support.ports import free_ports
from tests.support.processes import eventually
from tests.support.rawsip import RawCaller
from tests.support.realtime import Tab
from tests.support.sipp import Sipp
from tests.system.kit import AGENT_HZ, CALLER_HZ, log_lines, next_ring

__all__ = ["netns"]  # the fixture
pytestmark = [pytest.mark.sip, pytest.mark.timeout(240)]


@dataclass
class Site:
    """An installation with a certificate, one agent, and a carrier's network beside its own."""

    system: System
    line: Line
    ada: User
    tab: Tab
    lan: str
    known: set[str] = field(default_factory=set)

    @contextmanager
    def trunk(self, **wanted: Any) -> Iterator[str]:
        """A trunk as an administrator would make it, and remove it."""
        settings = self.system.settings
        box = open_box(settings.data_dir, settings.secret_key)
        with self.system.store.write() as tx:
            trunk_id = trunks.create(tx, "system", box, **wanted)
        try:
            yield trunk_id
        finally:
            with self.system.store.write() as tx:
                trunks.remove(tx, "system", trunk_id)
            # Its next call is a stranger's; the next test's trunk may have the same addresses.
            eventually(lambda: self.first_answer("+33199009999") == 403, 10, "the trunk to be forgotten")

    def correct_password(self, trunk_id: str, password: str) -> None:
        """The administrator types it again."""
        settings = self.system.settings
        box = open_box(settings.data_dir, settings.secret_key)
        with self.system.store.write() as tx:
            trunks.change(tx, "system", box, trunk_id, password=password)

    def first_answer(self, number: str) -> int:
        """What an INVITE from the carrier's network meets."""
        with RawCaller(self.lan, self.system.settings.sip_port, host=self.lan) as caller:
            caller.invite(number)
            return caller.wait_for_any(180, 401, 403, 404).status

    def state(self, trunk_id: str) -> tuple[str | None, int | None]:
        """State and code in the trunk's row."""
        with self.system.store.read() as conn:
            row = conn.execute(select(t.trunks).where(t.trunks.c.id == trunk_id)).mappings().one()
            return row["state"], row["state_code"]

    def readiness(self, trunk_id: str) -> tuple[str, list[str]]:
        """What /readyz says of the trunk, and the warnings it gives."""
        body = self.system.http.get("/readyz").json()
        state = next(one["state"] for one in body["trunks"] if one["id"] == trunk_id)
        return state, [one["message"] for one in body["warnings"] if one["code"] == "trunk_failed"]

    def answer(self, trunk_id: str) -> Any:
        """Ada takes the call that this trunk brings."""
        call_id = next_ring(self.tab, self.ada, self.known)
        arrived = self.system.wait_for("call.arrived", call_id=call_id)
        assert arrived.event.data["trunk"] == trunk_id
        return self.system.accept(self.ada, self.tab, call_id, voice=tone(AGENT_HZ, 1, 8000))


@pytest.fixture(scope="module")
def site(netns: NetNs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here, with a certificate of its own making."""
    folder = tmp_path_factory.mktemp("site")
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=desk.example", "-keyout", str(key), "-out", str(cert)]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True)
    with System(folder, sip_host="0.0.0.0", tls_cert=str(cert), tls_key=str(key), min_free_disk_mb=0) as system:
        system.sip_host = "127.0.0.1"
        ada = system.add_user("Ada")
        line = system.add_line("+33199000001", [ada], ring_s=30)
        yield Site(system, line, ada, system.on_duty(ada), netns.address)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_trunk_registers_and_its_calls_are_let_in(site: Site, tmp_path: Path, transport: str) -> None:
    port = free_ports(1, site.lan)[0]
    carrier = {"host": site.lan, "port": port, "transport": f"{transport[0]}1", "calls": 20}
    wanted = {"kind": "register", "host": f"{site.lan}:{port}", "username": "desk", "transport": transport}
    assert site.first_answer(site.line.number) == 403, "a stranger before there is a trunk"
    with (
        Sipp("registrar", "127.0.0.1:9", tmp_path, **carrier) as registrar,  # type: ignore[arg-type]
        site.trunk(name=f"Carrier {transport}", password="wrong", **wanted) as trunk,
    ):
        eventually(lambda: site.state(trunk) == ("failed", 403), 20, f"a refusal; {registrar.errors}")
        state, warnings = site.readiness(trunk)
        assert state == "failed"
        assert [text for text in warnings if trunk in text and "403" in text]
        assert site.system.http.get("/readyz").status_code == 200, "one trunk is not the desk"

        site.correct_password(trunk, "right")
        site.system.wait_for("trunk.state", id=trunk, state="registered", timeout=20)
        assert site.state(trunk) == ("registered", 200)
        assert site.readiness(trunk) == ("registered", [])
        with RawCaller(site.lan, site.system.settings.sip_port, host=site.lan) as caller:
            contact = f"sip:desk@{site.lan}:{site.system.settings.sip_port}"
            called = [f"P-Called-Party-ID: <sip:{site.line.number}@carrier.example>"]
            caller.invite("desk", uri=contact, headers=called)
            agent = site.answer(trunk)
            caller.wait_for(200)
            caller.bye()
            assert agent.ended.wait(10)
    assert not [line for line in log_lines(site.system.log) if "right" in json.dumps(line)]


def test_a_registrar_that_does_not_answer_shows_as_failed(site: Site) -> None:
    nobody = f"{site.lan}:{free_ports(1, site.lan)[0]}"
    with site.trunk(name="Gone", kind="register", host=nobody, username="desk", password="x", transport="tcp") as trunk:
        eventually(lambda: site.state(trunk)[0] == "failed", 20, "a failure")
        assert site.readiness(trunk)[0] == "failed"


def test_a_pbx_that_signs_in_with_each_call(site: Site, tmp_path: Path) -> None:
    target = f"sip:{site.line.number}@{site.lan}:{site.system.settings.sip_port}"
    where: dict[str, Any] = {"host": site.lan, "interface": "lan0"}
    with site.trunk(name="PBX", kind="digest", username="pbx", realm="desk", password="s3cret") as trunk:
        eventually(lambda: site.first_answer(site.line.number) == 401, 10, "the worker knows the trunk")
        wrong = ";auth_user=pbx;auth_pass=wrong"
        with Baresip(tmp_path / "wrong", audio=tone(CALLER_HZ, 20, 8000), account=wrong, **where) as pbx:
            pbx.dial(target)
            pbx.wait_for("CALL_CLOSED")
        good = ";auth_user=pbx;auth_pass=s3cret"
        with Baresip(tmp_path / "good", audio=tone(CALLER_HZ, 20, 8000), account=good, **where) as pbx:
            pbx.dial(target)
            agent = site.answer(trunk)
            pbx.wait_for("CALL_ESTABLISHED")
            eventually(lambda: has_tone(agent.heard(0.5), CALLER_HZ, 8000), 15, "the caller's voice")
            pbx.command("hangup")
            assert agent.ended.wait(10)
        assert len(site.system.events("call.arrived", trunk=trunk)) == 1, "the wrong password was let in"
    assert "s3cret" not in site.system.log


@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls-srtp"])
def test_calls_over_tcp_and_over_tls_with_encrypted_audio(site: Site, tmp_path: Path, secure: bool) -> None:
    settings = site.system.settings
    port, transport = (settings.sips_port, "tls") if secure else (settings.sip_port, "tcp")
    extra: dict[str, Any] = {"account": ";mediaenc=srtp-mand", "modules": ["srtp"]} if secure else {}
    with site.trunk(name=f"LAN by {transport}", kind="address", cidrs=[f"{site.lan}/32"]) as trunk:
        eventually(lambda: site.first_answer("+33199009999") == 404, 10, "the worker knows the trunk")
        with Baresip(tmp_path, audio=tone(CALLER_HZ, 20, 8000), host=site.lan, interface="lan0", transport=transport,
                     **extra) as pbx:  # fmt: skip
            pbx.dial(f"sip:{site.line.number}@{site.lan}:{port};transport={transport}")
            agent = site.answer(trunk)
            pbx.wait_for("CALL_ESTABLISHED")
            eventually(lambda: len(agent.heard()) > 3 * 8000, 20, "three seconds")
            eventually(lambda: has_tone(agent.heard(0.5), CALLER_HZ, 8000), 15, "the caller's voice")
            pbx.command("hangup")
            assert agent.ended.wait(10)
            pbx.stop()
            (heard, *_), rate = read_wav(pbx.heard)
            assert sounds(heard[rate : 2 * rate], AGENT_HZ, rate)
    with site.system.phone_call(site.line, audio=tone(CALLER_HZ, 1, 8000)) as plain:  # others still come in the clear
        agent = site.answer("test-phone")
        plain.wait_for("answered")
        plain.hang_up()
        assert agent.ended.wait(10)
