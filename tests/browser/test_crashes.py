"""Processes killed in the middle of a call, seen from the browser: what goes on, what comes back, what is said."""

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.kit import (
    CALLER_HZ,
    Office,
    Seat,
    listen_to_call,
    online,
    ringer,
    shot,
    talk_for,
    talking,
    toolbar,
    voices,
    what_was_heard,
)
from tests.support.audio import has_tone, read_wav
from tests.support.peers import TestPhone

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]


def begin_call(office: Office, seat: Seat, **options: object) -> tuple[TestPhone, str]:
    """A call that this user has accepted and talks in."""
    after = office.system.store.last_seq()
    phone = office.phone(**options)
    ringer(seat.page).get_by_role("button", name="Accept").click()
    talking(seat.page)
    answered = office.system.wait_for("call.answered", 30, after, user_id=seat.user.id)
    phone.wait_for("answered")
    return phone, str(answered.event.call_id)


def hears_the_caller(page: Page) -> None:
    """From now on, for a second and a half."""
    what_was_heard(page)
    talk_for(page, 1.5)
    sound, rate = what_was_heard(page)
    assert has_tone(sound, CALLER_HZ, rate)


@pytest.mark.in_pairs
def test_a_killed_console_takes_neither_call_nor_ringer_nor_toolbar_with_it(office: Office) -> None:
    seat = office.on_duty()
    page, system = seat.page, office.system
    phone, call_id = begin_call(office, seat)
    listen_to_call(page)
    assert system.console is not None
    system.console.kill()
    system.console.wait()
    hears_the_caller(page)
    shot(page, "console-killed")
    toolbar(page).get_by_role("button", name="Hang up").click()
    expect(toolbar(page)).to_be_hidden()
    assert office.wait_for("call.ended", call_id=call_id).event.data["by"] == "agent"
    phone.wait_for("ended")
    second, call_id = begin_call(office, seat)  # rings and is answered with the console still dead
    system.start_console()
    page.get_by_role("link", name="Audio check").click()
    expect(page.get_by_role("heading", name="Audio check")).to_be_visible()
    talking(page)
    toolbar(page).get_by_role("button", name="Hang up").click()
    second.wait_for("ended")


@pytest.mark.in_pairs
def test_a_killed_desk_takes_no_call_with_it_and_browsers_catch_up(office: Office, tmp_path: Path) -> None:
    seat, other = office.on_duty(0), office.on_duty(1)
    system, record = office.system, tmp_path / "caller.wav"
    phone, call_id = begin_call(office, seat, record=record)
    listen_to_call(seat.page)
    old = system.kill("desk")
    seat.page.wait_for_function("() => window.__aircall.status === 'offline'")
    expect(toolbar(seat.page).get_by_text("Reconnecting")).to_be_visible()
    hears_the_caller(seat.page)
    system.wait_new("desk", old)
    for page in (seat.page, other.page):
        online(page)
    talking(seat.page)
    assert seat.page.evaluate("Object.keys(window.__aircall.view.calls)") == [call_id]
    assert other.page.evaluate("Object.keys(window.__aircall.view.calls)") == []
    hears_the_caller(seat.page)
    toolbar(seat.page).get_by_role("button", name="Hang up").click()
    phone.wait_for("ended")
    phone.wait()
    assert voices(read_wav(record)[0][0]) == ["agent"], "the caller noticed nothing"


@pytest.mark.in_pairs
def test_a_killed_gateway_means_music_for_the_caller_until_the_agent_is_back(office: Office, tmp_path: Path) -> None:
    seat, record = office.on_duty(), tmp_path / "caller.wav"
    phone, call_id = begin_call(office, seat, record=record)
    talk_for(seat.page, 2)
    office.system.kill("gateway")
    away = office.wait_for("call.agent_away", call_id=call_id)
    back = office.wait_for("call.agent_back", call_id=call_id)
    print(f"the agent was away for {(back.at - away.at) / 1000:.2f} s")
    talking(seat.page)
    talk_for(seat.page, 2)
    listen_to_call(seat.page)
    hears_the_caller(seat.page)
    toolbar(seat.page).get_by_role("button", name="Hang up").click()
    phone.wait_for("ended")
    phone.wait()
    assert voices(read_wav(record)[0][0]) == ["agent", "music", "agent"]


@pytest.mark.in_pairs  # three talk at once, and their phones must hear within 20 s that it is over
def test_a_killed_worker_loses_its_calls_says_so_and_takes_the_next(office: Office) -> None:
    seats = [office.on_duty(number) for number in range(3)]
    calls = [begin_call(office, seat) for seat in seats]
    old = office.system.kill("worker")
    for seat, (_, call_id) in zip(seats, calls, strict=True):
        assert office.wait_for("call.ended", call_id=call_id).event.data["outcome"] == "lost"
        expect(seat.page.get_by_text("was lost: the telephony process stopped").first).to_be_visible()
        expect(toolbar(seat.page)).to_be_hidden()
    shot(seats[0].page, "worker-killed")
    for phone, _ in calls:
        assert phone.wait_for("ended")["by"] == "far end"
    office.system.wait_new("worker", old)
    office.system.wait_ready()
    assert office.busy_users() == []
    phone, _ = begin_call(office, seats[1])
    phone.hang_up()
    expect(toolbar(seats[1].page)).to_be_hidden()


def test_a_browser_that_crashes_is_offline_soon_and_a_console_that_restarts_is_no_news(office: Office) -> None:
    seat, other = office.on_duty(0), office.on_duty(1)
    office.wait_for("user.status", user_id=seat.user.id, status="available")
    quiet_since = office.system.store.last_seq()
    office.system.kill("console")
    assert office.system.console is not None
    office.system.console.wait()
    office.system.start_console()
    for one in (seat, other):
        one.open()
    here = {seat.user.id, other.user.id}  # others have just left for home
    assert [row for row in office.system.events("user.status", after=quiet_since) if row.event.user_id in here] == []
    before = office.system.store.last_seq()
    # The process that draws the page dies, as it does when memory is short: nothing of ours can say good-bye.
    with contextlib.suppress(Error):
        seat.page.goto("chrome://crash", timeout=5_000)
    gone = office.system.wait_for("user.status", 30, before, user_id=seat.user.id)
    assert gone.event.data["status"] == "offline"
    changed = [row.event.user_id for row in office.system.events("user.status", after=before)]
    assert [user for user in changed if user in here] == [seat.user.id]
