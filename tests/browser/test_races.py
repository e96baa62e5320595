"""Several who want the same call at once, and a caller who gives up at that very moment: one truth for everybody."""

import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from aircall_core.ids import new_id
from tests.browser.kit import CALLER_HZ, Office, Seat, armed, keep_messages, ringer, said, talking, toolbar
from tests.support.audio import tone
from tests.support.pcm_peer import PcmPeer
from tests.support.processes import eventually
from tests.support.rawsip import RawCaller
from tests.support.realtime import Tab
from tests.support.wiretap import Wiretap

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]


def click_together(buttons: list[Locator]) -> float:
    """Have the pages press their buttons at one moment, and return it (s since the epoch) without waiting for it."""
    begun = time.time()
    handles = [button.element_handle() for button in buttons]
    for handle in handles:
        handle.evaluate("() => 0")  # how long it takes to tell all pages is how much notice they need
    moment = time.time() + 0.1 + 2 * (time.time() - begun)
    for handle in handles:
        handle.evaluate("(it, at) => void setTimeout(() => it.click(), at - Date.now())", moment * 1000)
    return moment


def test_three_browsers_accept_at_once_and_one_has_the_call(office: Office) -> None:
    seats = [office.on_duty(number) for number in range(3)]
    for seat in seats:
        keep_messages(seat.page)
    for _ in range(5):
        race(office, seats)
    assert [seat.complaints for seat in seats] == [[], [], []]


def race(office: Office, seats: list[Seat]) -> None:
    after = office.system.store.last_seq()
    with Wiretap() as wire:
        phone = office.phone()
        for seat in seats:
            ringer(seat.page).wait_for()
        click_together([ringer(seat.page).get_by_role("button", name="Accept") for seat in seats])
        phone.wait_for("answered")
    answered = office.system.wait_for("call.answered", 10, after)
    (winner,) = (seat for seat in seats if seat.user.id == answered.event.user_id)
    talking(winner.page)
    for seat in seats:
        expect(ringer(seat.page)).to_be_hidden()
        if seat is not winner:
            expect(toolbar(seat.page)).to_be_hidden()
            assert f"Taken by {winner.user.name}" in said(seat.page)
    assert len(set(answers(wire))) == 1, "one 200 OK, whoever else pressed Accept"
    toolbar(winner.page).get_by_role("button", name="Hang up").click()
    expect(toolbar(winner.page)).to_be_hidden()
    phone.wait_for("ended")


def answers(wire: Wiretap) -> list[str]:
    """The tags of all 200 OK to an INVITE."""
    return re.findall(r"To:.*?;tag=(\S+)", "\n".join(wire.messages(r"^SIP/2.0 200 .*CSeq: \d+ INVITE")))


def test_one_user_who_accepts_two_calls_in_two_tabs_at_once_has_one(office: Office) -> None:
    seat = office.on_duty()
    second = seat.another_tab()
    armed(second)
    phones = [office.phone(caller=f"+3319900501{number}") for number in range(2)]
    cards = [ringer(page) for page in (seat.page, second)]
    for card in cards:
        expect(card).to_have_count(2)
    numbers = ["01 99 00 50 10", "01 99 00 50 11"]
    chosen = [card.filter(has_text=number) for card, number in zip(cards, numbers, strict=True)]
    click_together([card.get_by_role("button", name="Accept") for card in chosen])
    office.wait_for("call.answered")
    answered = eventually(
        lambda: [phone for phone in phones if has(phone.happenings.seen, "answered")], 20, "an answer"
    )
    assert len(answered) == 1
    with office.system.store.read() as conn:
        held = conn.exec_driver_sql("SELECT count(*) FROM calls WHERE state IN ('accepting','answered','confirmed')")
        assert held.scalar() == 1


def has(seen: list[dict[str, Any]], event: str) -> bool:
    """Whether a phone reported this."""
    return any(one["event"] == event for one in seen)


def test_a_caller_who_gives_up_while_accept_is_on_its_way(office: Office) -> None:
    give_up(office, 15)


@pytest.mark.soak
def test_callers_who_give_up_while_accept_is_on_its_way_200_times(office: Office) -> None:
    give_up(office, 200)


def give_up(office: Office, count: int) -> None:
    seat = office.on_duty()
    chance = random.Random(20_261_122)  # the same moments in every run
    outcomes: dict[str, int] = {}
    with RawCaller("127.0.0.1", office.system.settings.sip_port) as caller:
        for _ in range(count):
            outcome = one_cancelled(office, seat, caller, chance.uniform(-0.05, 0.35))
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print(f"outcomes: {outcomes}")
    assert sum(outcomes.values()) == count
    assert seat.complaints == []


def one_cancelled(office: Office, seat: Seat, caller: RawCaller, later_s: float) -> str:
    """One call, cancelled so long after the click; the outcome that all agree about."""
    page = seat.page
    after = office.system.store.last_seq()
    caller.invite(office.line.number)
    caller.wait_for(180)
    ringer(page).wait_for()
    moment = click_together([ringer(page).get_by_role("button", name="Accept")])
    caller.pump(max(0.0, moment + later_s - time.time()))
    answered_before = any(m.status == 200 and m.method == "INVITE" for m in caller.received())
    caller.bye() if answered_before else caller.cancel()
    final = caller.wait_final()
    ended = office.system.wait_for("call.ended", 15, after)
    outcome = str(ended.event.data["outcome"])
    expect(ringer(page)).to_be_hidden()
    expect(toolbar(page)).to_be_hidden()
    assert page.evaluate("Object.keys(window.__aircall.view.calls)") == []
    call = office.call(str(ended.event.call_id))
    assert call["state"] == "ended"
    assert (outcome, call["outcome"]) in (("abandoned", "abandoned"), ("answered", "answered"))
    assert (final.status == 200) == (outcome == "answered"), f"caller got {final.status}, log says {outcome}"
    assert office.busy_users() == []
    return outcome


# ---- the long form: the same race by HTTP, without the time that pages take


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_hundred_races_have_one_winner_each(office: Office) -> None:
    system = office.system
    tabs = [system.on_duty(user) for user in office.users]
    won = {user.id: 0 for user in office.users}
    for number in range(200):
        with Wiretap() as wire, one_caller(office) as caller:
            rung = [ring_of(tab, user.id) for tab, user in zip(tabs, office.users, strict=True)]
            assert len(set(rung)) == 1
            codes = accept_at_once(office, tabs, rung[0])
            assert sorted(codes.values()) == [202, 409, 409], codes
            winner = next(user for user, code in codes.items() if code == 202)
            caller.wait_for(200)
            for tab, user in zip(tabs, office.users, strict=True):
                told = tab.wait_for("call.answered", call_id=rung[0])
                assert told["who"]["id"] == winner, f"{user.name} was told somebody else"
            caller.bye()
            for tab in tabs:
                tab.wait_for("call.ended", call_id=rung[0])
        assert len(set(answers(wire))) == 1, f"race {number}"
        won[winner] += 1
    print(f"won: {won}")
    for tab in tabs:
        tab.close()


@contextmanager
def one_caller(office: Office) -> Iterator[RawCaller]:
    with RawCaller("127.0.0.1", office.system.settings.sip_port) as caller:
        caller.invite(office.line.number)
        caller.wait_for(180)
        yield caller


def ring_of(tab: Tab, user_id: str) -> str:
    """The call that rings this user now."""
    return str(tab.wait_until(
        lambda: next((one for one, call in tab.view["calls"].items() if user_id in call["ringing"]), None), "a ring"
    ))  # fmt: skip


def accept_at_once(office: Office, tabs: list[Tab], call_id: str) -> dict[str, int]:
    """All users accept with audio of their own, started together; the answers by user."""
    start, codes = threading.Barrier(len(tabs)), dict[str, int]()

    def run(number: int) -> None:
        user, tab, peer = office.users[number], tabs[number], new_id()
        link = PcmPeer(
            office.system.settings.worker_socket(0),
            peer=peer,
            call=call_id,
            user=user.id,
            voice=tone(CALLER_HZ, 1, 8000),
        )
        start.wait()
        body = {"command": new_id(), "peer": peer, "tab": tab.id}
        codes[user.id] = office.system.post(user, f"/desk/calls/{call_id}/accept", body).status_code
        if codes[user.id] == 202:
            office.links.append(link)
        else:
            link.close()

    racers = [threading.Thread(target=run, args=(number,)) for number in range(len(tabs))]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    return codes
