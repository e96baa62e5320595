"""A call whose browser has bad luck: network cut, tabs, devices. Real calls, real Chromium, real packets."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, WebSocketRoute, expect
from sqlalchemy import select

from aircall_core.store.tables import presence
from tests.browser.kit import (
    AGENT_HZ,
    CALLER_HZ,
    Office,
    Seat,
    listen_to_call,
    ringer,
    settled,
    shot,
    talk_for,
    talking,
    toolbar,
    voices,
    what_was_heard,
)
from tests.support.audio import has_tone, read_wav, tone, write_wav
from tests.support.chromium import chromium
from tests.support.netcut import cut
from tests.support.peers import TestPhone
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(240)]
CUT_S = 20


def in_call(office: Office, page: Page, record: Path | None = None) -> tuple[TestPhone, str]:
    """A call that this page has taken."""
    phone = office.phone(record=record)
    call_id = str(office.wait_for("call.ringing").event.call_id)
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    phone.wait_for("answered")
    return phone, call_id


def said_of(office: Office, tab: str) -> tuple[bool, str]:
    """What the desk knows of a tab: whether it can be rung, and its microphone."""
    with office.system.store.read() as conn:
        row = conn.execute(select(presence.c.armed, presence.c.mic).where(presence.c.tab_id == tab)).one()
    return bool(row.armed), row.mic


def hears_the_caller(page: Page) -> bool:
    """Whether the page plays the caller's voice."""
    listen_to_call(page)
    talk_for(page, 1)
    sound, rate = what_was_heard(page)
    return has_tone(sound[rate // 2 :], CALLER_HZ, rate)


def hang_up(page: Page, phone: TestPhone, record: Path) -> list[str]:
    """The call ends; who was heard by the caller, one after the other."""
    toolbar(page).get_by_role("button", name="Hang up").click()
    phone.wait_for("ended")
    phone.wait()
    return voices(read_wav(record)[0][0])


@pytest.mark.in_pairs
def test_a_network_cut_of_20_s_is_told_and_survived(office: Office, tmp_path: Path) -> None:
    page = office.on_duty().page
    phone, call_id = in_call(office, page, tmp_path / "caller.wav")
    talk_for(page, 2)
    settings = office.system.settings
    with cut(settings.desk_port, settings.http_port):
        begun = time.monotonic()
        expect(toolbar(page).get_by_text("Reconnecting audio…")).to_be_visible()
        told = time.monotonic() - begun
        away = office.wait_for("call.agent_away", call_id=call_id)
        page.wait_for_timeout((CUT_S - 1 - (time.monotonic() - begun)) * 1000)
        shot(page, "network-cut")
        page.wait_for_timeout(max(0, CUT_S - (time.monotonic() - begun)) * 1000)
    over = time.time()
    back = office.wait_for("call.agent_back", call_id=call_id)
    print(f"told after {told:.2f} s; audio back {back.at / 1000 - over:.2f} s after the network; "
          f"music for {(back.at - away.at) / 1000:.1f} s")  # fmt: skip
    talking(page)
    assert hears_the_caller(page)
    assert hang_up(page, phone, tmp_path / "caller.wav") == ["agent", "music", "agent"]
    assert told < 3


def test_closing_the_tab_of_a_call_is_asked_about_and_only_there(office: Office) -> None:
    seat = office.on_duty()
    page, second = seat.page, seat.another_tab()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    phone, _ = in_call(office, page)
    page.mouse.click(600, 400)  # browsers ask only where somebody has clicked
    second.mouse.click(600, 400)
    second.on("dialog", stay)
    with second.expect_event("close"):
        second.close(run_before_unload=True)
    assert asked == []
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]
    assert hears_the_caller(page)
    phone.hang_up()
    expect(toolbar(page)).to_be_hidden()
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]


@pytest.mark.in_pairs
def test_two_browsers_fight_for_the_audio_and_the_last_click_wins(office: Office, tmp_path: Path) -> None:
    """The first one's network is away when the second takes the call over: back again, it leaves it there."""
    page = office.on_duty().page
    phone, call_id = in_call(office, page, tmp_path / "caller.wav")
    other = office.seat(0).open()
    other.evaluate("window.__aircall.phone.arm()")
    expect(toolbar(other).get_by_text("In another tab or browser")).to_be_visible()
    page.context.set_offline(True)
    page.evaluate("""() => { const { phone } = window.__aircall;
      for (const { pc } of phone.legs.values()) pc.close(), pc.dispatchEvent(new Event('connectionstatechange')); }""")
    office.wait_for("call.agent_away", call_id=call_id)
    toolbar(other).get_by_role("button", name="Bring audio here").click()
    office.wait_for("call.agent_back", call_id=call_id)
    talking(other)
    taken = office.system.store.last_seq()
    page.context.set_offline(False)
    expect(toolbar(page).get_by_text("In another tab or browser")).to_be_visible()
    shot(page, "audio-elsewhere")
    assert hears_the_caller(other)
    assert not office.system.events("call.audio", after=taken), "the audio stayed where it was brought"
    both = [toolbar(one).get_by_role("button", name="Bring audio here") for one in (page, other)]
    both[0].click()
    talking(page)
    expect(both[1]).to_be_visible()
    assert hears_the_caller(page)
    assert hang_up(page, phone, tmp_path / "caller.wav")[-1] == "agent"


def test_the_window_of_its_own_lives_through_page_changes_and_ends_with_the_page(
    office: Office, tmp_path: Path
) -> None:
    page = office.on_duty().page
    with page.context.expect_page() as opening:
        page.get_by_role("note").get_by_role("button", name="Open", exact=True).click()
    window = opening.value
    window.set_viewport_size({"width": 380, "height": 340})
    change_page(page, "Audio check")
    phone = office.phone(record=tmp_path / "caller.wav")
    ringer(window).get_by_role("button", name="Accept").click()
    talking(window)
    phone.wait_for("answered")
    kept = toolbar(window).element_handle()
    for name in ("Inbox", "Audio check", "Inbox"):
        change_page(page, name)
        talk_for(page, 0.5)
    assert kept.evaluate("(bar) => bar.isConnected"), "the same toolbar all the time"
    shot(window, "detached-real")
    toolbar(window).get_by_role("button", name="Open conversation").click()
    page.wait_for_url("**/conversation*")
    talk_for(page, 1)
    toolbar(window).get_by_role("button", name="Hang up").click()
    phone.wait_for("ended")
    phone.wait()
    assert voices(read_wav(tmp_path / "caller.wav")[0][0]) == ["agent"]
    with window.expect_event("close"):
        page.reload()
    expect(page.get_by_text("The call window closed with the page.")).to_be_visible()


def test_what_changes_on_the_way_to_another_page_does_not_stand_in_that_way(office: Office) -> None:
    """The inbox asks for a run of its own when a colleague's status changes; the next page must not be swept away."""
    page = office.seat().page
    slow, held = [False], list[tuple[WebSocketRoute, str | bytes]]()

    def through(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        route.on_message(lambda message: held.append((server, message)) if slow[0] else server.send(message))

    page.route_web_socket("**/_stcore/stream", through)
    office.seats[0].open()
    settled(page)
    slow[0] = True
    page.get_by_role("link", name="Search").click()
    page.evaluate("""() => window.__aircall.dispatchEvent(
      new CustomEvent('event', { detail: { event: { kind: 'user.status', seq: 1 } } }))""")
    page.wait_for_timeout(2_500)  # longer than the inbox waits for more changes, and for clicks to show
    slow[0] = False
    for server, message in held:
        server.send(message)
    assert len(held) == 1, "the way to the other page, and nothing else"
    page.get_by_role("heading", name="Search").wait_for()
    settled(page)
    expect(page.get_by_role("heading", name="Search")).to_be_visible()


def change_page(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name).wait_for()


def test_a_microphone_that_is_taken_away_is_music_to_the_caller_meanwhile(office: Office, tmp_path: Path) -> None:
    """Its permission is revoked in the middle of a call, and given again."""
    voice = write_wav(tmp_path / "voice.wav", tone(AGENT_HZ, 10, 48_000), 48_000)
    with chromium(microphone=voice, allow=False) as browser:
        seat = Seat.take(office.system, browser, office.users[0])
        office.seats.append(seat)
        page = seat.open()
        seat.go_on_duty()
        phone, call_id = in_call(office, page, tmp_path / "caller.wav")
        talk_for(page, 2)
        seat.context.clear_permissions()
        office.wait_for("call.held", call_id=call_id)
        expect(page.get_by_role("listitem").filter(has_text="Your microphone is gone")).to_be_visible()
        expect(page.get_by_role("button", name="Turn on microphone")).to_be_visible()
        tab = page.evaluate("window.__aircall.tab")
        eventually(lambda: said_of(office, tab) == (False, "denied"), 15, "that the desk knows")
        shot(page, "microphone-gone")
        seat.context.grant_permissions(["microphone"])
        talking(page)
        talk_for(page, 2)
        assert hang_up(page, phone, tmp_path / "caller.wav") == ["agent", "music", "agent"]


@pytest.mark.in_pairs
def test_a_microphone_that_ends_gives_way_to_the_next_and_the_call_goes_on(office: Office, tmp_path: Path) -> None:
    """The browser ends the track, as it does when a headset is unplugged; another one is there."""
    page = office.on_duty().page
    phone, _ = in_call(office, page, tmp_path / "caller.wav")
    talk_for(page, 1.5)
    before = office.system.store.last_seq()
    page.evaluate("window.__aircall.phone.input.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.get_by_role("listitem").filter(has_text="Your microphone was unplugged.")).to_be_visible()
    talk_for(page, 1.5)
    heard = hang_up(page, phone, tmp_path / "caller.wav")
    kinds = {row.kind for row in office.system.events(after=before)}
    assert not kinds & {"call.agent_away", "call.audio", "call.held"}
    assert heard == ["agent"]
