"""Notifications as agents have them: the console behind other windows, a notification on the desktop, a click on it.

Chromium runs with a profile of its own and shows its notifications to a desktop of the tests
(tests/support/desktop.py), so a pressed button is a real click, with all that a browser allows after one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select

from aircall_core.desk import messages
from aircall_core.ids import new_id, now_ms
from aircall_core.store import tables as t
from tests.browser.kit import (
    AGENT_HZ,
    AS_AGENT,
    CALLER_HZ,
    Office,
    Seat,
    listen_to_call,
    online,
    ringer,
    talk_for,
    talking,
    toolbar,
    voices,
    what_was_heard,
)
from tests.support.audio import has_tone, read_wav, tone, write_wav
from tests.support.chromium import profile
from tests.support.desktop import Desktop, Shown
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(240)]


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    """The agent's desktop."""
    with Desktop(tmp_path) as found:
        yield found


@pytest.fixture
def seat(office: Office, desktop: Desktop, tmp_path: Path) -> Iterator[Seat]:
    """Ada on duty, in a browser of her own whose notifications the desktop shows."""
    mic = write_wav(tmp_path / "mic.wav", tone(AGENT_HZ, 10, 48_000), 48_000)
    with profile(tmp_path / "profile", mic, env=desktop.environment, **AS_AGENT) as context:
        seat = Seat.settle(office.system, context, office.users[0])
        seat.open()
        seat.go_on_duty()
        seat.page.wait_for_function("navigator.serviceWorker.controller !== null")
        office.seats.append(seat)
        yield seat


def behind(page: Page) -> None:
    """The agent works in another window: this page has no focus (Playwright pretends one until it is told not to)."""
    page.context.new_cdp_session(page).send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    other = page.context.new_page()
    other.goto("about:blank")
    other.bring_to_front()
    page.wait_for_function("!document.hasFocus()", polling=100)


def minimised(page: Page) -> None:
    """The agent has put the window away. Headless Chromium has no window to bring back, so only the focus is seen."""
    browser = page.context.new_cdp_session(page)
    browser.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    window = browser.send("Browser.getWindowForTarget")["windowId"]
    browser.send("Browser.setWindowBounds", {"windowId": window, "bounds": {"windowState": "minimized"}})
    page.wait_for_function("!document.hasFocus()", polling=100)


def ring(office: Office, desktop: Desktop) -> Shown:
    """Marie calls; her call's notification."""
    office.phone(display="Marie Dupont")
    return desktop.wait_for("Marie Dupont is calling")


@pytest.mark.parametrize("put_away", [behind, minimised])
@pytest.mark.in_pairs
def test_accepted_from_the_notification_the_tab_comes_to_the_front_with_the_callers_voice(
    office: Office, desktop: Desktop, seat: Seat, tmp_path: Path, put_away: Callable[[Page], None]
) -> None:
    page = seat.page
    icon = page.evaluate("document.querySelector('link[rel~=icon]').href")
    put_away(page)
    record = tmp_path / "caller.wav"
    phone = office.phone(display="Marie Dupont", record=record)
    note = desktop.wait_for("Marie Dupont is calling")
    assert "Support" in note.body
    assert {"Accept", "Reject"} <= note.actions.keys()
    page.wait_for_function("document.title.includes('is calling')", polling=100)
    assert page.evaluate("document.querySelector('link[rel~=icon]').href") != icon
    desktop.press(note, "Accept")
    page.wait_for_function("document.hasFocus()", polling=100)
    talking(page)
    expect(ringer(page)).to_have_count(0)
    listen_to_call(page)
    talk_for(page, 2)
    sound, rate = what_was_heard(page)
    assert has_tone(sound[rate // 2 :], CALLER_HZ, rate)
    toolbar(page).get_by_role("button", name="Hang up").click()
    phone.wait_for("ended")
    phone.wait()
    heard, at = read_wav(record)
    assert "agent" in voices(heard[0], at)
    assert desktop.open == {}
    assert "is calling" not in page.title()
    assert page.evaluate("document.querySelector('link[rel~=icon]').href") == icon
    assert seat.complaints == []


def test_rejected_from_the_notification_the_tab_stays_where_it_is(office: Office, desktop: Desktop, seat: Seat) -> None:
    behind(seat.page)
    note = ring(office, desktop)
    desktop.press(note, "Reject")
    stopped = office.wait_for("call.ring_stopped")
    assert (stopped.event.user_id, stopped.event.data["reason"]) == (seat.user.id, "rejected")
    expect(ringer(seat.page)).to_have_count(0)
    assert desktop.open == {}
    assert not seat.page.evaluate("document.hasFocus()")


def test_a_click_shows_the_call_and_takes_the_notification_away(office: Office, desktop: Desktop, seat: Seat) -> None:
    page = seat.page
    behind(page)
    desktop.press(ring(office, desktop))
    page.wait_for_function("document.hasFocus()", polling=100)
    expect(ringer(page)).to_be_focused()
    assert desktop.open == {}
    expect(ringer(page).get_by_role("button", name="Accept")).to_be_enabled()


def test_it_goes_with_the_ring_and_comes_once_for_two_tabs(office: Office, desktop: Desktop, seat: Seat) -> None:
    second = seat.another_tab("/audio_check")
    for page in (seat.page, second):
        behind(page)
    ring(office, desktop)
    for page in (seat.page, second):
        ringer(page).wait_for()
    office.callers[0].stop()
    for page in (seat.page, second):
        expect(ringer(page)).to_have_count(0)
    eventually(lambda: desktop.open == {}, 10, "no notification")
    assert len(desktop.shown) == 1


def test_who_looks_at_the_console_gets_none_until_they_look_away(office: Office, desktop: Desktop, seat: Seat) -> None:
    office.phone(display="Marie Dupont")
    ringer(seat.page).wait_for()
    assert desktop.shown == []
    behind(seat.page)
    note = desktop.wait_for("Marie Dupont is calling")
    seat.page.bring_to_front()
    eventually(lambda: desktop.open == {}, 10, "no notification while the console is looked at")
    behind(seat.page)
    again = desktop.wait_for("Marie Dupont is calling")
    assert again.id != note.id
    desktop.dismiss(again)
    seat.page.wait_for_function("window.__aircall.notifier.closed.size === 1", polling=100)
    seat.page.bring_to_front()
    behind(seat.page)
    talk_for(seat.page, 1)
    assert desktop.open == {}, "closed by hand, it stays closed for this ring"


def test_a_text_is_told_by_who_wrote_counted_and_gone_once_it_is_read(
    office: Office, desktop: Desktop, seat: Seat
) -> None:
    page = seat.page
    behind(page)
    before = page.evaluate("window.__aircall.unread.count")  # calls that were missed in other tests
    receive(office, "The secret word is pizza")
    note = desktop.wait_for("Text from 06 12 00 06 66")
    assert "Support" in note.body
    assert "pizza" not in note.title + note.body
    counts(page, before + 1)
    desktop.press(note)
    page.wait_for_url("**/conversation?id=*")
    expect(page.get_by_role("article").filter(has_text="The secret word is pizza")).to_be_visible()
    page.wait_for_function("document.hasFocus()", polling=100)
    counts(page, before)
    receive(office, "And one while they look")
    expect(page.get_by_role("article").filter(has_text="while they look")).to_be_visible()
    assert len(desktop.shown) == 1, "who looks at the console needs no notification"
    assert desktop.open == {}
    assert seat.complaints == []


def counts(page: Page, unread: int) -> None:
    """Until so many are shown as unread: beside the inbox in the navigation, and in the tab's title."""
    page.wait_for_function(
        """wanted => {
          const link = document.querySelector('[data-testid=stSidebarNavLink]');
          const badge = getComputedStyle(link, '::after').content;
          return wanted
            ? badge.startsWith(`"${wanted}"`) && document.title.startsWith(`(${wanted}) `)
            : badge === 'none' && !document.title.startsWith('(');
        }""",
        arg=unread,
        polling=100,
    )


def receive(office: Office, body: str) -> None:
    """A customer's text comes in on the office's line."""
    with office.system.store.write() as tx:
        account = tx.conn.scalar(select(t.message_accounts.c.id))
        if account is None:
            account = new_id()
            values = {"name": "Hook", "kind": "webhook", "settings": {"url": "https://example.com/"}, "created_at": 1}
            tx.execute(insert(t.message_accounts).values(id=account, **values))
        messages.receive(
            tx, line_id=office.line.id, account_id=account, number="+33612000666", body=body, remote_id=new_id(),
            at=now_ms(), actor="system",
        )  # fmt: skip


@pytest.mark.in_pairs
def test_accepted_with_no_tab_left_the_console_opens_with_the_call(
    office: Office, desktop: Desktop, seat: Seat, tmp_path: Path
) -> None:
    behind(seat.page)
    note = ring(office, desktop)
    seat.page.close()
    with seat.context.expect_page() as opened:
        desktop.press(note, "Accept")
    page = opened.value
    online(page)
    talking(page)
    assert "accept=" not in page.url
    listen_to_call(page)
    talk_for(page, 2)
    sound, rate = what_was_heard(page)
    assert has_tone(sound[rate // 2 :], CALLER_HZ, rate)


def test_a_blocked_permission_is_said_beside_the_duty_switch_and_in_the_menu(office: Office) -> None:
    seat = office.on_duty(1, permissions=["microphone"])
    page = seat.page
    dock = page.get_by_role("region", name="Duty")
    expect(dock.get_by_text("Notifications are blocked")).to_be_visible()
    dock.get_by_role("button", name="How to allow").click()
    expect(dock.get_by_text("click the icon beside the address")).to_be_visible()
    page.get_by_role("button", name=seat.user.name).click()
    switch = page.get_by_role("switch", name="Notifications")
    expect(switch).not_to_be_checked()
    expect(page.get_by_text("Blocked by the browser.")).to_be_visible()
    office.phone(display="Marie Dupont")
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    assert seat.complaints == []
