"""Texts by SIP through one real worker: what is taken and answered how, what is sent, and what nobody can know."""

import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import messages, outbox, text_facts
from aircall_core.desk.secrets import open_box
from aircall_core.domain import events as kinds
from aircall_core.ids import new_id, now_ms
from aircall_core.sip.replies import CLAIM, RECEIVED, Fact, Fence, Lost, TextClaimed, TextKept, reply_to
from aircall_core.store import tables as t
from aircall_core.store.calls import Owner
from tests.sip.kit import NUMBER, Site, WorkerProcess
from tests.support.processes import eventually
from tests.support.texting import Manner, Texter

pytestmark = pytest.mark.sip
SITE: dict[str, Any] = {}
HELLO = "Hello 🎉, ça va ?"
CUSTOMER = "+33612345678"


class Desk:
    """The module's line with its texts, as the desk process would write and read them."""

    def __init__(self, site: Site) -> None:
        self.site, self.server, self.account = site, f"127.0.0.1:{site.port}", ""

    def lead_to(self, account: str) -> None:
        """The line's texts go through this account."""
        self.account = account
        with self.site.store.write() as tx:
            tx.execute(update(t.lines).where(t.lines.c.id == self.site.line).values(message_account_id=account))
            tx.append(kinds.Event(kinds.LINE_CHANGED, kinds.STAFF, "system", data={"id": self.site.line}))

    def open(self, far: Texter) -> None:
        """Gives the line an account for texts by a trunk that leads there."""
        trunk, account = new_id(), new_id()
        with self.site.store.write() as tx:
            tx.execute(insert(t.trunks).values(
                id=trunk, name=trunk, kind="address", transport="udp", cidrs=["127.0.0.1/32"],
                outbound_host=far.address, created_at=1,
            ))  # fmt: skip
            tx.execute(insert(t.message_accounts).values(
                id=account, name=account, kind="sip", trunk_id=trunk, settings={}, created_at=1
            ))  # fmt: skip
        self.lead_to(account)

    def rows(self, **wanted: object) -> list[dict[str, Any]]:
        """Texts in the store, oldest first."""
        with self.site.store.read() as conn:
            query = select(t.messages).filter_by(**wanted).order_by(t.messages.c.at, t.messages.c.id)
            return [dict(row) for row in conn.execute(query).mappings()]

    def write(self, body: str, to: str = CUSTOMER) -> str:
        """Queues a text and has the worker asked to send it; its id."""
        with self.site.store.write() as tx:
            command = new_id()
            user = next(iter(self.site.users.values()))
            written = messages.start(tx, self.site.line, to, user, "admin", body, command)
        self.ask(written.message)
        return written.message

    def ask(self, message: str) -> None:
        """The outbox asks a worker."""
        with self.site.store.write() as tx:
            assert outbox.ask_worker(tx, message, tx.now_ms(), "system")

    def again(self, message: str) -> None:
        """Its pause is over."""
        with self.site.store.write() as tx:
            tx.execute(update(t.messages).where(t.messages.c.id == message).values(not_before=None))
        self.ask(message)

    def tried(self, message: str, times: int = 1) -> dict[str, Any]:
        """The text's row once so many tries to send it are over, for good or until the next one."""
        return eventually(
            lambda: [row for row in self.rows(id=message) if row["tries"] >= times and row["state"] != "sending"],
            30, f"try {times}; it was {self.rows(id=message)}",
        )[0]  # fmt: skip

    def state(self, message: str, *states: str, timeout: float = 30) -> dict[str, Any]:
        """The text's row once it is in one of these states."""
        return eventually(
            lambda: [row for row in self.rows(id=message) if row["state"] in states],
            timeout, f"text {states}; it was {self.rows(id=message)}",
        )[0]  # fmt: skip


@pytest.fixture(scope="module")
def far() -> Iterator[Texter]:
    """The customer, and the carrier between: a user agent outside."""
    with Texter(CUSTOMER) as texter:
        yield texter


@pytest.fixture(scope="module")
def opened(shared_site: Site, worker: WorkerProcess, far: Texter) -> Desk:
    """The site with texts."""
    desk = Desk(shared_site)
    with shared_site.store.write() as tx:
        tx.execute(insert(t.settings).values(key="plan", value={"add_ons": ["sms"]}))
    assert far.send(NUMBER, "too early", desk.server).status == 405
    with shared_site.store.write() as tx:  # the test phone's trunk is all of the loopback: nobody would be a stranger
        tx.execute(update(t.trunks).where(t.trunks.c.built_in.is_(True)).values(enabled=False))
    desk.open(far)
    # The worker's directory is made anew in a thread of its own: an empty text says when, and leaves nothing.
    eventually(lambda: far.send(NUMBER, "", desk.server).status == 200, what="the line to take texts")
    assert desk.rows() == []
    return desk


@pytest.fixture
def desk(opened: Desk, site: Site, far: Texter) -> Desk:
    """The same with an honest far end."""
    far.manner = Manner()
    return opened


# ---- in


def test_a_text_is_stored_before_it_is_answered_and_once(desk: Desk, far: Texter) -> None:
    data = far.request(NUMBER, HELLO, desk.server, call_id="once-1", cseq=7)
    assert [far.deliver(data, desk.server).status for _ in range(3)] == [200] * 3
    (row,) = desk.rows(body=HELLO)
    assert (row["state"], row["party"], row["remote_id"], row["direction"]) == (
        "received", CUSTOMER, "once-1 7", "inbound",
    )  # fmt: skip
    assert desk.site.wait(kinds.MESSAGE_RECEIVED).event.data == {"message": row["id"], "files": 0}
    again = far.request(NUMBER, HELLO, desk.server, call_id="once-1", cseq=8)
    assert far.deliver(again, desk.server).status == 200
    assert len(desk.rows(body=HELLO)) == 2, "another CSeq is another text"


def test_a_thousand_characters_with_emoji(desk: Desk, far: Texter) -> None:
    text = ("wörd 🎉 " * 143)[:1000]
    assert len(text) == 1000
    assert far.send(NUMBER, text, desk.server).status == 200
    assert far.tcp_send(NUMBER, text + "!", desk.server).status == 200
    assert [len(desk.rows(body=body.strip())) for body in (text, text + "!")] == [1, 1]


def test_a_peer_that_leaves_before_its_answer_harms_nobody(desk: Desk, far: Texter) -> None:
    for number in range(20):
        with socket.create_connection(("127.0.0.1", desk.site.port)) as connection:
            connection.sendall(far.request(NUMBER, f"gone {number}", desk.server, transport="TCP"))
    eventually(lambda: all(desk.rows(body=f"gone {number}") for number in range(20)), what="all of them")
    assert far.send(NUMBER, "still there", desk.server).status == 200


@pytest.mark.parametrize(
    ("to", "kind", "code"),
    [
        ("+33199009999", "text/plain", 404), (NUMBER, "text/html", 415), (NUMBER, "image/png", 415),
        (NUMBER, "application/im-iscomposing+xml", 415), (NUMBER, "text/plain;charset=klingon", 415),
    ],
)  # fmt: skip
def test_what_is_not_taken(desk: Desk, far: Texter, to: str, kind: str, code: int) -> None:
    answer = far.send(to, "nothing for us", desk.server, kind=kind)
    assert answer.status == code
    assert desk.rows(body="nothing for us") == []
    if code == 415:
        assert answer.header("Accept").startswith("text/plain")


def test_strangers_are_refused_and_a_flood_of_them_hears_little(desk: Desk, far: Texter) -> None:
    """From an address that no trunk knows; the worker listens at 127.0.0.1, so that is another loopback address."""
    with Texter("+33600000000", host="127.9.9.9", tcp=False) as stranger:
        assert stranger.send(NUMBER, "let me in", desk.server).status == 403
        for number in range(200):
            stranger._udp.sendto(
                stranger.request(NUMBER, f"flood {number}", desk.server), ("127.0.0.1", desk.site.port)
            )
        assert far.send(NUMBER, "through the flood", desk.server).status == 200
        assert len(stranger.answers) < 120
    assert [row["body"] for row in desk.rows() if "flood" in row["body"]] == ["through the flood"]


def test_a_digest_trunk_proves_itself(desk: Desk, far: Texter) -> None:
    secret = open_box(desk.site.settings.data_dir, desk.site.settings.secret_key).seal("s3cret")
    desk.site.add_trunk(
        kind="digest", transport="udp", username="pbx", realm="desk", secret=secret, cidrs=[], state=None
    )
    server, number = desk.server, NUMBER
    with Texter("+33644444444", host="127.9.9.8", tcp=False, login=("pbx", "s3cret")) as pbx:
        eventually(lambda: pbx.send(number, "proven 👍", server).status == 200, what="the trunk to be known")
        pbx.login = ("pbx", "wrong")
        assert pbx.send(number, "not proven", server).status == 403
    assert [row["party"] for row in desk.rows(body="proven 👍")] == ["+33644444444"]
    assert desk.rows(body="not proven") == []
    with desk.site.store.write() as tx:  # else strangers of other tests hear 401
        tx.execute(update(t.trunks).where(t.trunks.c.kind == "digest").values(enabled=False))
        tx.append(kinds.Event(kinds.TRUNK_CHANGED, kinds.STAFF, "system", data={"id": "x"}))


# ---- out


def test_a_text_goes_out_with_the_lines_number(desk: Desk, far: Texter) -> None:
    before = len(far.texts)
    message = desk.write(HELLO)
    text = far.wait_text(before + 1)
    assert (text.body, text.number) == (HELLO, CUSTOMER)
    assert NUMBER in text.sender
    assert NUMBER in text.request.header("P-Asserted-Identity")
    assert text.request.header("Content-Type").lower().replace(" ", "") == "text/plain;charset=utf-8"
    row = desk.state(message, "sent")
    assert (row["remote_code"], row["tries"]) == ("200", 1)
    assert row["remote_id"] == text.request.header("Call-ID")


def test_a_long_one_goes_by_tcp_and_a_very_long_one_in_parts(desk: Desk, far: Texter) -> None:
    long, longer = ("wörd 🎉 " * 143)[:1000], "🎉 " * 800
    before = len(far.texts)
    desk.state(desk.write(long), "sent")
    assert [(one.body, one.transport) for one in far.texts[before:]] == [(long.strip(), "tcp")]
    before = len(far.texts)
    desk.state(desk.write(longer), "sent")
    sent = far.texts[before:]
    assert len(sent) == 2
    assert "".join(one.body for one in sent) == longer.strip()
    assert all(len(one.body.encode()) <= 3000 for one in sent)


def test_a_trunk_that_wants_a_password_gets_it(desk: Desk, far: Texter) -> None:
    far.manner.challenge = True
    before = len(far.texts)
    row = desk.tried(desk.write("who are you?"))
    assert (row["state"], row["reason"], row["remote_code"]) == ("queued", "credentials", "407")
    assert len(far.texts) == before


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [(404, "failed", "refused"), (503, "queued", "refused"), (413, "failed", "too_long"), (504, "unknown", "timeout")],
)
def test_what_an_answer_means(desk: Desk, far: Texter, code: int, state: str, reason: str) -> None:
    far.manner.final = code
    before = len(far.requests)
    row = desk.tried(desk.write(f"answer {code}"))
    assert (row["state"], row["reason"], row["remote_code"]) == (state, reason, str(code))
    assert [one.method for one in far.requests[before:] if one.method != "OPTIONS"] == ["MESSAGE"], "sent once"


def test_nobody_there_means_that_nothing_was_sent(desk: Desk) -> None:
    """A far end that is away: the question goes unanswered, no text goes out, and it is queued again."""
    far_account = desk.account
    with Texter(CUSTOMER) as gone:
        gone.manner.options = 0
        desk.open(gone)
        message = desk.write("are you there?")
        row = desk.tried(message)
        if row["reason"] == "no_trunk":  # the worker's directory is made anew in a thread: it was not there yet
            desk.again(message)
            row = desk.tried(message, 2)
        assert (row["state"], row["reason"]) == ("queued", "unreachable")
        assert gone.count("MESSAGE") == 0
        assert gone.count("OPTIONS") == 1
        gone.manner.options = 200
        desk.again(message)
        desk.state(message, "sent")
        assert [text.body for text in gone.texts] == ["are you there?"]
        desk.lead_to(far_account)
    with desk.site.store.write() as tx:
        tx.execute(update(t.messages).where(t.messages.c.state == "queued").values(state="failed"))


def test_what_cannot_be_written_is_told() -> None:
    """A text that neither store nor journal will ever have gets 500, a claim that failed sends nothing."""
    received, claim = (Fact(name, "", "w", 1, {}, "ref") for name in (RECEIVED, CLAIM))
    codes = [reply_to(received, result) for result in (None, Lost(), Fence(""))]
    assert codes == [TextKept("ref", 200), TextKept("ref", 500), TextKept("ref", 500)]
    assert [reply_to(claim, result) for result in (None, Lost(), Fence(""))] == [TextClaimed("ref", None)] * 3


def test_facts_may_be_repeated(desk: Desk) -> None:
    """As from a journal that is replayed: the text is stored once, the result counted once, and not by another life."""
    owner, late = Owner("worker-9@test", 4), Owner("worker-9@test", 5)
    arrived: dict[str, Any] = {
        "line_id": desk.site.line,
        "account_id": new_id(),
        "number": CUSTOMER,
        "remote_id": "j 1",
        "at": now_ms(),
    }
    for _ in range(2):
        with desk.site.store.write() as tx:
            text_facts.text_received(tx, owner, "", body="from the journal", **arrived)
    assert len(desk.rows(body="from the journal")) == 1
    with desk.site.store.write() as tx:
        user = next(iter(desk.site.users.values()))
        message = messages.start(tx, desk.site.line, CUSTOMER, user, "admin", "once", new_id()).message
        assert text_facts.text_claim(tx, owner, "", message=message) is not None
        assert text_facts.text_claim(tx, late, "", message=message) is None
    sent: dict[str, Any] = {
        "message": message,
        "reason": None,
        "remote_code": "200",
        "remote_id": "r",
        "again": False,
        "at": 5,
    }
    for life, state in ((late, "failed"), (owner, "sent"), (owner, "sent"), (owner, "unknown")):
        with desk.site.store.write() as tx:
            text_facts.text_result(tx, life, "", state=state, **sent)
    assert desk.rows(id=message)[0]["state"] == "sent"


def test_killed_between_claim_and_result(desk: Desk, far: Texter, worker: WorkerProcess) -> None:
    """The worker dies while a text waits for its answer: unknown, and never repeated. It is not there after this."""
    far.manner.final = 0
    message = desk.write("did it arrive?")
    eventually(lambda: any("did it arrive?" in one.text for one in far.requests), what="the text on the wire")
    assert desk.rows(id=message)[0]["state"] == "sending"
    worker.kill(signal.SIGKILL)
    worker.wait()
    far.manner.final = 200
    before = len(far.texts)
    with desk.site.worker("worker-again"):
        row = desk.state(message, "unknown")
        assert row["reason"] == "interrupted"
        assert far.send(NUMBER, "after the restart", desk.server).status == 200
        data = far.request(NUMBER, HELLO, desk.server, call_id="once-1", cseq=7)
        stored = len(desk.rows(body=HELLO))
        assert far.deliver(data, desk.server).status == 200
        assert len(desk.rows(body=HELLO)) == stored, "the earlier life had stored it"
    assert len(far.texts) == before


def test_the_journal_keeps_what_the_store_cannot(desk: Desk, far: Texter) -> None:
    """While somebody else has the store: 202, once it lies on the disk; the next life brings it into the store."""
    data = far.request(NUMBER, "into the journal", desk.server, call_id="journal-1", cseq=1)
    path = desk.site.url.removeprefix("sqlite:///")
    with (
        desk.site.worker("worker-journal") as worker,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert [far.deliver(data, desk.server).status for _ in range(2)] == [202] * 2
        assert desk.rows(body="into the journal") == []
        worker.kill(signal.SIGKILL)
        worker.wait()
    with desk.site.worker("worker-replays"):
        assert len(desk.rows(body="into the journal")) == 1
        assert far.deliver(data, desk.server).status == 200
    assert len(desk.rows(body="into the journal")) == 1
