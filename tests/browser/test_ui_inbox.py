"""The inbox in Chromium over a scripted desk: categories, live changes, many at once, the keyboard, states."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_ui_states import browser, context, opened, page, sent
from tests.support.axe import Axe
from tests.support.fake_desk import ME
from tests.support.fake_inbox import FakeInbox, missed, text
from tests.support.processes import eventually

__all__ = ["browser", "context", "page"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
KNOWN: dict[str, Any] = {
    "lines": [{"id": "line-1", "name": "Support"}, {"id": "line-2", "name": "Sales"}],
    "users": [{"id": ME, "name": "Anna Berg"}, {"id": "bo", "name": "Bo Lind"}],
    "tags": [], "checklist": False, "role": "agent",
}  # fmt: skip


@pytest.fixture
def desk() -> Iterator[FakeInbox]:
    """Four conversations: one missed, one with a text, one answered, one of mine."""
    with FakeInbox() as found:
        found.add("Ana", 1, unread=True, call=missed())
        found.add("Bea", 2, newest="message", message=text("Where is <b>my</b> order?"))
        found.add("Cleo", 3)
        found.add("Dora", 4, assigned={"id": ME, "name": "Anna Berg"})
        yield found


def inbox(page: Page, desk: FakeInbox, **data: Any) -> Locator:
    """The page with its rows, once they are drawn."""
    opened(page, desk, "inbox", **{**KNOWN, **data})
    rows = page.get_by_role("list", name="Conversations").get_by_role("listitem")
    expect(rows.first).to_be_visible()
    return rows


def names(rows: Locator) -> list[str]:
    return rows.locator(".name").all_text_contents()


def shown(rows: Locator, *expected: str) -> None:
    expect(rows.locator(".name")).to_have_text(list(expected))


def category(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Which conversations").get_by_role("button", name=name)


def test_categories_counts_and_what_a_customer_wrote_is_text(page: Page, desk: FakeInbox) -> None:
    rows = inbox(page, desk)
    shown(rows, "Ana", "Bea", "Cleo", "Dora")
    expect(rows.nth(1)).to_contain_text("Where is <b>my</b> order?")
    expect(category(page, "Unread")).to_contain_text("1")
    expect(category(page, "Open")).to_contain_text("4")
    page.get_by_role("searchbox").fill("a")
    shown(rows, "Ana", "Bea", "Dora")
    expect(page.get_by_text("Only the newest hits")).to_be_hidden()
    desk.older = True
    page.get_by_role("searchbox").fill("an")
    shown(rows, "Ana")
    expect(page.get_by_role("link", name="Search older ones")).to_have_attribute("href", "/search?text=an")
    desk.older = False
    expect(category(page, "Open")).not_to_contain_text("4")  # it would not be of what is searched for
    page.get_by_role("button", name="Search everywhere").click()
    expect(category(page, "All")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("searchbox").fill("")
    category(page, "Assigned to you").click()
    shown(rows, "Dora")
    page.get_by_role("searchbox").fill("bea")
    expect(page.get_by_role("heading", name="Nothing found for “bea”")).to_be_visible()
    page.get_by_role("button", name="Search everywhere").click()
    shown(rows, "Bea")
    violations = [
        one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("critical", "serious")
    ]
    assert violations == []


def test_what_is_new_waits_while_the_pointer_is_in_the_list(page: Page, desk: FakeInbox) -> None:
    rows = inbox(page, desk)
    rows.nth(2).hover()
    desk.happens(desk.rows[3], "call.ended", order=desk.rows[0]["order"] + 60_000, unread=True)
    desk.happens(desk.add("Eva", -2, unread=True), "call.ended")
    fresh = page.get_by_role("button", name="1 new")
    expect(fresh).to_be_visible()
    shown(rows, "Ana", "Bea", "Cleo", "Dora")
    expect(rows.nth(3).locator(".unread")).to_be_visible()  # it is up to date, where it was
    page.mouse.move(5, 5)
    shown(rows, "Eva", "Dora", "Ana", "Bea", "Cleo")
    expect(fresh).to_be_hidden()
    expect(category(page, "Unread")).to_contain_text("3")


def test_contacts_that_change_move_nothing_and_are_asked_for_once(page: Page, desk: FakeInbox) -> None:
    for number in range(250):
        desk.add(f"Customer {number:03}", 10 + number)
    rows = inbox(page, desk)
    while rows.count() < 254:
        rows.last.scroll_into_view_if_needed()
    rows.nth(200).get_by_role("link").focus()
    page.keyboard.press("x")
    asked = len(desk.lists)
    for row in desk.rows:
        row["name"] += " & Co"
    for number in range(30):
        desk.event("contact.changed", contact=f"contact-{number}", what="imported")
    expect(rows.nth(250).locator(".name")).to_have_text("Customer 246 & Co")
    assert rows.count() == 254
    expect(rows.nth(200).get_by_role("checkbox")).to_be_checked()
    assert len(desk.lists) - asked == 2, "200 conversations at once, once"
    desk.refuse("/desk/inbox", 503, "store_away", "The database is away for a moment.")
    asked = len(desk.lists)
    desk.event("contact.changed", contact="contact-1", what="changed")
    eventually(lambda: len(desk.lists) > asked, 20, "the question")
    expect(rows).to_have_count(254)
    expect(page.get_by_text("The database is away")).to_be_hidden()


def test_what_was_not_delivered_is_sent_again_or_put_aside(page: Page, desk: FakeInbox) -> None:
    desk.add("Finn", 5, newest="message", message=text("Your invoice", direction="outbound", state="failed"))
    desk.add("Gus", 6, newest="message", message=text("See you", direction="outbound", state="unknown"))
    rows = inbox(page, desk)
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("combobox", name="Type").select_option("undelivered")
    page.keyboard.press("Escape")
    shown(rows, "Finn", "Gus")
    tools = page.get_by_role("toolbar", name="For the selected")
    for place, button, said in ((0, "Send again", "1 sent again"), (0, "Put aside", "1 put aside")):
        rows.nth(place).get_by_role("checkbox").check(force=True)
        tools.get_by_role("button", name=button).click()
        expect(page.get_by_text(said)).to_be_visible()
    assert [body["do"] for body in sent(desk, "/desk/inbox/bulk")] == ["resend", "put_aside"]
    expect(page.get_by_role("heading", name="Nothing fits these filters")).to_be_visible()
    page.get_by_role("button", name="Show all of them").click()
    page.get_by_role("button", name="Without the filter Not delivered").click()
    rows.nth(0).get_by_role("checkbox").check(force=True)
    expect(tools.get_by_role("button", name="Close")).to_be_visible()
    expect(tools.get_by_role("button", name="Send again")).to_be_hidden()


def test_taking_back_opens_nothing_that_was_closed_before(page: Page, desk: FakeInbox) -> None:
    desk.rows[1]["closed"] = True
    rows = inbox(page, desk)
    category(page, "All").click()
    for place in range(3):
        rows.nth(place).get_by_role("checkbox").check(force=True)
    page.get_by_role("toolbar", name="For the selected").get_by_role("button", name="Close").click()
    expect(page.get_by_text("2 closed")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    eventually(lambda: not desk.rows[2]["closed"], 20, "the last one")
    assert [row["closed"] for row in desk.rows[:3]] == [False, True, False]


def test_several_are_closed_and_taken_back_with_their_owner(page: Page, desk: FakeInbox) -> None:
    rows = inbox(page, desk)
    expect(category(page, "Open")).to_contain_text("4")  # the counts move what stands below them
    rows.nth(1).get_by_role("checkbox").check(force=True)
    rows.nth(3).get_by_role("checkbox").click(force=True, modifiers=["Shift"])
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_role("toolbar", name="For the selected").get_by_role("button", name="Close").click()
    shown(rows, "Ana")
    (asked,) = sent(desk, "/desk/inbox/bulk")
    assert (asked["do"], asked["conversations"]) == ("close", [row["id"] for row in desk.rows[1:]])
    page.get_by_role("button", name="Undo").click()
    shown(rows, "Ana", "Bea", "Cleo", "Dora")
    assert desk.rows[3]["assigned"] == {"id": ME, "name": "Anna Berg"}


def test_the_keyboard_goes_through_the_list_and_keeps_its_place(page: Page, desk: FakeInbox) -> None:
    rows = inbox(page, desk)
    rows.first.get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("e")
    shown(rows, "Ana", "Cleo", "Dora")
    expect(rows.nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("u")
    eventually(lambda: desk.rows[2]["unread"], 20, "the mark")
    expect(rows.nth(1).locator(".unread")).to_be_visible()
    page.keyboard.press("End")
    expect(rows.nth(2).get_by_role("link")).to_be_focused()


def test_a_filter_has_its_dot_and_is_taken_away(page: Page, desk: FakeInbox) -> None:
    rows = inbox(page, desk)
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("combobox", name="Type").select_option("missed")
    shown(rows, "Ana")
    page.get_by_role("checkbox", name="Closed").uncheck()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Filters, 1 set")).to_be_visible()
    expect(category(page, "Closed")).to_be_hidden()
    page.reload()
    shown(rows, "Ana")
    page.get_by_role("button", name="Without the filter Missed").click()
    shown(rows, "Ana", "Bea", "Cleo", "Dora")


def test_an_error_is_said_and_tried_again_and_more_comes_by_scrolling(page: Page, desk: FakeInbox) -> None:
    for number in range(120):
        desk.add(f"Customer {number:03}", 10 + number)
    rows = inbox(page, desk)
    expect(rows).to_have_count(50)
    rows.last.scroll_into_view_if_needed()
    expect(rows).not_to_have_count(50)
    while rows.count() < 124:
        rows.last.scroll_into_view_if_needed()
    found = names(rows)
    assert len(found) == len(set(found)) == 124
    desk.refuse("/desk/inbox", 503, "store_away", "The database is away for a moment.")
    category(page, "Closed").click()
    expect(page.get_by_text("The database is away for a moment.")).to_be_visible()
    desk.refusals.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Nothing is closed yet")).to_be_visible()
    desk.drop()
    expect(page.get_by_text("Not connected: this is how it was")).to_be_visible()
    desk.open = True
    expect(page.get_by_text("Not connected: this is how it was")).to_be_hidden()


def test_an_analyst_changes_nothing(page: Page, desk: FakeInbox) -> None:
    rows = inbox(page, desk, role="analyst")
    expect(rows.get_by_role("checkbox")).to_have_count(0)
    rows.first.get_by_role("link").focus()
    page.keyboard.press("e")
    page.keyboard.press("x")
    shown(rows, "Ana", "Bea", "Cleo", "Dora")
    assert sent(desk, "/desk/inbox/bulk") == []


def waits(number: int, **more: Any) -> dict[str, Any]:
    """Somebody who waits to be called back."""
    return {
        "id": f"back-{number}", "call_id": f"call-{number}", "conversation_id": "conversation-1",
        "name": "Marie Dupont",
        "number": "+33199001234", "spoken": "01 99 00 12 34", "flag": "🇫🇷", "line": "Support",
        "path": ["Sales", "Spare parts"], "digits": [{"label": "Account", "value": "4711"}], "priority": 1,
        "queued_at": 1_700_000_000_000, "requested_at": 1_700_000_060_000, "state": "waiting", "by": None,
        "settled_at": None, **more,
    }  # fmt: skip


def test_callers_who_wait_are_called_back_once(page: Page, desk: FakeInbox) -> None:
    taken = {"state": "taken", "by": {"id": "bo", "name": "Bo Lind"}, "settled_at": 1_700_000_090_000}
    desk.callbacks = [waits(1), waits(2, **taken)]
    inbox(page, desk)
    page.get_by_role("group", name="What to list").get_by_role("button", name="Callbacks").click()
    cards = page.get_by_role("list", name="Callbacks").get_by_role("listitem")
    expect(cards.filter(has_text="Bo Lind is calling back").get_by_role("button")).to_have_count(0)
    desk.refuse("/desk/callbacks/back-1/decline", 409, "taken", "Cy", by={"id": "cy", "name": "Cy Ek"})
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("listitem").filter(has_text="Cy Ek is calling back already")).to_be_visible()
    page.get_by_role("button", name="Call back").click()
    (body,) = eventually(lambda: sent(desk, "/take"), 10, "the command")
    me = {"state": "taken", "by": {"id": ME, "name": "Anna Berg"}, "settled_at": 1_700_000_095_000}
    desk.callbacks = [waits(1, **me), waits(2, **taken)]
    desk.event("callback.settled", "call-1", user=ME, callback="back-1", state="taken", command=body["command"])
    box = page.get_by_role("dialog", name="Call back")
    expect(box.get_by_role("link", name="Dial")).to_have_attribute("href", "tel:+33199001234")
    violations = [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] == "critical"]
    assert violations == []
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(page.get_by_role("button", name="Decline")).to_have_count(0)
