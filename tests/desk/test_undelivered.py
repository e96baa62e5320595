"""Texts that did not arrive: who hears of it, where they are listed, and what is done about them."""

from pathlib import Path
from typing import Any

import pytest

from aircall_core.desk import conversations, messages, outbox, undelivered
from aircall_core.desk.errors import DeskError
from aircall_core.domain.message import Outcome, State, Why
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, unread
from aircall_core.store.queries import inbox, inbox_rows
from tests.support.inbox_kit import listed
from tests.support.text_gateway import Texts


@pytest.fixture
def texts(store: Store, tmp_path: Path) -> Texts:
    return Texts.open(store, tmp_path, "http://127.0.0.1:9")


def ends(texts: Texts, message: str, state: State, why: Why) -> None:
    """The text is sent, and comes to this end."""
    with texts.desk.store.write() as tx:
        outbox.claim(tx, message, "outbox:1", now_ms(), "desk")
        assert outbox.settle(tx, message, "outbox:1", Outcome(state, why), now_ms(), "desk")


def lost(texts: Texts, **wanted: Any) -> list[tuple[str, str]]:
    """What Ann's inbox lists as not delivered: numbers and the texts that the rows show."""
    with texts.desk.store.read() as conn:
        found = inbox.Wanted(texts.desk.ids["Ann"], None, category=inbox.ALL, type=inbox.UNDELIVERED, **wanted)
        places, _ = inbox.page(conn, found, None, 50)
        rows = inbox_rows.shown(conn, texts.desk.ids["Ann"], found.view, places, found.type)
    assert all(row["newest"] == "message" and row["at"] == row["message"]["at"] for row in rows)
    return [(row["party"], row["message"]["text"]) for row in rows]


def is_unread(texts: Texts, message: str) -> bool:
    with texts.desk.store.read() as conn:
        return unread.is_unread(conn, texts.row(message)["conversation_id"], texts.desk.ids["Ann"])


@pytest.mark.parametrize("few", [1000, 0], ids=["few", "many"])
def test_what_was_not_delivered_is_listed_until_somebody_acts(
    texts: Texts, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_FEW", few)
    store, ann = texts.desk.store, texts.desk.ids["Ann"]
    failed, doubtful, fine = (texts.write(f"+3361111111{n}", f"Text {n}") for n in range(3))
    ends(texts, fine, State.SENT, Why.TIMEOUT)
    assert lost(texts) == []
    ends(texts, failed, State.FAILED, Why.REFUSED)
    ends(texts, doubtful, State.UNKNOWN, Why.TIMEOUT)
    later = texts.write("+33611111110", "Text that is newer")
    ends(texts, later, State.SENT, Why.TIMEOUT)
    both = [("+33611111110", "Text 0"), ("+33611111111", "Text 1")]
    assert lost(texts) == lost(texts, view=inbox.MESSAGES) == both
    assert lost(texts, only={texts.row(doubtful)["conversation_id"]}) == both[1:]
    assert [is_unread(texts, one) for one in (doubtful, fine)] == [True, False]
    with store.write() as tx:
        (again,) = undelivered.to_send_again(tx, texts.row(failed)["conversation_id"])
        messages.resend(tx, again, ann, "agent")
    with store.write() as tx, pytest.raises(DeskError, match="may have arrived") as refused:
        undelivered.to_send_again(tx, texts.row(doubtful)["conversation_id"])
    assert refused.value.code == "unknown"
    assert (again, lost(texts)) == (failed, both[1:])
    before = store.last_seq()
    for _ in range(2):
        with store.write() as tx:
            undelivered.put_aside(tx, texts.row(doubtful)["conversation_id"], ann, command=new_id())
    (event,) = [row.event for row in store.events(before)]
    assert (event.kind, event.data["messages"]) == ("message.put_aside", [doubtful])
    assert lost(texts) == []
    with store.write() as tx:
        messages.resend(tx, doubtful, ann, "agent")
    ends(texts, doubtful, State.FAILED, Why.REFUSED)
    assert lost(texts) == both[1:], "what was put aside and sent again is no news only if it arrives"


def test_only_who_wrote_it_and_still_sees_it_finds_it_unread(texts: Texts) -> None:
    store, ann = texts.desk.store, texts.desk.ids["Ann"]
    text = texts.write("+33611111110", "Hello")
    with store.write() as tx:
        conversations.close(tx, texts.row(text)["conversation_id"], ann)
    before = store.last_seq()
    ends(texts, text, State.FAILED, Why.REFUSED)
    (event,) = [row.event for row in store.events(before) if row.kind == "conversation.unread"]
    assert (event.audience, event.actor) == (f"user:{ann}", "desk")
    with store.read() as conn:
        assert listed(conn, ann, "agent", category="unread"), "closed, and not forgotten"
    texts.receive("+33611111112", "Hello?")
    waits = texts.write("+33611111112", "Not yet sent")
    texts.receive("+33611111112", "STOP")
    assert texts.row(waits)["state"] == "failed"
    assert lost(texts)[0] == ("+33611111112", "Not yet sent")
