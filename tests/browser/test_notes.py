"""Notes typed in a real call while the desk dies, the page is loaded anew and the call ends: not a word is lost."""

import os
import signal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.kit import Office, Seat, online, ringer, shot, talking, toolbar
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]
ENGINE_ONLY = True

WORDS = " ".join(f"word{number:02d}" for number in range(36))


def begin_call(office: Office, seat: Seat) -> str:
    """A call that this user has accepted and talks in; its id."""
    after = office.system.store.last_seq()
    office.phone()
    ringer(seat.page).get_by_role("button", name="Accept").click()
    talking(seat.page)
    return str(office.system.wait_for("call.answered", 30, after, user_id=seat.user.id).event.call_id)


def pad(page: Page) -> Locator:
    """The note in the toolbar, unfolded."""
    bar = toolbar(page)
    fold = bar.get_by_role("button", name="Notes, tags and all that is known")
    if fold.get_attribute("aria-expanded") == "false":
        fold.click()
    return bar.get_by_role("textbox", name="Note on this call")


def stored(office: Office, call_id: str) -> str:
    """What the store has of the note."""
    with office.system.store.read() as conn:
        statement = f"SELECT text FROM notes WHERE call_id = '{call_id}'"  # noqa: S608  an id of ours
        return str(conn.exec_driver_sql(statement).scalar() or "")


def test_notes_typed_while_the_desk_dies_are_there_after_it_is_back(office: Office) -> None:
    seat, system = office.on_duty(), office.system
    page, call_id = seat.page, begin_call(office, seat)
    area = pad(page)
    area.press_sequentially("Wants a refund. ")
    expect(toolbar(page).get_by_text("Saved", exact=True)).to_be_visible()
    assert stored(office, call_id) == "Wants a refund. "

    old = system.kill("desk")  # in the middle of typing; the supervisor starts another one
    area.press_sequentially(WORDS, delay=15)
    system.wait_new("desk", old)
    online(page)
    expect(toolbar(page).get_by_text("Saved", exact=True)).to_be_visible()
    expect(area).to_have_value(f"Wants a refund. {WORDS}")
    assert stored(office, call_id) == f"Wants a refund. {WORDS}"

    supervisor = system.pid("backend")
    os.kill(supervisor, signal.SIGSTOP)  # this time the desk stays dead for a while
    try:
        old = system.kill("desk")
        page.wait_for_function("() => window.__aircall.status === 'offline'")
        area.press_sequentially(" Paid by card.")
        expect(toolbar(page).get_by_text("Not saved yet: no connection").first).to_be_visible()
        shot(page, "note-not-saved")
        page.reload()
        page.wait_for_function("() => window.__aircall")
    finally:
        os.kill(supervisor, signal.SIGCONT)
    system.wait_new("desk", old)
    online(page)
    talking(page)
    text = f"Wants a refund. {WORDS} Paid by card."
    expect(pad(page)).to_have_value(text)
    eventually(lambda: stored(office, call_id) == text, 20, "the note in the store")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('aircall.note.'))") == []


def test_a_note_is_found_with_its_call_afterwards_and_goes_on_there(office: Office) -> None:
    seat = office.on_duty()
    page, call_id = seat.page, begin_call(office, seat)
    conversation = office.call(call_id)["conversation_id"]
    pad(page).press_sequentially("Promised a call on Monday.")
    toolbar(page).get_by_role("button", name="Hang up").click()  # before the pause in which it would be sent
    office.wait_for("call.ended", call_id=call_id)
    eventually(lambda: stored(office, call_id) == "Promised a call on Monday.", 20, "the note in the store")
    page.goto(f"{office.system.console_url}/conversation?id={conversation}")
    online(page)
    note = page.get_by_role("article").filter(has_text="Your note").last
    expect(note).to_contain_text("Promised a call on Monday.")
    note.get_by_role("button", name="Edit").click()
    area = page.get_by_role("article").get_by_role("textbox", name="Note on this call")
    area.press("End")
    area.press_sequentially(" Done.")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("article").filter(has_text="Your note").last).to_contain_text("Monday. Done.")
    eventually(lambda: stored(office, call_id) == "Promised a call on Monday. Done.", 20, "the note's next version")
    shot(page, "note-in-the-timeline")
