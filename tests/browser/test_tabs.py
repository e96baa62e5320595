"""One user, several tabs: one rings aloud, one carries the call; a reload loses neither."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from aircall_core.store import states
from aircall_core.store.tables import lines
from tests.browser.kit import (
    CALLER_HZ,
    Office,
    armed,
    listen_to_call,
    ringer,
    ringing_aloud,
    talk_for,
    talking,
    toolbar,
    voices,
    what_was_heard,
)
from tests.support.audio import has_tone, read_wav
from tests.support.desk_kit import add_tag
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(240)]


@pytest.mark.in_pairs
def test_one_tab_rings_aloud_and_the_other_when_it_closes(office: Office) -> None:
    seat = office.on_duty()
    second = seat.another_tab("/audio_check")
    armed(second)
    office.phone()
    for page in (seat.page, second):
        ringer(page).wait_for()
    loud = eventually(lambda: [page for page in (seat.page, second) if ringing_aloud(page)], what="a ring to be heard")
    assert len(loud) == 1
    silent = second if loud[0] is seat.page else seat.page
    assert not ringing_aloud(silent)
    loud[0].close()
    eventually(lambda: ringing_aloud(silent), 20, "the ring in the other tab")


def test_a_reload_while_it_rings_brings_the_ringer_back(office: Office) -> None:
    page = office.on_duty().page
    office.phone()
    ringer(page).wait_for()
    page.reload(wait_until="commit")
    begun = time.monotonic()
    ringer(page).wait_for()
    print(f"ringer back {time.monotonic() - begun:.2f} s after the reload began to load")
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)


@pytest.mark.in_pairs
def test_a_reload_in_a_call_brings_the_audio_back_and_music_meanwhile(office: Office, tmp_path: Path) -> None:
    page = office.on_duty().page
    record = tmp_path / "caller.wav"
    phone = office.phone(record=record)
    call_id = str(office.wait_for("call.ringing").event.call_id)
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    phone.wait_for("answered")
    talk_for(page, 2)
    page.reload()
    away = office.wait_for("call.agent_away", call_id=call_id)
    back = office.wait_for("call.agent_back", call_id=call_id)
    print(f"the caller heard music for {(back.at - away.at) / 1000:.2f} s")
    talking(page)
    listen_to_call(page)
    talk_for(page, 2)
    sound, rate = what_was_heard(page)
    assert has_tone(sound[rate // 2 :], CALLER_HZ, rate)
    toolbar(page).get_by_role("button", name="Hang up").click()
    phone.wait_for("ended")
    phone.wait()
    heard = read_wav(record)[0][0]
    assert voices(heard) == ["agent", "music", "agent"]


@pytest.mark.in_pairs
def test_closing_the_tab_of_the_call_hands_it_to_the_other_tab(office: Office) -> None:
    seat = office.on_duty()
    second = seat.another_tab()
    armed(second)
    office.phone()
    call_id = str(office.wait_for("call.ringing").event.call_id)
    ringer(seat.page).get_by_role("button", name="Accept").click()
    talking(seat.page)
    expect(toolbar(second).get_by_text("In another tab or browser")).to_be_visible()
    seat.page.close()
    office.wait_for("call.agent_back", call_id=call_id)
    talking(second)
    listen_to_call(second)
    talk_for(second, 1)
    sound, rate = what_was_heard(second)
    assert has_tone(sound[rate // 2 :], CALLER_HZ, rate)


def test_wrap_up_and_an_owed_tag_are_the_same_in_every_tab_and_after_a_reload(office: Office) -> None:
    with office.system.store.write() as tx:
        add_tag(tx, "Billing")
        states.change(tx.conn, office.users[0].id, wrap_up_s=600)
        tx.execute(update(lines).values(tags_required=True))
    office.system.draw(office.line, [{"id": "ring", "kind": "ring", "total_s": 240, "if_busy": True}])
    try:
        page = office.on_duty().page
        phone = office.phone()
        ringer(page).get_by_role("button", name="Accept").click()
        talking(page)
        toolbar(page).get_by_role("button", name="Hang up").click()
        phone.wait_for("ended")
        page.get_by_role("button", name="Finish wrap-up").wait_for()
        page.reload()
        page.get_by_role("button", name="Extend").click()
        expect(page.get_by_role("timer", name="Wrap-up time left")).to_have_text(
            re.compile("1[01]:[1-5]")
        )  # it has been
        page.get_by_role("button", name="Finish wrap-up").click()
        expect(page.get_by_role("button", name="Availability: Tag due")).to_be_visible()
        second = page.context.new_page()
        second.goto(page.url)
        second.get_by_role("button", name="Go off duty").click()  # no way around it
        second.get_by_role("button", name="Go on duty").click()
        expect(second.get_by_role("button", name="Availability: Tag due")).to_be_visible()
        waiting = office.phone()
        queued = office.wait_for("call.queued", line_id=office.line.id)
        eventually(lambda: office.call(str(queued.event.call_id)), 10, "the second call")
        page.wait_for_timeout(500)
        expect(ringer(page)).to_have_count(0)
        second.get_by_role("button", name="Billing").click()
        second.get_by_role("button", name="Save tags").click()
        ringer(page).wait_for()
        waiting.hang_up()
        shown = [row.event.data["status"] for row in office.system.events("user.status", after=office.after)]
        assert shown[-6:] == ["in_call", "wrap_up", "tagging", "off_duty", "tagging", "available"]
    finally:
        with office.system.store.write() as tx:
            states.change(tx.conn, office.users[0].id, wrap_up_s=0)
            tx.execute(update(lines).values(tags_required=False))
