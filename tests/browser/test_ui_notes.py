"""Note, tags and assignee during a call, in wrap-up and in the timeline: Chromium over a scripted desk."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.test_ui_states import browser, context, desk, opened, page, sent, toolbar
from tests.support.axe import Axe
from tests.support.fake_desk import ME, FakeDesk

__all__ = ["browser", "context", "desk", "page"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
PICTURES = Path(__file__).parents[1] / "artifacts"

NOTE, FOLD, ASSIGNEE = "Note on this call", "Notes, tags and all that is known", "Assigned to"
TAGS = [
    {"id": f"tag-{number}", "name": name, "color": color, "archived": False}
    for number, (name, color) in enumerate([("Billing", "#3366cc"), ("Delivery late", "#cc6633"), ("VIP", "#339966")])
]


def in_a_call(page: Page, desk: FakeDesk, **data: Any) -> Locator:
    """The toolbar of a call in progress, unfolded."""
    desk.tags = TAGS
    opened(page, desk, **data)
    desk.ring()
    desk.answer()
    bar = toolbar(page)
    bar.get_by_role("button", name=FOLD).click()
    return bar


def over(desk: FakeDesk, wrap_up_s: int = 60) -> None:
    """The caller hangs up."""
    desk.event("call.ended", "call-1", user=ME, outcome="answered", by="caller", ended_at=1)
    desk.wraps_up(wrap_up_s)


def check(page: Page) -> None:
    page.mouse.move(0, 0)
    page.wait_for_function("() => document.getAnimations().length === 0")
    options: dict[str, Any] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = Axe().run(page, options=options)
    assert found.violations_count == 0, found.generate_report()


def test_a_note_is_saved_as_typed_and_goes_on_in_wrap_up_also_after_a_reload(page: Page, desk: FakeDesk) -> None:
    bar = in_a_call(page, desk)
    note = bar.get_by_label(NOTE)
    note.press_sequentially("Wants a refund")
    expect(bar.get_by_text("Saved", exact=True)).to_be_visible()
    assert desk.notes["call-1"]["text"] == "Wants a refund"
    over(desk)
    page.reload()
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    dock = page.get_by_role("group", name="Notes and tags").filter(has_text="Call with Marie Dupont · Support").first
    note = dock.get_by_label(NOTE)
    expect(note).to_have_value("Wants a refund")
    note.press("End")
    note.press_sequentially(" for May")
    desk.event("user.wrap_up", user=ME, until=None, command=None)
    desk.stands("available")
    expect(note).to_be_visible()  # who writes is not interrupted
    note.press_sequentially(".")
    page.get_by_label("Page text").click()
    expect(note).to_be_hidden()
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('aircall.note.'))")
    assert desk.notes["call-1"]["text"] == "Wants a refund for May."


def test_what_another_tab_writes_comes_in_and_the_caret_stays(page: Page, desk: FakeDesk) -> None:
    bar = in_a_call(page, desk)
    note = bar.get_by_label(NOTE)
    note.press_sequentially("one two")
    expect(bar.get_by_text("Saved", exact=True)).to_be_visible()
    note.press("Home")
    desk.notes["call-1"].update(text="one two three", version=5)
    desk.noted("call-1", 5)
    expect(note).to_have_value("one two three")
    note.press_sequentially("zero ")
    expect(note).to_have_value("zero one two three")


def test_what_is_refused_is_said_and_stays(page: Page, desk: FakeDesk) -> None:
    bar = in_a_call(page, desk)
    expect(bar.get_by_label(NOTE)).to_be_editable()
    page.wait_for_function("() => window.__aircall.notes.of('call-1').loaded")
    desk.refuse("/desk/calls/call-1/note", 422, "invalid", "A note has at most 20,000 characters.")
    bar.get_by_label(NOTE).press_sequentially("x")
    expect(bar.get_by_text("Not saved: A note has at most 20,000 characters.").first).to_be_visible()
    expect(bar.get_by_label(NOTE)).to_have_value("x")


def test_tags_by_a_click_each_during_the_call(page: Page, desk: FakeDesk) -> None:
    bar = in_a_call(page, desk)
    billing, vip = bar.get_by_role("button", name="Billing"), bar.get_by_role("button", name="VIP")
    billing.click()
    expect(billing).to_have_attribute("aria-pressed", "true")
    expect(billing).to_be_focused()
    vip.click()
    expect(vip).to_have_attribute("aria-pressed", "true")
    billing.click()
    expect(billing).to_have_attribute("aria-pressed", "false")
    assert [set(body["tags"]) for body in sent(desk, "/tags")] == [{"tag-0"}, {"tag-0", "tag-2"}, {"tag-2"}]  # type: ignore[call-overload]
    desk.refuse("/desk/calls/call-1/tags", 422, "invalid", "", fields={"tags": "Calls of this line need a tag."})
    vip.click()
    expect(bar.get_by_role("alert").filter(has_text="Calls of this line need a tag.")).to_be_visible()


def test_a_tag_given_elsewhere_shows(page: Page, desk: FakeDesk) -> None:
    bar = in_a_call(page, desk)
    expect(bar.get_by_role("button", name="VIP")).to_have_attribute("aria-pressed", "false")
    desk.event("call.tagged", "call-1", user="bo", tags=["tag-2"], command="elsewhere")
    expect(bar.get_by_role("button", name="VIP")).to_have_attribute("aria-pressed", "true")


def test_no_tag_is_chosen_before_those_of_the_call_are_known(page: Page, desk: FakeDesk) -> None:
    desk.call_tags["call-1"] = ["tag-2"]  # a colleague's
    page.route("**/desk/calls/call-1/tags", lambda route: route.abort())
    bar = in_a_call(page, desk)
    expect(bar.get_by_role("alert").filter(has_text="The desk cannot be reached")).to_be_visible()
    expect(bar.locator(".chips")).to_have_attribute("inert", "")
    page.unroute("**/desk/calls/call-1/tags")  # it is asked again by itself
    expect(bar.get_by_role("button", name="VIP")).to_have_attribute("aria-pressed", "true", timeout=20_000)
    expect(bar.get_by_role("alert").filter(has_text="The desk cannot be reached")).to_have_count(0)
    bar.get_by_role("button", name="Billing").click()
    expect(bar.get_by_role("button", name="Billing")).to_have_attribute("aria-pressed", "true")
    assert [set(body["tags"]) for body in sent(desk, "/tags")] == [{"tag-0", "tag-2"}]  # type: ignore[call-overload]


def test_tags_that_could_not_be_read_once_are_there_a_moment_later(page: Page, desk: FakeDesk) -> None:
    page.route("**/desk/tags", lambda route: route.abort())
    bar = in_a_call(page, desk)
    expect(bar.get_by_role("alert").filter(has_text="The desk cannot be reached")).to_be_visible()
    page.unroute("**/desk/tags")
    expect(bar.get_by_role("button", name="VIP")).to_be_visible(timeout=20_000)
    expect(bar.get_by_role("alert").filter(has_text="The desk cannot be reached")).to_have_count(0)


def test_assigning_by_keyboard_with_a_search(page: Page, desk: FakeDesk) -> None:
    bar = in_a_call(page, desk)
    field = bar.get_by_role("combobox", name=ASSIGNEE)
    expect(field).to_have_value("Nobody")
    field.focus()
    expect(bar.get_by_role("option")).to_have_text(["Nobody", "Anna Berg (you)", "Bo Lind", "Cy Ek"])
    field.press_sequentially("lind")
    expect(bar.get_by_role("option")).to_have_text(["Bo Lind"])
    field.press("Enter")
    expect(field).to_have_value("Bo Lind")
    expect(bar.get_by_role("listbox")).to_be_hidden()
    field.press("ArrowDown")
    field.press("ArrowUp")
    field.press("Escape")
    expect(field).to_have_value("Bo Lind")
    desk.event("conversation.assigned", user=ME, to=ME, command="elsewhere")
    expect(field).to_have_value("Anna Berg (you)")
    assert [body["user_id"] for body in sent(desk, "/assign")] == ["bo"]
    field.press("ArrowRight")
    expect(field).to_be_focused()  # the toolbar's own arrows leave fields alone


def test_who_owes_a_tag_chooses_it_once(page: Page, desk: FakeDesk) -> None:
    in_a_call(page, desk)
    over(desk)
    desk.event("call.tag_due", "call-1", user=ME)
    chooser = page.get_by_role("group", name="Tag the call to go on")
    expect(chooser.get_by_role("button", name="Billing")).to_be_visible()
    expect(page.get_by_role("button", name="Billing")).to_have_count(1)
    chooser.get_by_role("button", name="Billing").click()
    chooser.get_by_role("button", name="Save tags").click()
    expect(chooser).to_be_hidden()
    words = page.get_by_role("group", name="Notes and tags").last
    expect(words.get_by_role("button", name="Billing")).to_have_attribute("aria-pressed", "true")


ANNA, BO = {"id": ME, "name": "Anna Berg"}, {"id": "bo", "name": "Bo Lind"}
START = 1_700_000_000_000


def entry(seq: int, kind: str, call_id: str, **more: Any) -> dict[str, Any]:
    return {"seq": seq, "at": START + seq * 1000, "kind": kind, "call_id": call_id, "who": ANNA, "data": {}, **more}


def call_row(call: str, **more: Any) -> dict[str, Any]:
    return {
        "id": call, "direction": "inbound", "state": "ended", "outcome": "answered", "missed_reason": None,
        "end_reason": "bye", "progress": None, "arrived_at": START, "queued_at": None, "answered_at": START + 4000,
        "ended_at": START + 90_000, "answered_by": ANNA, "started_by": None, "recording": "off", "path": [],
        "digits": [], "calls_back": False, "rang": [], "recordings": [], "notes": [], "callback": None, **more,
    }  # fmt: skip


def story() -> list[dict[str, Any]]:
    """An answered call that was talked over with Bo, and two calls out."""
    written = {"created_at": START, "updated_at": START, "version": 3}
    notes = [
        {"id": "n1", "user_id": "bo", "text": "Warehouse says Thursday.\nSecond try.", "by": BO, **written},
        {"id": "n2", "user_id": ME, "text": "Wants a refund.", "by": ANNA, **written},
    ]
    child = {"child": True, "way": "internal", "about": {"to": {"kind": "user", "name": "Bo Lind"}}}
    busy = {"direction": "outbound", "outcome": "busy", "answered_at": None, "answered_by": None, "started_by": ANNA}
    dialled = {"direction": "outbound", "started_by": ANNA}
    return [
        entry(1, "call.arrived", "call-1", call=call_row("call-1", notes=notes)),
        entry(2, "call.answered", "call-1", way="inbound"),
        entry(3, "call.dial_wanted", "child", data={"parent": "call-1", "join": False}, **child),
        entry(4, "call.answered", "child", **{**child, "who": BO}),
        entry(5, "call.ended", "child", data={"reason": "bye", "outcome": "answered"}, **child),
        entry(6, "call.held", "call-1", data={"held": True, "command": "x"}),
        entry(7, "call.ended", "call-1", data={"by": "caller", "outcome": "answered"}),
        entry(8, "call.dial_wanted", "call-2", call=call_row("call-2", **busy)),
        entry(9, "call.ended", "call-2", way="outbound", data={"reason": "busy", "outcome": "busy", "by": "callee"}),
        entry(10, "call.dial_wanted", "call-3", call=call_row("call-3", **dialled)),
        entry(11, "call.answered", "call-3", way="outbound"),
    ]


def test_the_timeline_tells_of_notes_calls_out_and_who_was_asked(page: Page, desk: FakeDesk) -> None:
    desk.entries = story()
    desk.notes["call-1"] = {"text": "Wants a refund.", "version": 3}
    opened(page, desk, "timeline", conversation="conversation-1", writes=True)
    scroll = page.get_by_role("region", name="Timeline")
    for words in (
        "Anna Berg called Bo Lind to talk first", "Bo Lind answered", "Bo Lind left the call",
        "Anna Berg put the call on hold", "The number was busy", "The call was answered",
    ):  # fmt: skip
        expect(scroll.get_by_text(words, exact=True)).to_be_visible()
    expect(scroll.get_by_role("article").filter(has_text="Call out, busy")).to_contain_text("called by Anna Berg")
    expect(scroll.get_by_role("article").filter(has_text="Note by Bo Lind").last).to_contain_text("Second try.")
    expect(scroll.get_by_role("button", name="Add a note")).to_have_count(2)
    own = scroll.get_by_role("article").filter(has_text="Your note").last
    own.get_by_role("button", name="Edit").click()
    area = scroll.get_by_label(NOTE)
    expect(area).to_have_value("Wants a refund.")
    area.press("End")
    area.press_sequentially(" Today.")
    expect(scroll.get_by_text("Saved", exact=True)).to_be_visible()
    assert desk.notes["call-1"] == {"text": "Wants a refund. Today.", "version": 4}
    scroll.get_by_role("button", name="Done").click()
    expect(scroll.get_by_label(NOTE)).to_have_count(0)


def test_a_leader_removes_a_colleagues_note_on_the_customer_after_being_asked(page: Page, desk: FakeDesk) -> None:
    written = {"created_at": START, "updated_at": START, "version": 3}
    left = {"id": "n9", "user_id": "bo", "text": "Difficult person.", "by": BO, **written}
    desk.entries = [entry(1, "conversation.noted", "", data={"note": "n9"}, note=left)]
    asked: list[Any] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"id": "n9", "version": 4})

    page.route("**/desk/notes/n9", answer)
    opened(page, desk, "timeline", conversation="conversation-1", writes=True, leads=False)
    note = page.get_by_role("article").filter(has_text="Difficult person.")
    expect(note).to_be_visible()
    expect(note.get_by_role("button")).to_have_count(0)
    opened(page, desk, "timeline", conversation="conversation-1", writes=True, leads=True)
    note.get_by_role("button", name="Remove", exact=True).click()
    expect(note.get_by_text("Remove the note by Bo Lind for everybody?")).to_be_visible()
    page.screenshot(path=PICTURES / "note-remove.png")
    check(page)
    page.keyboard.press("Escape")
    expect(note.get_by_role("group")).to_have_count(0)
    note.get_by_role("button", name="Remove", exact=True).click()
    note.get_by_role("button", name="Remove note").click()
    expect(note).to_have_count(0)
    assert [(one["text"], one["version"]) for one in asked] == [("", 3)]


@pytest.mark.parametrize("removed", [False, True])
def test_a_note_that_another_tab_has_changed_is_not_overwritten_unseen(
    page: Page, desk: FakeDesk, removed: bool
) -> None:
    written = {"user_id": ME, "by": {"id": ME, "name": "Anna Berg"}, "created_at": START, "updated_at": START}
    desk.entries = [
        entry(
            1,
            "conversation.noted",
            "",
            data={"note": "n9"},
            note={"id": "n9", "text": "Tall.", "version": 3, **written},
        )
    ]
    versions: list[int] = []

    def answer(route: Route) -> None:
        body: Any = route.request.post_data_json
        versions.append(body["version"])
        if body["version"] == 4:
            route.fulfill(json={"id": "n9", "version": 5})
        else:
            error = {"code": "changed", "message": "", "version": 4, "text": "Tall. Kind."}
            route.fulfill(status=409, json={"error": error})

    page.route("**/desk/notes/n9", answer)
    opened(page, desk, "timeline", conversation="conversation-1", writes=True, leads=False)
    page.get_by_role("button", name="Edit", exact=True).click()
    field = page.get_by_role("textbox", name="Your note")
    field.fill("Tall. Late.")
    now = None if removed else {"id": "n9", "text": "Tall. Kind.", "version": 4, **written}
    desk.entries[0] = {**desk.entries[0], "note": now}
    with page.expect_response("**/timeline*"):
        desk.event("conversation.noted", user=ME, note="n9", version=4)
    if removed:
        expect(page.get_by_text("This note was removed meanwhile.")).to_be_visible()
        expect(field).to_have_value("Tall. Late.")
        expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
        return
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This note was changed in another tab.")).to_be_visible()
    expect(field).to_have_value("Tall. Late.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(field).to_have_count(0)
    assert versions == [3, 4]


def test_readers_are_offered_no_note_to_write(page: Page, desk: FakeDesk) -> None:
    desk.entries = story()
    opened(page, desk, "timeline", conversation="conversation-1", writes=False)
    expect(page.get_by_text("Wants a refund.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(Edit|Add a note)$"))).to_have_count(0)


def test_the_live_timeline_draws_no_bubble_for_a_call_made_for_another(page: Page, desk: FakeDesk) -> None:
    desk.entries = story()[:2]
    opened(page, desk, "timeline", conversation="conversation-1", writes=True)
    expect(page.get_by_text("Anna Berg answered")).to_be_visible()
    desk.entries = story()[:5]
    asks: dict[str, Any] = {"direction": "internal", "parent": "call-1", "join": False, "started_by": ME, "peer": "p"}
    desk.event("call.dial_wanted", "child", user=ME, command="c", arrived_at=1, **asks)
    expect(page.get_by_text("Anna Berg called Bo Lind to talk first")).to_be_visible()
    expect(page.locator("li.call")).to_have_count(1)
    desk.event("call.held", "call-1", user=ME, held=True, command="c")
    expect(page.get_by_role("region", name="Timeline").get_by_text("put the call on hold")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(page: Page, desk: FakeDesk, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    desk.entries = story()
    desk.tags = TAGS
    where = desk.url("duty", "toolbar", "timeline", theme=theme, conversation="conversation-1", writes=True)
    page.goto(where)
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    desk.ring()
    desk.answer()
    toolbar(page).get_by_role("button", name=FOLD).click()
    toolbar(page).get_by_label(NOTE).press_sequentially("Wants a refund")
    toolbar(page).get_by_role("combobox", name=ASSIGNEE).focus()
    expect(toolbar(page).get_by_role("option")).to_have_count(4)
    check(page)
    page.screenshot(path=f"tests/artifacts/panel-call-{width}-{theme}.png")
    over(desk)
    page.wait_for_timeout(50)
    fold = page.get_by_role("button", name="Call with")
    if fold.get_attribute("aria-expanded") == "false":
        fold.click()
    expect(page.get_by_role("textbox", name=NOTE)).to_be_visible()
    check(page)
    page.screenshot(path=f"tests/artifacts/panel-wrap-up-{width}-{theme}.png")
