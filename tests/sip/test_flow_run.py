"""A caller's way through a flow, step by step: a call alone, its clock in the test's hand."""

import gc
import weakref
from typing import Any

import pytest

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.domain import events as kinds
from aircall_core.ids import now_ms
from aircall_core.sip import voicemail
from aircall_core.sip.children import InternalChild, OutboundChild
from aircall_core.sip.lookup import LookedUp
from aircall_core.sip.recorder import VoicemailRecorder
from aircall_core.sip.tools import Accept, Stage
from tests.sip.alone import LOUD, PROMPT_S, SILENT, Alone

HANG_UP = {"id": "bye", "kind": "hang_up"}


def menu(name: str, **branches: Any) -> dict[str, Any]:
    keys = {key.removeprefix("k"): steps for key, steps in branches.items()}
    return {"id": name, "kind": "menu", "prompt": {"shipped": name}, "options": {key: f"to {key}" for key in keys
            if key != "none"}, "tries": 2, "wait_s": 5, "branches": keys}  # fmt: skip


def message(name: str) -> dict[str, Any]:
    return {"id": name, "kind": "message", "prompt": {"shipped": name}}


# ---- menu


def test_two_levels_with_keys_that_do_not_wait_for_the_prompt() -> None:
    alone = Alone(menu("top", k1=[menu("sub", k2=[message("right")])]), HANG_UP).streams()
    assert alone.answers_sent == [200]
    alone.presses("12")
    assert alone.said == ["step top menu", "picked_up", "chose top 1", "step sub menu", "chose sub 2",
                          "step right message"]  # fmt: skip
    assert alone.call.flow.path == [{"step": "top", "key": "1", "label": "to 1"},
                                    {"step": "sub", "key": "2", "label": "to 2"}]  # fmt: skip
    alone.passes(PROMPT_S + 0.2)
    assert alone.hung_up == [], "the message's last word is still on its way"
    alone.passes(0.2)
    assert alone.said[-1] == "ended bye hang_up"
    assert alone.hung_up == ["hang_up"]


def test_a_wrong_key_is_said_to_be_wrong_and_a_silent_caller_is_asked_again() -> None:
    alone = Alone(menu("top", k1=[], none=[message("other")])).streams()
    alone.presses("9")
    assert alone.prompts.named == ["top", "invalid-choice", "top"]
    alone.passes(2 * PROMPT_S + 4.9)
    assert alone.call.flow.step_id == "top"
    alone.passes(0.2)
    assert alone.call.flow.step_id == "other", "two tries are over"
    assert "chose top" not in " ".join(alone.said)


def test_without_a_stream_nothing_is_said_into_the_void() -> None:
    alone = Alone(menu("top", k1=[]))
    alone.passes(5)
    assert alone.call.flow.step_id == "top"
    alone.streams()
    alone.passes(PROMPT_S + 4.9)
    assert alone.prompts.named == ["top"], "the caller's time began when they could hear"


# ---- digits


def digits(**more: Any) -> dict[str, Any]:
    return {"id": "account", "kind": "digits", "prompt": {"shipped": "ask"}, "label": "Account", "tries": 2, **more}


@pytest.mark.parametrize(("more", "keys"), [({"length": 4, "end_key": None}, "1234"), ({}, "1234#")])
def test_a_number_is_typed(more: dict[str, Any], keys: str) -> None:
    alone = Alone(digits(**more), message("next")).streams()
    alone.presses(keys)
    assert alone.said[2:] == ["typed account 1234", "step next message"]
    assert alone.told("typed")["label"] == "Account"


def test_a_hidden_number_is_told_to_nobody_but_a_lookup() -> None:
    ask = {"id": "look", "kind": "lookup", "url": "https://example.com/", "timeout_s": 2}
    alone = Alone(digits(shown=False), ask).streams()
    alone.presses("42#")
    assert alone.told("typed")["value"] is None
    assert alone.lookups[0][3]["digits"] == [{"step": "account", "label": "Account", "value": "42"}]


def test_a_number_that_is_not_finished_in_time_is_asked_for_again_and_then_given_up() -> None:
    alone = Alone(digits(length=4, branches={"none": [message("lost")]})).streams()
    alone.presses("12")
    alone.passes(5.1)
    assert alone.prompts.named == ["ask", "invalid-choice", "ask"]
    alone.passes(2 * PROMPT_S)
    alone.presses("3")
    alone.passes(4.9)
    alone.presses("4")  # five seconds for each digit, not for all
    assert alone.call.flow.step_id == "account"
    alone.presses("#")
    assert alone.call.flow.step_id == "lost"
    assert "typed" not in " ".join(alone.said)


# ---- ring and queue


def test_a_ring_step_rings_without_answering_and_goes_on_when_nobody_comes() -> None:
    alone = Alone({"id": "ring", "kind": "ring", "total_s": 20}, message("sorry"), ring=())
    assert alone.answers_sent == [200], "only the message picks up"
    assert alone.said == ["ring_over nobody", "step sorry message", "picked_up"]
    alone = Alone({"id": "ring", "kind": "ring", "total_s": 20}, ring=("anna",))
    alone.passes(19.9)
    assert (alone.answers_sent, alone.said) == ([], [])
    alone.passes(0.2)
    assert alone.said == ["ring_over timeout", "overflow timeout"]
    assert alone.answers_sent == [183]


def test_each_user_is_rung_for_their_own_time() -> None:
    alone = Alone({"id": "ring", "kind": "ring", "total_s": 60, "user_s": 25}, ring=("anna",))
    alone.hears(kinds.CALL_RINGING, "anna", user_s=25)
    alone.passes(25.1)
    assert alone.said == ["ring_missed anna"]
    alone.hears(kinds.CALL_RING_STOPPED, "anna", reason="missed")
    alone.hears(kinds.CALL_RINGING, "ben", user_s=25)
    alone.stands("ben")
    alone.passes(1)
    assert alone.said == ["ring_missed anna"]
    alone.passes(24.1)
    alone.stands()
    assert alone.said[1:] == ["ring_missed ben", "ring_over timeout", "overflow timeout"]


def test_while_everybody_is_busy_the_store_is_asked_every_five_seconds() -> None:
    alone = Alone(message("hello"), {"id": "ring", "kind": "ring", "total_s": 30, "if_busy": True}).streams()
    alone.passes(PROMPT_S + 0.1)
    assert alone.said[-1] == "ring_step ring"
    asked = alone.told("ring_step")["settings"]
    assert (asked["kind"], asked["if_busy"], asked["strategy"], asked["target"]) == (
        "ring", True, "simultaneous", {"line": True})  # fmt: skip
    for _ in range(3):
        alone.stands(waits=True)
        alone.passes(5.1)
        assert alone.said[-1] == "check"
    alone.hears(kinds.CALL_RINGING, "anna", user_s=None)
    alone.passes(6)
    assert alone.said.count("check") == 3, "somebody is rung"
    link = alone.talks("anna")
    assert alone.said[-1].startswith("answered")
    assert alone.answers_sent == [200], "picked up long ago"
    assert link.call == "call"


QUEUE = {"id": "queue", "kind": "queue", "total_s": 300, "announce_first_s": 30, "announce_s": 60}


def test_a_queue_picks_up_at_once_and_tells_the_place() -> None:
    alone = Alone(menu("top", k1=[QUEUE])).streams()
    alone.presses("1")
    alone.stands(waits=True, position=3)
    assert alone.call.stage is Stage.RINGING
    assert alone.sounds == "music"
    alone.passes(30.1)
    alone.prompts.named.clear()
    alone.stands(waits=True, position=3, estimate_s=130)
    assert alone.prompts.named == ["queue-position-before", "digits/3", "queue-position-after", "estimate-before",
                                   "digits/2", "minutes", "callback-offer"]  # fmt: skip
    assert alone.sounds == "message"
    alone.passes(7 * PROMPT_S + 0.1)
    assert alone.sounds == "music", "it goes on"


def test_star_keeps_the_place_and_says_so() -> None:
    alone = Alone(QUEUE, ring=("anna",)).streams()
    alone.presses("5*")
    assert alone.said[-2:] == ["callback", "ring_over callback"]
    assert alone.prompts.named[-1] == "callback-confirmed"
    alone.passes(PROMPT_S + 0.4)
    assert alone.said[-1] == "ended queue callback"


def test_an_agent_cuts_the_announcement() -> None:
    alone = Alone(QUEUE, ring=("anna",)).streams()
    alone.passes(30.1)
    alone.stands("anna", position=1)
    assert alone.sounds == "message"
    alone.talks("anna")
    assert alone.sounds == ""
    assert alone.call.stage is Stage.TALKING


# ---- voicemail


def test_a_voicemail_is_kept_only_with_sound_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Fake(VoicemailRecorder):
        def __init__(self, folder: object, call_id: str) -> None:
            self._channels: dict[str, Any] = {}
            made.append(call_id)

    monkeypatch.setattr(voicemail, "VoicemailRecorder", Fake)
    for frames, kept in (([LOUD] * 120, True), ([LOUD] * 80, False), ([SILENT] * 500, False)):
        alone = Alone({"id": "mail", "kind": "voicemail", "max_s": 30}).streams()
        alone.passes(2 * PROMPT_S - 0.1)
        assert "voicemail" not in alone.said, "greeting and tone are not over"
        alone.passes(0.2)
        assert alone.said[-1] == "voicemail"
        step: Any = alone.call.flow.now
        for frame in frames:
            step.meter.hear(frame)
        alone.call.on_gone(code=200, by_far=True)
        assert alone.recordings.kept == [f"{'voicemail' if kept else 'discarded'} call"]
        assert alone.told("ended")["message"] is kept
    alone = Alone({"id": "mail", "kind": "voicemail"}).streams()
    alone.passes(PROMPT_S)
    alone.call.on_gone(code=200, by_far=True)
    assert (alone.recordings.kept, alone.told("ended")["message"]) == ([], False), "hung up in the greeting"
    assert len(made) == 3


# ---- elsewhere


def test_lookup_chooses_a_branch_a_user_a_line_or_nothing() -> None:
    look = {"id": "look", "kind": "lookup", "url": "https://example.com/", "timeout_s": 2,
            "branches": {"vip": [message("gold")]}}  # fmt: skip

    def asked(target: tuple[str, str] | None) -> Alone:
        alone = Alone(look, message("after"))
        call_id, ref, url, question, seconds, secret = alone.lookups[0]
        assert (call_id, url, seconds, secret) == ("call", "https://example.com/", 2.0, "")
        assert question == {"call": "call", "line": "line", "from": "+33611", "path": [], "digits": []}
        alone.call.flow.on_looked_up(LookedUp("call", "another", ("branch", "vip")))
        assert alone.call.flow.step_id == "look", "an answer for another visit"
        alone.call.flow.on_looked_up(LookedUp("call", ref, target))
        return alone

    assert asked(("branch", "vip")).call.flow.step_id == "gold"
    assert asked(("branch", "none such")).call.flow.step_id == "after"
    assert asked(None).call.flow.step_id == "after"
    rung = asked(("user", "anna"))
    assert rung.told("ring_step")["settings"]["target"] == {"user": "anna"}
    rung.stands()
    assert rung.call.flow.step_id == "after"
    elsewhere = asked(("line", "other"))
    elsewhere.passes(5)
    assert elsewhere.said[-1] == "redirected other", "the lookup's own time does not count any more"
    slow = Alone(look, message("after"))
    slow.passes(2.6)
    assert slow.call.flow.step_id == "after"


def test_redirected_the_other_lines_flow_goes_on_and_two_lines_do_not_send_a_caller_round_for_ever() -> None:
    alone = Alone({"id": "go", "kind": "redirect", "line": "other"})
    flow = {"steps": [{"id": "go", "kind": "redirect", "line": "line"}]}
    alone.call.flow.on_redirected(ArrivalPlan("call", "c", flow={"steps": [message("hi")]}, step="hi", language="fr"))
    assert alone.call.language == "fr"
    assert alone.said[-2:] == ["step hi message", "picked_up"]
    alone = Alone({"id": "go", "kind": "redirect", "line": "other"})
    for _ in range(20):
        alone.call.flow.on_redirected(ArrivalPlan("call", "c", flow=flow, step="go"))
    assert alone.said.count("redirected line") == 7
    assert alone.said[-1] == "overflow redirects"


@pytest.mark.parametrize("is_open", [True, False])
def test_hours_are_judged_when_the_caller_gets_there(is_open: bool) -> None:
    hours = {"id": "hours", "kind": "hours", "schedule": "s", "branches": {"open": [message("yes")],
             "closed": [message("no")]}}  # fmt: skip
    at = now_ms()
    spans = [[at - 1000, at + 60_000]] if is_open else [[at + 60_000, at + 90_000]]
    alone = Alone(message("hello"), hours, hours={"s": spans}).streams()
    alone.passes(PROMPT_S + 0.1)
    assert alone.call.flow.step_id == ("yes" if is_open else "no")
    assert alone.told("chose")["closed"] is not is_open


def test_a_blocked_caller_is_told_so_and_nothing_is_reported() -> None:
    alone = Alone(blocked=True)
    assert alone.answers_sent == [183]
    alone.streams()
    alone.passes(PROMPT_S + 0.4)
    assert (alone.hung_up, alone.facts, alone.prompts.named) == ([603], [], ["blocked"])


def test_a_flow_of_two_hundred_empty_branches_ends() -> None:
    steps = [{"id": f"h{number}", "kind": "hours", "schedule": "s"} for number in range(200)]
    alone = Alone(*steps)
    assert alone.said[-1] == "overflow end"


def test_what_is_no_flow_ends_in_the_message() -> None:
    alone = Alone(flow={"steps": "nonsense"}, step="x")
    assert alone.said == ["overflow end"]


def test_a_step_that_cannot_be_entered_ends_in_the_message() -> None:
    alone = Alone(message("hello"), {"id": "ring", "kind": "ring", "total_s": "a minute"}).streams()
    alone.passes(PROMPT_S + 0.1)
    assert alone.said[-1] == "overflow broken"
    assert alone.call.stage is Stage.PARTING


def test_a_call_that_is_over_is_gone_without_the_garbage_collector() -> None:
    """A busy worker never collects what has grown old: it would grow with each call."""
    gc.collect()
    gc.disable()
    try:
        alone = Alone(menu("top", k1=[QUEUE])).streams()
        alone.presses("1")
        alone.stands("anna")
        alone.hears(kinds.CALL_RINGING, "anna", user_s=25)
        link = alone.talks("anna")
        alone.passes(1)
        link.closed = "gone"
        alone.call.on_gone(code=200, by_far=True)
        ended = weakref.ref(alone.call)
        del alone.call
        assert ended() is None
    finally:
        gc.enable()


def test_what_was_made_beside_a_call_is_gone_as_well() -> None:
    gc.collect()
    gc.disable()
    try:
        alone = Alone({"id": "ring", "kind": "ring", "total_s": 20}, ring=("anna",)).streams()
        alone.talks("anna")
        call, asked, made = alone.call, Accept("anna", "", "command"), []
        for name, kind in (("colleague", InternalChild), ("outside", OutboundChild)):
            child = kind(call.tools, name, call.origin, asked, call.family, join=False)
            call.family.children[name] = child
            made.append(weakref.ref(child))
            call.connect()
            child.end("system", "hangup")
            del child
        assert [one() for one in made] == [None, None]
        assert not call.family.children
        alone.call.end("agent", "hangup")
        ended = weakref.ref(alone.call)
        del alone.call, call
        assert ended() is None
    finally:
        gc.enable()
