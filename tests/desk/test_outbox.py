"""Texts on their way out: delivered once or shown as unknown, in order, whatever becomes of gateway and processes."""

import random
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import messages, outbox
from aircall_core.desk.errors import DeskError
from aircall_core.desk.secrets import open_box
from aircall_core.domain.message import PATIENCE_MS, Outcome, State, Why
from aircall_core.ids import now_ms
from aircall_core.messaging.outbox import Outbox
from aircall_core.store import Store, nodes, open_store
from aircall_core.store import messages as rows
from aircall_core.store import tables as t
from tests.support.text_gateway import TextGateway, Texts, text_gateway

ROOT = Path(__file__).parents[2]
MINUTE = 60_000


class Sender:
    """An outbox whose clock is ours, and that sends one text after the other when it is told to look."""

    def __init__(self, texts: Texts) -> None:
        self.ahead = 0  # ms
        self.outbox = Outbox(
            texts.desk.store, texts.settings, open_box(texts.settings.data_dir), pytest.fail,
            now=lambda _: now_ms() + self.ahead, at_once=0,
        )  # fmt: skip

    def run(self, ms: int) -> None:
        """Let so much time pass, looking whenever the outbox wants to."""
        end = self.ahead + ms
        while self.ahead < end:
            self.ahead += max(10, int(self.outbox.once() * 1000))
        self.ahead = end

    def until_quiet(self) -> None:
        """Until nothing waits."""
        for _ in range(2000):
            pause = self.outbox.once()
            if not waiting(self.outbox._store):
                return
            self.ahead += int(pause * 1000)
        pytest.fail("texts wait for ever")


def waiting(store: Store) -> int:
    with store.read() as conn:
        return len(conn.execute(select(t.messages.c.id).where(t.messages.c.state.in_(("queued", "sending")))).all())


def number(place: int) -> str:
    return f"+336112233{place:02}"


def by_customer(gateway: TextGateway) -> dict[str, list[str]]:
    found = defaultdict(list)
    for one in gateway.got:
        found[one["to"]].append(one["body"])
    return found


def written(texts: Texts, count: int, customers: int) -> tuple[list[str], dict[str, list[str]]]:
    """So many texts, in turn to so many customers: their ids, and what each customer is to get in this order."""
    ids, wanted = [], defaultdict(list)
    for place in range(count):
        to, body = number(place % customers), f"Text {place}"
        ids.append(texts.write(to, body))
        wanted[to].append(body)
    return ids, dict(wanted)


def test_a_gateway_that_is_away_for_ten_minutes_gets_all_once_and_in_order(store: Store, tmp_path: Path) -> None:
    with text_gateway() as gateway:
        texts = Texts.open(store, tmp_path, gateway.url)
        sender = Sender(texts)
        gateway.down()
        ids, wanted = written(texts, 100, 7)
        sender.run(10 * MINUTE)
        assert set(texts.states(ids)) == {"queued"}
        assert texts.row(ids[0])["reason"] == "unreachable"
        with store.read() as conn:
            tries = conn.scalars(select(t.messages.c.tries)).all()
            assert conn.scalar(select(t.message_accounts.c.state)) == "failing"
        assert sum(tries) < 40, "an account that is away is tried with one text at a time, ever more rarely"
        gateway.up()
        sender.until_quiet()
        assert by_customer(gateway) == wanted
        assert set(texts.states(ids)) == {"sent"}
        assert texts.row(ids[5])["remote_id"] == f"remote-{ids[5]}"
        with store.read() as conn:
            assert conn.scalar(select(t.message_accounts.c.state)) == "ok"


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_processes_killed_at_any_moment_send_nothing_twice(store_url: str, tmp_path: Path, kills: int) -> None:
    def slowly(data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        threading.Event().wait(random.random() * 0.03)  # a gateway's own time, in which its client may die
        return 200, {"id": f"remote-{data['id']}"}

    with text_gateway(slowly) as gateway, open_store(store_url) as store:
        texts = Texts.open(store, tmp_path, gateway.url)
        ids, wanted = written(texts, 30 * kills, 6)
        sender = Sender(texts)
        for _ in range(kills):
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.support.outbox_child", store_url, str(tmp_path), str(sender.ahead)],
                cwd=ROOT, stdout=subprocess.PIPE,
            )  # fmt: skip
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            gateway.wait_for(len(gateway.got) + random.randint(1, 20))
            child.kill()
            child.wait()
            child.stdout.close()
            sender.ahead += outbox.CLAIM_MS + 1  # then its claims are dead
        assert waiting(store), "they were all sent before the last one was killed"
        sender.until_quiet()
        came: dict[str, int] = defaultdict(int)
        for one in gateway.got:
            came[one["id"]] += 1
        assert not [one for one, count in came.items() if count > 1], "sent twice"
        states = dict(zip(ids, texts.states(ids), strict=True))
        assert set(states.values()) <= {"sent", "unknown"}
        assert [one for one in ids if states[one] == "sent" and not came[one]] == [], "said to be sent, and was not"
        assert sum(state == "unknown" for state in states.values()) <= 4 * kills, "more than were under way"
        for to, bodies in by_customer(gateway).items():
            assert bodies == [one for one in wanted[to] if one in bodies], "out of order"


def test_two_outboxes_at_once_send_each_text_once(store: Store, tmp_path: Path) -> None:
    with text_gateway() as gateway:
        texts = Texts.open(store, tmp_path, gateway.url)
        box = open_box(tmp_path)
        both = [Outbox(store, texts.settings, box, pytest.fail) for _ in range(2)]
        for one in both:
            one.start()
        _, wanted = written(texts, 40, 5)
        gateway.wait_for(40)
        for one in both:
            one.stop()
        assert by_customer(gateway) == wanted


def test_an_answer_that_never_came_is_unknown_until_somebody_sends_again(store: Store, tmp_path: Path) -> None:
    answers: list[Any] = [None, (200, {"id": "second"})]
    with text_gateway(lambda _: answers.pop(0)) as gateway:
        texts = Texts.open(store, tmp_path, gateway.url)
        sender = Sender(texts)
        text = texts.write(number(1), "Where are you?")
        sender.run(30 * MINUTE)
        assert (texts.row(text)["state"], texts.row(text)["reason"]) == ("unknown", "broken")
        assert len(gateway.got) == 1
        with store.write() as tx:
            messages.resend(tx, text, texts.desk.ids["Ann"], "agent")
        sender.run(MINUTE)
        assert (texts.row(text)["state"], texts.row(text)["remote_id"]) == ("sent", "second")
        assert [one["key"] for one in gateway.got] == [text, text], "the receiver can know it again"
        with store.write() as tx, pytest.raises(DeskError, match="sent"):
            messages.resend(tx, text, texts.desk.ids["Ann"], "agent")


def test_what_a_gateway_answers(store: Store, tmp_path: Path) -> None:
    answers: list[tuple[int, dict[str, Any]]] = []
    with text_gateway(lambda _: answers[-1]) as gateway:
        texts = Texts.open(store, tmp_path, gateway.url)

        def sent(status: int, body: dict[str, Any]) -> tuple[str, str, str]:
            answers.append((status, body))
            text = texts.write(number(1), "Hello")
            Sender(texts).outbox.once()
            row = texts.row(text)
            with store.write() as tx:  # out of the way of the next one
                tx.execute(update(t.messages).values(state="failed"))
            return row["state"], row["reason"], row["remote_code"]

        assert sent(422, {"error": {"code": "bad_number"}}) == ("failed", "refused", "bad_number")
        assert sent(401, {}) == ("queued", "credentials", "401")
        assert sent(429, {}) == ("queued", "unreachable", "429")
        assert sent(503, {}) == ("queued", "unreachable", "503")
        assert sent(500, {}) == ("unknown", "broken", "500")
        assert sent(502, {}) == ("unknown", "broken", "502"), "of a proxy nobody knows what it has passed on"


def test_texts_that_waited_for_hours_are_not_sent_any_more(store: Store, tmp_path: Path) -> None:
    with text_gateway() as gateway:
        texts = Texts.open(store, tmp_path, gateway.url)
        sender = Sender(texts)
        gateway.down()
        text = texts.write(number(1), "I am at your door")
        sender.run(MINUTE)
        sender.ahead += PATIENCE_MS
        gateway.up()
        sender.run(5 * MINUTE)
        assert (texts.row(text)["state"], texts.row(text)["reason"]) == ("failed", "unreachable")
        assert gateway.got == []


def test_a_text_behind_one_that_waits_waits_too(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "http://127.0.0.1:9/")
    first, second, other = texts.write(number(1), "1"), texts.write(number(1), "2"), texts.write(number(2), "3")
    with store.write() as tx:
        assert outbox.claim(tx, first, "w:1", 5, "desk") is not None
        assert outbox.claim(tx, first, "w:2", 5, "desk") is None, "it is claimed"
    with store.read() as conn:
        found = outbox.first_of_each(rows.waiting(conn, 10), now_ms() + 5)
    assert [one["id"] for one in found] == [other]
    with store.write() as tx:
        assert outbox.settle(tx, first, "w:1", Outcome(State.SENT), 6, "desk")
        assert not outbox.settle(tx, first, "w:1", Outcome(State.SENT), 7, "desk"), "repeated"
    assert (texts.row(first)["sent_at"], texts.row(second)["state"]) == (6, "queued")


def test_what_a_dead_worker_was_sending_is_unknown_and_its_late_word_counts(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "", kind="sip")
    first, second = texts.write(number(1), "1"), texts.write(number(2), "2")
    with store.write() as tx:
        outbox.claim(tx, first, "worker-0@a:3", 5, "desk")
        outbox.claim(tx, second, "worker-0@a:4", 5, "desk")
        assert outbox.abandon(tx, "worker-0@a", 3, 9, "worker") == [first]
    assert texts.states([first, second]) == ["unknown", "sending"]
    assert texts.row(first)["reason"] == "interrupted"
    with store.write() as tx:
        assert outbox.settle(tx, first, "worker-0@a:3", Outcome(State.SENT), 10, "worker")
    assert texts.states([first]) == ["sent"]


def test_a_claim_that_a_living_worker_never_heard_of_is_unknown_after_a_while(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "", kind="sip")
    text, now = texts.write(number(1), "1"), now_ms()
    with store.write() as tx:
        texts.desk.may_call_out(tx)  # the worker lives
        tx.execute(update(t.nodes).values(lease_until=now + 10 * outbox.WORKER_MS))
        owner = texts.desk.owner
        outbox.claim(tx, text, f"{owner.node}:{owner.epoch}", now, "worker")
        outbox.tidy(tx, now + outbox.WORKER_MS, "desk")
        assert rows.get(tx.conn, text)["state"] == "sending"  # type: ignore[index]
        outbox.tidy(tx, now + outbox.WORKER_MS + 1, "desk")
    assert texts.states([text]) == ["unknown"]


def test_reports_settle_what_is_unknown_and_never_go_back(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "")
    text = texts.write(number(1), "1")

    def report(state: State, **more: Any) -> str:
        with store.write() as tx:
            outbox.reported(tx, texts.account, state, 50, "desk", message_id=text, **more)
        return str(texts.row(text)["state"])

    with store.write() as tx:
        outbox.claim(tx, text, "outbox:1", 5, "desk")
    assert report(State.DELIVERED, tried=2) == "sending", "of another try"
    assert report(State.DELIVERED, tried=1, remote_id="SM1") == "delivered"
    assert report(State.SENT) == "delivered"
    assert report(State.FAILED, code="30003") == "delivered"
    with store.write() as tx:
        assert not outbox.settle(tx, text, "outbox:1", Outcome(State.SENT, remote_id="SM1"), 60, "desk")
    assert texts.row(text)["delivered_at"] == 50
    with store.write() as tx:
        assert not outbox.reported(tx, "other", State.SENT, 1, "desk", message_id=text), "another account's"


def test_a_worker_is_asked_and_asked_again(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "", kind="sip")
    text, sender = texts.write(number(1), "1"), Sender(texts)
    sender.outbox.once()
    assert (texts.row(text)["state"], texts.row(text)["reason"]) == ("queued", Why.NO_WORKER)
    with store.write() as tx:
        texts.desk.may_call_out(tx)  # there is a worker
        tx.execute(update(t.messages).values(not_before=None))
    for _ in range(2):
        sender.outbox.once()
        sender.outbox.once()
        sender.ahead += outbox.ASK_MS + outbox.ASK_MS // 2 + 1
    asked = [row.event.data for row in store.events(0, 1000) if row.kind == "message.send_wanted"]
    assert [one["message"] for one in asked] == [text, text]
    assert asked[0]["node"] == texts.desk.owner.node


def asked_of(store: Store) -> list[dict[str, Any]]:
    return [dict(row.event.data) for row in store.events(0, 10_000) if row.kind == "message.send_wanted"]


def test_a_worker_that_lives_but_is_deaf_is_asked_in_turn(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "", kind="sip")
    with store.write() as tx:
        texts.desk.may_call_out(tx)
        (known,) = nodes.alive(tx.conn, "worker", tx.now_ms())
        tx.execute(insert(t.nodes).values(**{**known, "id": "another-worker"}))
    sender = Sender(texts)
    texts.write(number(1), "1")
    for _ in range(2):
        sender.outbox.once()
        sender.ahead += outbox.ASK_MS + outbox.ASK_MS // 2 + 1
    assert len({str(one["node"]) for one in asked_of(store)}) == 2


def test_a_sip_account_whose_password_is_wrong_rests_as_a_whole(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "", kind="sip")
    with store.write() as tx:
        texts.desk.may_call_out(tx)
        rows.set_account_state(tx.conn, texts.account, "failing", Why.CREDENTIALS, tx.now_ms())
    sender = Sender(texts)
    ids = [texts.write(number(place), "x") for place in range(20)]
    sender.outbox.once()
    sender.outbox.once()
    assert len(asked_of(store)) == 1, "twenty customers, one try"
    sender.run(4 * MINUTE)
    assert 4 <= len(asked_of(store)) <= 20
    with store.write() as tx:
        rows.set_account_state(tx.conn, texts.account, "ok", None, tx.now_ms())
    sender.ahead += outbox.ASK_MS * 2
    before = len(asked_of(store))
    sender.outbox.once()
    assert {str(one["message"]) for one in asked_of(store)[before:]} == set(ids), "it works: all of them"


def test_texts_that_wait_for_a_sip_worker_hide_none_of_other_accounts(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LOOK_AT", 5)
    with text_gateway() as gateway:
        texts = Texts.open(store, tmp_path, gateway.url)
        with store.write() as tx:
            tx.execute(insert(t.message_accounts).values(id="sip", name="SIP", kind="sip", settings={}, created_at=1))
            tx.execute(update(t.lines).values(message_account_id="sip"))
        for place in range(8):
            texts.write(number(place), "by SIP, and no worker lives")
        with store.write() as tx:
            tx.execute(update(t.lines).values(message_account_id=texts.account))
        web = texts.write(number(20), "by the gateway")
        Sender(texts).outbox.once()
        assert texts.states([web]) == ["sent"]


def test_new_texts_of_one_moment_keep_their_order(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "")
    ids = [texts.write(number(1), str(place)) for place in range(20)]
    assert len({texts.row(one)["at"] for one in ids}) == 20
    assert sorted(ids, key=lambda one: texts.row(one)["at"]) == ids
