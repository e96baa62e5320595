"""A caller's way through menus as the agent sees it, and what is left when nobody answered; by real SIP with digits."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from aircall_core.desk import flows
from tests.browser.kit import PHONE, Office, pick, ringer, shot, talking, toolbar
from tests.support.audio import tone
from tests.support.ivr_caller import RATE, IvrCaller

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(240)]
ENGINE_ONLY = True

PROMPT = {"shipped": "goodbye"}
ACCOUNT = {"id": "account", "kind": "digits", "prompt": PROMPT, "label": "Account", "branches": {"none": []}}
PARTS = {
    "id": "parts", "kind": "menu", "prompt": PROMPT, "options": {"2": "Spare parts"},
    "branches": {"2": [ACCOUNT], "none": []},
}  # fmt: skip
MAIL = {"id": "mail", "kind": "voicemail", "max_s": 30}
MENU = {
    "id": "menu", "kind": "menu", "prompt": PROMPT, "options": {"1": "Sales", "9": "Leave a message"},
    "branches": {"1": [PARTS], "9": [MAIL], "none": []},
}  # fmt: skip
QUEUE = {"id": "queue", "kind": "queue", "announce_first_s": 5, "announce_s": 60}


@pytest.fixture(scope="module", autouse=True)
def drawn(site: Office) -> None:
    """The line has a menu of two levels, digits, a queue, and voicemail."""
    with site.system.store.write() as tx:
        flows.save(tx, "system", site.line.id, {"steps": [MENU, QUEUE]}, 0)


@pytest.fixture
def caller(office: Office) -> Iterator[IvrCaller]:
    """A caller with a keypad."""
    with IvrCaller("127.0.0.1", office.system.settings.sip_port, caller="+33611223344") as found:
        yield found


def through_the_menus(office: Office, caller: IvrCaller, account: str = "4711#") -> None:
    """Sales, Spare parts, account number."""
    caller.invite(office.line.number)
    caller.wait_for(200)
    for keys in ("1", "2"):
        step = office.after
        caller.press(keys)
        office.after = office.wait_for("call.chose", key=keys).seq
        assert office.after > step
    caller.press(account)


def filtered(page: Page, name: str) -> None:
    """The inbox shows these only: a view, or a type of call."""
    view = page.get_by_role("group", name="What to list").get_by_role("button", name=re.compile(f"^{name}"))
    if name == "Callbacks":
        view.click()
        return
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("combobox", name="Type").select_option(label=name)
    page.keyboard.press("Escape")


def test_the_way_through_the_menus_shows_from_the_ring_to_the_timeline(office: Office, caller: IvrCaller) -> None:
    page = office.on_duty().page
    through_the_menus(office, caller)
    card = ringer(page)
    expect(card).to_contain_text("Spare parts ‹ Sales")
    expect(card).to_contain_text("Account 4711")
    expect(card.get_by_role("timer", name="Waiting", exact=True)).to_be_visible()
    shot(page, "ringer-ivr")
    card.get_by_role("button", name="Open conversation").click()
    page.get_by_role("region", name="Timeline").wait_for()
    expect(page.locator(".st-key-call_details")).to_contain_text("Spare parts")
    card.get_by_role("button", name="Accept").click()
    talking(page)
    expect(toolbar(page)).to_contain_text("Spare parts")
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Menu: Sales › Spare parts, Account: 4711")
    pick(page, "Assigned to", "Ben Okafor")
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Ada Moreau assigned the conversation to Ben Okafor")
    expect(toolbar(page)).to_contain_text("Assigned to Ben Okafor")
    shot(page, "conversation-ivr")
    caller.bye()
    expect(toolbar(page)).to_have_count(0)
    expect(timeline).to_contain_text(re.compile(r"Menu: Sales › Spare parts, Account: 4711, waited \d+:\d\d"))


def test_a_callback_stands_in_turn_and_one_of_two_takes_it(office: Office, caller: IvrCaller) -> None:
    pages = [office.seat(number).open() for number in (0, 1)]
    for page in pages:
        filtered(page, "Callbacks")
        expect(page.get_by_text("Nobody waits for a callback")).to_be_visible()
    busy = office.on_duty(2).page
    with IvrCaller("127.0.0.1", office.system.settings.sip_port, caller="+33611220000") as first:
        through_the_menus(office, first)
        ringer(busy).get_by_role("button", name="Accept").click()
        talking(busy)
        through_the_menus(office, caller, "12#")
        office.wait_for("call.queued")
        caller.press("*")
        office.wait_for("callback.requested")
        caller.bye()
        first.bye()
    for page in pages:
        expect(page.get_by_role("listitem").filter(has_text="06 11 22 33 44")).to_contain_text("Sales › Spare parts")
        expect(page.get_by_text("Callbacks (1)")).to_be_visible()
    shot(pages[0], "callbacks")
    pages[0].get_by_role("button", name="Call back").click()
    box = pages[0].get_by_role("dialog", name="Call back")
    expect(box).to_contain_text("06 11 22 33 44")
    expect(box.get_by_role("link", name="Dial")).to_have_attribute("href", "tel:+33611223344")
    expect(pages[1].get_by_text("Ada Moreau is calling back")).to_be_visible()
    expect(pages[1].get_by_role("button", name="Call back")).to_have_count(0)
    shot(pages[0], "callback-taken")


def test_a_voicemail_is_listed_played_in_its_place_and_called_back(office: Office, caller: IvrCaller) -> None:
    page = office.seat().open()
    caller.invite(office.line.number)
    caller.wait_for(200)
    caller.press("9")
    office.wait_for("call.recording", state="started")
    caller.speak(tone(600, 4, RATE) * np.float32(0.3))
    caller.bye()
    office.wait_for("call.recording", state="saved")
    filtered(page, "Voicemail")
    row = page.get_by_role("listitem").filter(has_text="06 11 22 33 44")
    expect(row).to_contain_text("Voicemail")
    shot(page, "voicemail-list")
    row.get_by_role("button", name="Call back").click()
    page.get_by_role("dialog", name="Call back").get_by_role("button", name="Close").click()
    expect(row).to_contain_text("Ada Moreau is calling back")
    row.get_by_role("link").click()
    player = page.get_by_role("group", name="Voicemail")
    player.get_by_role("button", name="Play recording").click()
    expect(player).to_contain_text("0:01 /")
    shot(page, "voicemail")
    phone = office.seat(1, viewport=PHONE, color_scheme="dark").open(page.url.removeprefix(office.system.console_url))
    expect(phone.get_by_role("group", name="Voicemail")).to_be_in_viewport()
    shot(phone, "voicemail-phone")
    phone.goto(office.system.console_url)
    filtered(phone, "Callbacks")
    expect(phone.get_by_text("Ada Moreau is calling back").first).to_be_visible()
    shot(phone, "callbacks-phone")
