"""What an agent does in a call, clicked in a real browser and measured by tones: who hears whom after each click."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.kit import AGENT_HZ, CALLER_HZ, Office, listen_to_call, ringer, shot, talking, toolbar
from tests.support.audio import Samples
from tests.support.chromium import heard
from tests.support.floor import MUSIC, Floor, LiveCaller, Voice
from tests.support.outside import BUSY, Manner, Outside
from tests.system.talking import Agent, House

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.in_pairs, pytest.mark.timeout(300)]

BEN_HZ = 1000.0


class Ear:
    """What a page plays of its call, at 8 kHz."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.kept: Samples = np.zeros(0)
        listen_to_call(page)

    def __call__(self, last_s: float) -> Samples:
        """The last seconds of it."""
        new, rate = heard(self.page)
        assert rate == 16_000
        self.kept = np.concatenate([self.kept, new[: len(new) // 2 * 2].reshape(-1, 2).mean(1)])[-16_000:]
        return self.kept[-round(last_s * 8000) :]


@pytest.fixture
def house(office: Office) -> Iterator[House]:
    """The office for agents without a browser and callers who can be listened to."""
    with House(office.system, office.line) as one:
        yield one
        for agent in one.agents.values():
            agent.tab.drop()
            office.system.post(agent.user, "/desk/duty", {"on": False, "command": "c" * 20, "tab": agent.tab.id})


def button(bar: Locator, name: str) -> Locator:
    return bar.get_by_role("button", name=name, exact=True)


def row(bar: Locator, name: str) -> Locator:
    return bar.get_by_role("list", name="Others").get_by_role("listitem").filter(has_text=name)


def calls(office: Office, house: House, hz: float = CALLER_HZ) -> LiveCaller:
    """Somebody calls the line, with a tone."""
    caller = house.caller()
    caller.call(office.line.number, hz, answered=False)
    return caller


def accepts(page: Page) -> Locator:
    """The agent takes the call that rings; the toolbar."""
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    return toolbar(page)


def asks_ben(page: Page, bar: Locator) -> None:
    """The agent calls Ben before the caller goes to him; his phone rings."""
    button(bar, "Transfer").click()
    page.keyboard.type("ben")
    page.get_by_role("button", name="Talk first: Ben Okafor").click()
    expect(row(bar, "Ben Okafor")).to_contain_text("Ringing…")


def test_hold_talk_first_swap_three_and_pass_on(office: Office, house: House) -> None:
    seat = office.on_duty(0)
    page = seat.page
    caller = calls(office, house)
    bar = accepts(page)
    floor = Floor(Voice("caller", CALLER_HZ, caller.ear), Voice("ada", AGENT_HZ, Ear(page)))
    floor.wait(caller={"ada"}, ada={"caller"})

    button(bar, "Hold").click()
    expect(bar).to_contain_text("On hold, hears music")
    floor.wait(caller=MUSIC, ada=set())
    button(bar, "Hold").click()
    floor.wait(caller={"ada"}, ada={"caller"})

    button(bar, "Keypad").click()
    page.keyboard.type("4711#")
    expect(page.get_by_role("log", name="Keys sent")).to_have_text("4711#")
    office.wait_for("call.keys_sent")
    page.keyboard.press("Escape")

    ben = house.seat(office.users[1], BEN_HZ)
    asks_ben(page, bar)
    floor.wait(caller=MUSIC)
    ben.reject()
    expect(bar.get_by_role("alert")).to_contain_text("Ben Okafor rejected the call. You are back with")
    floor.wait(caller={"ada"}, ada={"caller"})
    asks_ben(page, bar)
    question = ben.rung()
    ben.accept(question)
    floor.add(ben.voice)
    expect(row(bar, "Ben Okafor")).to_contain_text("Talking with you")
    shot(page, "in-call-asking")
    floor.wait_all({"caller": MUSIC, "ada": {"ben okafor"}, "ben okafor": {"ada"}})

    button(row(bar, "Ben Okafor"), "Swap").click()
    floor.wait_all({"caller": {"ada"}, "ada": {"caller"}, "ben okafor": MUSIC})
    button(row(bar, "Ben Okafor"), "Merge").click()
    expect(bar).to_contain_text("Everybody hears everybody")
    floor.wait_all({"caller": {"ada", "ben okafor"}, "ada": {"caller", "ben okafor"}, "ben okafor": {"ada", "caller"}})
    shot(page, "in-call-three")
    button(row(bar, "Ben Okafor"), "Talk alone").click()
    floor.wait_all({"caller": MUSIC, "ada": {"ben okafor"}, "ben okafor": {"ada"}})
    button(row(bar, "Ben Okafor"), "Complete transfer").click()
    expect(bar).to_be_hidden()
    floor.wait_all({"caller": {"ben okafor"}, "ben okafor": {"caller"}})
    assert page.evaluate("window.__aircall.calls.owned") == []
    caller.bye()
    house.at_rest()
    assert seat.complaints == []


def asks(house: House, ben: Agent, call_id: str, user_id: str) -> str:
    """Ben, without a browser, asks a colleague about his call."""
    answer = ben.do(f"/desk/calls/{call_id}/consult", target={"user": user_id}, join=False)
    return str(answer["call"])


def test_whoever_was_asked_goes_on_with_the_caller(office: Office, house: House) -> None:
    ben = house.seat(office.users[1], BEN_HZ)
    caller = calls(office, house)
    call_id = ben.rung()
    ben.accept(call_id)
    seat = office.on_duty(0)
    page = seat.page
    question = asks(house, ben, call_id, office.users[0].id)
    expect(ringer(page)).to_contain_text("Ben Okafor")
    expect(ringer(page)).to_contain_text("asks about")
    shot(page, "in-call-asked")
    bar = accepts(page)
    ear = Ear(page)
    floor = Floor(Voice("caller", CALLER_HZ, caller.ear), Voice("ada", AGENT_HZ, ear), ben.voice)
    floor.wait_all({"caller": MUSIC, "ada": {"ben okafor"}, "ben okafor": {"ada"}})
    ben.do(f"/desk/calls/{call_id}/complete", via=question)
    floor.wait(caller={"ada"}, ada={"caller"})
    expect(button(bar, "Transfer")).not_to_have_attribute("aria-disabled", "true")
    assert page.evaluate("window.__aircall.calls.owned") == [call_id]
    button(bar, "Hang up").click()
    expect(bar).to_be_hidden()
    house.at_rest()
    assert seat.complaints == []


def test_a_second_call_holds_the_first(office: Office, house: House) -> None:
    with office.system.store.write() as tx:
        tx.conn.exec_driver_sql(f"UPDATE users SET call_waiting = 1 WHERE id = '{office.users[0].id}'")  # noqa: S608
    seat = office.on_duty(0)
    page = seat.page
    first = calls(office, house)
    bar = accepts(page)
    expect(ringer(page)).to_be_hidden()
    second = calls(office, house, 1300)
    expect(ringer(page)).to_contain_text("on hold")
    ringer(page).get_by_role("button", name="Accept").click()
    others = bar.get_by_role("list", name="Others").get_by_role("listitem")
    expect(others).to_contain_text("On hold, hears music")
    talking(page)
    page.wait_for_function("window.__aircall.phone.audio.srcObject")
    floor = Floor(
        Voice("first", CALLER_HZ, first.ear), Voice("second", 1300, second.ear), Voice("ada", AGENT_HZ, Ear(page))
    )
    floor.wait(first=MUSIC, second={"ada"}, ada={"second"})
    shot(page, "in-call-two")
    button(others, "Resume").click()
    floor.wait(first={"ada"}, second=MUSIC)
    floor.add(Voice("ada", AGENT_HZ, Ear(page)))
    floor.wait(ada={"first"})
    first.bye()
    button(bar, "Hold").click()
    floor.wait(second={"ada"})
    button(bar, "Hang up").click()
    expect(bar).to_be_hidden()
    house.at_rest()
    assert seat.complaints == []


def test_a_number_is_called_heard_while_it_rings_and_after_its_answer(office: Office, house: House) -> None:
    outside_hz = 1500.0
    with Outside(Manner(early_s=0.1, answer_s=4), hz=outside_hz) as outside:
        house.can_dial(outside.address)
        seat = office.on_duty(0)
        page = seat.page
        dial = {"line": office.line.id, "number": "+33199006006"}
        page.evaluate("(who) => void window.__aircall.calls.dial(who)", dial)
        bar = toolbar(page)
        expect(bar).to_contain_text("Ringing, you hear the other side")
        call = outside.wait_call()
        floor = Floor(Voice("ada", AGENT_HZ, Ear(page)), Voice("outside", outside_hz, call.ear))
        floor.wait(ada={"outside"})
        assert call.state == "early"
        shot(page, "in-call-dialling")
        talking(page)
        floor.wait(ada={"outside"}, outside={"ada"})
        call.bye()
        expect(bar).to_be_hidden()
        outside.manner = BUSY
        page.evaluate("(who) => void window.__aircall.calls.dial(who)", dial)
        over = page.get_by_role("group", name="Call not answered")
        expect(over).to_contain_text("The number is busy.")
        shot(page, "in-call-busy")
    house.at_rest()
    assert seat.complaints == []
