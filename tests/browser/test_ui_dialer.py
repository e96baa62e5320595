"""The power dialer in Chromium over a scripted desk: start, the card before each call, what came of it, colleagues."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from aircall_core.ids import now_ms
from tests.browser.test_ui_states import browser, context, opened, page, sent
from tests.support.axe import Axe
from tests.support.fake_desk import ME
from tests.support.fake_dialer import FakeDialer
from tests.support.processes import eventually

__all__ = ["browser", "context", "page"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
CALL_AGAIN = {"id": "tag-1", "name": "Call again", "color": "#e9c46a", "archived": False}


@pytest.fixture
def desk() -> Iterator[FakeDialer]:
    """A list of three numbers, dialled by clicks."""
    with FakeDialer("Marie Dupont", "Zoé Martin", "Núria Vidal") as found:
        found.tags = [CALL_AGAIN]
        yield found


def dialer(page: Page, desk: FakeDialer, **data: Any) -> None:
    """The page with the list, once it is drawn."""
    opened(page, desk, "dialer", "toolbar", "duty", **{"list": "list-1", "leads": True, **data})
    expect(page.get_by_role("progressbar", name="Progress of the list")).to_be_visible()


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="Next number")


def last(page: Page) -> Locator:
    return page.get_by_role("region", name="Last call")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def called(desk: FakeDialer) -> list[object]:
    """Entries that were dialled."""
    return [body["entry"] for body in sent(desk, "/desk/dial")]


def calling(desk: FakeDialer) -> str:
    """The call that goes on."""
    eventually(lambda: bool(desk.view["calls"]), 20, "the call")
    return str(next(iter(desk.view["calls"])))


def ends(desk: FakeDialer, entry: str, outcome: str, **more: Any) -> None:
    """The call to an entry is over."""
    call = calling(desk)
    desk.came_of(entry, outcome, id=call, **more)
    desk.ends(call, outcome=outcome, reason=outcome)


class Held:
    """The desk's next answer to this request is on its way until it is let go: what it says is as old as it gets."""

    def __init__(self, page: Page, path: str) -> None:
        self.page, self.given = page, list[tuple[Route, APIResponse]]()
        self.taken = False
        # Not `times=1`: Playwright would end its interception with the answer, and what the page asks for in that
        # moment is told to nobody.
        page.route(f"**{path}", self._take)

    def _take(self, route: Route) -> None:
        if self.taken:
            route.continue_()
        else:
            self.taken = True
            self.given.append((route, route.fetch()))

    def wait(self) -> None:
        """Until the desk has answered."""
        while not self.given:
            self.page.wait_for_timeout(20)  # lets the answer in; the test's own limit ends a wait in vain

    def let_go(self) -> None:
        """The page has it now."""
        ((route, answer),) = self.given
        route.fulfill(response=answer)


def test_each_number_is_seen_before_it_is_dialled_and_judged_afterwards(page: Page, desk: FakeDialer) -> None:
    desk.entries_of["entry-1"].update(note="Boiler of 2014", dialled=1)
    dialer(page, desk)
    expect(card(page)).to_contain_text("3 numbers wait")
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Marie Dupont")
    expect(card(page)).to_contain_text("Boiler of 2014")
    expect(card(page)).to_contain_text("Dials when you say so")
    assert called(desk) == []
    expect(button(page, "Dial next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(page)).to_contain_text("Dialling…")
    ends(desk, "entry-1", "no_answer")
    expect(last(page)).to_contain_text("No answer")
    expect(card(page)).to_contain_text("Zoé Martin")
    last(page).get_by_role("button", name="Call again", exact=True).click()
    eventually(lambda: bool(sent(desk, "/tags")), 20, "the tag")
    assert sent(desk, "/tags")[-1]["tags"] == ["tag-1"]
    last(page).get_by_role("button", name="Try again later").click()
    expect(last(page).get_by_role("button", name="Try again later")).to_be_hidden()
    assert list(desk.entries_of)[-1] == "entry-1"
    assert called(desk) == ["entry-1"]


def test_it_goes_on_by_itself_after_the_pause_and_stops_when_paused(page: Page, desk: FakeDialer) -> None:
    desk.pause_s = 2
    dialer(page, desk)
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Dialling…")  # nobody has clicked
    assert called(desk) == ["entry-1"]
    ends(desk, "entry-1", "busy")
    expect(card(page)).to_contain_text("Zoé Martin")
    button(page, "Pause").click()
    expect(card(page)).to_contain_text("Paused")
    page.wait_for_timeout(3000)  # longer than the pause between calls: that nothing happens is the point
    assert called(desk) == ["entry-1"]
    button(page, "Go on by itself").click()
    expect(card(page)).to_contain_text("Dialling…")
    assert called(desk) == ["entry-1", "entry-2"]


def test_wrap_up_tags_breaks_and_duty_hold_it(page: Page, desk: FakeDialer) -> None:
    desk.pause_s = 1
    desk.wraps_up(60)
    dialer(page, desk)
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Waits until your wrap-up is over")
    desk.owes_a_tag("call-0")
    expect(card(page)).to_contain_text("Waits: tag your last call first")
    expect(button(page, "Dial next")).to_have_attribute("aria-disabled", "true")
    desk.event("call.tagged", "call-0", user=ME, tags=["tag-1"], command="")
    desk.stands("unavailable", "lunch")
    expect(card(page)).to_contain_text("Waits until you are back")
    desk.event("user.duty", user=ME, on=False)
    expect(card(page)).to_contain_text("Go on duty to dial")
    page.wait_for_timeout(1500)  # longer than the pause: that nothing happens is the point
    assert called(desk) == []
    desk.event("user.duty", user=ME, on=True)
    desk.stands("available")
    expect(card(page)).to_contain_text("Dialling…")


def test_a_call_that_comes_in_meanwhile_is_not_dialled_over(page: Page, desk: FakeDialer) -> None:
    desk.pause_s = 1
    desk.ring()
    desk.answer()
    desk.stands("in_call")
    dialer(page, desk)
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Waits: you are in a call")
    expect(button(page, "Dial next")).to_have_attribute("aria-disabled", "true")


def test_numbers_are_skipped_with_a_reason_put_last_and_given_back(page: Page, desk: FakeDialer) -> None:
    dialer(page, desk)
    button(page, "Start dialling").click()
    button(page, "Skip").click()
    page.get_by_role("group", name="Why is it skipped?").get_by_role("button", name="Wrong number").click()
    expect(card(page)).to_contain_text("Zoé Martin")
    assert sent(desk, "/entry-1/skip") == [{"reason": "wrong_number"}]
    button(page, "Later").click()
    expect(card(page)).to_contain_text("Núria Vidal")
    assert list(desk.entries_of)[-1] == "entry-2"
    button(page, "Skip").click()
    button(page, "Do not call again").click()
    expect(card(page)).to_contain_text("Zoé Martin")
    assert desk.entries_of["entry-3"]["reason"] == "do_not_call"
    button(page, "Stop").click()
    expect(button(page, "Start dialling")).to_be_visible()
    assert desk.entries_of["entry-2"]["state"] == "waiting"
    page.get_by_role("button", name="Skipped", exact=True).click()
    rows = page.get_by_role("list", name="Numbers of the list")
    expect(rows.get_by_role("listitem")).to_have_count(2)
    expect(rows).to_contain_text("Wrong number")


def test_the_history_of_the_next_number_is_opened(page: Page, desk: FakeDialer) -> None:
    desk.entries_of["entry-1"]["conversation_id"] = "conversation-7"
    dialer(page, desk)
    button(page, "Start dialling").click()
    card(page).get_by_role("button", name="Conversation").click()
    assert page.evaluate("window.triggered.at(-1)") == ["dialer", "open", "conversation-7"]


def test_a_refused_number_says_why_and_the_dialer_waits(page: Page, desk: FakeDialer) -> None:
    desk.pause_s = 1
    desk.refuse("/desk/dial", 403, "do_not_call", "This number is on the do-not-call list.")
    dialer(page, desk)
    button(page, "Start dialling").click()
    expect(card(page).get_by_role("alert")).to_have_text("This number is on the do-not-call list.")
    expect(card(page)).to_contain_text("Paused")
    expect(card(page)).to_contain_text("Marie Dupont")


@pytest.mark.parametrize(
    ("reason", "said", "shown"),
    [
        ("no_audio", "Your audio did not start, so Marie Dupont was not called.", "Marie Dupont"),
        ("unreachable", "The last call could not be made.", "Zoé Martin"),
    ],
)
def test_trouble_on_our_side_does_not_use_up_the_list(
    page: Page, desk: FakeDialer, reason: str, said: str, shown: str
) -> None:
    desk.pause_s = 1
    dialer(page, desk)
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Dialling…")
    ends(desk, "entry-1", "failed", reason=reason)
    expect(card(page).get_by_role("alert")).to_contain_text(said)
    expect(card(page)).to_contain_text(shown)
    expect(card(page)).to_contain_text("Paused")
    assert called(desk) == ["entry-1"]


def test_an_answer_from_before_the_call_s_end_does_not_bring_it_back(page: Page, desk: FakeDialer) -> None:
    for entry in ("entry-2", "entry-3"):
        desk.move(entry, "skipped", "bo")
    dialer(page, desk)
    button(page, "Start dialling").click()
    button(page, "Dial next").click()
    expect(card(page)).to_contain_text("Dialling…")
    held = Held(page, "/desk/dial-lists/list-1")
    desk.event("call.answered", calling(desk), user=ME, answered_at=now_ms(), command="")
    held.wait()
    ends(desk, "entry-1", "answered")
    expect(last(page)).to_contain_text("Reached")
    expect(card(page)).to_contain_text("This list is done")
    with page.expect_response("**/desk/dial-lists/list-1/entries?*"):  # what the page asks for once it has the answer
        held.let_go()
    page.wait_for_timeout(1000)  # long enough to draw it: that nothing happens is the point
    expect(card(page)).to_contain_text("This list is done")


def test_a_call_that_ends_before_the_page_knows_that_it_began(page: Page, desk: FakeDialer) -> None:
    dialer(page, desk)
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Marie Dupont")
    held = Held(page, "/desk/dial")
    button(page, "Dial next").click()
    held.wait()
    ends(desk, "entry-1", "busy")
    page.wait_for_function("seq => window.__aircall.seq >= seq", arg=desk.seq)
    held.let_go()
    expect(last(page)).to_contain_text("Busy")
    expect(card(page)).to_contain_text("Zoé Martin")
    button(page, "Dial next").click()
    eventually(lambda: called(desk) == ["entry-1", "entry-2"], 20, "the second call")


def test_a_call_that_ends_before_the_page_has_read_of_it(page: Page, desk: FakeDialer) -> None:
    desk.began("entry-1", desk.dials())
    held = Held(page, "/desk/dial-lists/list-1")
    opened(page, desk, "dialer", "toolbar", "duty", list="list-1", leads=True)
    held.wait()
    ends(desk, "entry-1", "no_answer")
    page.wait_for_function("seq => window.__aircall.seq >= seq", arg=desk.seq)
    held.let_go()
    expect(last(page)).to_contain_text("No answer")
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Zoé Martin")
    button(page, "Dial next").click()
    eventually(lambda: called(desk) == ["entry-2"], 20, "the next call")


def test_colleagues_on_the_same_list_are_seen(page: Page, desk: FakeDialer) -> None:
    dialer(page, desk)
    rows = page.get_by_role("list", name="Numbers of the list")
    desk.move("entry-1", "claimed", "bo")
    expect(rows).to_contain_text("Bo Lind has it now")
    expect(page.get_by_text("Bo Lind is dialling this list too")).to_be_visible()
    desk.move("entry-1", "dialled", "bo")
    expect(page.get_by_text("1 of 3 done")).to_be_visible()
    expect(page.get_by_text("Bo Lind is dialling this list too")).to_be_hidden()


def test_a_claim_that_was_lost_is_told_and_the_next_one_asked_for(page: Page, desk: FakeDialer) -> None:
    dialer(page, desk)
    button(page, "Start dialling").click()
    expect(page.get_by_role("list", name="Numbers of the list")).to_contain_text("Yours now")  # all is read
    desk.refuse("/desk/dial-entries/entry-1/skip", 409, "not_claimed", "Bo Lind has this number.")
    desk.entries_of["entry-1"].update(state="claimed", by={"id": "bo", "name": "Bo Lind"})
    button(page, "Skip").click()
    button(page, "Other").click()
    expect(card(page)).to_contain_text("Bo Lind has this number.")
    button(page, "Start dialling").click()
    expect(card(page)).to_contain_text("Zoé Martin")


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([], "No numbers yet"),
        (["dialled", "skipped"], "This list is done"),
        (["claimed", "dialled"], "Every number is taken"),
    ],
)
def test_a_list_with_nothing_to_dial_says_what_is_so(page: Page, states: list[str], said: str) -> None:
    with FakeDialer(*("Marie Dupont" for _ in states)) as desk:
        for entry, state in zip(list(desk.entries_of), states, strict=True):
            desk.move(entry, state, "bo")
        dialer(page, desk)
        expect(card(page)).to_contain_text(said)
        expect(button(page, "Start dialling")).to_be_hidden()


def test_a_line_without_a_trunk_says_what_to_do(page: Page, desk: FakeDialer) -> None:
    desk.able = False
    dialer(page, desk)
    expect(card(page)).to_contain_text("Sales cannot call out yet. An administrator chooses its trunk")
    expect(button(page, "Start dialling")).to_have_attribute("aria-disabled", "true")


def test_a_list_that_cannot_be_read_is_asked_for_again(page: Page, desk: FakeDialer) -> None:
    desk.refuse("/desk/dial-lists/list-1", 503, "store_away", "The database is away for a moment.")
    opened(page, desk, "dialer", "duty", list="list-1", leads=False)
    expect(page.get_by_role("alert").filter(has_text="Try again")).to_contain_text("The database is away for a moment.")
    desk.refusals.clear()
    button(page, "Try again").click()
    expect(button(page, "Start dialling")).to_be_visible()


def test_numbers_are_added_with_mistakes_at_their_field(page: Page, desk: FakeDialer) -> None:
    path = "/desk/dial-lists/list-1/entries"
    desk.refuse(path, 422, "invalid", "Please check.", fields={"number": "This number is on the list already."})
    dialer(page, desk)
    button(page, "Add number").first.click()
    form = page.get_by_role("form", name="Add number")
    form.get_by_label("Number").fill("01 99 00 12 99")
    form.get_by_label("Name").fill("New one")
    form.get_by_label("Name").press("Enter")
    expect(form.get_by_text("This number is on the list already.")).to_be_visible()
    expect(form.get_by_label("Number")).to_have_value("01 99 00 12 99")
    desk.refusals.clear()
    form.get_by_role("button", name="Add number").click()
    expect(page.get_by_role("list", name="Numbers of the list")).to_contain_text("New one")
    expect(form.get_by_label("Number")).to_have_value("")


def test_leaders_change_the_order_and_remove_only_when_sure(page: Page, desk: FakeDialer) -> None:
    dialer(page, desk)
    rows = page.get_by_role("list", name="Numbers of the list")
    rows.get_by_role("button", name="Move to the top: Núria Vidal").click()
    eventually(lambda: sent(desk, "/entry-3/move") == [{"to": "first"}], 20, "the move")
    rows.get_by_role("button", name="Remove from the list: Zoé Martin").click()
    assert sent(desk, "/entry-2/remove") == []
    rows.get_by_role("button", name="Remove for good?: Zoé Martin").click()
    expect(rows.get_by_text("Zoé Martin")).to_be_hidden()


def test_agents_have_no_buttons_for_the_order(page: Page, desk: FakeDialer) -> None:
    dialer(page, desk, leads=False)
    rows = page.get_by_role("list", name="Numbers of the list")
    expect(rows.get_by_role("listitem")).to_have_count(3)
    expect(rows.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_dialer(page: Page, desk: FakeDialer, theme: str) -> None:
    desk.put("", "01 99 00 12 50", note="A note", dialled=2)
    desk.move("entry-2", "claimed", "bo")
    dialer(page, desk, theme=theme)
    button(page, "Start dialling").click()
    button(page, "Skip").click()
    button(page, "Add number").click()
    expect(page.get_by_role("form", name="Add number")).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
