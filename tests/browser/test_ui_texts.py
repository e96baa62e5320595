"""Writing to a customer, and what stands beside the conversation: Chromium over a scripted desk; every state; axe."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from aircall_core.ui import assets
from tests.browser.test_ui_states import browser, context, opened, page, sent
from tests.support.axe import Axe
from tests.support.fake_texts import PNG, FakeTexts, told
from tests.support.processes import eventually

__all__ = ["browser", "context", "page"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
PICTURES = Path(__file__).parents[1] / "artifacts"
HERE = {"conversation": "conversation-1", "role": "administrator", "writes": True}
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


@pytest.fixture
def desk() -> Iterator[FakeTexts]:
    """A desk with one conversation by text."""
    with FakeTexts() as found:
        found.snapshot = told()
        yield found


def composer(page: Page, desk: FakeTexts, **data: Any) -> Locator:
    """The composer, ready; its text field."""
    opened(page, desk, "composer", **{**HERE, **data})
    field = page.get_by_label("Text message")
    expect(field).to_be_editable()
    return field


def file(name: str, size: int = 1) -> list[FilePayload]:
    """A picture of so many times 70 bytes."""
    return [{"name": name, "mimeType": "image/png", "buffer": PNG * size}]


def send(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Send"))


def check(page: Page) -> None:
    page.mouse.move(0, 0)
    page.wait_for_function("() => document.getAnimations().length === 0")
    options: dict[str, Any] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = Axe().run(page, options=options)
    assert found.violations_count == 0, found.generate_report()


# ---- texts


def test_what_is_typed_is_a_draft_and_enter_sends_it_once(page: Page, desk: FakeTexts) -> None:
    field = composer(page, desk)
    expect(send(page)).to_have_attribute("aria-disabled", "true")
    field.press_sequentially("Your car is")
    field.press("Shift+Enter")
    field.press_sequentially("ready")
    expect(page.get_by_text("1 SMS · 143 left")).to_be_visible()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(field).to_have_value("Your car is\nready")
    field.press("End")
    field.press("Enter")
    expect(field).to_have_value("")
    expect(page.get_by_text("The message is on its way.")).to_be_attached()
    assert [one["text"] for one in desk.sent] == ["Your car is\nready"]
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('aircall.draft.'))")
    page.get_by_role("checkbox", name="Enter sends").uncheck()
    field.press_sequentially("one")
    field.press("Enter")
    expect(field).to_have_value("one\n")
    field.press("Control+Enter")
    expect(field).to_have_value("")
    assert len(desk.sent) == 2


def test_what_a_text_costs_is_said_with_what_makes_it_dear(page: Page, desk: FakeTexts) -> None:
    field = composer(page, desk)
    field.fill("x" * 460)
    expect(page.get_by_text("4 SMS ·")).to_be_visible()
    expect(page.get_by_text("A long text: it is sent and paid as 4 SMS.")).to_be_visible()
    field.fill("It’s here")
    expect(page.get_by_text("Not in the SMS alphabet: ’.")).to_be_visible()
    page.get_by_role("button", name="Use plain characters").click()
    expect(field).to_have_value("It's here")
    expect(page.get_by_text("Not in the SMS alphabet")).to_be_hidden()
    field.fill("😀" * 900)
    send(page).click()
    expect(field).to_have_value("")
    desk.sent.clear()
    field.fill("é" * 1600 + "x")
    send(page).click()
    expect(page.get_by_role("alert").filter(has_text="1601 characters are too many: at most 1600")).to_be_visible()
    assert desk.sent == []


def test_a_text_that_was_not_sent_stays_and_says_why(page: Page, desk: FakeTexts) -> None:
    field = composer(page, desk)
    field.fill("Hello")
    desk.refuse("/desk/conversations/conversation-1/messages", 409, "opted_out", "This customer wants no texts.")
    send(page).click()
    expect(page.get_by_text("Not sent: This customer wants no texts.")).to_be_visible()
    desk.refusals.clear()
    desk.sends = False  # the desk has it, its answer is lost
    send(page).click()
    expect(page.get_by_text("The connection broke while sending.")).to_be_visible()
    expect(field).to_have_value("Hello")
    desk.sends = True
    page.get_by_role("button", name="Send again").click()
    expect(field).to_have_value("")
    assert [one["text"] for one in desk.sent] == ["Hello"]
    desk.drop()
    page.wait_for_function("window.__aircall.status === 'offline'")
    field.fill("Later")
    send(page).click()
    expect(page.get_by_text("Not sent: no connection. The text stays here")).to_be_visible()
    desk.open = True
    page.wait_for_function("window.__aircall.status === 'online'")
    expect(page.get_by_text("Not sent: the connection was lost.")).to_be_visible()
    assert len(desk.sent) == 1


def test_files_come_by_choice_paste_and_drop_and_go_again(page: Page, desk: FakeTexts) -> None:
    field = composer(page, desk)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(file(EVIL))
    expect(page.get_by_role("button", name=f"Remove {EVIL}")).to_be_visible()
    put = """([selector, kind]) => {
      const data = new DataTransfer();
      data.items.add(new File(['%PDF-1.4 invoice'], `${kind}.pdf`, { type: 'application/pdf' }));
      const roots = [...document.querySelectorAll('#parts > div')].map((one) => one.shadowRoot);
      const root = roots.find((one) => one.querySelector('.composer'));
      const how = { bubbles: true, cancelable: true };
      const event = kind === 'pasted' ? new ClipboardEvent('paste', { clipboardData: data, ...how })
        : new DragEvent('drop', { dataTransfer: data, ...how });
      root.querySelector(selector).dispatchEvent(event);
    }"""
    page.evaluate(put, [".words", "pasted"])
    page.evaluate(put, [".text-form", "dropped"])
    expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_text("MMS", exact=True)).to_be_visible()
    page.evaluate(put, [".words", "pasted"])
    expect(page.get_by_text("At most 3 files go with one message.")).to_be_visible()
    page.get_by_role("button", name="Remove pasted.pdf").click()
    eventually(lambda: [one for one in desk.requests if one[1] == {"deleted": True}], 10, "the file's removal")
    field.fill("See the invoice")
    eventually(lambda: len(desk.draft["attachments"]) == 2, 10, "the draft's files")
    page.reload()
    expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(2)
    expect(field).to_have_value("See the invoice")
    send(page).click()
    expect(field).to_have_value("")
    (message,) = desk.sent
    assert sorted(desk.files[one][0] for one in message["attachments"]) == sorted([EVIL, "dropped.pdf"])
    assert page.evaluate("window.hacked") is None


def test_an_upload_goes_on_when_the_conversation_is_left(page: Page, desk: FakeTexts) -> None:
    composer(page, desk)
    page.evaluate("window.__aircall.addEventListener('toast', ({ detail }) => (window.said = detail.text))")
    held: list[Route] = []
    uploads = "**/desk/conversations/conversation-1/attachments*"
    page.route(uploads, lambda route: held.append(route))

    def leave_while_uploading(name: str) -> Route:
        desk.eligibility = {"ok": True, "code": "", "message": ""}
        desk.event("messaging.changed", None, what="account", id="x")
        page.locator("input[type=file]").set_input_files(file(name))
        expect(page.get_by_role("progressbar", name=f"Uploading {name}")).to_be_visible()
        desk.eligibility = {"ok": False, "code": "account_off", "message": ""}
        desk.event("messaging.changed", None, what="account", id="x")
        expect(page.get_by_text("Texts of this line are switched off")).to_be_visible()
        return held.pop()

    leave_while_uploading("first.png").continue_()
    eventually(lambda: [one["name"] for one in desk.draft["attachments"]] == ["first.png"], 10, "the draft's file")
    leave_while_uploading("second.png").abort()
    page.wait_for_function("() => window.said")
    assert page.evaluate("window.said") == "“second.png” was not attached. Not uploaded: no connection"
    desk.eligibility = {"ok": True, "code": "", "message": ""}
    desk.event("messaging.changed", None, what="account", id="x")
    expect(page.get_by_role("button", name="Remove first.png")).to_be_visible()
    page.screenshot(path=PICTURES / "composer-file.png")


def test_a_file_that_does_not_get_through_can_be_tried_again(page: Page, desk: FakeTexts) -> None:
    composer(page, desk)
    desk.refuse("/desk/conversations/conversation-1/attachments", 415, "type", "Files of this kind cannot be sent.")
    page.locator("input[type=file]").set_input_files(file("a.png"))
    expect(page.get_by_text("Files of this kind cannot be sent.")).to_be_visible()
    page.get_by_label("Text message").fill("x")
    send(page).click()
    expect(page.get_by_text("One file was not uploaded")).to_be_visible()
    desk.refusals.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("MMS", exact=True)).to_be_visible()
    page.locator("input[type=file]").set_input_files(file("b.png", 80_000))
    expect(page.get_by_text("With “b.png” the files would be too large: at most 5 MB")).to_be_visible()


def test_emoji_and_templates_go_where_the_caret_is(page: Page, desk: FakeTexts) -> None:
    desk.templates = [
        {"id": "t1", "name": "On its way", "body": "", "filled": "it is on its way.", "missing": []},
        {"id": "t2", "name": EVIL, "body": "", "filled": "Dear {{contact.company}},", "missing": ["contact.company"]},
    ]
    field = composer(page, desk)
    field.press_sequentially("Hello ")
    page.get_by_role("button", name="Emoji").click()
    page.get_by_role("searchbox", name="Search emoji").press_sequentially("thumbs up")
    page.keyboard.press("Enter")
    expect(field).to_have_value("Hello 👍")
    expect(field).to_be_focused()
    page.get_by_role("button", name="Templates").click()
    page.get_by_role("button", name=re.compile("On its way")).click()
    expect(field).to_have_value("Hello 👍it is on its way.")
    page.get_by_role("button", name="Templates").click()
    expect(page.get_by_text("Not known: company")).to_be_visible()
    page.get_by_role("button", name=re.compile("Not known")).click()
    send(page).click()
    expect(page.get_by_text("Fill in or remove {{contact.company}} first.")).to_be_visible()
    assert (desk.sent, page.evaluate("window.hacked")) == ([], None)


REFUSED = [
    ("plan", "Texts are not part of your plan", "Open plan"),
    ("no_account", "This line does not send texts", "Open lines"),
    ("account_off", "Texts of this line are switched off", "Open texts"),
    ("opted_out", "This customer asked for no more texts from this line", ""),
    ("not_a_number", "There is no number to send a text to", ""),
    ("new_code", "What the desk says.", ""),
]


def test_where_texts_cannot_be_sent_it_says_why_and_where(page: Page, desk: FakeTexts) -> None:
    for role in ("administrator", "agent"):
        desk.eligibility = {"ok": True, "code": "", "message": ""}
        field = composer(page, desk, role=role)
        for code, says, button in REFUSED:
            desk.eligibility = {"ok": False, "code": code, "message": "What the desk says."}
            desk.event("messaging.changed", None, what="account", id="x")
            expect(page.get_by_text(says)).to_be_visible()
            asked = int(bool(button) and role == "agent")
            expect(page.get_by_text("An administrator can turn it on.")).to_have_count(asked)
            if button and role == "administrator":
                page.get_by_role("button", name=button).click()
                assert page.evaluate("window.triggered.at(-1)[1]") == "go"
            else:
                expect(page.get_by_role("button", name="Open")).to_have_count(0)
        desk.eligibility = {"ok": True, "code": "", "message": ""}
        desk.event("opt_out.changed", None, out=False)
        expect(field).to_be_editable()


def test_a_note_on_the_customer_is_kept_until_it_is_saved(page: Page, desk: FakeTexts) -> None:
    composer(page, desk)
    page.get_by_role("tab", name="Note").click()
    note = page.get_by_label("Note on this customer")
    note.press_sequentially("Wants a call on Monday")
    page.reload()
    expect(note).to_have_value("Wants a call on Monday")
    desk.refuse("/desk/conversations/conversation-1/notes", 503, "store_away", "The database is away for a moment.")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text("Not saved: The database is away for a moment.")).to_be_visible()
    desk.refusals.clear()
    note.press("Control+Enter")
    expect(note).to_have_value("")
    assert desk.remarks == ["Wants a call on Monday"]
    commands = {str(body["command"]) for body in sent(desk, "/notes")}
    assert len(commands) == 1, "asked twice, it is one note"
    page.get_by_role("tab", name="Note").press("ArrowLeft")
    expect(page.get_by_role("tab", name="Message")).to_be_focused()
    expect(page.get_by_label("Text message")).to_be_visible()


# ---- texts in the timeline

_BUBBLE = """async ([message]) => {
  const { textBubble } = await import(SRC);
  const { h } = await import(DOM);
  const live = window.__aircall;
  const bubble = textBubble(live, { stamp: (at) => h('time', { text: String(at) }) });
  window.bubble = bubble;
  document.querySelector('main').append(bubble.node);
  bubble.update(message);
}"""


def test_a_text_says_how_far_it_came_and_can_be_sent_again(page: Page, desk: FakeTexts) -> None:
    composer(page, desk)
    base: dict[str, Any] = {
        "id": "m-1", "direction": "outbound", "body": f"{EVIL} see https://example.com/a?b=1.", "state": "queued",
        "reason": None, "remote_code": None, "user": {"id": "bo", "name": EVIL}, "files": [], "at": 1, "sent_at": None,
        "delivered_at": None,
    }  # fmt: skip
    script = _BUBBLE.replace("SRC", f"'{assets.url('text_bubble.js')}'").replace("DOM", f"'{assets.url('dom.js')}'")
    page.evaluate(script, [base])
    bubble = page.get_by_role("article")
    expect(bubble.get_by_role("link")).to_have_attribute("href", "https://example.com/a?b=1")

    def becomes(**change: Any) -> None:
        page.evaluate("(message) => window.bubble.update(message)", {**base, **change})

    for state, words in (("queued", "Queued"), ("sending", "Sending"), ("sent", "Sent"), ("delivered", "Delivered")):
        becomes(state=state)
        expect(bubble.locator(".state")).to_have_text(words)
        expect(bubble.get_by_role("button")).to_have_count(0)
    becomes(state="failed", reason="undelivered", remote_code="30003")
    expect(bubble).to_contain_text("The network could not bring it to the customer's phone. (code 30003)")
    desk.answers = False
    bubble.get_by_role("button", name="Retry").click()
    becomes(state="unknown", reason="timeout")
    expect(bubble).to_contain_text("It went out, and the gateway never answered. It is not repeated by itself")
    desk.refuse("/desk/messages/m-1/resend", 409, "opted_out", "The customer wants no texts.")
    bubble.get_by_role("button", name="Resend").click()
    expect(bubble.get_by_role("alert")).to_have_text("The customer wants no texts.")
    assert len(sent(desk, "/resend")) == 2
    picture = {"id": "f1", "name": EVIL, "content_type": "image/png", "size": 9, "reason": None, "ready": True}
    late = {**picture, "id": "f2", "ready": False, "name": "b.pdf"}
    lost = {**picture, "id": "f3", "ready": False, "reason": "too_large", "name": "c.mov"}
    becomes(direction="inbound", state="received", user=None, files=[picture, late, lost])
    expect(bubble.get_by_role("img", name=f"Picture: {EVIL}")).to_be_visible()
    expect(bubble).to_contain_text("b.pdf: being fetched…")
    expect(bubble).to_contain_text("c.mov: not fetched, it is too large")
    amr = {**picture, "id": "f4", "content_type": "audio/amr", "name": "voice.amr", "size": 5600}
    song = {**picture, "id": "f5", "content_type": "audio/wav", "name": "song.wav"}
    becomes(direction="inbound", state="received", user=None, files=[picture, amr, song])
    expect(bubble.get_by_role("link", name="voice.amr")).to_have_attribute("href", re.compile("/desk/attachments/f4$"))
    expect(bubble.locator("audio")).to_have_count(1)
    expect(bubble.get_by_role("link", name="Save song.wav")).to_have_attribute("href", re.compile("f5.save=1$"))
    bubble.locator("audio").dispatch_event("error")  # a file that is not what it says
    expect(bubble.get_by_role("link", name="song.wav", exact=False)).to_have_attribute("href", re.compile("f5$"))
    becomes(state="sent", reason="erased", body="")
    expect(bubble).to_contain_text("Erased")
    assert page.evaluate("window.hacked") is None


# ---- the snapshot


def test_the_profile_is_edited_in_its_place(page: Page, desk: FakeTexts) -> None:
    opened(page, desk, "snapshot", **HERE)
    page.get_by_role("button", name="Edit: Company").click()
    field = page.get_by_role("textbox", name="Company")
    field.fill("Dupont & Cie")
    desk.refuse("/desk/contacts/contact-1", 422, "invalid", "", fields={"company": "Use at most 120 characters."})
    field.press("Enter")
    expect(page.get_by_text("Use at most 120 characters.")).to_be_visible()
    expect(field).to_have_value("Dupont & Cie")
    desk.refusals.clear()
    field.press("Enter")
    expect(page.get_by_role("button", name="Edit: Company")).to_have_text("Dupont & Cie")
    page.get_by_role("button", name="Edit: Name").click()
    page.get_by_role("textbox", name="Name").fill("Somebody else")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Edit: Name")).to_have_text("Marie Dupont")
    page.get_by_role("button", name="Add a number").click()
    page.get_by_role("textbox", name="Number").fill("07 12 34 56 78")
    page.keyboard.press("Enter")
    body = eventually(lambda: next((one for _, one in desk.requests if "numbers" in one), {}), 10, "the number")
    assert [one["number"] for one in body["numbers"]] == ["+33612345678", "+33199001234", "07 12 34 56 78"]
    assert body["version"] == 4
    expect(page.get_by_role("textbox", name="Number")).to_have_count(0)  # it is saved, and the panel drawn anew
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("combobox", name="Contract").select_option("Plus")
    eventually(lambda: [one for _, one in desk.requests if one.get("custom") == {"f3": "Plus"}], 10, "the choice")


def test_what_one_types_is_not_drawn_over_by_news(page: Page, desk: FakeTexts) -> None:
    opened(page, desk, "snapshot", **HERE)
    page.get_by_role("button", name="Edit: Description").click()
    page.get_by_role("textbox", name="Description").fill("half a sen")
    desk.snapshot["contact"] = {**desk.snapshot["contact"], "company": EVIL, "version": 9}
    desk.event("contact.changed", None, contact="contact-1", what="changed")
    expect(page.get_by_role("button", name="Edit: Company")).to_have_text(EVIL)
    expect(page.get_by_role("textbox", name="Description")).to_have_value("half a sen")
    assert page.evaluate("window.hacked") is None


def test_open_points_and_related_conversations_lead_there(page: Page, desk: FakeTexts) -> None:
    opened(page, desk, "snapshot", **HERE)
    page.evaluate("window.__aircall.addEventListener('conversation:entry', ({ detail }) => (window.entry = detail))")
    page.get_by_role("button", name="Missed call, not called back").click()
    assert page.evaluate("window.entry") == {"conversation": "conversation-1", "id": "k-1"}
    page.get_by_role("button", name=re.compile("Brakes are done")).click()
    assert page.evaluate("window.triggered.at(-1)") == ["snapshot", "open", "c-2:k-2"]
    page.get_by_role("region", name="Related conversations").get_by_role("button", name="Paul Dupont").click()
    assert page.evaluate("window.triggered.at(-1)") == ["snapshot", "open", "c-3"]
    expect(page.get_by_text("88%")).to_be_visible()
    failed = {**told()["last_contacts"][0], "direction": "outbound", "state": "failed"}
    desk.snapshot = {**told(), "open_points": [], "last_contacts": [failed]}
    desk.event("call.ended", "call-1", by="caller", outcome="answered", ended_at=1)
    expect(page.get_by_text("Open points and notes")).to_be_hidden()
    expect(page.get_by_text("Not delivered · Sent automatically")).to_be_visible()


def test_who_a_number_may_be_is_asked(page: Page, desk: FakeTexts) -> None:
    contact = desk.snapshot["contact"]
    like = {"id": "x", "name": EVIL, "company": "", "numbers": [{"number": "+33712345678"}], "why": "number"}
    desk.snapshot = {**told(), "contact": None, "maybe": [like, {**like, "id": "y", "name": "Paul"}]}
    opened(page, desk, "snapshot", **HERE)
    expect(page.get_by_text("Not in your contacts")).to_be_visible()
    page.get_by_role("button", name="No").first.click()
    expect(page.get_by_text("is not asked about again")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Maybe")).to_have_count(2)
    page.get_by_role("button", name="No").first.click()
    expect(page.get_by_text("Maybe")).to_have_count(1)
    assert sent(desk, "/desk/contacts/x/denials") == [{"number": "+33612345678"}] * 3
    expect(page.get_by_text("Maybe Paul?")).to_be_visible()
    desk.snapshot = {**told(), "contact": {**contact, "name": "Paul"}}
    page.get_by_role("button", name="Yes, add this number").click()
    expect(page.get_by_role("button", name="Edit: Name")).to_have_text("Paul")
    assert sent(desk, "/desk/contacts/y/numbers") == [{"number": "+33612345678"}]
    assert page.evaluate("window.hacked") is None


def test_leaders_erase_who_is_no_contact_from_beside_the_conversation(page: Page, desk: FakeTexts) -> None:
    desk.snapshot = {**told(), "contact": None}
    opened(page, desk, "snapshot", **HERE)
    page.get_by_role("button", name="Erase…").click()
    expect(page.get_by_label("Number", exact=True)).to_have_value("+33612345678")
    page.get_by_role("button", name="Cancel").click()
    hidden = {"number": "", "spoken": "", "flag": "", "anonymous": True, "display": ""}
    desk.snapshot = {**told(), "contact": None, "party": hidden, "limited": True}
    desk.event("contact.changed", None, contact="contact-1", what="changed")
    expect(page.get_by_text("All time, on your lines")).to_be_visible()
    page.get_by_role("button", name="Erase…").click()
    page.get_by_label("What to erase").select_option(index=1)
    page.get_by_label("Type “Support” to confirm").fill("support")
    desk.event("contact.changed", None, contact="contact-1", what="changed")  # draws nothing over what is typed
    desk.refuse("/desk/conversations/conversation-1/erase", 422, "invalid", "", fields={"confirm": "Not so."})
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("Not so.")).to_be_visible()
    check(page)
    desk.refusals.clear()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("button", name="Erase for good")).to_have_count(0)
    assert sent(desk, "/desk/conversations/conversation-1/erase") == [{"confirm": "support", "call": "k-3"}] * 2
    opened(page, desk, "snapshot", **{**HERE, "role": "agent"})
    expect(page.get_by_text("Callers who hide their number")).to_be_visible()
    expect(page.get_by_role("button", name="Erase…")).to_have_count(0)


AI = [
    ("off", "Off", "14 days free to try"),
    ("trial", "Trial: 5 days left", "This version does not write summaries yet"),
    ("on", "On", "This version does not write summaries yet"),
    ("over", "Trial over", "The trial is over."),
]


def test_the_ai_section_is_honest_about_its_state(page: Page, desk: FakeTexts) -> None:
    opened(page, desk, "snapshot", **HERE)
    part = page.get_by_role("region", name="AI context")
    for state, badge, says in AI:
        until = desk.snapshot["now"] + 5 * 86_400_000 if state == "trial" else None
        desk.snapshot["ai"] = {"state": state, "until": until}
        desk.event("company.changed", None)
        expect(part.get_by_text(badge, exact=True)).to_be_visible()
        expect(part).to_contain_text(says)
        expect(part.get_by_role("button")).to_have_count(int(state in ("off", "over")))


def test_a_snapshot_that_cannot_be_read_says_so_and_comes_back(page: Page, desk: FakeTexts) -> None:
    path = "/desk/conversations/conversation-1/snapshot"
    desk.refuse(path, 503, "store_away", "The database is away for a moment.")
    opened(page, desk, "snapshot", **{**HERE, "writes": False})
    said = "The customer’s details could not be read. The database is away for a moment."
    expect(page.get_by_text(said)).to_be_visible()
    desk.refusals.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Marie Dupont").first).to_be_visible()
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    desk.refuse(path, 503, "store_away", "The database is away for a moment.")
    desk.event("contact.changed", None, contact="contact-1", what="changed")
    expect(page.get_by_text("These details may be out of date")).to_be_visible()
    expect(page.get_by_text("Marie Dupont").first).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(page: Page, desk: FakeTexts, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    desk.templates = [{"id": "t1", "name": "On its way", "body": "", "filled": "it is on its way.", "missing": []}]
    opened(page, desk, "composer", "snapshot", theme=theme, **HERE)
    field = page.get_by_label("Text message")
    field.fill("It’s " + "long " * 200)
    page.locator("input[type=file]").set_input_files(file("a.png"))
    expect(page.get_by_text("MMS", exact=True)).to_be_visible()
    expect(page.get_by_text("Marie Dupont").first).to_be_visible()
    page.get_by_role("button", name="Emoji").click()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Note").click()
    page.get_by_role("button", name="Edit: Company").click()
    check(page)
