"""The power dialer as a company uses it: a file is imported, the numbers are dialled by a real trunk."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.kit import AGENT_HZ, Office, Seat, shot, toolbar
from tests.browser.test_in_call import Ear
from tests.support.chromium import listen
from tests.support.desk_kit import add_tag
from tests.support.floor import Floor, Voice
from tests.support.outside import BUSY, Manner, Outside
from tests.system.talking import House

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]
ENGINE_ONLY = True

FAR_HZ = 1500.0
FILE = """Téléphone;Prénom;Nom;Remarques
01 42 68 53 00;Marie;Dupont;Chaudière de 2014
01 42 68 53 01;Zoé;Martin;
rappeler;Sans;Numéro;
0142685300;Marie;Dupont;deux fois
0899 12 34 56;Trop;Cher;
01 42 68 53 02;Núria;Vidal;
""".encode("cp1252")


@pytest.fixture
def carrier(office: Office) -> Iterator[Outside]:
    """Where the line's calls out go: a telephone that answers whatever is dialled."""
    with Outside(Manner(ring_s=0.1, answer_s=0.5), hz=FAR_HZ) as far, House(office.system, office.line) as house:
        house.can_dial(far.address)
        yield far


def stage(page: Page) -> Locator:
    return page.get_by_role("region", name="Next number")


def last(page: Page) -> Locator:
    return page.get_by_role("region", name="Last call")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def imported(office: Office, page: Page) -> None:
    """A supervisor makes a list and brings a file."""
    press(page, "New list")
    box = page.get_by_role("dialog", name="New list")
    box.get_by_label("Name").fill("Spring offer")
    box.get_by_role("spinbutton", name="Pause between an agent's calls (seconds)").fill("0")
    box.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="No numbers yet")).to_be_visible()
    press(page, "Import numbers")
    expect(page.get_by_role("heading", name="Import numbers into Spring offer")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "kunden.csv", "mimeType": "text/csv", "buffer": FILE}
    )  # fmt: skip
    expect(page.get_by_text("3 numbers can be imported.")).to_be_visible()
    expect(page.get_by_text("3 rows cannot be imported, and are left out:")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these rows with their reasons").click()
    told = download.value.path().read_text("utf-8-sig")
    assert "4,Not a telephone number,rappeler · Sans · Numéro" in told
    assert "5,The same number as on line 2,0142685300" in told
    assert "6,May not be dialled: premium rate,0899 12 34 56" in told
    shot(page, "dialer-import")
    page.get_by_role("button", name="Import 3 numbers").click()
    expect(page.get_by_text("3 numbers are on the list.")).to_be_visible()
    press(page, "Go to the list")
    expect(page.get_by_text("0 of 3 done")).to_be_visible()


def dialled_and_talked(office: Office, page: Page, carrier: Outside) -> None:
    """The first number is shown, dialled by the agent and answered; both hear each other; the other side hangs up."""
    press(page, "Start dialling")
    expect(stage(page)).to_contain_text("Marie Dupont")
    expect(stage(page)).to_contain_text("Chaudière de 2014")
    shot(page, "dialer-next")
    count = len(carrier.calls) + 1
    press(page, "Dial next")
    call = carrier.wait_call(count, 60)
    assert call.number == "+33142685300"
    call.wait("confirmed", 30)
    expect(stage(page)).to_contain_text("Talking")
    expect(toolbar(page)).to_be_visible()
    page.wait_for_function("() => window.__aircall.phone.audio.srcObject")
    listen(page, "window.__aircall.phone.audio.srcObject")
    floor = Floor(Voice("ada", AGENT_HZ, Ear(page)), Voice("outside", FAR_HZ, call.ear))
    floor.wait(ada={"outside"}, outside={"ada"})
    shot(page, "dialer-talking")
    call.bye()
    expect(last(page)).to_contain_text("Reached")


def test_from_a_file_to_the_last_number(office: Office, carrier: Outside) -> None:
    with office.system.store.write() as tx:
        add_tag(tx, "Interested")
    boss = office.system.add_user("Lea Roux", "supervisor")
    lea = Seat.take(office.system, office.browser, boss)
    office.seats.append(lea)
    imported(office, lea.open("/dialer"))
    ada = office.on_duty(0, "/dialer")
    page = ada.page
    dialled_and_talked(office, page, carrier)
    last(page).get_by_role("button", name="Interested").click()
    expect(last(page).get_by_role("button", name="Interested")).to_have_attribute("aria-pressed", "true")

    expect(stage(page)).to_contain_text("Zoé Martin")
    expect(lea.page.get_by_text("Ada Moreau is dialling this list too")).to_be_visible()
    carrier.manner = BUSY
    press(page, "Dial next")
    expect(last(page)).to_contain_text("Busy")
    shot(page, "dialer-after")
    last(page).get_by_role("button", name="Try again later").click()
    expect(stage(page)).to_contain_text("Núria Vidal")
    press(page, "Skip")
    press(page, "Wrong number")
    expect(stage(page)).to_contain_text("Zoé Martin")
    expect(stage(page)).to_contain_text("Busy · Ada Moreau")  # what came of the first try
    carrier.manner = Manner(answer_s=0.1, bye_s=0.2)
    press(page, "Dial next")
    expect(stage(page)).to_contain_text("This list is done")
    expect(lea.page.get_by_text("3 of 3 done")).to_be_visible()
    expect(lea.page.get_by_text("2 reached")).to_be_visible()
    shot(lea.page, "dialer-done")
    assert not lea.complaints + ada.complaints
