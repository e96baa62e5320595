"""What a timeline tells of calls out, of holding and handing on, of who was asked: in whole sentences."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aircall_core.desk import callbacks, notes
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store
from aircall_core.store.queries import inbox
from aircall_core.store.queries.timeline import timeline
from tests.desk.test_tags_owed import Tagged
from tests.desk.test_transfers import OUTSIDE
from tests.support import inbox_kit

TELL = Path(__file__).parents[1] / "js" / "tell.mjs"
SPOKEN = "06 11 99 98 88"


class Story(Tagged):
    """Sam's call, and what readers of its conversation are told from then on."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.begun = store.last_seq()

    def entries(self, call: str = "") -> list[dict[str, Any]]:
        with self.store.read() as conn:
            page = timeline(conn, self.desk.call(call or self.a)["conversation_id"], limit=200)
        return [one for one in page["entries"] if one["seq"] > self.begun]

    def read(self, call: str = "") -> list[str]:
        told = subprocess.run(
            ["node", str(TELL)], input=json.dumps(self.entries(call)), capture_output=True, text=True, timeout=60,
            check=True,
        )  # fmt: skip
        sentences: list[str] = json.loads(told.stdout)
        return sentences

    def row(self, call: str = "", only: str = "") -> dict[str, Any] | None:
        conversation = self.desk.call(call or self.a)["conversation_id"]
        with self.store.read() as conn:
            rows = inbox_kit.listed(conn, self.sam, "agent", type=only)
        return next((one for one in rows if one["id"] == conversation), None)


@pytest.fixture
def story(store: Store) -> Story:
    return Story(store)


def test_holding_pausing_and_keys(story: Story) -> None:
    desk, sam = story.desk, story.sam
    for held in (True, False):
        desk.report("held", story.a, user_id=sam, command=new_id(), held=held, at=now_ms())
    desk.report("recording", story.a, state="started")
    desk.report("recording", story.a, state="paused", user_id=sam, command=new_id())
    desk.report("recording", story.a, state="started", user_id=sam, command=new_id())
    desk.report("keys_sent", story.a, user_id=sam, command=new_id(), count=4)
    desk.report("keys_sent", story.a, user_id=sam, command=new_id(), count=1)
    desk.end(story.a)
    assert story.read() == [
        "Sam put the call on hold", "Sam took the call off hold", "Sam paused the recording",
        "Sam let the recording go on", "Sam sent 4 keys", "Sam sent 1 key", "The caller hung up",
    ]  # fmt: skip


def test_a_colleague_is_asked_and_takes_over(story: Story) -> None:
    child = story.asked()
    story.desk.report("transferred", story.a, via=child, command=new_id(), at=now_ms())
    story.desk.end(story.a, "agent")
    assert story.read() == ["Sam called Tia to talk first", "Tia answered", "Tia took the call over", "Tia hung up"]
    row = story.row()
    assert row is not None
    assert (row["call"]["id"], row["call"]["answered_by"], row["missed"]) == (story.a, "Tia", False), (
        "not the call to Tia"
    )


def test_a_colleague_joins_and_leaves_and_another_does_not_come(story: Story) -> None:
    child = story.consult(join=True, user=story.tia)
    story.dialled(child)
    story.desk.answer(child, story.tia)
    story.desk.end(child, "agent")
    second = story.consult(join=True, user=story.uma)
    story.dialled(second)
    story.desk.reject(second, "Uma")
    story.desk.report("ended", second, by="agent", at=now_ms(), reason="rejected")
    assert story.read() == [
        "Sam called Tia to join", "Tia answered", "Tia left the call", "Sam called Uma to join", "Uma rejected",
    ]  # fmt: skip


def test_an_outside_number_is_asked_and_gets_the_call(story: Story) -> None:
    child = story.outside()
    story.desk.report("transferred", story.a, via=child, command=new_id(), at=now_ms())
    story.desk.end(story.a)
    assert story.read() == [
        f"Sam called {SPOKEN} to talk first",
        f"{SPOKEN} answered",
        f"{SPOKEN} took the call over",
        "The caller hung up",
    ]


def test_an_outside_number_that_is_asked_and_busy(story: Story) -> None:
    child = story.consult(number=OUTSIDE)
    story.dialled(child)
    story.desk.report("ended", child, by="callee", at=now_ms(), reason="busy", sip_code=486)
    assert story.read() == [f"Sam called {SPOKEN} to talk first", f"{SPOKEN} was busy"]


def test_handed_on_refused_and_back(story: Story) -> None:
    story.began(story.transfer(user=story.tia))
    story.desk.reject(story.a, "Tia")
    story.ring_back()
    story.desk.answer(story.a, story.sam)
    story.began(story.transfer(team=story.team))
    (taker,) = story.desk.ringing(story.a)
    story.desk.answer(story.a, story.desk.ids[taker])
    assert story.read() == [
        "Sam transferred the call to Tia", "Tia rejected the call", "Nobody took it, the call came back to Sam",
        "Sam answered", "Sam transferred the call to Experts", f"{taker} answered",
    ]  # fmt: skip


def test_forwarded_to_an_outside_number(story: Story) -> None:
    story.began(story.transfer(number=OUTSIDE))
    story.desk.report("dial_step", story.a, step="transfer.to", number=OUTSIDE, at=now_ms())
    story.desk.report("forwarded", story.a, at=now_ms())
    assert story.read() == [f"Sam transferred the call to {SPOKEN}", f"The call was connected with {SPOKEN}"]


@pytest.mark.parametrize(
    ("reason", "code", "bubble", "sentence"),
    [
        ("busy", 486, "Call out, busy", "The number was busy"),
        ("no_answer", 408, "Call out, no answer", "Nobody answered"),
        ("declined", 603, "Call out, refused", "The call was declined"),
        ("not_found", 404, "Call out, not connected", "There is no such number"),
        ("cancelled", None, "Call out, no answer", "Sam hung up before an answer"),
    ],
)
def test_a_call_out_that_came_to_nothing_is_never_a_missed_one(
    story: Story, reason: str, code: int | None, bubble: str, sentence: str
) -> None:
    story.give(story.a, story.sam)
    story.desk.end(story.a)
    call = story.dial(story.sam)
    story.dialled(call)
    story.desk.report("ended", call, by="callee", at=now_ms(), reason=reason, sip_code=code)
    assert story.read(call) == ["Conversation opened", f"[{bubble}: none]", sentence]
    row = story.row(call)
    assert row is not None
    assert (row["missed"], row["call"]["direction"], row["call"]["started_by"]) == (False, "outbound", "Sam")
    assert story.row(call, inbox.MISSED) is None


def test_a_call_out_that_is_answered(story: Story) -> None:
    story.give(story.a, story.sam)
    story.desk.end(story.a)
    call = story.reached()
    story.desk.report("ended", call, by="callee", at=now_ms(), reason="bye")
    assert story.read(call) == [
        "Conversation opened", "[Call out: ok]", "The call was answered", "The other side hung up",
    ]  # fmt: skip


def test_a_missed_call_that_is_called_back(story: Story) -> None:
    story.give(story.a, story.sam)
    story.desk.end(story.a)
    missed = story.desk.arrive(OUTSIDE).call_id
    story.desk.end(missed)
    assert story.row(missed, inbox.MISSED) is not None
    with story.store.write() as tx:
        callbacks.take_call(tx, missed, story.tia, command=new_id())
    call = story.reached()
    assert story.row(call, inbox.MISSED) is None
    told = story.read(call)
    assert told[1:4] == ["[Caller hung up before an answer: missed]", "The caller hung up", "Tia is calling back"]
    assert told[4:] == ["[Call in progress: live]", "The call was answered"]


def test_notes_stand_with_their_call_and_empty_ones_nowhere(story: Story) -> None:
    for user, text in ((story.sam, "Wants a refund"), (story.tia, "")):
        with story.store.write() as tx:
            notes.write(tx, story.a, user, "agent", text, 0)
    with story.store.read() as conn:
        entries = timeline(conn, story.desk.call(story.a)["conversation_id"])["entries"]
    (call,) = [one["call"] for one in entries if one["kind"] == "call.arrived"]
    assert [(one["text"], one["by"]["name"]) for one in call["notes"]] == [("Wants a refund", "Sam")]
