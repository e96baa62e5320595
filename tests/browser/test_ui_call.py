"""A call in progress in Chromium over a scripted desk: what can be done in it, with one, two and three others."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_ui_states import browser, context, desk, opened, page, ringer, sent, toolbar
from tests.support.axe import Axe
from tests.support.fake_desk import CHECK, FakeDesk
from tests.support.processes import eventually

__all__ = ["browser", "context", "desk", "page"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
BO = {"user": "bo"}


def talk(page: Page, desk: FakeDesk, theme: str = "light") -> Locator:
    """The user accepts a call; the toolbar."""
    opened(page, desk, "ringer", "toolbar", theme=theme)
    desk.ring(path=["Sales", "Spare parts"], digits=[{"label": "Account", "value": "4711"}])
    desk.event("call.recording", "call-1", state="started", kind="call")
    ringer(page).get_by_role("button", name="Accept").click()
    bar = toolbar(page)
    expect(bar).to_contain_text("Connected")
    return bar


def button(bar: Locator, name: str) -> Locator:
    return bar.get_by_role("button", name=name, exact=True)


def other(bar: Locator, name: str) -> Locator:
    """The row of somebody else in the call, or of another call."""
    return bar.get_by_role("list", name="Others").get_by_role("listitem").filter(has_text=name)


def bodies(desk: FakeDesk, end: str) -> list[dict[str, Any]]:
    """What was sent to a path, without the commands' ids."""
    return [{key: value for key, value in body.items() if key != "command"} for body in sent(desk, end)]


def asks(page: Page, desk: FakeDesk, deed: str = "Talk first") -> tuple[Locator, str]:
    """The user asks Bo about the call; the toolbar and the child's id. Bo's phone rings."""
    bar = talk(page, desk)
    button(bar, "Transfer" if deed == "Talk first" else "Add participant").click()
    page.get_by_role("button", name=f"{deed}: Bo Lind").click()
    expect(other(bar, "Bo Lind")).to_contain_text("Ringing…")
    (child,) = [key for key, one in desk.view["calls"].items() if one["parent"]]
    return bar, child


def test_hold_is_pressed_when_the_log_says_so_and_counts(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    hold = button(bar, "Hold")
    desk.answers = False
    hold.click()
    expect(hold).to_have_attribute("aria-busy", "true")
    expect(hold).to_have_attribute("aria-pressed", "false")
    (body,) = eventually(lambda: sent(desk, "/hold"), 10, "the command")
    assert body["held"] is True
    desk.held("call-1", command=str(body["command"]))
    expect(hold).to_have_attribute("aria-pressed", "true")
    expect(hold).to_have_attribute("aria-busy", "false")
    expect(bar).to_contain_text("On hold, hears music")
    expect(bar.get_by_role("timer", name="For how long")).to_have_text("0:01", timeout=10_000)
    expect(button(bar, "Keypad")).to_have_attribute("aria-disabled", "true")
    assert page.evaluate("window.__aircall.phone.legs.get('call-1')?.held")
    desk.answers = True
    hold.click()
    expect(hold).to_have_attribute("aria-pressed", "false")
    expect(bar).to_contain_text("Connected")


def test_what_is_refused_is_said_at_its_place_and_nothing_changes(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    for deed, path in (("Hold", "hold"), ("Record", "recording")):
        desk.refuse(f"/desk/calls/call-1/{path}", 409, "not_now", f"No {deed} now.")
        before = button(bar, deed).get_attribute("aria-pressed")
        button(bar, deed).click()
        expect(bar.get_by_role("alert")).to_have_text(f"No {deed} now.")
        assert button(bar, deed).get_attribute("aria-pressed") == before
    bar.get_by_role("button", name="Close").click()
    expect(bar.get_by_role("alert")).to_be_hidden()


def test_the_recording_is_paused_and_goes_on(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    record = button(bar, "Record")
    expect(record).to_have_attribute("aria-pressed", "true")
    record.click()
    expect(bar).to_contain_text("Rec paused")
    expect(record).to_have_attribute("aria-pressed", "false")
    record.click()
    expect(record).to_have_attribute("aria-pressed", "true")
    assert bodies(desk, "/recording") == [{"on": False}, {"on": True}]
    desk.event("call.recording", "call-1", state="stopped", kind="call")
    expect(record).to_have_attribute("aria-disabled", "true")
    expect(record).to_have_attribute("title", "Record: this call is not recorded")


def test_keys_are_typed_pasted_pressed_and_sent_in_their_order(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    desk.answers = False
    button(bar, "Keypad").click()
    pad = page.get_by_role("dialog", name="Keypad")
    page.keyboard.type("12")
    pad.get_by_role("button", name="Hash #").click()
    pad.evaluate("""(one) => {
      const data = new DataTransfer();
      data.setData('text', 'PIN 34-5');
      one.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    }""")
    keys = pad.get_by_role("log", name="Keys sent")
    expect(keys).to_have_text("12#345")
    eventually(lambda: [body["digits"] for body in sent(desk, "/keys")] == ["1"], 5, "the first key alone")
    desk.event("call.keys_sent", "call-1", user="me", count=1, command=str(sent(desk, "/keys")[0]["command"]))
    eventually(lambda: [body["digits"] for body in sent(desk, "/keys")] == ["1", "2#345"], 5, "the rest together")
    desk.event("command.failed", "call-1", user="me", code="gone", message="Nobody hears it.",
               command=str(sent(desk, "/keys")[1]["command"]))  # fmt: skip
    expect(pad.get_by_role("alert")).to_have_text("Not sent: 2#345. Nobody hears it.")
    expect(keys).to_have_text("1")
    page.keyboard.press("Escape")
    expect(pad).to_be_hidden()
    expect(button(bar, "Keypad")).to_be_focused()


def test_a_pressed_key_is_heard(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    button(bar, "Keypad").click()
    page.evaluate("""() => {
      const { tone } = window.__aircall;
      window.__hz = [];
      const make = tone.context.createOscillator.bind(tone.context);
      tone.context.createOscillator = () => {
        const one = make();
        const start = one.start.bind(one);
        one.start = (at) => (window.__hz.push(one.frequency.value), start(at));
        return one;
      };
    }""")
    page.get_by_role("dialog", name="Keypad").get_by_role("button", name="5").click()
    assert page.evaluate("window.__hz.map(Math.round)") == [770, 1336]


def test_transfer_now_says_who_can_take_it_and_lets_go(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    button(bar, "Transfer").click()
    box = page.get_by_role("dialog", name="Transfer")
    expect(box.get_by_role("searchbox")).to_be_focused()
    names = box.get_by_role("list", name="Users").get_by_role("listitem")
    expect(names).to_have_count(2)  # oneself is not there
    expect(names.nth(0)).to_contain_text("Bo Lind")
    expect(names.nth(1)).to_contain_text("In a call")
    busy = names.nth(1).get_by_role("button", name="Transfer now")
    expect(busy).to_have_attribute("aria-disabled", "true")
    busy.click(force=True)
    assert bodies(desk, "/transfer") == []
    desk.refuse("/desk/calls/call-1/transfer", 409, "busy", "Bo Lind is in a call.")
    box.get_by_role("searchbox").press("ArrowDown")
    expect(names.nth(0).get_by_role("button", name="Transfer now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box.get_by_role("alert")).to_have_text("Bo Lind is in a call.")
    desk.refusals.clear()
    page.keyboard.press("Enter")
    expect(bar).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="Marie Dupont is being transferred")).to_be_visible()
    assert bodies(desk, "/transfer")[-1] == {"target": BO}


def test_an_outside_number_is_checked_before_it_can_be_chosen(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    why = {"code": "premium", "message": "Premium numbers are not called."}
    desk.check = {**CHECK, "allowed": False, "why": why}
    button(bar, "Transfer").click()
    page.keyboard.type("0899 123")
    row = page.get_by_role("list", name="Outside number").get_by_role("listitem")
    expect(row).to_contain_text("Premium numbers are not called.")
    expect(row.get_by_role("button", name="Talk first")).to_have_attribute("aria-disabled", "true")
    assert [body for path, body in desk.requests if path == "/desk/dial/check"][-1] == {
        "line": "line-1", "number": "0899 123",
    }  # fmt: skip
    desk.check = {**CHECK, "contact_name": "Garage Petit"}
    page.get_by_role("searchbox").fill("06 12 34 56 78")
    expect(row).to_contain_text("Garage Petit")
    row.get_by_role("button", name="Talk first").click()
    expect(other(bar, CHECK["spoken"])).to_contain_text("Ringing…")
    assert bodies(desk, "/consult") == [{"target": {"number": CHECK["number"]}, "join": False}]


def test_a_colleague_who_rejects_brings_the_caller_back(page: Page, desk: FakeDesk) -> None:
    bar, child = asks(page, desk)
    expect(bar).to_contain_text("On hold, hears music")
    assert not page.evaluate("window.__aircall.phone.legs.get('call-1')?.held"), "its ringing is heard"
    desk.ends(child, outcome="missed", reason="rejected")
    desk.held("call-1", False)
    expect(bar.get_by_role("alert")).to_have_text("Bo Lind rejected the call. You are back with Marie Dupont.")
    expect(bar.get_by_role("list", name="Others")).to_be_hidden()
    expect(bar).to_contain_text("Connected")
    desk.call_for("call-1", BO)
    expect(other(bar, "Bo Lind")).to_contain_text("Ringing…")
    expect(bar.get_by_role("alert")).to_be_hidden()


def test_talking_first_swapping_merging_and_passing_on(page: Page, desk: FakeDesk) -> None:
    bar, child = asks(page, desk)
    row = other(bar, "Bo Lind")
    expect(row.get_by_role("button")).to_have_text(["Transfer now", "Cancel"])
    desk.answer(child, user="bo")
    expect(row).to_contain_text("Talking with you")
    expect(row.get_by_role("button")).to_have_text(["Complete transfer", "Swap", "Merge", "Cancel"])
    button(row, "Swap").click()
    expect(row).to_contain_text("On hold, hears music")
    expect(bar).to_contain_text("Connected")
    button(row, "Merge").click()
    expect(bar).to_contain_text("Everybody hears everybody")
    button(row, "Talk alone").click()
    expect(row).to_contain_text("Talking with you")
    button(row, "Complete transfer").click()
    expect(bar).to_have_count(0)
    deeds = [(path.split("/")[3:], body.get("via")) for path, body in desk.requests if "/calls/" in path]
    assert [one for one in deeds if one[0][-1] in {"talk", "merge", "complete"}] == [
        (["call-1", "talk"], None), (["call-1", "merge"], None), ([child, "talk"], None),
        (["call-1", "complete"], child),
    ]  # fmt: skip


def test_hanging_up_while_asking_ends_the_question_only(page: Page, desk: FakeDesk) -> None:
    bar, child = asks(page, desk)
    expect(button(bar, "Hang up")).to_have_attribute("title", "Hang up and go back to the caller (Alt+Shift+E)")
    button(bar, "Hang up").click()
    eventually(lambda: [path for path, _ in desk.requests if path.endswith("/hangup")], 5, "the command")
    assert [path for path, _ in desk.requests if path.endswith("/hangup")] == [f"/desk/calls/{child}/hangup"]
    expect(bar.get_by_role("list", name="Others")).to_be_hidden()


def test_three_in_a_call_and_one_is_dropped(page: Page, desk: FakeDesk) -> None:
    bar, child = asks(page, desk, "Add")
    expect(button(bar, "Add participant")).to_have_attribute("aria-disabled", "true")
    desk.answer(child, user="bo")
    outside = desk.call_for("call-1", {"number": CHECK["number"]}, join=True)
    expect(other(bar, CHECK["spoken"]).get_by_role("button")).to_have_text(["Cancel"])
    desk.answer(outside)
    expect(bar).to_contain_text("Everybody hears everybody")
    expect(bar.get_by_role("list", name="Others").get_by_role("listitem")).to_have_count(2)
    assert page.evaluate("window.__aircall.calls.owned") == ["call-1"], "one audio for all of them"
    button(other(bar, "Bo Lind"), "Drop").click()
    expect(other(bar, "Bo Lind")).to_have_count(0)
    desk.ends(outside, by="callee")
    expect(bar.get_by_role("alert")).to_have_text(f"{CHECK['spoken']} has left.")


def test_a_second_call_says_that_the_first_will_be_held(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    desk.ring("call-2", name="Paul Roux")
    expect(ringer(page)).to_contain_text("Accepting puts Marie Dupont on hold")
    eventually(lambda: page.evaluate("window.__aircall.tone.ringing && window.__aircall.tone.level") == 0.2, 5, "soft")
    ringer(page).get_by_role("button", name="Accept").click()
    desk.held("call-1")
    row = other(bar, "Marie Dupont")
    expect(row).to_contain_text("On hold, hears music")
    expect(button(bar, "Paul Roux")).to_be_visible()
    legs = "['call-1', 'call-2'].map((id) => window.__aircall.phone.legs.get(id)?.held)"
    eventually(lambda: page.evaluate(legs) == [True, False], 5, "the second call has the microphone")
    button(row, "Resume").click()
    expect(button(bar, "Marie Dupont")).to_be_visible()
    expect(other(bar, "Paul Roux")).to_contain_text("On hold, hears music")
    # Told in two events, with both on hold between them.
    eventually(lambda: page.evaluate(legs) == [False, True], 5, "the first call has the microphone")
    desk.ends("call-1", by="caller")
    expect(button(bar, "Paul Roux")).to_be_visible()
    button(bar, "Hold").click()
    expect(bar).to_contain_text("Connected")


def test_whoever_is_asked_reads_who_asks_and_goes_on_with_the_caller(page: Page, desk: FakeDesk) -> None:
    opened(page, desk, "ringer", "toolbar")
    bo = {"id": "bo", "name": "Bo Lind"}
    made = {"parent": "call-9", "started_by": "bo", "direction": "internal"}
    desk.ring("call-1", call=made, asked_by=bo, asks="consult")
    expect(ringer(page)).to_contain_text("Bo Lind")
    expect(ringer(page)).to_contain_text("asks about Marie Dupont")
    ringer(page).get_by_role("button", name="Accept").click()
    bar = toolbar(page)
    expect(bar).to_contain_text("asks about Marie Dupont")
    expect(button(bar, "Transfer")).to_have_attribute("title", "Transfer: the call is your colleague's")
    peer = page.evaluate("""() => {
      const { phone } = window.__aircall;
      phone.legs.get('call-1').mark = 'audio of the question';
      return phone.peerOf('call-1');
    }""")
    desk.held("call-1")
    expect(bar).to_contain_text("Bo Lind is with the caller")
    desk.cards["call-9"] = {**desk.cards["call-1"], "asked_by": None}
    desk.event("call.transferred", "call-9", user="me", card=True, progress=None, via="call-1", to="user", by="me",
               state="confirmed", peer=peer, muted=False, away=False, held=False, held_at=None, started_by=None,
               recording="started", direction="inbound", parent=None, arrived_at=1, queued_at=None,
               answered_at=1)  # fmt: skip
    desk.ends("call-1", reason="merged")
    expect(page.get_by_role("listitem").filter(has_text="Bo Lind has passed Marie Dupont on to you.")).to_be_visible()
    expect(button(bar, "Marie Dupont")).to_be_visible()
    expect(button(bar, "Transfer")).not_to_have_attribute("aria-disabled", "true")
    assert page.evaluate("window.__aircall.calls.owned") == ["call-9"]
    assert page.evaluate("window.__aircall.phone.legs.get('call-9').mark") == "audio of the question"


def test_who_sent_a_call_stands_on_its_card(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring("call-1", sent_by={"id": "bo", "name": "Bo Lind"}, call={"transfer": {"by": "bo", "to": "user"}})
    expect(ringer(page)).to_contain_text("Sent by Bo Lind")
    desk.ring("call-2", sent_by={"id": "me", "name": "Anna Berg"}, call={"transfer": {"by": "me", "to": "user"}})
    expect(ringer(page).nth(1)).to_contain_text("Comes back to you: nobody took the transfer")


def test_a_dialled_call_from_the_first_tone_to_busy_and_again(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    page.evaluate("() => void window.__aircall.calls.dial({ line: 'line-1', number: '+33612345678' })")
    bar = toolbar(page)
    expect(bar).to_contain_text("Dialling…")
    (body,) = sent(desk, "/desk/dial")
    (call_id,) = desk.view["calls"]
    assert page.evaluate(f"window.__aircall.phone.peerOf('{call_id}')") == body["peer"]
    for name in ("Mute", "Hold", "Keypad", "Transfer", "Add participant", "Record"):
        expect(button(bar, name)).to_have_attribute("aria-disabled", "true")
    desk.event("call.progress", call_id, state="ringing", at=1)
    expect(bar).to_contain_text("Ringing…")
    desk.event("call.progress", call_id, state="early", at=2)
    expect(bar).to_contain_text("Ringing, you hear the other side")
    desk.ends(call_id, outcome="busy", reason="busy", sip_code=486)
    over = page.get_by_role("group", name="Call not answered")
    expect(over).to_contain_text("The number is busy.")
    expect(bar).to_have_count(0)
    over.get_by_role("button", name="Call again").click()
    expect(bar).to_contain_text("Dialling…")
    expect(over).to_be_hidden()
    assert [(one["line"], one["number"]) for one in sent(desk, "/desk/dial")] == [("line-1", "+33612345678")] * 2


def test_the_buttons_never_move_and_are_never_made_anew(page: Page, desk: FakeDesk) -> None:
    bar = talk(page, desk)
    bar.evaluate("(one) => [one, ...one.querySelectorAll('.buttons button')].forEach((node, i) => (node.mark = i))")
    hangup = button(bar, "Hang up")
    place = hangup.bounding_box()

    def steady(words: str) -> None:
        expect(bar).to_contain_text(words)
        assert hangup.bounding_box() == place, words
        assert bar.evaluate("(one) => [one, ...one.querySelectorAll('.buttons button')].every((n, i) => n.mark === i)")

    size = bar.bounding_box()
    desk.event("call.muted", "call-1", user="me", muted=True)
    steady("You are muted")
    desk.held("call-1")
    desk.event("call.muted", "call-1", user="me", muted=False)
    steady("On hold")
    desk.event("call.recording", "call-1", state="paused", kind="call")
    steady("Rec paused")
    desk.event("call.agent_away", "call-1", user="me", reason="gateway")
    steady("Reconnecting audio…")
    assert bar.bounding_box() == size, "nothing of the call's own makes it higher or lower"
    desk.event("call.agent_back", "call-1", user="me")
    desk.call_for("call-1", BO)
    steady("Bo Lind")
    desk.ring("call-2", name="Paul Roux")
    ringer(page).get_by_role("button", name="Accept").click()
    steady("Paul Roux")
    button(bar, "Notes, tags and all that is known").click()
    steady("Assigned to")
    desk.ends("call-1", by="caller")
    steady("Paul Roux")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_in_a_call(page: Page, desk: FakeDesk, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    bar = talk(page, desk, theme)
    child = desk.call_for("call-1", BO)
    desk.answer(child, user="bo")
    desk.ring("call-2", name="Paul Roux", sent_by={"id": "bo", "name": "Bo Lind"})
    expect(other(bar, "Bo Lind")).to_contain_text("Talking with you")
    button(bar, "Add participant").click()
    expect(page.get_by_role("list", name="Users")).to_be_visible()
    found = axe(page)
    page.keyboard.press("Escape")
    desk.ends(child, reason="rejected", outcome="missed")
    desk.held("call-1", False)
    expect(bar.get_by_role("alert")).to_contain_text("rejected")
    button(bar, "Notes, tags and all that is known").click()
    button(bar, "Keypad").click()
    expect(page.get_by_role("dialog", name="Keypad")).to_be_visible()
    assert found + axe(page) == []


def axe(page: Page) -> list[str]:
    """What axe finds, in words."""
    page.wait_for_timeout(300)  # it reads colours: the 140 ms of a card's arrival must be over
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [found.generate_report()] if found.violations_count else []
