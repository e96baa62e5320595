"""What a text does to its conversation, and who may write one; on both databases."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aircall_core.desk import conversations as desk_conversations
from aircall_core.desk import messages
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.ids import new_id
from aircall_core.store import Store, conversations, search, unread
from aircall_core.store import messages as rows
from aircall_core.store import tables as t
from tests.support.desk_kit import add_user
from tests.support.text_gateway import Texts

CUSTOMER = "+33611223344"


@pytest.fixture
def texts(store: Store, tmp_path: Path) -> Texts:
    """Ann on a line with texts."""
    return Texts.open(store, tmp_path, "http://127.0.0.1:9/")


def conversation_of(texts: Texts, message: str | None) -> str:
    assert message is not None
    return str(texts.row(message)["conversation_id"])


def test_a_text_that_comes_in_is_unread_until_somebody_answers(texts: Texts) -> None:
    store, ann = texts.desk.store, texts.desk.ids["Ann"]
    with store.write() as tx:
        stranger = add_user(tx, "Bo")
        leader = add_user(tx, "Lea", role="supervisor")
    conversation = conversation_of(texts, texts.receive(CUSTOMER, "Where is my parcel?"))
    with store.read() as conn:
        row = conversations.get(conn, conversation)
        assert row is not None
        assert (row["direction"], row["party"]) == ("inbound", CUSTOMER)
        seen = [unread.is_unread(conn, conversation, user) for user in (ann, leader, stranger)]
        assert seen == [True, True, False]
    sent = texts.write(CUSTOMER, "On its way")
    assert conversation_of(texts, sent) == conversation
    with store.read() as conn:
        row = conversations.get(conn, conversation)
        assert row is not None
        assert (row["direction"], row["last_message_id"], row["last_at"]) == (
            "outbound", sent, texts.row(sent)["at"],
        )  # fmt: skip
        seen = [unread.is_unread(conn, conversation, user) for user in (ann, leader)]
        assert seen == [False, True]


def test_a_closed_conversation_opens_when_a_text_comes_or_goes(texts: Texts) -> None:
    store, ann = texts.desk.store, texts.desk.ids["Ann"]
    conversation = conversation_of(texts, texts.receive(CUSTOMER, "1"))
    news: list[Callable[[], object]] = [lambda: texts.receive(CUSTOMER, "2"), lambda: texts.write(CUSTOMER, "3")]
    for again in news:
        with store.write() as tx:
            desk_conversations.close(tx, conversation, ann)
        again()
        with store.read() as conn:
            row = conversations.get(conn, conversation)
            assert row is not None
            assert row["closed_at"] is None
    whys = [one.event.data["why"] for one in store.events(0) if one.kind == "conversation.reopened"]
    assert whys == ["message", "message"]


def test_the_log_holds_no_word_and_the_index_every_one(texts: Texts) -> None:
    texts.receive(CUSTOMER, "A most peculiar giraffe")
    texts.write(CUSTOMER, "We sell no giraffes")
    with texts.desk.store.read() as conn:
        logged = "".join(map(str, conn.execute(select(t.events.c.data, t.events.c.actor)).all()))
        assert "giraffe" not in logged
        assert CUSTOMER not in logged
        kinds = conn.scalars(select(t.search_texts.c.kind)).all()
    assert sorted(kinds) == [search.CONVERSATION, search.MESSAGE, search.MESSAGE]


def test_one_command_is_one_text_from_however_many_tabs(texts: Texts) -> None:
    conversation, command = conversation_of(texts, texts.receive(CUSTOMER, "Hi")), new_id()
    made: list[str] = []

    def send() -> None:
        with texts.desk.store.write() as tx:
            ann = texts.desk.ids["Ann"]
            made.append(messages.send(tx, conversation, ann, "agent", "Hello", [], command).message)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert len(made) == 4
    assert len(set(made)) == 1
    with texts.desk.store.read() as conn:
        assert conn.scalar(select(func.count()).where(t.messages.c.direction == "outbound")) == 1


def test_a_gateway_that_repeats_itself_makes_one_text_and_two_texts_one_conversation(
    texts: Texts,
) -> None:
    assert texts.receive(CUSTOMER, "1", "remote-1") == texts.receive(CUSTOMER, "1", "remote-1")
    other = texts.receive(CUSTOMER, "2", "remote-2")
    with texts.desk.store.read() as conn:
        assert conn.scalar(select(func.count()).select_from(t.conversations)) == 1
        assert conn.scalar(select(func.count()).select_from(t.messages)) == 2
        shown = rows.shown(conn, [str(other)])
    assert shown[str(other)]["state"] == "received"


def test_who_does_not_see_the_line_writes_from_nowhere(texts: Texts) -> None:
    conversation = conversation_of(texts, texts.receive(CUSTOMER, "Hi"))
    text = texts.write(CUSTOMER, "Hello")
    with texts.desk.store.write() as tx:
        bo = add_user(tx, "Bo")
        wishes: list[Callable[[], object]] = [
            lambda: messages.send(tx, conversation, bo, "agent", "x", [], new_id()),
            lambda: messages.start(tx, texts.desk.line, "+33655555555", bo, "agent", "x", new_id()),
            lambda: messages.resend(tx, text, bo, "agent"),
        ]
        for wish in wishes:
            with pytest.raises(DeskError) as refused:
                wish()
            assert refused.value.code == "not_found"


def test_extensions_are_reached_by_sip_and_emergency_services_are_not_written_to(store: Store, tmp_path: Path) -> None:
    texts = Texts.open(store, tmp_path, "", kind="sip")
    assert texts.row(texts.write("100", "Coffee?"))["party"] == "100"
    for number in ("112", "+33899700000", "911"):
        with pytest.raises(Invalid):
            texts.write(number, "Help")
