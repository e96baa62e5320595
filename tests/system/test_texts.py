"""Texts through the whole system: two user agents outside and the desk write to each other, in both directions.

One of them is the test phone (pjsua2) in a process of its own, the other one hand-made; the desk is spoken to as
browsers do, by commands and the log.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import trunks
from aircall_core.desk.secrets import open_box
from aircall_core.domain import events as kinds
from aircall_core.ids import new_id
from aircall_core.store import tables as t
from tests.support.desk_system import Line, System, User
from tests.support.peers import TestPhone
from tests.support.ports import free_port
from tests.support.processes import eventually
from tests.support.realtime import Tab
from tests.support.texting import Manner, Texter

pytestmark = [pytest.mark.sip, pytest.mark.timeout(120)]

PHONE, TEXTER = "+33199005012", "+33612345678"
EMOJI = "Bonjour 👋🏽, où est ma commande ? 📦"
THOUSAND = ("Ein längerer Text mit Bildern 🎉👨‍👩‍👧 und Zeilen.\n" * 30)[:999] + "."


@dataclass
class Place:
    """One installation, a line for each of the two outside, and Ada who sees both."""

    system: System
    ada: User
    tab: Tab
    to_phone: Line
    to_texter: Line
    texter: Texter
    phone_port: int

    def came(self, line: Line, body: str) -> dict[str, Any]:
        """The row of a text that came in on this line, once Ada's tab has heard of it."""
        row = eventually(lambda: self.rows(line_id=line.id, direction="inbound", body=body), 20, f"text {body[:20]!r}")
        self.tab.wait_until(
            lambda: any(
                frame.get("kind") == kinds.MESSAGE_RECEIVED and frame["data"]["message"] == row[0]["id"]
                for frame in self.tab.frames
            ),
            "message.received",
        )
        assert len(row) == 1
        return row[0]

    def reply(self, conversation: str, text: str) -> str:
        """Ada writes; the text's id."""
        answer = self.system.post(
            self.ada, f"/desk/conversations/{conversation}/messages", {"text": text, "command": new_id()}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["message"])

    def rows(self, **wanted: object) -> list[dict[str, Any]]:
        """Texts in the store, oldest first."""
        with self.system.store.read() as conn:
            query = select(t.messages).filter_by(**wanted).order_by(t.messages.c.at, t.messages.c.id)
            return [dict(row) for row in conn.execute(query).mappings()]

    def state(self, message: str, state: str, timeout: float = 40) -> dict[str, Any]:
        """The text's row in this state."""
        return eventually(lambda: self.rows(id=message, state=state), timeout, f"{state}; {self.rows(id=message)}")[0]


def listening(place: Place, *words: str) -> TestPhone:
    """The test phone at its port."""
    at = ["--host", "127.0.0.1", "--port", str(place.phone_port), "--server", place.system.sip_server]
    return TestPhone(["text", *at, *words], place.system.folder, f"text-{new_id()[-6:]}")


def text_line(system: System, number: str, far: str, users: list[User]) -> Line:
    """A line whose texts go by SIP to this host and port."""
    line, account = system.add_line(number, users, name=f"Line {number[-1]}"), new_id()
    box = open_box(system.settings.data_dir, system.settings.secret_key)
    with system.store.write() as tx:
        trunk = trunks.create(
            tx, "system", box, name=f"To {far}", kind="address", cidrs=["127.0.0.9/32"], outbound_host=far
        )
        tx.execute(
            insert(t.message_accounts).values(
                id=account, name=account, kind="sip", trunk_id=trunk, settings={}, created_at=1
            )
        )
        tx.execute(update(t.lines).where(t.lines.c.id == line.id).values(message_account_id=account))
        tx.append(kinds.Event(kinds.MESSAGING_CHANGED, kinds.STAFF, "system", data={}))
    return line


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running installation whose company has texts in its plan."""
    with System(tmp_path_factory.mktemp("texts")) as system, Texter(TEXTER) as texter:
        with system.store.write() as tx:
            tx.execute(insert(t.settings).values(key="plan", value={"add_ons": ["sms"]}))
        ada, port = system.add_user("Ada"), free_port()
        first = text_line(system, "+33199000001", f"127.0.0.1:{port}", [ada])
        second = text_line(system, "+33199000002", texter.address, [ada])
        server = system.sip_server
        for line in (first, second):  # an empty text leaves nothing, and tells when the worker knows the line
            eventually(lambda: texter.send(line.number, "", server).status == 200, 20, "texts")  # noqa: B023
        yield Place(system, ada, system.open_tab(ada), first, second, texter, port)


@pytest.mark.parametrize("text", [EMOJI, THOUSAND], ids=["emoji", "thousand"])
def test_the_test_phone_and_the_desk(place: Place, text: str) -> None:
    assert text is EMOJI or len(text) == 1000
    with listening(place, "--to", place.to_phone.number, "--say", text, "--from", PHONE, "--wait", "60") as phone:
        assert phone.wait_for("answered")["code"] == 200
        came = place.came(place.to_phone, text)
        assert came["party"] == PHONE
        sent = place.reply(came["conversation_id"], f"Re: {text}")
        got = phone.wait_for("text")
        assert (got["sender"], got["text"]) == (place.to_phone.number, f"Re: {text}")
        assert place.state(sent, "sent")["remote_code"] == "200"
        phone.kill(signal.SIGINT)
        assert phone.wait() == 0


@pytest.mark.parametrize("text", [EMOJI, THOUSAND], ids=["emoji", "thousand"])
def test_the_other_one_and_the_desk(place: Place, text: str) -> None:
    texter = place.texter
    assert texter.send(place.to_texter.number, text, place.system.sip_server).status == 200
    came, before = place.came(place.to_texter, text), len(texter.texts)
    sent = place.reply(came["conversation_id"], f"Re: {text}")
    got = texter.wait_text(before + 1)
    assert (got.body, got.number) == (f"Re: {text}", TEXTER)
    assert place.to_texter.number in got.sender
    place.state(sent, "sent")


def test_a_gateway_that_is_away_and_a_worker_that_dies_lose_and_double_nothing(place: Place) -> None:
    """Texts wait while nobody answers at the far end, the worker is killed meanwhile: all arrive once, in order."""
    texter = place.texter
    assert texter.send(place.to_texter.number, "before", place.system.sip_server).status == 200
    conversation = place.came(place.to_texter, "before")["conversation_id"]
    before = len(texter.texts)
    place.system.kill("worker")  # its next life has heard nothing of the far end, and asks first
    assert texter.send(place.to_texter.number, "", place.system.sip_server, timeout=30).status == 200
    texter.manner = Manner(final=0, options=0)
    texts = [f"waiting {number} ✉️" for number in range(6)]
    ids = [place.reply(conversation, text) for text in texts]
    eventually(lambda: texter.count("OPTIONS") > 0 and place.rows(id=ids[0], reason="unreachable"), 40, "a question")
    place.system.kill("worker")
    texter.manner = Manner()
    for message in ids:
        place.state(message, "sent")
    assert [one.body for one in texter.texts[before:]] == texts
    assert [row["tries"] for row in (place.rows(id=message)[0] for message in ids[1:])] == [1] * 5


def test_killed_while_a_text_waits_for_its_answer(place: Place) -> None:
    """Nobody can know: it is shown so, not sent again by itself, and sent when a user says so."""
    texter = place.texter
    assert texter.send(place.to_texter.number, "and now?", place.system.sip_server).status == 200
    conversation = place.came(place.to_texter, "and now?")["conversation_id"]
    texter.manner = Manner(final=0)
    message, before = place.reply(conversation, "did this arrive?"), len(texter.texts)
    eventually(lambda: any("did this arrive?" in one.text for one in texter.requests), 30, "the text on the wire")
    place.system.kill("worker")
    assert place.state(message, "unknown")["reason"] == "interrupted"
    texter.manner = Manner()
    assert texter.send(place.to_texter.number, "hello?", place.system.sip_server, timeout=30).status == 200
    assert len(texter.texts) == before
    answer = place.system.post(place.ada, f"/desk/messages/{message}/resend", {"command": new_id()})
    assert answer.status_code == 202, answer.text
    assert texter.wait_text(before + 1).body == "did this arrive?"
    place.state(message, "sent")
    assert len(texter.texts) == before + 1
