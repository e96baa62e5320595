"""Contacts in Chromium: the list, editing in place, merging and undoing, erasing, and names that try to be more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from aircall_core.store import Store, open_store
from tests.browser.test_ui_states import browser, context, opened, page
from tests.support.desk_kit import Desk
from tests.support.fake_contacts import FakeContacts
from tests.support.processes import eventually

__all__ = ["browser", "context", "page"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
PICTURES = Path(__file__).parents[1] / "artifacts"
HTML = "<img src=x onerror=window.hacked=1>"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FakeContacts]:
    """Contacts that were asked for by tests, in a store of their own."""
    store: Store = open_store(sqlite_url)
    with FakeContacts(store) as found:
        yield found
    store.close()


def show(page: Page, desk: FakeContacts, **data: Any) -> None:
    opened(page, desk, "contacts", "toolbar", **{"contact": "", "writes": True, "leads": True, **data})


def test_from_the_first_contact_to_the_last(page: Page, desk: FakeContacts) -> None:
    show(page, desk)
    expect(page.get_by_text("No contacts yet")).to_be_visible()
    page.get_by_role("button", name="Add contact").click()
    form = page.get_by_role("form", name="Add contact")
    form.get_by_label("Name").fill("Zoë Müller")
    form.get_by_label("Number").fill("nobody")
    form.get_by_role("button", name="Add contact").click()
    expect(form.get_by_role("alert").filter(has_text="telephone number")).to_be_visible()
    expect(form.get_by_label("Name")).to_have_value("Zoë Müller")  # nothing typed is lost
    form.get_by_label("Number").fill("+33142685300")
    form.get_by_role("button", name="Add contact").click()
    card = page.get_by_role("region", name="Contact")
    card.get_by_role("button", name="Add a company").click()
    card.get_by_role("textbox", name="Company").fill("Acme")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Zoë Müller")).to_contain_text("Acme")
    card.get_by_role("button", name="Erase…").click()
    page.get_by_label("Type “Zoë Müller” to confirm").fill("Zoë")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("alert").filter(has_text="exactly")).to_be_visible()
    page.get_by_label("Type “Zoë Müller” to confirm").fill("zoë müller")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("No contacts yet")).to_be_visible()
    expect(page.get_by_text("Erasing:")).to_be_visible()


def test_merging_and_undoing(page: Page, desk: FakeContacts) -> None:
    zoe = desk.make(name="Zoë Müller", numbers=["+33142685300"])
    desk.make(name="Z. Müller", company="Acme", numbers=["+33142685301"])
    show(page, desk, contact=zoe)
    card = page.get_by_role("region", name="Contact")
    card.get_by_role("button", name="Merge with…").click()
    card.get_by_role("button", name="Z. Müller").click()
    expect(card.get_by_text("This can be undone")).to_be_visible()
    card.get_by_role("button", name="Merge", exact=True).click()
    expect(card.get_by_text("Z. Müller was merged in")).to_be_visible()
    expect(page.get_by_text("1 contact", exact=True)).to_be_visible()
    card.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Z. Müller")).to_be_visible()
    expect(card.get_by_text("was merged in")).to_have_count(0)
    found = desk.shown(zoe)
    assert found is not None
    assert (found["company"], len(found["numbers"])) == ("", 1)


def test_searching_paging_and_what_goes_wrong(page: Page, desk: FakeContacts) -> None:
    for at in range(120):
        desk.make(name=f"Person {at:03}", numbers=[f"+3314268{at:04}"])
    show(page, desk)
    expect(page.get_by_text("120 contacts")).to_be_visible()
    rows = page.locator("a.row")
    expect(rows).to_have_count(50)

    def all_there() -> bool:
        rows.last.scroll_into_view_if_needed()
        return rows.count() == 120

    eventually(all_there, 20, "all rows")
    page.get_by_role("searchbox").fill("person 07")
    expect(rows).to_have_count(10)
    page.get_by_role("searchbox").fill("xyzzy")
    expect(page.get_by_text("Nothing found for “xyzzy”")).to_be_visible()
    desk.refuse("/desk/contacts", 503, "store_away", "The database is away for a moment.")
    page.get_by_role("searchbox").fill("person 11")
    expect(page.get_by_text("The database is away")).to_be_visible()
    del desk.refusals["/desk/contacts"]
    page.get_by_role("button", name="Try again").click()
    expect(rows).to_have_count(10)


def test_names_are_words_and_analysts_only_look(page: Page, desk: FakeContacts) -> None:
    contact = desk.make(name=HTML, company=HTML, description=HTML, numbers=["+33142685300"], emails=["a@example.com"])
    show(page, desk, contact=contact, writes=False, leads=False)
    card = page.get_by_role("region", name="Contact")
    expect(card.get_by_text(HTML).first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    for name in ("Erase…", "Merge with…", "Add contact", "Call", "Erase a number…"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_of_ours(page: Page, desk: FakeContacts, theme: str, width: int) -> None:
    Desk.open(desk.store, "Ada").arrive("+33142685300")
    tier = desk.field(name="Tier", kind="choice", choices=["Gold", "Iron"])
    zoe = desk.make(
        name="Zoë Müller", company="Atelier Moreau", description="Prefers mornings.", numbers=["+33142685300"],
        emails=["zoe@example.com"], custom={tier: "Gold"},
    )  # fmt: skip
    desk.make(company="Acme", numbers=["+33142685301"])
    page.set_viewport_size({"width": width, "height": 844})
    for name, contact in (("list", ""), ("card", zoe)):
        show(page, desk, theme=theme, contact=contact)
        expect(page.locator("a.row" if not contact else ".item").first).to_be_visible()
        found = Axe().run(page, options={"rules": {"region": {"enabled": False}}})
        assert found.violations_count == 0, found.generate_report()
        page.screenshot(path=PICTURES / f"contacts-{name}-{width}-{theme}.png")
