"""Insight cards in Chromium over a scripted desk: on the ringer, where nothing may move, and in the toolbar."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_ui_notes import check
from tests.browser.test_ui_states import browser, context, desk, opened, page, ringer, sent, toolbar
from tests.support.fake_desk import FakeDesk

__all__ = ["browser", "context", "desk", "page"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

EVIL = '<img src=x onerror="window.hacked=1">'
CRM: dict[str, Any] = {
    "source": "HubSpot",
    "contents": [
        {"type": "title", "text": "Dupont & Fils", "link": "https://crm.example/contacts/7"},
        {
            "type": "shortText",
            "label": "Stage",
            "text": "customer since 2019, pays late, wants to be called in the morning",
        },
        {"type": "shortText", "label": "Open orders", "text": "2", "link": "https://crm.example/orders?of=7"},
        {"type": "user", "label": "Owner", "text": "Bo Lind", "user_id": "bo"},
    ],
}
OWN: dict[str, Any] = {
    "source": "", "contents": [{"type": "title", "text": EVIL, "link": "javascript:window.hacked=1", "label": EVIL}]
}  # fmt: skip
SHOTS = os.environ.get("AIRCALL_SHOTS")  # a folder: what is seen is kept to be looked at


def card(where: Locator) -> Locator:
    return where.get_by_role("group", name="Insight card")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"insight-{name}.png"))


def place(page: Page, name: str = "Accept") -> Any:
    """Where the buttons are, once they have stopped moving."""

    def measured() -> list[Any]:
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return [one.bounding_box() for one in page.get_by_role("button", name=name, exact=True).all()]

    page.wait_for_function("() => document.getAnimations().length === 0")
    before: list[Any] = []
    while (now := measured()) != before:  # those of shadow roots are not among the document's animations
        before = now
    return now


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_card_comes_in_and_no_button_moves(page: Page, desk: FakeDesk, width: int, theme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(desk.url("ringer", "toolbar", "duty", theme=theme))
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    desk.insight["call-1"] = {"cards": [], "asking": True}
    desk.ring("call-1", insight=True)
    desk.ring("call-2", name="Paul", insight=True)
    first = ringer(page).first
    expect(card(first)).to_contain_text("Looking up who calls…")
    expect(card(ringer(page).nth(1))).to_contain_text("Nothing is known of this caller")
    before = place(page)
    shot(page, f"ringer-asking-{width}")
    desk.knows("call-1", OWN, CRM)
    expect(card(first)).to_contain_text("Dupont & Fils")
    assert place(page) == before
    shot(page, f"ringer-{width}")
    link = card(first).get_by_role("link", name="Dupont & Fils")
    expect(link).to_have_attribute("href", "https://crm.example/contacts/7")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_have_attribute("target", "_blank")
    expect(card(first).get_by_role("link")).to_have_count(2)  # what is no web page is no link
    expect(card(first)).to_contain_text(EVIL)
    assert page.evaluate("window.hacked") is None
    check(page)
    asked = len(sent(desk, "/calls/call-1/insight"))
    desk.event("call.ended", "call-2", by="caller", outcome="missed", ended_at=1)
    desk.answer("call-1")
    bar = toolbar(page)
    expect(card(bar)).to_contain_text(EVIL)
    expect(card(bar).get_by_text("Dupont & Fils")).to_be_hidden()  # folded: one line
    assert len(sent(desk, "/calls/call-1/insight")) == asked  # it was known
    keys = place(page, "Mute")
    shot(page, f"toolbar-{width}")
    bar.get_by_role("button", name="Notes, tags and all that is known").click()
    expect(card(bar).get_by_text("Dupont & Fils")).to_be_visible()
    assert place(page, "Mute") == keys
    shot(page, f"unfolded-{width}")
    check(page)
    desk.knows("call-1", CRM)
    expect(card(bar)).not_to_contain_text(EVIL)
    desk.event("call.ended", "call-1", by="caller", outcome="answered", ended_at=1)
    expect(bar).to_be_hidden()


def test_where_no_card_is_likely_nobody_asks_and_one_that_is_posted_comes_below_the_buttons(
    page: Page, desk: FakeDesk
) -> None:
    opened(page, desk)
    desk.ring("call-1")
    expect(ringer(page)).to_be_visible()
    expect(card(ringer(page))).to_be_hidden()
    before = place(page)
    assert sent(desk, "/insight") == []
    desk.knows("call-1", CRM)
    expect(card(ringer(page))).to_contain_text("Dupont & Fils")
    assert place(page) == before
    shot(page, "ringer-posted")
    check(page)
    desk.ring("call-2", name="Paul")
    expect(ringer(page)).to_have_count(2)
    expect(card(ringer(page).first)).to_be_hidden()  # it would push the second call's buttons about
    before = place(page)
    desk.knows("call-1", CRM, OWN)
    desk.knows("call-2", CRM)
    expect(card(ringer(page).nth(1))).to_contain_text("Dupont & Fils")
    assert place(page) == before


def test_a_desk_that_forgets_to_say_so_is_asked_again(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.insight["call-1"] = {"cards": [], "asking": True}
    desk.ring("call-1", insight=True)
    expect(card(ringer(page))).to_contain_text("Looking up")
    desk.insight["call-1"] = {"cards": [CRM], "asking": False}  # and no event
    expect(card(ringer(page))).to_contain_text("Dupont & Fils")
